# SPDX-License-Identifier: GPL-3.0-or-later
"""Who and what goes into a file: the motion that plays, hidden people, edits; and what stays as it was."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.contract.whole_file import whole_file
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import versions
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting, naming, writing
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings, parse_formats

from . import readers
from .conftest import FRAMES, LATE, RATE, everything, go_to, make_cast

MILLIMETRE = 0.001
TIMES = np.array([LATE, LATE + 2, FRAMES - 1]) / RATE
FRAME_ROWS = [LATE, LATE + 2, FRAMES - 1]


def export(cast, folder, formats="bvh", people=None, **more):
    return exporting.export(
        cast.scene,
        cast.people if people is None else people,
        folder,
        "take",
        ExportSettings(parse_formats(formats), **more),
    )


def exported_joints(cast, folder, person=0, **more):
    """(3, 55, 3) joints of a person in a new file, at `TIMES`, in Blender's world."""
    export(cast, folder, people=[cast.people[person]], overwrite=True, **more)
    (path,) = folder.glob("*.bvh")
    found = readers.bvh_joints(path)[1][FRAME_ROWS]
    return np.stack([found[..., 0], -found[..., 2], found[..., 1]], axis=-1)


def assert_as_shown(cast, folder, person=0):
    expected = cast.joints(TIMES)[cast.people[person].name]
    assert np.linalg.norm(exported_joints(cast, folder, person) - expected, axis=-1).max() < MILLIMETRE


def test_the_version_that_plays(tmp_path):
    cast, found = make_cast(clean=0.75), {}
    person = cast.people[0]
    curve = keyframes.curves(person)[('pose.bones["pelvis"].location', 0)]
    keyframes.set_values(curve, keyframes.read(curve)[1] + 0.1)  # of the clean one, which plays
    curve.update()
    for version in ("clean", "raw"):
        versions.show(person, version)
        assert_as_shown(cast, tmp_path)
        found[version] = exported_joints(cast, tmp_path)
    assert np.linalg.norm(found["clean"] - found["raw"], axis=-1).max() > 0.1


def test_a_motion_in_the_nla(cast, tmp_path):
    """Such a person is evaluated frame by frame, where Blender computes nothing for what is hidden."""
    person = cast.people[1]
    action = person.animation_data.action
    strip = person.animation_data.nla_tracks.new().strips.new("motion", 1, action)
    if keyframes.HAS_SLOTS:
        strip.action_slot = action.slots[0]
    person.animation_data.action = None
    assert_as_shown(cast, tmp_path, 1)
    note = export(cast, tmp_path, "npz").notes[0]
    assert note == f"Person 02 is hidden in frames 0-{LATE - 1} of the export, counted from 0."


def test_a_root_and_a_bone_that_the_user_moves(cast, tmp_path):
    for frame, place in ((1, 0.0), (FRAMES, 2.0)):
        cast.root.location.x = place
        cast.root.keyframe_insert("location", frame=frame)
    constraint = cast.people[0].pose.bones["left_shoulder"].constraints.new("LIMIT_ROTATION")
    constraint.use_limit_x, constraint.owner_space = True, "LOCAL"
    assert_as_shown(cast, tmp_path)


def test_what_a_skeleton_cannot_follow(cast, tmp_path):
    assert not export(cast, tmp_path, people=cast.people[:1]).notes
    cast.people[0].pose.bones["left_elbow"].location = (0.1, 0.0, 0.0)
    (note,) = export(cast, tmp_path, people=cast.people[:1], overwrite=True).notes
    assert "125 mm" in note and "left_" in note  # the root is 1.25 times as large
    cast.root.scale = (1.0, 1.2, 1.0)
    with pytest.raises(UserError) as refused:
        export(cast, tmp_path, overwrite=True)
    assert refused.value.code == "scaled-unevenly"


def test_a_range_without_motion_is_told(cast, tmp_path):
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 5001, 5010
    notes = export(cast, tmp_path, overwrite=True).notes
    assert sum("frames 5001 to 5010 of the scene were exported" in note for note in notes) == len(cast.people)


@pytest.mark.parametrize("how", ("object", "collection"))
def test_who_is_hidden_is_left_out(cast, tmp_path, how):
    for person in cast.people:
        if how == "collection":
            person.users_collection[0].hide_viewport = True
        else:
            person.animation_data.action = None
            person.hide_viewport = True
        done = None
        try:
            done = export(cast, tmp_path, overwrite=True)
        except UserError as error:
            assert error.code == "nobody-to-export" and person == cast.people[1]
        if done is not None:
            assert [path.name for path in done.files] == ["take-Person_02.bvh"]
            assert done.notes[0] == "Person 01 is hidden throughout and was left out."


