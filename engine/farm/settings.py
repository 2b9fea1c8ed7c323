# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user decides about a job on a farm, declared once for the command lines and the panel."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.declaring import check_settings, setting

FORMATS = {
    "openjd": (
        "Open Job Description",
        "A job bundle for AWS Deadline Cloud and whatever else runs Open Job Description",
    ),
    "slurm": ("Slurm", "Job arrays, and a script that submits them"),
    "flamenco": ("Flamenco", "A job type with the clips in it, for Blender's own farm"),
    "commands": ("Commands", "Lists of commands, one a line, for OpenCue, RoyalRender, Tractor or GNU parallel"),
}

MOST_TOGETHER = 8
"""Clips of one task: what Open Job Description has room for, two parameters each."""


@dataclass(frozen=True)
class FarmSettings:
    """How a job is written; checked once, when made. Raises :class:`UserError` (``bad-setting``)."""

    format: str = setting("openjd", label="Format", choices=FORMATS, group="Farm")
    """What the farm takes: ``openjd``, ``slurm``, ``flamenco`` or ``commands``."""
    scene: bool = setting(False, label="Make Scenes", group="Farm")
    """Also make a .blend file of each take, with Blender on the workers."""
    output: str = setting("", label="Output", unit="path", group="Farm")
    """Folder for takes, scenes and the report, which all workers reach; empty for a folder beside the bundle."""
    engine: str = setting("", label="Engine", unit="path", group="Farm")
    """Python of an engine that all workers find at this path; empty where each worker's environment variable
    HUMAN3R_ENGINE_PYTHON names it, and HUMAN3R_ENGINE_FOLDER the folder of the extension."""
    install_engine: bool = setting(False, label="Install Engine", group="Farm")
    """Workers install the engine for each session, checked by hashes, instead of having one; slow, and for Open Job
    Description alone."""
    blender: str = setting("blender", label="Blender", needed="Give the name or path of Blender.", group="Farm")
    """Blender on the workers, with the extension enabled, for scenes."""
    gpu: bool = setting(True, label="Require GPU", group="Farm")
    """Clips go to workers with a GPU alone; without it, a worker that has none takes very long."""
    clips_per_task: int = setting(
        0, label="Clips per Task", least=0, most=MOST_TOGETHER, zero="short clips together", group="Farm"
    )
    """Clips that one task does, one after the other, with one load of the model; 0 puts short clips together."""

    def __post_init__(self) -> None:
        check_settings(self)
