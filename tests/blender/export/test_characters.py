# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters in files stand and bend as the scene shows them, without their rigs."""

import json
from fractions import Fraction

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.person import characters
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import character_files, retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings
from mathutils.kdtree import KDTree

from ..retarget import rigs
from ..retarget.test_files import write_take
from ..retarget.test_rigify import generated  # noqa: F401
from ..takes import Synthetic
from . import glb_joints, readers
from .conftest import RATE, everything, go_to

MILLIMETRE = 0.001
EXPORT_RATE, AS_BLENDER = Fraction(24000, 1001), (24, 1.001)
TIMES = [float(frame / EXPORT_RATE) for frame in (0, 4, 9)]
READERS = {"fbx": readers.import_fbx, "glb": readers.import_glb, "usd": readers.import_usd, "abc": readers.import_abc}


def sphere(name, scene, around, radius, parent=None, bone="", rig=None):
    """A ball of a hundred vertices about a place in the world."""
    data = bpy.data.meshes.new(name)
    random = np.random.default_rng(len(name))
    way = random.normal(size=(100, 3))
    points = np.array(around) + radius * way / np.linalg.norm(way, axis=1, keepdims=True)
    data.from_pydata(points.tolist(), [], [(row, row + 1, row + 2) for row in range(98)])
    item = bpy.data.objects.new(name, data)
    scene.collection.objects.link(item)
    if rig is not None:
        item.modifiers.new("Armature", "ARMATURE").object = rig
    if parent is not None:
        item.parent = parent
        if bone:
            item.parent_type, item.parent_bone = "BONE", bone
        bpy.context.view_layer.update()
        item.matrix_world = item.matrix_world.Identity(4)
    return item


def dress(rig, bones, scene):
    """Give a rig a skin over an arm with a driven shape key, an eye, a hat that follows the head, boots and a ghost."""
    bpy.context.view_layer.update()
    place = {name: np.array(rig.matrix_world @ rig.data.bones[bone].head_local) for name, bone in bones.items()}
    skin = sphere("Skin", scene, place["left_elbow"], 0.2, rig=rig)
    weights = np.linspace(0, 1, 100)
    for joint, values in (("left_shoulder", weights), ("left_elbow", 1 - weights)):
        group = skin.vertex_groups.new(name=bones[joint])
        for vertex, value in enumerate(values.tolist()):
            group.add([vertex], value, "REPLACE")
    skin.vertex_groups.new(name="no bone").add([0, 50], 1.0, "REPLACE")
    for joint in ("left_shoulder", "left_elbow"):
        skin.vertex_groups[bones[joint]].remove([50])  # which stays where it is
    sphere("Cape", scene, place["neck"], 0.3, rig=rig)  # as does all of this
    skin.shape_key_add(name="Basis")
    swell = skin.shape_key_add(name="Swell")
    for point in swell.data:
        point.co.z += 0.1
    driver = skin.data.shape_keys.driver_add('key_blocks["Swell"].value').driver
    driver.expression = "frame / 20"
    sphere("Eye", scene, place["head"], 0.05, rig, bones["head"])
    hat = sphere("Hat", scene, place["head"] + [0, 0, 0.3], 0.1)
    constraint = hat.constraints.new("CHILD_OF")
    constraint.target, constraint.subtarget = rig, bones["head"]
    mirrored = sphere("Boots", scene, place["left_knee"], 0.1, rig=rig)
    mirrored.vertex_groups.new(name=bones["left_knee"]).add(range(100), 1.0, "REPLACE")
    subdivided = mirrored.modifiers.new("Array", "ARRAY")
    subdivided.count, subdivided.use_relative_offset, subdivided.use_constant_offset = 2, False, True
    mirrored.modifiers.move(1, 0)
    mirrored.shape_key_add(name="Basis")
    mirrored.shape_key_add(name="Tight").data[0].co.x += 0.05
    mirrored.data.shape_keys.key_blocks["Tight"].value = 0.5
    ghost = sphere("Ghost", scene, (0, 0, 0), 0.1, rig, bones["head"])
    ghost.hide_render = True


