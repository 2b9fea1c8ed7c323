# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of cameras: pans stay in their place, and a kind that was added changes no clip there was before."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from engine.contract.errors import UserError
from engine.synthetic.clips import make_clip, make_clips
from engine.synthetic.dice import Dice
from engine.synthetic.settings import CAMERAS, TIERS, ClipSettings, tier_settings

KINDS = {
    "studio": "110011010011010101101101",
    "room": "311022020011110103113102",
    "street": "321033020012120103213102",
    "camera": "444444444444444444444444",
    "camera-people": "444444444444444444444444",
}
"""Numbers in `CAMERAS` of seeds 0 to 23, as they were before there were pans."""

LAST = [
    ("studio", 0, [-0.0031, -1.343, -0.2413], [0.5713, 0.0789, -0.8169]),
    ("studio", 2, [0.0, -1.7477, 0.0], [-0.5694, 0.1768, 0.8028]),
    ("room", 4, [-0.0845, -1.6509, 0.1329], [-0.7024, 0.1388, -0.6981]),
    ("room", 1, [0.2677, -1.6336, -0.0351], [-0.5788, 0.2089, 0.7883]),
    ("street", 1, [1.0994, -1.5976, 0.8757], [-0.7409, 0.1488, 0.6549]),
    ("street", 4, [0.2245, -1.69, -0.2039], [-0.7349, 0.1222, -0.6671]),
    ("camera", 3, [-0.0568, -1.3072, 0.1041], [0.5711, 0.0412, 0.8199]),
]
"""Place and direction of the last of five frames, as they were before there were pans."""


@pytest.mark.parametrize("tier", sorted(TIERS))
def test_cameras_are_what_they_were(tier: str) -> None:
    kinds = Dice(torch.arange(24)).fork("camera").choice("camera", TIERS[tier].camera_weights)
    assert "".join(map(str, kinds.tolist())) == KINDS[tier]


@pytest.mark.parametrize(("tier", "seed", "place", "direction"), LAST)
def test_paths_are_what_they_were(tier: str, seed: int, place: list[float], direction: list[float]) -> None:
    clip = make_clip(seed, replace(TIERS[tier], size=(32, 24), frames=5, frame_gap=(6, 6)))
    pose = clip.world_from_camera[-1].numpy()
    np.testing.assert_allclose(pose[:3, 3], place, atol=2e-4)
    np.testing.assert_allclose(pose[:3, 2], direction, atol=2e-4)


@pytest.mark.parametrize("tier", ["room", "street"])
def test_a_share_of_nothing_for_pans_changes_no_bit(tier: str) -> None:
    settings = replace(TIERS[tier], size=(32, 24), frames=3)
    assert len(settings.camera_weights) == len(CAMERAS) - 1
    longer = replace(settings, camera_weights=(*settings.camera_weights, 0.0))
    one, other = make_clips(range(6), settings), make_clips(range(6), longer)
    for field in fields(one):
        value = getattr(one, field.name)
        assert value is None or value.numpy().tobytes() == getattr(other, field.name).numpy().tobytes(), field.name


@pytest.mark.parametrize("tier", ["room", "street"])
def test_a_pan_turns_on_the_spot(tier: str) -> None:
    settings = replace(tier_settings(tier).with_camera("pan"), size=(32, 24), frames=20, people=(1, 2))
    clips = make_clips(range(16), settings)
    poses = clips.world_from_camera.double().numpy()
    turn, place = poses[..., :3, :3], poses[..., :3, 3]
    assert (place == place[:, :1]).all()
    forward = turn[..., 2]
    yaw = np.degrees(np.unwrap(np.arctan2(forward[..., 0], forward[..., 2]), axis=1))
    pitch = np.degrees(np.arcsin(forward[..., 1]))
    swept = yaw[:, -1] - yaw[:, 0]
    assert (np.abs(swept) > 14.9).all() and (np.abs(swept) < 40.1).all() and 20 < np.abs(swept).mean() < 35
    assert (swept > 0).any() and (swept < 0).any()
    steps = np.diff(yaw, axis=1) * np.sign(swept)[:, None]
    assert (steps > 0).all(), "it never turns back"
    assert (steps[:, 0] < 0.8 * steps[:, 10]).all(), "it begins gently"
    assert 0.1 < np.ptp(pitch, axis=1).mean() < np.ptp(pitch, axis=1).max() < 3.1
    assert np.ptp(np.degrees(np.arcsin(turn[:, :, 1, 0])), axis=1).max() < 0.01, "the horizon tilts"
    assert (clips.visible_px > 0).any(-1).float().mean() > 0.8


def test_a_pan_of_one_frame_is_a_view() -> None:
    clip = make_clip(1, replace(tier_settings("room").with_camera("pan"), size=(32, 24), frames=1))
    assert torch.isfinite(clip.world_from_camera).all()


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (0.5, -0.1), (0.0,) * 6, (1.0,) * 7])
def test_shares_that_say_nothing_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match="camera_weights"):
        ClipSettings(camera_weights=weights)
