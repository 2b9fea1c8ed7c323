# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips on disk: what is written is read back; the command writes videos with their truth."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
import torch

from engine.contract.errors import UserError
from engine.ground_truth import read_truth
from engine.synthetic.__main__ import main
from engine.synthetic.clips import make_clip
from engine.synthetic.dataset import (
    TRAINING,
    VALIDATION,
    read_sequence,
    sequences,
    write_dataset,
    write_sequence,
)
from engine.synthetic.settings import HELD_OUT_SEED, TIERS
from engine.synthetic.truth import clip_truth, head_seen

SETTINGS = replace(TIERS["room"], size=(64, 48), frames=3)


def test_a_sequence_comes_back(tmp_path):
    clip = make_clip(1, SETTINGS)
    write_sequence(tmp_path / "one", clip)
    back = read_sequence(tmp_path / "one")
    there = clip.present
    assert there.any()
    for field in fields(clip):
        want, got = getattr(clip, field.name), getattr(back, field.name)
        if field.name in ("seed", "part", "canonical"):
            continue
        if field.name in ("present", "identity", "betas"):
            want = want[there]
        elif (
            want.dim() >= 2
            and want.shape[1] == len(there)
            and field.name not in ("rgb", "depth", "instance", "world_from_camera")
        ):
            want = want[:, there]
        elif field.name == "instance":
            assert torch.equal(want > 0, got > 0)
            continue
        torch.testing.assert_close(
            got.to(want.dtype),
            want,
            atol=2e-3 if field.name == "joints_px" else 2e-5,
            rtol=1e-5,
            equal_nan=True,
            msg=field.name,
        )


def test_held_out_seeds_go_to_validation(tmp_path):
    write_dataset(tmp_path, [5, HELD_OUT_SEED + 5], replace(SETTINGS, frames=1))
    for split, name in ((TRAINING, "room_00000005"), (VALIDATION, "room_01000005")):
        assert [path.name for path in sequences(tmp_path, split)] == [name]


def test_a_damaged_sequence_says_so(tmp_path):
    write_sequence(tmp_path / "one", make_clip(1, replace(SETTINGS, frames=1)))
    (tmp_path / "one" / "rgb" / "00000.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="not an image") as caught:
        read_sequence(tmp_path / "one")
    assert caught.value.code == "dataset-damaged"
    with pytest.raises(UserError, match="no sequences"):
        sequences(tmp_path, TRAINING)


def test_the_command_writes_a_video_and_its_truth(tmp_path):
    video, truth_file = tmp_path / "clip.mp4", tmp_path / "truth.npz"
    arguments = [
        str(video),
        "--seed",
        "1000003",
        "--frames",
        "5",
        "--size",
        "96x64",
        "--supersample",
        "1",
        "--truth",
        str(truth_file),
        "--maps",
        "2",
    ]
    assert main(arguments) == 0
    clip = make_clip(1_000_003, replace(TIERS["studio"], size=(96, 64), frames=5, frame_rate=24.0))
    footage = cv2.VideoCapture(str(video))
    assert footage.get(cv2.CAP_PROP_FPS) == pytest.approx(24.0)
    frames = []
    while (read := footage.read())[0]:
        frames.append(read[1][..., ::-1].astype(int))
    assert len(frames) == 5
    assert np.abs(np.stack(frames) - clip.rgb.numpy()).mean() < 12  # lossy, but the same pictures

    truth = read_truth(truth_file)
    expected = clip_truth(clip, "studio-1000003", 24.0, 2)
    assert truth.name == expected.name and truth.footage_size == (96, 64)
    np.testing.assert_array_equal(truth.person_mask, clip.instance[:, 1::2, 1::2].numpy())
    np.testing.assert_allclose(truth.depth_m, clip.depth[:, 1::2, 1::2].numpy())
    np.testing.assert_array_equal(truth.people.translation, clip.translation[:, clip.present].numpy())
    np.testing.assert_array_equal(truth.expected, head_seen(clip)[:, clip.present].numpy())
    assert truth.expected.any()


def test_the_command_explains_what_went_wrong(tmp_path, capsys):
    assert main([str(tmp_path / "absent" / "clip.mp4"), "--frames", "1", "--size", "32x32", "--supersample", "1"]) == 1
    assert "video-unwritable" in capsys.readouterr().err
    assert main([str(tmp_path / "clip.mp4"), "--frames", "0"]) == 1
    assert "bad-setting" in capsys.readouterr().err


def test_the_command_draws_a_sheet(tmp_path):
    sheet = tmp_path / "sheet.png"
    options = ["--seed", "7", "--clips", "2", "--frames", "3", "--size", "48x32", "--rate", "15", "--supersample", "1"]
    assert main([str(sheet), *options]) == 0
    picture = cv2.imread(str(sheet))[..., ::-1]
    assert picture.shape == (64, 144, 3)
    clip = make_clip(8, replace(TIERS["studio"], size=(48, 32), frames=3))
    assert np.abs(picture[32:, 96:].astype(int) - clip.rgb[2].numpy()).mean() < 1.0


def test_the_command_writes_a_dataset(tmp_path):
    assert (
        main(
            [
                str(tmp_path / "set"),
                "--seed",
                "0",
                "--clips",
                "2",
                "--frames",
                "1",
                "--size",
                "32x32",
                "--supersample",
                "1",
            ]
        )
        == 0
    )
    assert len(sequences(tmp_path / "set", TRAINING)) == 2
