# SPDX-License-Identifier: GPL-3.0-or-later
"""Training from a dataset on disk: the same truth as from memory, by seed, resumable, of the training split alone."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from engine.contract.body_model import BodyModel
from engine.contract.errors import UserError
from engine.model.checkpoint import load_checkpoint, save_checkpoint
from engine.model.human3r import Human3R
from engine.synthetic.clips import make_clip
from engine.synthetic.dataset import TRAINING, VALIDATION, write_dataset
from engine.synthetic.settings import HELD_OUT_SEED, tier_settings
from engine.training.command import add_arguments, run
from engine.training.data import truth_of
from engine.training.recipes import Recipe, Source, Stage
from engine.training.stored_clips import StoredClipPool, fitted
from engine.training.trainer import WEIGHTS_FILE
from engine.training.truth import Truth

SETTINGS = replace(tier_settings("studio"), frames=2)
PEOPLE_OF_SEED = {1: 1, 3: 2}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    write_dataset(folder, [*PEOPLE_OF_SEED, HELD_OUT_SEED], replace(SETTINGS, frames=5))
    return folder


def pool(dataset: Path, body: BodyModel, **changes: object) -> StoredClipPool:
    return StoredClipPool(dataset, body, replace(SETTINGS, **changes), clips=4, fresh=2, first_seed=5)


def test_what_was_written_is_what_is_learnt_from(dataset: Path, body: BodyModel) -> None:
    """A clip of the pool is one that was made, except for the labels that a dataset does not have."""
    drawn = pool(dataset, body, frames=5).draw(4)
    made = {seed: truth_of(make_clip(seed, replace(SETTINGS, frames=5)).as_batch()) for seed in PEOPLE_OF_SEED}
    assert drawn.part is None and drawn.canonical is None
    found = set()
    for index in range(4):
        clip = drawn.clips(torch.tensor([index]))
        seed = next(seed for seed, true in made.items() if torch.equal(true.images, clip.images))
        found.add(seed)
        true = made[seed]
        assert torch.equal(clip.depth, true.depth) and torch.equal(clip.instance > 0, true.instance > 0)
        torch.testing.assert_close(clip.camera_from_first(), true.camera_from_first())
        torch.testing.assert_close(clip.focal_px, true.focal_px)
        ours, theirs = clip.exists.nonzero(), true.exists.nonzero()
        assert len(ours) == len(theirs) > 0
        for name in ("joints", "rotations", "betas", "head_px"):
            torch.testing.assert_close(
                getattr(clip, name)[clip.exists], getattr(true, name)[true.exists], atol=2e-3, rtol=1e-4
            )
    assert found == set(PEOPLE_OF_SEED)


def test_draws_follow_from_their_number_alone(dataset: Path, body: BodyModel) -> None:
    through = pool(dataset, body)
    drawn = [through.draw(2) for _ in range(4)]
    later = pool(dataset, body)
    later.resume(3)
    again = later.draw(2)
    for item in fields(Truth):
        one, other = getattr(again, item.name), getattr(drawn[3], item.name)
        assert (one is None and other is None) or torch.equal(one, other), item.name
    assert not torch.equal(drawn[2].images, drawn[3].images)


def test_the_validation_split_is_never_read(dataset: Path, body: BodyModel, tmp_path: Path) -> None:
    copy = tmp_path / "set"
    shutil.copytree(dataset, copy)
    (held_out,) = (copy / VALIDATION).iterdir()
    for path in held_out.rglob("*.n*"):
        path.write_bytes(b"")
    pool(copy, body).draw(4)
    shutil.rmtree(copy / TRAINING)
    with pytest.raises(UserError) as caught:
        pool(copy, body)
    assert caught.value.code == "dataset-missing"


def test_too_short_sequences_are_told(dataset: Path, body: BodyModel) -> None:
    with pytest.raises(UserError) as caught:
        pool(dataset, body, frames=6)
    assert caught.value.code == "dataset-short"


def test_gaps_are_as_wide_as_asked_for_and_fit(dataset: Path, body: BodyModel) -> None:
    drawn = pool(dataset, body, frame_gap=(9, 9)).draw(4)  # only 4 fit: first and last of five
    made = {seed: make_clip(seed, replace(SETTINGS, frames=5)) for seed in PEOPLE_OF_SEED}
    ends = [truth_of(clip.as_batch()).images[0, [0, 4]] for clip in made.values()]
    assert all(any(torch.equal(images, end) for end in ends) for images in drawn.images)


@pytest.mark.parametrize("size", [(64, 48), (64, 96), (192, 128)])
def test_other_sizes_show_the_same_place(size: tuple[int, int]) -> None:
    """Points, heads and pixels still belong together after pictures were made smaller, larger, or upright."""
    clip = make_clip(3, SETTINGS)
    clip = replace(clip, part=None, canonical=None)
    other = truth_of(fitted(clip, size).as_batch())
    assert other.images.shape[-2:] == size[::-1]
    true, width, height = truth_of(clip.as_batch()), *size
    points = other.points()[0, 0, height // 2, ::8]
    known = true.points()[0, 0].reshape(-1, 3)
    assert torch.cdist(points, known).amin(dim=1).median() < 0.03
    head = other.joints[0, 0, :, 15]
    seen = head[:, :2] / head[:, 2:] * other.focal_px[0, 0] + torch.tensor((width // 2, height // 2))
    exists = other.exists[0, 0]
    torch.testing.assert_close(seen[exists], other.head_px[0, 0][exists], atol=1e-2, rtol=0)
    # What is at the principal point stays there, and colours stay.
    middle, old = other.images[0, 0, :, height // 2, width // 2], true.images[0, 0, :, 48, 64]
    torch.testing.assert_close(middle, old, atol=0.15, rtol=0)


def test_the_command_trains_from_a_folder_and_goes_on(
    dataset: Path, tmp_path: Path, tiny: Human3R, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few steps at once and in two pieces give the same weights; what needs labels is off by itself."""
    start = tmp_path / "start.safetensors"
    save_checkpoint(tiny, start)
    stage = Stage("people", "people", 2, 1, (Source(SETTINGS),), 1e-3, warmup=1, pool=2)
    recipe = Recipe("test", (stage, replace(stage, name="again")))
    monkeypatch.setattr("engine.training.running.named_recipe", lambda *_: recipe)
    monkeypatch.setattr("engine.training.data.make_clips", lambda *_: pytest.fail("a clip was made"))
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    def train(name: str, expected: int = 0, folder: Path = dataset) -> dict[str, torch.Tensor]:
        options = [
            "--output",
            str(tmp_path / name),
            "--weights",
            str(start),
            "--device",
            "cpu",
            "--precision",
            "float32",
            "--dataset",
            str(folder),
        ]
        assert run(parser.parse_args(options)) == expected
        return {} if expected else load_checkpoint(tmp_path / name / WEIGHTS_FILE).state_dict()

    through = train("through")
    monkeypatch.setattr("engine.training.trainer.Trainer._train_step", _stopping_once())
    train("pieces", expected=130)
    pieces = train("pieces")
    assert all(torch.equal(one, pieces[name]) for name, one in through.items())
    assert "part" not in (tmp_path / "through" / "curves.csv").read_text()
    train("nothing", expected=1, folder=tmp_path / "absent")


def _stopping_once() -> object:
    """A training step that is interrupted once, in the second stage."""
    from engine.training.trainer import Trainer

    step, stopped = Trainer._train_step, []

    def interrupted(self: Trainer, *arguments: object) -> object:
        if self.stage_number == 1 and self.step == 1 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        return step(self, *arguments)

    return interrupted
