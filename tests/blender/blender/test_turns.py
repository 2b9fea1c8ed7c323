# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones are edited while threads compute: without the lock of `quiet` Blender crashes here more often than not."""

import sys
import threading

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import turns
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature

from tests.waiting import HANG_S, Patience


@pytest.fixture
def switching():
    """Threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def compute():
    return [np.where(np.eye(3) > threshold, 1, 2).sum() for threshold in range(20)]


def test_bones_are_edited_while_threads_compute(switching):
    done, stop = [], threading.Event()

    def keep_computing():
        while not stop.is_set():
            with turns.python_allowed():
                computing = turns.submit("human3r-test", compute)
            done.append(computing.result())

    thread = threading.Thread(target=keep_computing)
    thread.start()
    random, edits, patience = np.random.default_rng(0), 0, Patience("the other thread")
    try:
        while edits < 40 or len(done) <= 10:  # so that the two meet often, whoever is faster
            edits += 1
            patience.check(len(done))
            joints = random.normal(size=(55, 3))
            item = armature.create("Person", joints)
            armature.set_rest_joints(item, 2 * joints)
            assert np.allclose(armature.rest_joints(item), 2 * joints, atol=1e-5)
    finally:
        stop.set()
        thread.join()


def test_waiting_ends_when_the_thread_has(switching):
    begun, end = threading.Event(), threading.Event()

    def hold():
        begun.set()
        return end.wait(HANG_S)

    computing = turns.submit("human3r-test", hold)
    assert begun.wait(HANG_S)
    slices = 0
    for slices, _ in enumerate(turns.wait(), 1):
        if slices == 5:
            end.set()
    assert slices >= 5 and computing.result()
    assert list(turns.wait()) == []
