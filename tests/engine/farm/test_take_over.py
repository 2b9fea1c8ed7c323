# SPDX-License-Identifier: GPL-3.0-or-later
"""The place of a take, between computers that cannot see each other's processes."""

import os

import pytest

from engine.contract.errors import UserError
from engine.contract.settings import CaptureSettings
from engine.resuming import take_place
from engine.resuming.take_place import SILENCE_S, claimed, lock_path
from tests.waiting import wait_until

ELSEWHERE = b"4711\nanother-computer\n"


@pytest.fixture
def place(tmp_path):
    """A take and the lock that a process of another computer left, with its last sign of life so long ago."""
    settings = CaptureSettings(source="a.mp4", take=str(tmp_path / "a.h3r"))
    lock = lock_path(tmp_path / "a.h3r")

    def left(silent_s):
        lock.unlink(missing_ok=True)  # another file, as another process makes it
        lock.write_bytes(ELSEWHERE)
        seen = lock.stat().st_mtime - silent_s
        os.utime(lock, (seen, seen))
        return lock

    return settings, left


def test_a_computer_that_gives_signs_of_life_keeps_its_take(place):
    settings, left = place
    lock = left(SILENCE_S - 60)
    with pytest.raises(UserError, match="take-busy"), claimed(settings):
        pass
    assert lock.read_bytes() == ELSEWHERE


def test_a_silent_one_is_taken_over_with_a_copy_of_the_take(place, tmp_path):
    settings, left = place
    take = tmp_path / "a.h3r"
    take.write_bytes(b"H3R1 and more")
    with take.open("r+b") as sleeper:
        lock = left(SILENCE_S + 1)
        with claimed(settings) as claim:
            claim.check()
            sleeper.write(b"XXXX of the sleeper")
            sleeper.flush()
            assert take.read_bytes() == b"H3R1 and more"
    assert not lock.exists() and [path.name for path in tmp_path.iterdir()] == ["a.h3r"]


def test_the_holder_sees_that_it_has_lost_the_place(place):
    settings, left = place
    with claimed(settings) as claim:
        lock = left(0)
        with pytest.raises(UserError, match="take-lost"):
            claim.check()
    assert lock.read_bytes() == ELSEWHERE, "what belongs to the other one stays"


def test_a_lock_that_changes_hands_while_it_is_looked_at_is_put_back(place, monkeypatch):
    """Two computers find the same silent lock: one has taken over before the other one moves the lock."""
    settings, left = place
    lock = left(SILENCE_S + 1)
    real = take_place._now_on_disk

    def meanwhile(folder):
        lock.unlink()
        lock.write_bytes(b"1\nthe-third\n")
        return real(folder)

    monkeypatch.setattr(take_place, "_now_on_disk", meanwhile)
    with pytest.raises(UserError, match="take-busy"), claimed(settings):
        pass
    assert lock.read_bytes() == b"1\nthe-third\n" and len(list(lock.parent.iterdir())) == 1


def test_signs_of_life_are_given(place, monkeypatch):
    settings, _ = place
    monkeypatch.setattr(take_place, "BEAT_S", 0.01)
    with claimed(settings):
        lock = lock_path(settings.take)
        os.utime(lock, (0, 0))
        wait_until(lambda: lock.stat().st_mtime > 0, "a sign of life")