def test_without_a_body_the_skeleton_goes_alone(cast, tmp_path):
    bpy.data.objects.remove(cast.people[0].children[0])
    expected = cast.joints(TIMES)["Person 01"]
    export(cast, tmp_path, "glb,npz", people=cast.people[:1])
    assert np.array_equal(np.load(tmp_path / "take-Person_01.npz")["betas"], np.zeros(10))
    readers.empty_file((30, 1.0))
    (found,) = readers.joints_of_skeletons(readers.import_glb(tmp_path / "take.glb"), TIMES).values()
    assert np.linalg.norm(found - expected, axis=-1).max() < MILLIMETRE


def test_one_frame_is_enough(cast, tmp_path):
    cast.scene.frame_start = cast.scene.frame_end = FRAMES
    expected = cast.joints([0.0])["Person 01"]
    export(cast, tmp_path, "fbx,npz,bvh", people=cast.people[:1])
    assert np.load(tmp_path / "take-Person_01.npz")["poses"].shape == (1, 165)
    readers.empty_file((30, 1.0))
    (found,) = readers.joints_of_skeletons(readers.import_fbx(tmp_path / "take.fbx"), [0.0]).values()
    assert np.linalg.norm(found - expected, axis=-1).max() < MILLIMETRE


def test_poses_that_blender_does_not_show_are_refused(cast, tmp_path):
    cast.people[0].data.pose_position = "REST"
    with pytest.raises(UserError) as refused:
        export(cast, tmp_path)
    assert refused.value.code == "armature-at-rest" and not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ("fbx", "abc", "bvh"))
def test_a_failure_leaves_nothing(cast, tmp_path, kind):
    go_to(1)
    bpy.context.view_layer.objects.active = cast.people[0]
    before = everything()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError) as refused:
        export(cast, tmp_path / "file", kind)
    assert refused.value.code == "output-unwritable" and refused.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and everything() == before


def test_files_are_replaced_only_on_request(cast, tmp_path):
    (tmp_path / "take-Person_02.bvh").write_text("mine")
    with pytest.raises(UserError) as refused:
        export(cast, tmp_path)
    assert refused.value.code == "output-exists" and len(list(tmp_path.iterdir())) == 1
    export(cast, tmp_path, overwrite=True)
    assert len(list(tmp_path.iterdir())) == 2 and (tmp_path / "take-Person_02.bvh").stat().st_size > 10_000


def test_what_blenders_exporters_say_goes_wrong_is_said(tmp_path):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with pytest.raises(UserError) as refused, whole_file(tmp_path / "take.fbx") as written:
        writing.run_exporter("FBX", lambda: bpy.ops.export_scene.fbx(filepath=str(tmp_path / "no" / "such")), written)
    assert refused.value.code == "export-failed" and not list(tmp_path.iterdir())


def test_names_that_every_file_system_takes(cast, tmp_path):
    cast.people[0].name, cast.people[1].name = "Zoë: main/person?", "zo  main person"
    files = export(cast, tmp_path).files
    assert [path.name for path in files] == ["take-Zoë_main_person.bvh", "take-zo_main_person.bvh"]
    cast.people[0].name, cast.people[1].name = "ZOË\u202e", "zoe\u0308 "
    files = export(cast, tmp_path, overwrite=True).files
    assert [path.name for path in files] == ["take-ZOË.bvh", "take-zoë_2.bvh"]
    for name in ("山田太郎", "नमस्ते", "Анна", "👩\u200d🚀"):
        assert naming.safe_name(name) == name
    assert naming.safe_name("CON") == "CON_" and naming.safe_name("...") == "person"
    assert 40 <= len(naming.safe_name("é" * 300).encode()) <= 48
    for name, expected in {"2nd 👩 Zoë": "_2nd_Zoë", "山田-太郎": "山田_太郎"}.items():
        assert naming.labels([name], ["pelvis"], as_identifiers=True) == [expected]
    assert naming.labels(["pelvis", "A", "A mesh", "a"], ["pelvis"]) == ["pelvis_2", "A", "A_mesh_2", "a_2"]


def test_settings_are_checked():
    for wrong in (
        {"formats": ()},
        {"formats": ("obj",)},
        {"formats": ("fbx",), "target": "godot"},
        {"formats": ("fbx",), "frame_rate": -1.0},
        {"formats": ("fbx",), "frame_rate": float("nan")},
    ):
        with pytest.raises(UserError) as refused:
            ExportSettings(**wrong)
        assert refused.value.code == "bad-setting" and refused.value.remedy
    assert parse_formats(" FBX,glb,,fbx ") == ("fbx", "glb")