def people_of_a_take(count=1):
    """A new file with people, at 30 frames/s."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    take = Synthetic(frames=13, people=count, rate=RATE, points=0, pose_scale=0.15)
    from bl_ext.user_default.human3r_blender.human3r_blender.person import family
    from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder

    made = builder.SceneBuilder(scene, take.header, builder.ImportOptions(ground="off", clean=0.0))
    for message in take.messages():
        made.add(message)
    made.finish()
    made.work()
    return scene, family.people_under(made.root)


def mixamo(scene, person, rest):
    """A character as Mixamo's files are imported, below a group that is turned and twice as large."""
    rig = rigs.mixamo(rest)
    dress(rig.item, rig.bones, scene)
    group = bpy.data.objects.new("Group", None)
    scene.collection.objects.link(group)
    for item in [item for item in scene.objects if item.name in ("Mixamo", "Skin", "Boots")]:
        item.parent = group
    group.location, group.rotation_euler, group.scale = (1, 2, 0.5), (0, 0, 0.8), (2, 2, 2)
    bpy.context.view_layer.update()
    found = character_files.find_rig(rig.item)
    retargeting.retarget(person, rig.item, scene, found, RetargetSettings(plant_feet=False))
    return rig.item, list(dict.fromkeys(rig.bones.values()))


