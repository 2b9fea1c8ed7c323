# SPDX-License-Identifier: GPL-3.0-or-later
"""From the bundled video to Blender's world, against ground truth: a wrong sign, axis, side or frame turns this red.

Three times: what our two models make of the clip, within bounds 1.5 times the errors measured when they were set; and
the truth itself as a take, which leaves the model out and has to arrive exactly.
"""

from dataclasses import dataclass

import bpy
import numpy as np
import pytest
from mathutils.kdtree import KDTree

from .world_of_a_scene import read_scene, through_camera, true_world

FRAMES = range(0, 81, 2)
LEFT_RIGHT = ((1, 2), (4, 5), (16, 17), (18, 19))  # hips, knees, shoulders, elbows
WHOLE_CLIP = 81


@dataclass(frozen=True)
class Bounds:
    """Largest errors allowed."""

    joints_m: float
    """Mean over joints, people and frames, in world metres."""
    head_m: float
    """Of the head, in world metres, mean."""
    pose_m: float
    """Mean of the joints with the pelvis moved to the true one: the body as it stands in the world."""
    facing_deg: float
    """Median."""
    joints_px: float
    """Mean, seen through the scene's camera."""
    camera_m: float
    """Largest."""
    camera_deg: float
    """Largest, of the viewing direction and of what is up."""
    lens: float
    """Largest, relative."""
    points_m: float
    """Median distance of the scene's points to the true surfaces."""
    surface_m: float
    """Median distance of the true surfaces to the scene's points."""
    color_agreement: float
    """Least correlation of the points' colours with the first picture where they are seen in it."""


BOUNDS = {
    "built-in model": Bounds(
        joints_m=0.23,
        head_m=0.21,
        pose_m=0.085,
        facing_deg=9.5,
        joints_px=7.0,
        camera_m=0.56,
        camera_deg=3.6,
        lens=0.1,
        points_m=0.22,
        surface_m=0.51,
        color_agreement=0.4,
    ),
    "small model": Bounds(
        joints_m=0.8,
        head_m=0.8,
        pose_m=0.1,
        facing_deg=12.0,
        joints_px=18.0,
        camera_m=0.12,
        camera_deg=1.0,
        lens=0.2,
        points_m=0.54,
        surface_m=0.27,
        color_agreement=0.45,
    ),
    "truth": Bounds(
        joints_m=1e-3,
        head_m=1e-3,
        pose_m=1e-3,
        facing_deg=0.1,
        joints_px=0.1,
        camera_m=1e-3,
        camera_deg=0.1,
        lens=1e-4,
        points_m=1e-3,
        surface_m=0.06,
        color_agreement=0.7,
    ),
}


@dataclass
class Compared:
    """A scene, the truth with its people in the scene's order, and how far the one may be off."""

    scene: object
    truth: object
    person: np.ndarray
    """For each armature the true person that it is nearest to over the whole clip."""
    nearest: np.ndarray
    """(F, people) the true person that it is nearest to in each frame."""
    bounds: Bounds
    picture: np.ndarray
    """(H, W, 3) the first picture, sRGB in 0..1, from the upper row down."""


@pytest.fixture(scope="module", params=list(BOUNDS))
def compared(request, demo_blend, small_blend, truth_blend, first_picture, root):
    blend = {"built-in model": demo_blend, "small model": small_blend, "truth": truth_blend}[request.param]
    scene, placed = read_scene(blend, FRAMES)
    truth = true_world(root / "demo" / "demo_truth.npz", FRAMES, placed)
    away = np.linalg.norm(scene.joints[:, :, None, 0] - truth.joints[:, None, :, 0], axis=-1)
    person = away.mean(axis=0).argmin(axis=1)
    for name in ("joints", "facing", "shown", "joints_px"):
        setattr(truth, name, getattr(truth, name)[:, person])
    return Compared(scene, truth, person, away.argmin(axis=2), BOUNDS[request.param], first_picture)


def degrees(one, other):
    """Angles between (..., 3) unit vectors."""
    return np.degrees(np.arccos(np.clip((one * other).sum(axis=-1), -1.0, 1.0)))


