# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operator that works on a scene works on the one that an earlier version saved."""

import json

import bpy
import numpy as np
import pytest

from tests.compatibility import looking

SIMPLE = {
    "clean_up": {"strength": 0.5, "lock_feet": True, "everyone": True},
    "compare_versions": {},
    "fill_gaps": {"limit_s": 0.5, "everyone": True},
    "color_people": {"everyone": True},
    "paint_people": {"color": (0.1, 0.2, 0.3, 1.0)},
    "show_names": {},
    "floor_from_cursor": {},
    "floor_from_selection": {},
    "face_camera": {},
    "retarget_find_bones": {},
    "retarget_match_pose": {},
}
"""With Anna selected, they only have to do their work."""

CHECKED = {
    "show_version",
    "show_contacts",
    "rename_person",
    "hide_people",
    "show_people",
    "delete_people",
    "split_people",
    "merge_people",
    "swap_people",
    "bake_correctives",
    "select_person",
    "set_scale",
    "found_ground",
    "retarget",
    "retarget_save_preset",
    "retarget_remove_preset",
    "export",
    "import_motion",
    "import_take",
    "choose_video",
    "show_colors",
    "play_camera_view",
    "add_preset",
    "use_preset",
}
"""What the other tests here and in the files beside this one try."""

NOT_OF_A_SCENE = {
    "allow_online",
    "cancel_capture",
    "cancel_task",
    "choose_python",
    "clear_body_file",
    "clear_python",
    "copy_diagnostics",
    "copy_error",
    "dismiss_task",
    "get_body",
    "get_weights",
    "import_data",
    "install_engine",
    "open_data_folder",
    "remove_data",
    "remove_engine",
    "repair_engine",
    "self_test",
    "show_preferences",
    "start_capture",
    "update_engine",
    "verify_data",
}
"""Set-up, and runs of the engine."""


def run(name, /, **options):
    assert getattr(bpy.ops.human3r, name)(**options) == {"FINISHED"}, name


@pytest.fixture
def anna(opened):
    """The first person, selected."""
    found = looking.people(opened)[0]
    looking.choose(found)
    return found


@pytest.fixture
def bob(opened):
    run("show_people")
    return looking.people(opened)[1]


def test_no_operator_is_forgotten(written):
    known = json.loads((written / "operators.json").read_text(encoding="utf-8"))["operators"]
    assert set(known) - {f"human3r.{name}" for name in {*SIMPLE, *CHECKED, *NOT_OF_A_SCENE}} == set()


@pytest.mark.parametrize("name", SIMPLE)
def test_it_does_its_work(anna, name):
    run(name, **SIMPLE[name])


@pytest.mark.parametrize("version", ["RAW", "LIVE", "CLEAN"])
def test_versions(anna, bob, version):
    run("show_version", version=version, everyone=True)
    assert looking.version(anna) == looking.version(bob) == version.lower()


def test_contact_marks(opened, known):
    run("show_contacts", show=False)
    marks = [opened.objects[name] for name in known["scene"]["contact_marks"]]
    assert marks and all(mark.users_collection[0].hide_viewport for mark in marks)


def test_names_and_hiding(opened, anna, bob):
    run("rename_person", name="Anne")
    assert (anna.name, looking.mesh_of(anna).name) == ("Anne", "Anne mesh")
    run("hide_people", person="Anne")
    assert not anna.visible_get()
    run("show_people")
    assert anna.visible_get()
    run("select_person", name="Bob")
    assert bpy.context.active_object == bob
    run("delete_people")
    assert [item.name for item in looking.people(opened)] == ["Anne"]


def test_who_is_who(opened, anna, bob):
    opened.frame_set(11)
    before = looking.place(anna, "pelvis"), looking.place(bob, "pelvis")
    run("swap_people", other="1")
    assert looking.place(anna, "pelvis") == pytest.approx(before[1], abs=0.05)
    assert looking.place(bob, "pelvis") == pytest.approx(before[0], abs=0.05)
    run("split_people")
    assert len(looking.people(opened)) == 3
    run("merge_people", other="1")
    assert len(looking.people(opened)) == 2


def test_pose_correctives(anna):
    keys = looking.mesh_of(anna).data.shape_keys.key_blocks
    before = len(keys)
    run("bake_correctives")
    assert len(keys) > before


def test_ground_and_scale(opened, anna, bob, known):
    root = looking.only(opened, "root")
    looking.choose(anna, looking.only(opened, "camera"))
    run("set_scale", length=2.0)
    assert np.abs(np.array(root.matrix_world) - known["scene"]["root_matrix"]).max() > 0.05
    run("found_ground")
    np.testing.assert_allclose(root.matrix_world, known["scene"]["root_matrix"], atol=1e-5)


def test_retargeting(opened, anna, known):
    settings = opened.human3r_retarget
    for name in known["scene"]["settings"]["human3r_retarget"]:
        settings.property_unset(name)
    run("retarget")
    assert f"Anna on {known['scene']['character']}" in settings.report and "limbs within 0.0" in settings.report
    run("retarget_save_preset", name="Another Rig")
    assert settings.preset == "Another Rig"
    run("retarget_remove_preset")
    assert settings.preset == "RECOGNISE"


def test_exports(opened, anna, known, tmp_path):
    run("show_version", version="RAW", everyone=True)
    settings = opened.human3r_export
    settings.formats, settings.rate, settings.camera = {"NPZ", "BVH", "GLB"}, "SCENE", False
    run("export", filepath=str(tmp_path / "anna"))
    files = {path.suffix: path for path in tmp_path.glob("anna*")}
    assert files.keys() == {".npz", ".bvh", ".glb"}
    with np.load(files[".npz"]) as motion:
        np.testing.assert_allclose(motion["betas"].ravel()[:10], known["people"]["betas"][0], atol=1e-5)
        assert len(motion["poses"]) == known["people"]["frames"]
    run("import_motion", filepath=str(files[".npz"]))
    assert len(looking.people(opened)) == 3


def test_views(opened, anna):
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        run("show_colors")
        run("play_camera_view")
        assert area.spaces.active.region_3d.view_perspective == "CAMERA"
        run("play_camera_view")


def test_choosing_a_video(opened, written):
    run("choose_video", filepath=str(written / "walk.mp4"))
    assert opened.human3r.source == str(written / "walk.mp4")
