# SPDX-License-Identifier: GPL-3.0-or-later
"""Which picture of a folder becomes the camera's background. In a Blender of its own: bad ones would end this one."""

import subprocess
import sys

import bpy
import pytest

SIZE = (64, 36)
COMPANION = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "
"""How the file begins that macOS puts beside every other one on foreign disks."""

SHOW = """
import sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
backgrounds = bpy.context.scene.camera.data.background_images
print("background:", *(bpy.path.basename(item.clip.filepath) for item in backgrounds))
"""


@pytest.fixture
def shots(tmp_path, scene):
    """A folder of three pictures whose numbers have no zeros before them."""
    folder = tmp_path / "shots"
    folder.mkdir()
    image = bpy.data.images.new("picture", *SIZE)
    image.file_format = "JPEG"
    for number in (8, 9, 10):
        image.filepath_raw = str(folder / f"a_{number}.jpg")
        image.save()
    return folder


@pytest.fixture
def background_of(tmp_path, synthetic, root):
    """Imports a take of that footage in a process of its own; returns the name of the background's file."""

    def run(*command):
        done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def background(source):
        take = synthetic(frames=2, people=0, points=0, source=str(source), size=SIZE).write(tmp_path / "take.h3r")
        scene = tmp_path / "scene.blend"
        run(root / "tools" / "run_in_module.py", "import", take, "--output", scene, "--overwrite")
        return run("-c", SHOW, scene).partition("background:")[2].split("\n")[0].strip()

    return background


def test_hidden_companions_are_no_footage_and_numbers_count(shots, background_of):
    (shots / "._a_8.jpg").write_bytes(COMPANION)
    (shots / "Thumbs.db").write_bytes(b"Windows' small pictures")
    assert background_of(shots) == "a_8.jpg"


def test_what_only_has_a_picture_s_name_is_not_given_to_blender(shots, background_of):
    (shots / "a_8.jpg").write_bytes(COMPANION)
    assert background_of(shots) == ""
    assert background_of(shots / "a_8.jpg") == ""
    assert background_of(shots / "a_%d.jpg") == ""
    assert background_of(shots / "a_10.jpg") == "a_10.jpg"