def distances(points, others):
    """(N,) from each point to the nearest of the others."""
    tree = KDTree(len(others))
    for index, other in enumerate(others):
        tree.insert(other, index)
    tree.balance()
    return np.array([tree.find(point)[2] for point in points])


def test_both_people_are_found_once_and_stay_themselves(compared):
    assert sorted(compared.person) == [0, 1]
    assert compared.scene.shown.mean() > 0.97  # the truth shows both in every picture
    assert (compared.nearest == compared.person).all()


def test_bones_are_where_the_joints_are(compared):
    ours, true, bounds = compared.scene.joints, compared.truth.joints, compared.bounds
    error = np.linalg.norm(ours - true, axis=-1)
    assert error.mean() < bounds.joints_m and error[..., 15].mean() < bounds.head_m
    pose = np.linalg.norm((ours - ours[..., :1, :]) - (true - true[..., :1, :]), axis=-1)
    assert pose.mean() < bounds.pose_m


def test_people_face_where_they_face_and_left_is_left(compared):
    assert np.median(degrees(compared.scene.facing, compared.truth.facing)) < compared.bounds.facing_deg
    for left, right in LEFT_RIGHT:
        ours, true = (
            joints[..., left, :] - joints[..., right, :] for joints in (compared.scene.joints, compared.truth.joints)
        )
        same = (ours * true).sum(axis=-1) > 0
        assert same.mean() > 0.9, (left, right)


def test_people_are_seen_where_the_footage_shows_them(compared):
    error = np.linalg.norm(compared.scene.joints_px - compared.truth.joints_px, axis=-1)
    assert error.mean() < compared.bounds.joints_px


def test_pictures_are_on_their_frames(compared):
    """People move in the picture when they move: no shift in time fits better than none."""
    ours, true = np.diff(compared.scene.joints_px, axis=0), np.diff(compared.truth.joints_px, axis=0)
    rows = np.arange(3, len(ours) - 3)
    misfit = {shift: np.linalg.norm(ours[rows] - true[rows + shift], axis=-1).mean() for shift in range(-3, 4)}
    assert min(misfit, key=misfit.get) == 0, misfit


def test_the_camera_stands_and_looks_as_it_did(compared):
    ours, true, bounds = compared.scene, compared.truth, compared.bounds
    assert np.linalg.norm(ours.camera - true.camera, axis=-1).max() < bounds.camera_m
    assert degrees(ours.looking, true.looking).max() < bounds.camera_deg
    assert degrees(ours.up, true.up).max() < bounds.camera_deg
    # The world is the first camera's: there, nothing is left to the model.
    assert np.linalg.norm(ours.camera[0] - true.camera[0]) < 5e-3
    assert degrees(ours.looking[0], true.looking[0]) < 0.2 and degrees(ours.up[0], true.up[0]) < 0.2


def test_the_lens_is_the_footages(compared):
    ratio = compared.scene.width_per_distance / compared.truth.width_per_distance
    assert np.abs(ratio - 1).max() < compared.bounds.lens


def test_points_lie_on_the_true_surfaces(compared):
    ours, true, bounds = compared.scene.points, compared.truth.points, compared.bounds
    assert np.median(distances(ours, true)) < bounds.points_m
    assert np.median(distances(true[::19], ours)) < bounds.surface_m


def test_points_have_the_colours_of_what_is_seen_there(compared):
    points, picture = compared.scene, compared.picture
    height, width = picture.shape[:2]
    pixel, before = through_camera(points.points, 0)
    inside = before & (pixel >= 0).all(axis=-1) & (pixel < (width, height)).all(axis=-1)
    assert inside.mean() > 0.8
    column, row = pixel[inside].astype(int).T
    color = points.colors[inside].ravel()
    agreement = np.corrcoef(color, picture[row, column].ravel())[0, 1]
    assert agreement > compared.bounds.color_agreement
    for wrong in (picture[:, ::-1], picture[::-1]):
        assert agreement > 0.15 + np.corrcoef(color, wrong[row, column].ravel())[0, 1]


@pytest.fixture(scope="module")
def first_picture(run_engine_script, root, tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "first.png"
    run_engine_script(root / "tools" / "footage_picture.py", root / "demo" / "demo.mp4", 0, path)
    image = bpy.data.images.load(str(path))
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)[::-1, :, :3]
