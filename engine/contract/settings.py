# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of one capture: what the panel shows, the command line takes, the wire carries and the take records."""

from __future__ import annotations

import typing
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from .declaring import bad_setting, check_settings, setting
from .errors import UserError
from .json_checks import BadJson, checked
from .known_facts import check_known

DEVICES = {
    "auto": ("Automatic", "The fastest available: CUDA, then Metal, then the processor"),
    "cpu": ("Processor", "Works on every machine, but slowly"),
    "cuda": ("CUDA", "An NVIDIA GPU, or an AMD GPU with a ROCm build of PyTorch"),
    "mps": ("Metal", "The GPU of a Mac with Apple silicon"),
}
PRECISIONS = {  # .blend files hold their numbers: new ones go to the end
    "float32": ("float32", "Full precision, on every device; on CUDA matrix products are in TF32"),
    "bfloat16": ("bfloat16", "Half the memory, lower precision"),
    "float16": ("float16", "Half the memory, finer precision than bfloat16 but a smaller range"),
    "auto": ("Automatic", "bfloat16 or float16 on CUDA, where it is faster, and float32 elsewhere"),
    "exact": ("Exact float32", "Full precision in matrix products on CUDA, too, which makes them slower"),
}
QUALITIES = {
    "preview": ("Preview", "The fastest: people are looked for in every third frame, at low resolution"),
    "standard": ("Standard", "People are looked for in every second frame, at medium resolution"),
    "best": (
        "Best",
        "People are looked for in every second frame, at high resolution, so that small ones are found too",
    ),
}
BUILT_IN = "landmarks"
"""The model that comes with the extension."""
OURS = (BUILT_IN, "small")
"""Models that are not released ones, which do not predict the camera's motion well enough."""
CAMERAS = {
    "auto": ("Automatic", "Tracked for the built-in model, Network for all others"),
    "network": ("Network", "The camera motion that the model predicts"),
    "tracked": ("Tracked", "Features of the environment tracked from frame to frame, ignoring people"),
}
REFINEMENTS = {
    "auto": ("Automatic", "On for the built-in model, off for all others"),
    "on": ("On", "Look at the whole footage again at the end, for a better camera path and environment"),
    "off": ("Off", "Keep the camera path that was found while the footage ran"),
}


