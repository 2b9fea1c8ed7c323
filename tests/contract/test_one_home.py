# SPDX-License-Identifier: GPL-3.0-or-later
"""What has one home is looked for nowhere else."""

import re
from pathlib import Path

ADDON = Path(__file__).resolve().parents[2] / "human3r_blender"

WHO_IS_A_PERSON = re.compile(r"tags\.(ARMATURE|MESH|CONTACTS)\b|human3r_(role|track)\b")
MADE_IN = ("blender/tags.py", "person", "scene/people.py")


def test_people_are_found_in_person_alone():
    """Who is a person, and which mesh is whose, is known in `person/`; a take that arrives makes them."""
    elsewhere = [
        f"{path.relative_to(ADDON)}: {found.group()}"
        for path in ADDON.rglob("*.py")
        if not path.relative_to(ADDON).as_posix().startswith(MADE_IN)
        for found in WHO_IS_A_PERSON.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not elsewhere


def test_people_are_not_looked_for_in_the_whole_file():
    """But those of earlier versions, whose armatures hold no Actions. To `get` what has a known name is no search."""
    searched = re.compile(r"in \[?\*?bpy\.data\.(objects|actions|meshes|collections)\b(?!\.)")
    found = {
        path.name: len(searched.findall(path.read_text(encoding="utf-8"))) for path in (ADDON / "person").glob("*.py")
    }
    assert {name: count for name, count in found.items() if count} == {"family.py": 2}
