# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that are kept of a clip: few, spread over all of it, and in its state."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.landmarks.whole_clip.key_pictures import KeyPictures

SIZE = (13, 7)


def kept_of(count: int) -> KeyPictures:
    pictures = KeyPictures(SIZE)
    for index in range(count):
        dice = np.random.default_rng(index)
        pictures.add(index, dice.integers(0, 256, (7, 13, 3)).astype(np.uint8), dice.random((7, 13)) > 0.5)
    return pictures


@pytest.mark.parametrize("count", [0, 1, 24, 25, 500])
def test_few_pictures_are_kept_evenly(count: int) -> None:
    index = [picture.index for picture in kept_of(count).pictures]
    assert min(count, 12) <= len(index) <= 24
    steps = np.diff(index)
    assert not len(steps) or (steps == steps[0]).all()
    assert not index or (index[0] == 0 and index[-1] + 2 * max([1, *steps]) > count - 1)


def test_a_state_goes_on_elsewhere_and_a_copy_its_own_way() -> None:
    whole, restored = kept_of(40), KeyPictures(SIZE)
    aside = copy.copy(whole)
    aside.add(40, np.zeros((7, 13, 3), np.uint8), np.zeros((7, 13), bool))
    restored.restore_state(whole.export_state())
    assert len(aside.pictures) == len(whole.pictures) + 1
    for one, other in zip(whole.pictures, restored.pictures, strict=True):
        assert one.index == other.index
        np.testing.assert_array_equal(one.rgb, other.rgb)
        np.testing.assert_array_equal(one.people_mask, other.people_mask)


def test_a_damaged_state_is_refused() -> None:
    state = kept_of(30).export_state()
    for name, wrong in (("index", state["index"][::-1]), ("every", np.array(0)), ("rgb", state["rgb"][:, :6])):
        with pytest.raises(UserError, match="resume"):
            KeyPictures(SIZE).restore_state(state | {name: wrong})
