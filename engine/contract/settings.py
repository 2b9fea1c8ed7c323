# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of one capture: what the panel shows, the command line takes, the wire carries and the take records."""

from __future__ import annotations

import typing
from dataclasses import dataclass, fields, replace
from typing import Any

from .errors import UserError
from .json_checks import BadJson, checked

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("float32", "bfloat16", "float16")
CAMERAS = ("auto", "network", "tracked")


@dataclass(frozen=True)
class CaptureSettings:
    """Settings of a capture; checked once, when made. Raises :class:`UserError` (``bad-setting``)."""

    source: str
    """Video file, folder of images, or image-sequence pattern (``shot.%04d.png``, ``shot.####.png``)."""
    take: str
    """Where the take (.h3r) is written."""
    model: str = "default"
    """``default`` (the embedded model), ``896L``, ``672L``, ``672B`` or ``672S`` (installed weights), a checkpoint's
    path, or ``recipe:VARIANT`` (deterministic random weights)."""
    body: str = ""
    """Path of an SMPL-X body file (.npz), or ``mannequin``; empty for the installed SMPL-X body, the mannequin where
    there is none."""
    device: str = "auto"
    """``auto``, ``cpu``, ``cuda`` or ``mps``."""
    precision: str = "float32"
    """``float32``, ``bfloat16`` or ``float16``: the type of the network's matrix products, whose results differ."""
    start: int = 0
    """First picture of the footage to take, counted from 0."""
    end: int | None = None
    """The picture to stop before (exclusive); None for the end of the footage."""
    stride: int = 1
    """Take every n-th picture: 2 takes every other one, which halves the time."""
    frame_rate: float | None = None
    """Frames per second for image sequences, or to override the container's nominal rate; None: as the footage says."""
    reset_interval: int = 100
    """Pictures after which the network's memory starts anew (paper section 3.2, test-time adaptation), as it has learnt
    from short footage; 0 for never."""
    ttt3r: bool = True
    """Whether the network's memory changes by the TTT3R gate (paper section 3.2), little where a picture tells little;
    off: it is replaced with every picture, as in CUT3R."""
    camera: str = "auto"
    """Where the camera's motion comes from: ``network``, the model's own; ``tracked``, corners of the place followed
    from picture to picture and its predicted depth, people left out; ``auto``, tracked for the embedded model, which
    has not learnt camera motion, and network for all other weights, where tracking has not been measured."""
    detection_threshold: float = 0.3
    """Least score, between 0 and 1, with which a spot of the picture counts as a head: lower finds more people, and
    more that are none."""
    track_memory: int = 10_000
    """Pictures after which a person out of sight is forgotten; whoever comes back sooner is the same person again."""
    point_confidence: float = 1.005
    """Least model confidence of a scene point: 1 where the model knows nothing, such as the sky, and upwards. Points
    keep their confidence, so that the scene can filter them more strictly later."""
    voxel_size: float = 0.05
    """Edge of the voxels that scene points are fused in, metres; 0 for no scene points."""
    max_points: int = 2_000_000
    """Most points of the place; further ones are left out."""
    point_maps: bool = False
    """Whether the points of every single picture go into the take file as well, which makes it large."""

    def __post_init__(self) -> None:
        checks = (
            ("source", bool(self.source), "is empty", "Choose a video, a folder of images or a pattern."),
            ("take", bool(self.take), "is empty", "Choose where to write the take (.h3r)."),
            ("device", self.device in DEVICES, f"is {self.device!r}", f"Use one of {', '.join(DEVICES)}."),
            (
                "precision",
                self.precision in PRECISIONS,
                f"is {self.precision!r}",
                f"Use one of {', '.join(PRECISIONS)}.",
            ),
            ("camera", self.camera in CAMERAS, f"is {self.camera!r}", f"Use one of {', '.join(CAMERAS)}."),
            ("start", self.start >= 0, f"is {self.start}", "Use 0 or more."),
            ("end", self.end is None or self.end > self.start, f"is {self.end}", "Use a frame after the start."),
            ("stride", self.stride >= 1, f"is {self.stride}", "Use 1 or more."),
            (
                "frame_rate",
                self.frame_rate is None or 0 < self.frame_rate <= 1000,
                f"is {self.frame_rate}",
                "Use frames per second above 0, up to 1000.",
            ),
            (
                "reset_interval",
                self.reset_interval == 0 or self.reset_interval >= 2,
                f"is {self.reset_interval}",
                "Use 0 for never, or 2 and more frames.",
            ),
            (
                "detection_threshold",
                0 < self.detection_threshold < 1,
                f"is {self.detection_threshold}",
                "Use a value between 0 and 1.",
            ),
            ("track_memory", self.track_memory >= 1, f"is {self.track_memory}", "Use 1 or more frames."),
            ("point_confidence", self.point_confidence >= 1, f"is {self.point_confidence}", "Use 1 or more."),
            (
                "voxel_size",
                self.voxel_size == 0 or 0.001 <= self.voxel_size <= 10,
                f"is {self.voxel_size}",
                "Use metres between 0.001 and 10, or 0 for no points.",
            ),
            ("max_points", self.max_points >= 1, f"is {self.max_points}", "Use 1 or more."),
        )
        for name, holds, what, remedy in checks:
            if not holds:
                raise UserError("bad-setting", f"The setting {name} {what}.", remedy)

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
                raise UserError("bad-setting", f"There is no setting called {name!r}.", "Check its spelling.")
            try:
                checked(value, hints[name], name)
            except BadJson as error:
                remedy = f"Use a value of type {declared[name]}."
                raise UserError("bad-setting", f"The setting {name} cannot be {value!r}.", remedy) from error
        missing = {"source", "take"} - values.keys()
        if missing:
            raise UserError("bad-setting", f"The setting {missing.pop()} is missing.", "Give it.")
        return cls(**values)