@dataclass(frozen=True)
class CaptureSettings:
    """Settings of a capture; checked once, when made. Raises :class:`UserError` (``bad-setting``)."""

    source: str = setting(
        label="Footage", needed="Choose a video, a folder of images or an image-sequence pattern.", belongs_to="footage"
    )
    """Video file, folder of images, or image-sequence pattern (``shot.%04d.png`` or ``shot.####.png``)."""
    take: str = setting(
        label="Take", needed="Choose where to write the take (.h3r).", unit="path", belongs_to="footage"
    )
    """File to write the take (.h3r) to."""
    model: str = setting("default", label="Model")
    """``default`` (the best that is installed: released weights, else ``landmarks``), ``landmarks`` (the built-in
    model), ``896L``, ``672L``, ``672B`` or ``672S`` (released weights), the path of a checkpoint, ``small`` (a small
    Human3R trained on synthetic clips, not in the extension), or ``recipe:VARIANT`` (deterministic random weights)."""
    body: str = setting("", label="Body", unit="path")
    """SMPL-X body file (.npz), or ``mannequin``; empty for the installed SMPL-X body or, if there is none, the
    mannequin."""
    device: str = setting("auto", label="Device", choices=DEVICES, group="Device", belongs_to="machine")
    """Device to run the network on: ``auto``, ``cpu``, ``cuda`` or ``mps``."""
    precision: str = setting("auto", label="Precision", choices=PRECISIONS, group="Device", belongs_to="machine")
    """Number format of the network's matrix products: ``auto``, ``float32``, ``exact``, ``bfloat16`` or ``float16``;
    results differ."""
    start: int = setting(0, label="Start", least=0, group="Range", belongs_to="footage")
    """First frame of the footage to use, counting from 0."""
    end: int | None = setting(
        None, label="End", least=0, none="to the end of the footage", group="Range", belongs_to="footage"
    )
    """Frame of the footage to stop before, counting from 0."""
    stride: int = setting(1, label="Frame Step", least=1, group="Range")
    """Use one frame in this many; 2 uses every other frame, which halves the time."""
    frame_rate: float | None = setting(
        None,
        label="Frame Rate",
        above=0,
        most=1000,
        none="the footage's own frame rate",
        unit="frames per second",
        group="Range",
        belongs_to="footage",
    )
    """Frames per second of an image sequence, or to override the frame rate that a video file gives."""
    camera: str = setting("auto", label="Camera Motion", choices=CAMERAS, group="Memory and camera")
    """Where the camera motion comes from: ``network``, predicted by the model; ``tracked``, from features of the
    environment tracked from frame to frame and the predicted depth, ignoring people; ``auto``, tracked for the
    built-in model, which has not learned camera motion, and network for all other weights, with which tracking has
    not been measured."""
    refine_camera: str = setting("auto", label="Refine Camera", choices=REFINEMENTS, group="Memory and camera")
    """When the last frame is in, follow the camera through the whole footage once more and adjust its path, focal
    length and scale together: ``on``, ``off``, or ``auto``, which is on for the built-in model."""
    reset_interval: int = setting(
        100, label="Reset Interval", least=2, zero="never", unit="frames", group="Memory and camera"
    )
    """Frames after which the network's memory is reset, because it was trained on short footage (paper section 3.2,
    test-time adaptation)."""
    ttt3r: bool = setting(True, label="TTT3R Gate", group="Memory and camera")
    """Update the network's memory through the TTT3R gate (paper section 3.2), which changes it less for frames that add
    little; when off, every frame replaces it, as in CUT3R."""
    quality: str = setting("standard", label="Quality", choices=QUALITIES, group="People")
    """How thoroughly the built-in model looks for people: ``preview``, ``standard`` or ``best``."""
    fingers_and_face: bool = setting(True, label="Fingers and Face", group="People")
    """Capture fingers, head turn and jaw with the built-in model where the picture shows them well enough; elsewhere
    hands are relaxed."""
    least_height: float = setting(0.1, label="Min Height", least=0, below=1, unit="share", group="People")
    """Minimum height of a person as a share of the frame's height with the built-in model; smaller people, such as
    those far behind in a crowd, are left out."""
    stature: float | None = setting(
        None,
        label="Stature",
        least=0.5,
        most=2.5,
        none="estimated, about 1.70",
        unit="meters",
        group="Known",
        belongs_to="footage",
    )
    """Height in meters of the people in the footage, if it is known: it sets their size and distance."""
    focal_mm: float | None = setting(
        None,
        label="Focal Length",
        least=5,
        most=1000,
        none="estimated",
        unit="millimeters",
        group="Known",
        belongs_to="footage",
    )
    """Focal length of the footage for a sensor 36 mm wide along the frame's long side, as of a full-frame camera and
    of Blender's own, if it is known; the built-in model uses it."""
    focal_px: float | None = setting(
        None,
        label="Focal in Pixels",
        above=0,
        most=1_000_000,
        none="estimated",
        unit="pixels",
        group="Known",
        belongs_to="footage",
    )
    """Focal length of the footage in its own pixels, if it is known; instead of Focal Length."""
    fov: float | None = setting(
        None,
        label="Field of View",
        above=0,
        below=180,
        none="estimated",
        unit="degrees",
        group="Known",
        belongs_to="footage",
    )
    """Angle in degrees that the camera sees along the frame's long side, if it is known; instead of Focal Length."""
    constant_focal: bool = setting(False, label="Constant Focal", group="Known", belongs_to="footage")
    """The lens does not zoom: use one focal length, estimated if it is not known, for all frames. The built-in model
    always does."""
    fixed_camera: bool = setting(False, label="Fixed Camera", group="Known", belongs_to="footage")
    """The camera does not move at all, such as on a tripod: it has the very same place and direction in all frames."""
    camera_file: str = setting("", label="Camera File", unit="path", group="Known", belongs_to="footage")
    """File with the camera of a matchmove (.npz): its place and direction in each frame, and its focal length."""
    height: str = setting("", label="Heights", entries="ID=METERS", group="Known", belongs_to="footage")
    """Heights of single people in meters by their numbers in the take, such as 0=1.78,1=1.62. Stature counts for
    everybody else."""
    detection_threshold: float = setting(0.3, label="Min Detection", above=0, below=1, unit="share", group="People")
    """Minimum score, between 0 and 1, for a spot in the frame to count as a head; lower values find more people, but
    also more false ones."""
    track_memory: int = setting(10_000, label="Track Memory", least=1, unit="frames", group="People")
    """Frames after which a person out of sight is forgotten; anyone who returns sooner is recognized as the same
    person."""
    voxel_size: float = setting(
        0.05, label="Voxel Size", least=0.001, most=10, zero="no scene points", unit="meters", group="Points"
    )
    """Size in meters of the voxels that scene points are merged in."""
    point_confidence: float = setting(1.005, label="Min Confidence", least=1, soft_most=20, group="Points")
    """Minimum confidence of a scene point: 1 where the model knows nothing, such as in the sky, and higher elsewhere.
    Points keep their confidence, so they can be filtered further in the scene."""
    max_points: int = setting(2_000_000, label="Max Points", least=1, unit="points", group="Points")
    """Maximum number of scene points; further points are left out."""
    backdrop: bool = setting(True, label="Backdrop", group="Points")
    """For a camera that stands still or only turns, show the environment as one photograph without people, on the floor
    and an upright card, instead of as points, whose distances nothing in such footage tells; needs Refine Camera."""
    refine_people: bool = setting(False, label="Refine People", group="Take")
    """When the last frame is in, clean up people in the take itself, their places included, for programs other than
    Blender; how they were seen stays in it. Blender cleans up every take that it shows in any case."""
    point_maps: bool = setting(False, label="Keep Point Maps", group="Take")
    """Also save the points of every single frame in the take, which makes the file large."""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.end is not None and self.end <= self.start:
            raise bad_setting(self, "end", "Choose a frame after the start.")
        check_known(self)

    def with_camera_chosen(self) -> CaptureSettings:
        """The same with what ``auto`` comes to for the camera: what runs, and what a take records."""
        camera = self.camera if self.camera != "auto" else "tracked" if self.model in OURS else "network"
        refine = self.refine_camera if self.refine_camera != "auto" else "on" if self.model == BUILT_IN else "off"
        return replace(self, camera=camera, refine_camera=refine)

    @classmethod
    def from_json(cls, values: Any) -> CaptureSettings:
        """Settings from decoded JSON. Raises :class:`UserError` for unknown names and for values of the wrong type."""
        if not isinstance(values, dict):
            raise UserError(
                "bad-setting", "The settings are not a list of names and values.", "Start the capture again."
            )
        declared, hints = {item.name: str(item.type) for item in fields(cls)}, typing.get_type_hints(cls)
        for name, value in values.items():
            if name not in declared:
                raise UserError(
                    "bad-setting", "There is no setting called {name}.", "Check its spelling.", name=repr(name)
                )
            try:
                checked(value, hints[name], name)
            except BadJson as error:
                raise UserError(
                    "bad-setting",
                    "The setting {name} cannot be {value}.",
                    "Use a value of type {type}.",
                    name=name,
                    value=repr(value),
                    type=declared[name],
                ) from error
        missing = {item.name for item in fields(cls) if item.default is MISSING} - values.keys()
        if missing:
            raise UserError("bad-setting", "The setting {missing} is missing.", "Add it.", missing=missing.pop())
        return cls(**values)
