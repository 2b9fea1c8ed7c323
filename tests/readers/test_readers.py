# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports read by programs that are not Blender: keys on the frame, joints and surfaces where Blender showed them."""

import pytest

from . import read_abc, read_bvh, read_fbx, read_glb, read_npz, read_usd
from .conftest import PEOPLE, RATES
from .looks import Truth, deviation, together

READERS = {
    "fbx": read_fbx.read,
    "glb": read_glb.read,
    "usd": read_usd.read,
    "abc": read_abc.read,
    "bvh": read_bvh.read,
    "npz": read_npz.read,
}
RESTING = {"fbx": read_fbx.rest, "glb": read_glb.rest, "usd": read_usd.rest}
MILLIMETER = 0.001
MOST_TIME_S = 1e-4

every_case = pytest.mark.parametrize(("people", "rate"), [(people, rate) for people in PEOPLE for rate in RATES])


@every_case
@pytest.mark.parametrize("kind", READERS)
def test_a_file(exports, kind, people, rate):
    """One file, or one for each person: everybody of the scene is there once."""
    folder = exports / f"{people}-{rate}"
    truth = Truth.load(folder / "truth.npz")
    files = sorted(folder.glob(f"take*.{kind}"))
    assert files
    found = deviation(truth, together(READERS[kind](path, truth.times, truth.rows) for path in files))
    print(
        f"{kind}, {people} people, {rate} frames/s, {len(files)} files: keys within {1e6 * found.time_s:.2f} µs, "
        f"joints {1e3 * found.joints_m:.4f} mm, surfaces {1e3 * found.surfaces_m:.4f} mm"
    )
    assert found.time_s < MOST_TIME_S
    assert found.joints_m < MILLIMETER
    assert found.surfaces_m < MILLIMETER


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize("kind", RESTING)
def test_at_rest_people_stand_on_the_floor(exports, kind, people):
    """Engines scale a motion by how high the pelvis is at rest."""
    resting = [
        person
        for path in sorted((exports / f"{people}-{RATES[0]}").glob(f"take*.{kind}"))
        for person in RESTING[kind](path)
    ]
    assert len(resting) == people
    for joints, vertices in resting:
        soles, pelvis = vertices[:, 2].min(), joints[0, 2]
        print(f"{kind}: soles at {1e3 * soles:.2f} mm, pelvis at {pelvis:.4f} m, at rest")
        assert abs(soles) < MILLIMETER and pelvis > 0.5


@every_case
def test_khronos_has_nothing_against_a_glb(exports, validated, people, rate):
    for path in (exports / f"{people}-{rate}").glob("*.glb"):
        issues = validated(path)
        assert issues["numErrors"] == 0, issues["messages"]


@every_case
def test_pixar_has_nothing_against_a_usd(exports, people, rate):
    for path in (exports / f"{people}-{rate}").glob("*.usd"):
        assert not read_usd.problems(path)