def shown(item, bones, times=TIMES):
    """(T, B, 3) heads of bones in the scene."""
    rows = []
    for time_s in times:
        go_to(1 + time_s * RATE)
        seen = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
        rows.append([seen.matrix_world @ seen.pose.bones[bone].head for bone in bones])
    return np.array(rows)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A character in all formats, and what the scene showed."""
    scene, people = people_of_a_take()
    rest = BodyModel.load(default_body_path()).rest_joints(np.zeros(10))
    item, bones = mixamo(scene, people[0], rest)
    folder = tmp_path_factory.mktemp("characters")
    heads = shown(item, bones)
    surfaces = readers.surfaces(1, TIMES)
    go_to(3)
    bpy.context.view_layer.objects.active = item
    before = everything()
    settings = ExportSettings(("fbx", "glb", "usd", "abc"), float(EXPORT_RATE))
    done = exporting.export(scene, people, folder, "take", settings, characters.characters_in(scene))
    assert everything() == before
    assert sorted(path.name for path in done.files) == [f"take.{kind}" for kind in ("abc", "fbx", "glb", "usd")]
    unreal = ExportSettings(("fbx",), float(EXPORT_RATE), target="unreal")
    exporting.export(scene, people, folder, "unreal", unreal, [item])
    return folder, bones, heads, surfaces


def bones_of_file(first, bones):
    """(T, B, 3) heads in a file that was imported, of bones or of the empties that stand for them."""
    found = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    render = bpy.context.scene.render
    rows = []
    for time_s in TIMES:
        go_to(first + time_s * render.fps / render.fps_base)
        graph = bpy.context.evaluated_depsgraph_get()
        if found:
            seen = found[0].evaluated_get(graph)
            names = {name.replace(":", "_"): name for name in seen.pose.bones.keys()}  # noqa: SIM118
            rows.append([seen.matrix_world @ seen.pose.bones[names[b.replace(":", "_")]].head for b in bones])
        else:
            items = {item.name.replace(":", "_"): item for item in bpy.context.scene.objects}
            places = [items[f"Mixamo_{bone.replace(':', '_')}"].evaluated_get(graph).matrix_world for bone in bones]
            rows.append([place.translation.copy() for place in places])
    return np.array(rows)


@pytest.mark.parametrize("kind", [*READERS, "unreal"])
def test_bones_are_where_the_scene_has_them(exported, kind):
    folder, bones, heads, _ = exported
    readers.empty_file(AS_BLENDER)
    name, read = ("unreal-Mixamo.fbx", readers.import_fbx) if kind == "unreal" else (f"take.{kind}", READERS[kind])
    first = read(folder / name)
    found = bones_of_file(first, bones)
    assert np.ptp(heads, axis=0).max() > 0.05  # it moves
    assert np.linalg.norm(found - heads, axis=-1).max() < MILLIMETRE
    assert len([item for item in bpy.context.scene.objects if item.type == "ARMATURE"]) == (kind != "abc")


@pytest.mark.parametrize("kind", READERS)
def test_surfaces_are_where_the_scene_has_them(exported, kind):
    folder, _, _, surfaces = exported
    readers.empty_file(AS_BLENDER)
    found = readers.surfaces(READERS[kind](folder / f"take.{kind}"), TIMES)
    assert not [name for name in found if "Ghost" in name or "Person" in name]
    for name in ("Skin", "Eye", "Hat", "Boots", "Cape"):
        (mesh,) = [values for other, values in found.items() if name in other]
        for vertices, wanted in zip(mesh, surfaces[name], strict=True):
            tree = KDTree(len(vertices))
            for number, vertex in enumerate(vertices):
                tree.insert(vertex, number)
            tree.balance()
            assert max(tree.find(vertex)[2] for vertex in wanted) < MILLIMETRE, name


def test_a_reader_that_is_not_blender_finds_the_same(exported):
    """The joints of the GLB file, from its JSON and numbers alone."""
    folder, bones, heads, _ = exported
    found = glb_joints.read(folder / "take.glb")
    rows = np.array([np.argmin(np.abs(found.time_s - time_s)) for time_s in TIMES])
    assert np.abs(found.time_s[rows] - TIMES).max() < 1e-4
    y_up = np.stack([found.joints[bone][rows] for bone in bones], axis=1)
    z_up = np.stack([y_up[..., 0], -y_up[..., 2], y_up[..., 1]], axis=-1)
    assert np.linalg.norm(z_up - heads, axis=-1).max() < MILLIMETRE


def test_shape_keys_survive_modifiers(exported):
    folder = exported[0]
    readers.empty_file(AS_BLENDER)
    readers.import_fbx(folder / "take.fbx")
    boots = bpy.data.objects["Boots"]
    assert boots.data.shape_keys.key_blocks.keys() == ["Basis", "Tight"] and len(boots.data.vertices) == 200
    assert not [one for item in bpy.data.objects for one in item.constraints]
    assert bpy.data.objects["Skin"].vertex_groups.keys() and "no bone" not in bpy.data.objects["Skin"].vertex_groups


def test_a_generated_rigify_character(generated, tmp_path):  # noqa: F811
    """Only what deforms it leaves, as one skeleton that hangs together."""
    from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.bringing import bring

    scene, people = people_of_a_take()
    item = bring(scene, generated)
    settings = RetargetSettings(controls="IK", root_motion=True)
    retargeting.retarget(people[0], item, scene, character_files.find_rig(item), settings)
    deforming = [bone.name for bone in item.data.bones if bone.use_deform]
    heads = shown(item, deforming)
    exporting.export(scene, people, tmp_path, "take", ExportSettings(("fbx", "glb"), float(EXPORT_RATE)), [item])
    for kind in ("fbx", "glb"):
        readers.empty_file(AS_BLENDER)
        found = bones_of_file(READERS[kind](tmp_path / f"take.{kind}"), deforming)
        assert np.linalg.norm(found - heads, axis=-1).max() < MILLIMETRE
        (skeleton,) = [found for found in bpy.data.objects if found.type == "ARMATURE"]
        bones = skeleton.data.bones
        assert set(bones.keys()) == {"root", *deforming} and [bone.name for bone in bones if not bone.parent] == [
            "root"
        ]
        for side in "LR":
            for below, above in (
                ("DEF-forearm", "DEF-upper_arm"),
                ("DEF-upper_arm", "DEF-shoulder"),
                ("DEF-hand", "DEF-forearm"),
                ("DEF-shin", "DEF-thigh"),
            ):
                assert f"{above}.{side}" in {bone.name for bone in bones[f"{below}.{side}"].parent_recursive}
            assert "DEF-spine" in {bone.name for bone in bones[f"DEF-thigh.{side}"].parent_recursive}


def test_a_skeleton_that_a_control_rig_moves(tmp_path):
    """Two armatures that are one character: what deforms it leaves, once."""
    scene, people = people_of_a_take()
    rig = rigs.unreal(BodyModel.load(default_body_path()).rest_joints(np.zeros(10)))
    control, game = rig.item, rig.item.copy()
    game.data, game.name = rig.item.data.copy(), "Game"
    scene.collection.objects.link(game)
    for bone in game.pose.bones:
        constraint = bone.constraints.new("COPY_TRANSFORMS")
        constraint.target, constraint.subtarget = control, bone.name
    head = np.array(control.matrix_world @ control.data.bones["head"].head_local)
    ball = sphere("Face", scene, head, 0.1, rig=game)
    ball.vertex_groups.new(name="head").add(range(100), 1.0, "REPLACE")
    sphere("Eye", scene, head, 0.02, control, "head")
    retargeting.retarget(people[0], control, scene, character_files.find_rig(control))
    bones = ["pelvis", "head", "hand_l"]
    heads, surfaces = shown(control, bones), readers.surfaces(1, TIMES)
    settings = ExportSettings(("fbx",), float(EXPORT_RATE))
    exporting.export(scene, people, tmp_path, "take", settings, characters.characters_in(scene))
    readers.empty_file(AS_BLENDER)
    first = readers.import_fbx(tmp_path / "take.fbx")
    assert np.linalg.norm(bones_of_file(first, bones) - heads, axis=-1).max() < MILLIMETRE
    found = readers.surfaces(first, TIMES)
    assert set(found) == {"Face", "Eye"}
    for name, values in found.items():
        assert np.linalg.norm(values - surfaces[name], axis=-1).max() < MILLIMETRE, name
    (skeleton,) = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    assert len(skeleton.data.bones) < len(rig.bones) * 2


@pytest.mark.parametrize("more, expected", [
    ((), ["Mannequin.glb", "Mannequin_001.glb", "Person_01.npz", "Person_02.npz"]),
    (("--export-people",), ["Mannequin.glb", "Mannequin_001.glb", "Person_01.glb", "Person_01.npz", "Person_02.glb",
                            "Person_02.npz"]),
])  # fmt: skip
@pytest.mark.parametrize("link", [False, True])
def test_the_command_line_exports_the_characters(request, tmp_path, more, expected, link, capfd):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    rig = rigs.unreal(BodyModel.load(default_body_path()).rest_joints(np.zeros(10)))
    dress(rig.item, rig.bones, bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hero.blend"), copy=True)
    take, output, summary = write_take(tmp_path / "clip.h3r"), tmp_path / "out" / "walk.blend", tmp_path / "s.json"
    arguments = ["import", take, "--output", output, "--retarget-to", tmp_path / "hero.blend", "--export", "glb,npz"]
    arguments += ["--no-export-together", "--json", summary, *more, *(["--retarget-link"] if link else [])]
    assert command_line.main([*map(str, arguments)]) == 0, capfd.readouterr().err
    assert sorted(path.name for path in output.parent.glob("*-*")) == [f"walk-{name}" for name in expected]
    (result,) = json.loads(summary.read_text())["results"]
    assert any("hold people only" in note for note in result["export_notes"])
    bpy.ops.wm.open_mainfile(filepath=str(output))
    scene = bpy.context.scene
    assert [item.name for item in characters.characters_in(scene)] == ["Mannequin", "Mannequin.001"]
    bones = list(
        dict.fromkeys(rig_bone for rig_bone in glb_joints.read(output.parent / "walk-Mannequin_001.glb").joints)
    )
    own = [bone for bone in bones if bone in scene.objects["Mannequin.001"].data.bones]
    heads = shown(scene.objects["Mannequin.001"], own, [0.0, 0.1])
    found = glb_joints.read(output.parent / "walk-Mannequin_001.glb")
    y_up = np.stack([found.joints[bone][[0, 3]] for bone in own], axis=1)
    z_up = np.stack([y_up[..., 0], -y_up[..., 2], y_up[..., 1]], axis=-1)
    assert len(own) > 50 and np.linalg.norm(z_up - heads, axis=-1).max() < MILLIMETRE


def test_the_sidebar_exports_who_is_chosen(tmp_path):
    scene, people = people_of_a_take(2)
    rest = BodyModel.load(default_body_path()).rest_joints(np.zeros(10))
    rig = rigs.unreal(rest).item
    retargeting.retarget(people[1], rig, scene, character_files.find_rig(rig))
    chosen = scene.human3r_export
    chosen.formats = {"USD"}
    for subjects, everyone, expected in (
        ("CHARACTERS", True, {"Mannequin"}),
        ("PEOPLE", True, {"Person_01", "Person_02"}),
        ("BOTH", True, {"Mannequin", "Person_01", "Person_02"}),
        ("CHARACTERS", False, {"Mannequin"}),
    ):
        chosen.subjects, chosen.everyone, chosen.overwrite = subjects, everyone, True
        for item in scene.objects:
            item.select_set(item == (people[1] if not everyone else None))
        scene.frame_set(5)
        assert bpy.ops.human3r.export(filepath=str(tmp_path / "walk")) == {"FINISHED"}
        found = characters_of_usd(tmp_path / "walk.usd")
        assert found == expected, subjects


def characters_of_usd(path):
    """The names of the skeletons in a USD file, imported into a scene that goes again."""
    before, own = set(bpy.data.objects), bpy.context.scene
    other = bpy.data.scenes.new("other")
    bpy.context.window.scene = other
    bpy.ops.wm.usd_import(filepath=str(path))
    made = [item for item in bpy.data.objects if item not in before]
    names = {item.name for item in made if item.type == "ARMATURE"}
    names = {name.partition(".")[0] for name in names}
    bpy.context.window.scene = own
    bpy.data.batch_remove(made)
    bpy.data.scenes.remove(other)
    return names
