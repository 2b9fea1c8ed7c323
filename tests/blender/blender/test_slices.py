# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in slices is the work at once, ends where it may, and never in the middle of a change."""

import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import slices


def counting(log, free=3, bound=3):
    """Work with steps that it may be ended at, then steps of a change, then free ones again."""
    try:
        for step in range(free):
            log.append(f"read {step}")
            yield "Reading"
        for step in range(bound):
            log.append(f"write {step}")
            yield slices.GOES_ON
        log.append("whole")
        yield
        log.append("after")
        yield
    finally:
        log.append("closed")
    return "result"


WRITING = ["write 0", "write 1", "write 2", "whole"]


def test_at_once_and_bit_by_bit_are_the_same():
    at_once, bit_by_bit = [], []
    made = slices.sliceable(counting)
    assert made(at_once) == "result"
    work = slices.Work(made.in_slices(bit_by_bit))
    rounds = 1
    while work.go_on(0.0):
        rounds += 1
    assert work.result == "result" and bit_by_bit == at_once and rounds == 9
    assert work.text == "Reading" and not work.is_cancelled


@pytest.mark.parametrize("rounds", range(1, 9))
def test_it_ends_where_nothing_is_left_half_done(rounds):
    log = []
    work = slices.Work(counting(log))
    for _ in range(rounds):
        work.go_on(0.0)
    work.cancel()
    while work.go_on(0.0):
        pass
    assert work.is_cancelled and work.result is None and log[-1] == "closed"
    written = [line for line in log if line in WRITING]
    assert written in ([], WRITING) and work.has_changed == bool(written)


def test_what_is_worked_on_goes_away_at_once():
    log = []
    work = slices.Work(counting(log))
    for _ in range(5):
        work.go_on(0.0)
    work.stop()
    assert log[-2:] == ["write 1", "closed"] and not work.go_on(0.0)


def test_part_of_the_work_can_be_made_to_go_on():
    log = []
    work = slices.Work(slices.to_its_end(counting(log)))
    work.go_on(0.0)
    work.cancel()
    while work.go_on(0.0):
        pass
    assert work.result == "result" and not work.is_cancelled and "after" in log


def test_what_it_raises_comes_out():
    def failing():
        yield
        raise ValueError("no")

    work = slices.Work(failing())
    assert work.go_on(0.0)
    with pytest.raises(ValueError, match="no"):
        work.go_on(0.0)
