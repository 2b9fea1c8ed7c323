# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the released weights a file is, when its name does not say it."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.contract.errors import UserError
from engine.installed.locations import DATA_VARIABLE
from engine.installed.registry import ITEMS, find
from weights_downloader import records
from weights_downloader.install import recognise, refuse_other_content
from weights_downloader.reporting import JsonReporter
from weights_downloader.validate import measure

REPORTER = JsonReporter(io.BytesIO())
PRIOR_WIDTHS = {"S": 384, "B": 768, "L": 1024}


def sizes(letter: str) -> Mapping[str, Tensor]:
    """As much of a variant as tells it from the others: the rest has the released sizes."""
    depth = 24 if letter == "L" else 12
    blocks = {f"backbone.encoder.blocks.{number}.norm1.bias": torch.zeros(1) for number in range(depth)}
    return blocks | {"backbone.encoder.cls_token": torch.zeros(1, 1, PRIOR_WIDTHS[letter])}


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a file that says nothing by its name."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))

    def write(letter: str, arguments: str = "") -> Path:
        path = tmp_path / "model.pth"
        torch.save({"model": sizes(letter), "args": argparse.Namespace(model=arguments)}, path)
        return path

    return write


@pytest.mark.parametrize(
    ("letter", "arguments", "name"),
    [
        ("S", "", "672S"),
        ("B", "", "672B"),
        ("L", "Model(mhmr_img_res=672)", "672L"),
        ("L", "Model(mhmr_img_res=896)", "896L"),
    ],
)
def test_tensors_and_training_arguments_tell(save, letter, arguments, name):
    assert recognise(save(letter, arguments), "", ITEMS, REPORTER) == find(name)


def test_the_two_large_ones_are_told_apart_by_a_known_hash_or_not_at_all(save):
    path = save("L")
    with pytest.raises(UserError) as error:
        recognise(path, "", ITEMS, REPORTER)
    assert error.value.code == "checkpoint-unknown-size" and "672L or 896L" in error.value.message
    records.remember(find("672L"), measure(path))  # as its download did
    assert recognise(path, "", ITEMS, REPORTER) == find("672L")


def test_what_was_published_under_another_name_is_refused(save):
    path = save("L")
    records.remember(find("672L"), measure(path))
    refuse_other_content(find("672L"), path, ITEMS, REPORTER)
    with pytest.raises(UserError, match="672L, not 672B") as error:
        refuse_other_content(find("672B"), path, ITEMS, REPORTER)
    assert error.value.code == "wrong-variant"
    with pytest.raises(UserError) as error:
        refuse_other_content(find("896L"), save("S"), ITEMS, REPORTER)
    assert error.value.code == "file-changed"
