# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom properties that somebody changed, removed or made up: everything that reads them goes on, or says why not."""

import random

import bpy
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_choice import body_file
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import (
    characters,
    contacts,
    family,
    rows,
    shape_record,
    versions,
)
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bl_ext.user_default.human3r_blender.human3r_blender.scene import ground_alignment, scale, takes
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions
from bl_ext.user_default.human3r_blender.human3r_blender.sections.ground import evidence

from tests.fuzzing import ROUNDS, survives

from .situations import pick
from .test_situations import TOOLS, work

pytestmark = pytest.mark.fuzz

VALUES = (
    0, -1, 7, 2**31 - 1, -(2**31), True, 0.0, 1e308, float("nan"), float("inf"), "", "take", "x" * 5000, "armature",
    "root", "raw", "../x", "\x1b[31m", b"\xff\xfe\0", [], [1, 2], [0.5] * 11, [float("nan")] * 16, [float("inf")] * 32,
    ["a", "b"], {}, {"kind": 3}, {"a": {"b": [1]}}, "an object", "an action", None,
)  # fmt: skip


@pytest.fixture
def scene(take):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene_builder.import_take(take, bpy.context.scene, ImportOptions(clean=0.5, ground="auto"))
    person = family.people_in(bpy.context.scene)[0]
    scale.set_height(rows.root_of(person), person, 1.8)
    contacts.write(person, (contacts.Edit("left_foot", 5, 12, True),))
    versions.clean(person, 30.0, versions.settings_of(person))
    bpy.context.scene.frame_set(15)
    return bpy.context.scene


def properties():
    """Every property of ours in the file: its owner and its name."""
    owners = (*bpy.data.objects, *bpy.data.actions, *bpy.data.collections)
    return [(owner, name) for owner in owners for name in owner.keys() if name.startswith(tags.PREFIX)]  # noqa: SIM118


def put(owner, name, value):
    if name in owner:
        del owner[name]  # Blender keeps the kind of what it had
    if value is not None:
        blocks = {"an object": bpy.data.objects[0], "an action": bpy.data.actions[0]}
        owner[name] = blocks.get(value, value) if isinstance(value, str) else value


def kept(value):
    return value.to_list() if hasattr(value, "to_list") else value.to_dict() if hasattr(value, "to_dict") else value


def read_everything(scene):
    """All that panels and tools ask for before they change anything."""
    root = takes.root_of(bpy.context)
    if root is not None:
        ground_alignment.follows_estimates(root)
        evidence.floor_lines(root), scale.known_heights(root), scale.source_of(root)
        for person in (None, *family.people_in(scene)):
            evidence.scale_lines(root, person)
        for name in (tags.SOURCE, tags.TAKE_FILE, tags.BODY):
            tags.text(root, name).encode()
    characters.characters_in(scene)
    for person in family.people_in(scene):
        family.mesh(person), family.marks(person), family.collection(person), family.animated(person)
        for action in family.actions(person).values():
            shape_record.read(action, rows.pictures(person), [0.0] * 10)
        versions.shown(person), versions.settings_of(person), versions.lacks_camera(person), contacts.listed(person)
        body_file(tags.text(rows.root_of(person), tags.BODY))


def test_what_reads_properties_survives_any(scene):
    dice = random.Random(11)
    places = properties()
    assert len(places) > 20 and len(family.people_in(scene)) > 1
    for _ in range(400 * ROUNDS):
        owner, name = dice.choice(places)
        before = kept(owner.get(name))
        put(owner, name, dice.choice(VALUES))
        survives(lambda: read_everything(scene), (UserError,))
        put(owner, name, before)
    assert len(family.people_in(scene)) > 1
    survives(lambda: read_everything(scene), ())


ALWAYS = ("clean_up", "fill_gaps", "split_people", "swap_people", "delete_people")


@pytest.mark.parametrize("tool", [
    pytest.param(tool, marks=[] if tool in ALWAYS else [pytest.mark.slow]) for tool in TOOLS
])  # fmt: skip
def test_tools_do_their_work_or_refuse(scene, tool):
    """Three damages at once in places drawn for each tool."""
    dice = random.Random(TOOLS.index(tool))
    item = family.people_in(scene)[0]
    pick(item)
    for owner, name in dice.sample(properties(), 3):
        put(owner, name, dice.choice(VALUES))
    try:
        ended = work(item)[tool]()
    except RuntimeError as error:
        assert "Traceback" not in str(error) and "internal" not in str(error), error
        ended = {"CANCELLED"}
    except TypeError as error:  # a choice that the menu does not have any more
        assert "not found in" in str(error)
        ended = {"CANCELLED"}
    assert ended in ({"FINISHED"}, {"CANCELLED"})


def test_a_person_without_a_sound_place_is_nobody(scene):
    item, *others = family.people_in(scene)
    for name in (tags.TAKE, tags.ROLE, tags.TRACK):
        before = item[name]
        for value in ([1], {"a": 1}, float("nan"), None, *(() if name == tags.TAKE else ("x",))):
            put(item, name, value)
            assert family.people_in(scene) == others, (name, value)
        put(item, name, before)
    assert family.people_in(scene) == [item, *others]
