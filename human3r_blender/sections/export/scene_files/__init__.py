# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves Blender besides people: the camera alone, the scene points, and what the engine makes of the take.

`camera_files.py`, `nuke.py` and `cloud.py` write what the scene shows; `take_files.py` says what ``engine export`` is
to write, which reads the take and its footage. `scene_exporting.py` goes through what was asked for.
"""

from __future__ import annotations

from . import camera_files, cloud, nuke, take_files
from .scene_file import SceneFile

SCENE_FILES: dict[str, SceneFile] = {
    item.name: item for item in (*camera_files.FILES, *nuke.FILES, *cloud.FILES, *take_files.FILES)
}
"""By their names, in the order in which they are offered."""
