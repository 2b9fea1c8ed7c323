# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB files by the format's own rules: keys at their times, and in each key what the scene shows then."""

from fractions import Fraction

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings

from . import readers
from .conftest import LATE, RATE
from .gltf import Glb

MILLIMETRE = 0.001
RATES = {
    1.0: Fraction(1), 7.5: Fraction(15, 2), 12.5: Fraction(25, 2), 23.976: Fraction(24000, 1001), 24.0: Fraction(24),
    29.97: Fraction(30000, 1001), 33.3: Fraction(333, 10), 59.94: Fraction(60000, 1001), 240.0: Fraction(240),
}  # fmt: skip
EVERY = 97


def export(cast, folder, people, rate, **more):
    settings = ExportSettings(("glb",), rate, **more)
    return Glb(exporting.export(cast.scene, people, folder, "take", settings).files[0])


@pytest.mark.parametrize("rate", RATES)
def test_keys_are_at_their_times(cast, tmp_path, rate):
    """To the last bit, those of expressions and of the camera as well."""
    cast.scene.frame_end = 1 + 2 * int(RATE)
    file = export(cast, tmp_path, cast.people[:1], rate, camera=True)
    expected = np.array([frame / RATES[rate] for frame in range(1 + int(2 * RATES[rate]))], dtype=np.float32)
    assert np.array_equal(file.times, expected)
    assert {path for _, path in file.channels} == {"translation", "rotation", "scale", "weights"}
    readers.glb_file(tmp_path / "take.glb")  # and says first and last of them


@pytest.mark.parametrize("rate", (7.5, 12.5, 23.976, 59.94))
@pytest.mark.parametrize("count", (1, 2))
def test_each_key_holds_what_the_scene_shows_then(cast, tmp_path, rate, count):
    people = cast.people[:count]
    times = [float(k / RATES[rate]) for k in range(1 + int(12 / RATE * RATES[rate]))]
    late = [key for key, time_s in enumerate(times) if time_s * RATE >= LATE]
    keys = late[:: max(len(late) // 4, 1)]
    joints = cast.joints([times[key] for key in keys])
    surfaces = readers.surfaces(1, [times[key] for key in keys])
    file = export(cast, tmp_path, people, rate)
    assert len(file.times) == len(times)
    for person in people:
        label = person.name.replace(" ", "_")
        for row, key in enumerate(keys):
            found = file.joints(label, JOINT_NAMES, key)
            assert np.linalg.norm(found - joints[person.name][row], axis=-1).max() < MILLIMETRE
            wanted = surfaces[f"{person.name} mesh"][row][::EVERY]
            distances = np.linalg.norm(file.surface(label, key)[None] - wanted[:, None], axis=-1)
            assert distances.min(axis=1).max() < MILLIMETRE


def test_people_of_equal_bones_are_told_apart_by_their_nodes(cast, tmp_path):
    file = export(cast, tmp_path, cast.people, 30.0)
    skins = [set(skin["joints"]) for skin in file.file["skins"]]
    assert len(skins) == 2 and not skins[0] & skins[1]
    animated = [
        (channel["target"]["node"], channel["target"]["path"]) for channel in file.file["animations"][0]["channels"]
    ]
    assert len(animated) == len(set(animated))
