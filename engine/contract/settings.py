# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of one capture: what the panel shows, the command line takes, the wire carries and the take records."""

from __future__ import annotations

import typing
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from .declaring import bad_setting, check_settings, setting
from .errors import UserError
from .json_checks import BadJson, checked

DEVICES = {
    "auto": ("Automatic", "The fastest that is there: CUDA, then Metal, then the processor"),
    "cpu": ("Processor", "Runs everywhere, and slowly"),
    "cuda": ("CUDA", "An NVIDIA GPU, or an AMD GPU with a ROCm build of torch"),
    "mps": ("Metal", "The GPU of a Mac with Apple silicon"),
}
PRECISIONS = {
    "float32": ("float32", "Full precision, on every device"),
    "bfloat16": ("bfloat16", "Half the memory; coarser numbers"),
    "float16": ("float16", "Half the memory; numbers finer than bfloat16's, of a smaller range"),
}
CAMERAS = {
    "auto": ("Automatic", "Tracked for the embedded model, the network's own for all others"),
    "network": ("Network", "The motion that the model predicts"),
    "tracked": ("Tracked", "Corners of the scene followed from frame to frame; people are left out"),
}


@dataclass(frozen=True)
class CaptureSettings:
    """Settings of a capture; checked once, when made. Raises :class:`UserError` (``bad-setting``)."""

    source: str = setting(
        label="Video", needed="Choose a video, a folder of images or a pattern.", belongs_to="footage"
    )
    """Video file, folder of images, or image-sequence pattern (``shot.%04d.png``, ``shot.####.png``)."""
    take: str = setting(
        label="Take", needed="Choose where to write the take (.h3r).", unit="path", belongs_to="footage"
    )
    """Where the take (.h3r) is written."""
    model: str = setting("default", label="Model")
    """``default`` (the embedded model), ``896L``, ``672L``, ``672B`` or ``672S`` (installed weights), a checkpoint's
    path, or ``recipe:VARIANT`` (deterministic random weights)."""
    body: str = setting("", label="Body", unit="path")
    """Path of an SMPL-X body file (.npz), or ``mannequin``; empty for the installed SMPL-X body, the mannequin where
    there is none."""
    device: str = setting("auto", label="Device", choices=DEVICES, group="Device", belongs_to="machine")
    """What the network runs on: ``auto``, ``cpu``, ``cuda`` or ``mps``."""
    precision: str = setting("float32", label="Precision", choices=PRECISIONS, group="Device", belongs_to="machine")
    """``float32``, ``bfloat16`` or ``float16``: the type of the network's matrix products, whose results differ."""
    start: int = setting(0, label="Start", least=0, group="Range", belongs_to="footage")
    """First frame of the footage to take, counted from 0."""
    end: int | None = setting(
        None, label="End", least=0, none="the end of the footage", group="Range", belongs_to="footage"
    )
    """The frame to stop before, counted from 0."""
    stride: int = setting(1, label="Frame Step", least=1, group="Range")
    """Take every n-th frame: 2 takes every other one, which halves the time."""
    frame_rate: float | None = setting(
        None,
        label="Frame Rate",
        above=0,
        most=1000,
        none="as the footage says",
        unit="frames per second",
        group="Range",
        belongs_to="footage",
    )
    """Frames per second for image sequences, or to override the container's nominal rate."""
    camera: str = setting("auto", label="Camera Motion", choices=CAMERAS, group="Memory and camera")
    """Where the camera's motion comes from: ``network``, the model's own; ``tracked``, corners of the scene followed
    from frame to frame and its predicted depth, people left out; ``auto``, tracked for the embedded model, which
    has not learnt camera motion, and network for all other weights, where tracking has not been measured."""
    reset_interval: int = setting(
        100, label="Reset Interval", least=2, zero="never", unit="frames", group="Memory and camera"
    )
    """Frames after which the network's memory starts anew (paper section 3.2, test-time adaptation), as it has learnt
    from short footage."""
    ttt3r: bool = setting(True, label="TTT3R Gate", group="Memory and camera")
    """Whether the network's memory changes by the TTT3R gate (paper section 3.2), little where a frame tells little;
    off: it is replaced with every frame, as in CUT3R."""
    detection_threshold: float = setting(0.3, label="Min Detection", above=0, below=1, unit="share", group="People")
    """Least score, between 0 and 1, with which a spot of the frame counts as a head: lower finds more people, and
    more that are none."""
    track_memory: int = setting(10_000, label="Track Memory", least=1, unit="frames", group="People")
    """Frames after which a person out of sight is forgotten; whoever comes back sooner is the same person again."""
    voxel_size: float = setting(
        0.05, label="Voxel Size", least=0.001, most=10, zero="no scene points", unit="meters", group="Points"
    )
    """Edge of the voxels that scene points are fused in, in meters."""
    point_confidence: float = setting(1.005, label="Min Confidence", least=1, soft_most=20, group="Points")
    """Least model confidence of a scene point: 1 where the model knows nothing, such as the sky, and upwards. Points
    keep their confidence, so that the scene can filter them more strictly later."""
    max_points: int = setting(2_000_000, label="Max Points", least=1, unit="points", group="Points")
    """Most scene points; further ones are left out."""
    point_maps: bool = setting(False, label="Keep Point Maps", group="Take")
    """Whether the points of every single frame go into the take file as well, which makes it large."""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.end is not None and self.end <= self.start:
            raise bad_setting(self, "end", "Use a frame after the start.")

    def with_camera_chosen(self) -> CaptureSettings:
        """The same with ``network`` or ``tracked`` in place of ``auto``: what runs, and what a take records."""
        if self.camera != "auto":
            return self
        return replace(self, camera="tracked" if self.model == "default" else "network")

    @classmethod
    def from_json(cls, values: Any) -> CaptureSettings:
        """Settings from decoded JSON. Raises :class:`UserError` for unknown names and for values of the wrong type."""
        if not isinstance(values, dict):
            raise UserError("bad-setting", "The settings are not names with values.", "Start the capture again.")
        declared, hints = {item.name: str(item.type) for item in fields(cls)}, typing.get_type_hints(cls)
        for name, value in values.items():
            if name not in declared:
                raise UserError(
                    "bad-setting", "There is no setting called {name}.", "Check its spelling.", name=repr(name)
                )
            try:
                checked(value, hints[name], name)
            except BadJson as error:
                remedy = f"Use a value of type {declared[name]}."
                raise UserError(
                    "bad-setting", "The setting {name} cannot be {value}.", remedy, name=name, value=repr(value)
                ) from error
        missing = {item.name for item in fields(cls) if item.default is MISSING} - values.keys()
        if missing:
            raise UserError("bad-setting", "The setting {missing} is missing.", "Give it.", missing=missing.pop())
        return cls(**values)
