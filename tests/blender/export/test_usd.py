# SPDX-License-Identifier: GPL-3.0-or-later
"""What USD files say of themselves, and how USDZ packages are packed."""

import struct
import zipfile

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.person import visibility
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting, motion, usd_compression
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.file_format import Request
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.formats import usd
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.staging import staged
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.usd_crate import Crate

from . import readers


def export(cast, folder, kind, **more):
    return exporting.export(cast.scene, cast.people, folder, "take", ExportSettings((kind,), **more)).files[0]


@pytest.mark.parametrize("rate", (7.5, 23.976, 30.0, 59.94))
def test_rate_and_people(cast, tmp_path, rate):
    path = export(cast, tmp_path, "usd", frame_rate=rate)
    when, crate = motion.clock(cast.scene, rate), Crate(path)
    for field in ("framesPerSecond", "timeCodesPerSecond"):
        assert crate.double("/", field) == float(when.rate)
    assert crate.paths("SkelRoot") == [f"/root/Person_0{number}" for number in (1, 2)]
    assert [crate.text(place, "displayName") for place in crate.paths("SkelRoot")] == ["Person 01", "Person 02"]


def test_the_extent_holds_the_body_in_every_frame(cast, tmp_path):
    path = export(cast, tmp_path, "usd")
    crate = Crate(path)
    corners = {place[6:]: crate.corners(f"{place}.extent") for place in crate.paths("SkelRoot")}
    readers.empty_file((30, 1.0))
    readers.import_usd(path)
    times = np.arange(13) / 30.0
    for name, points in readers.surfaces(0, times).items():
        y_up = np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)  # as the armature's own axes
        least, greatest = corners[name.removesuffix("_mesh")]
        assert (y_up >= least - 1e-4).all() and (y_up <= greatest + 1e-4).all()
        assert (greatest - least < np.ptp(y_up.reshape(-1, 3), axis=0) + 2.5).all()


def test_a_skeleton_alone_is_a_skeleton_for_readers(cast, tmp_path):
    assert len(Crate(export(cast, tmp_path, "usd", mesh=False)).paths("SkelRoot")) == 2


def test_blender_says_the_same_in_text(cast, tmp_path):
    """Axis, unit, range and default prim are Blender's own, which a text file shows."""
    when = motion.clock(cast.scene, 23.976)
    hidden = visibility.hidden_frames(cast.people[0], cast.scene, when.scene_frames)
    people = [motion.collect(cast.people[0], cast.scene, when, hidden)]
    with staged("take", people, when.rate):
        bpy.ops.wm.usd_export(filepath=str(tmp_path / "take.usda"), export_animation=True, export_armatures=True)
    text = (tmp_path / "take.usda").read_text()
    said = dict(line.strip().split(" = ") for line in text[: text.index("\n)")].splitlines() if " = " in line)
    assert said["upAxis"] == '"Z"' and float(said["metersPerUnit"]) == 1 and said["defaultPrim"] == '"root"'
    assert (float(said["startTimeCode"]), float(said["endTimeCode"])) == (0, len(when.scene_frames) - 1)
    usd.write(tmp_path / "take.usd", people, Request(when))
    crate = Crate(tmp_path / "take.usd")
    assert crate.double("/", "timeCodesPerSecond") == pytest.approx(float(said["timeCodesPerSecond"]), abs=1e-5)


def test_a_package_holds_its_files_as_they_are(cast, tmp_path):
    path = export(cast, tmp_path, "usdz")
    with zipfile.ZipFile(path) as package:
        assert [item.filename for item in package.infolist()] == ["take.usdc"] and package.testzip() is None
        for item in package.infolist():
            assert item.compress_type == zipfile.ZIP_STORED
            name, extra = struct.unpack_from("<HH", path.read_bytes(), item.header_offset + 26)
            assert (item.header_offset + 30 + name + extra) % 64 == 0


def test_tables_are_packed_as_they_are_unpacked():
    numbers = [5, 5, 6, 2**31 - 1, -2, -1, 0xFFFFFFFF, 300, -40000, *range(100)]
    data = usd_compression.decompress(usd_compression.compress_integers(numbers))
    found = usd_compression.integers(data, len(numbers))
    assert (found.astype(np.uint32) == np.array(numbers, dtype=np.int64).astype(np.uint32)).all()
    for size in (0, 1, 14, 15, 16, 269, 270, 271, 70000):
        text = bytes(range(256)) * (size // 256 + 1)
        assert usd_compression.decompress(usd_compression.compress(text[:size])) == text[:size]
    # a repetition that overlaps itself: "ab", and six more from two back
    assert usd_compression.decompress(b"\0" + bytes([0x22]) + b"ab" + bytes([2, 0, 0x10]) + b"c") == b"abababab" + b"c"
