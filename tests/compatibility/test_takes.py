# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of an earlier version are read to their end, and interrupted ones go on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from engine.contract.messages import Frame, PointMap, ScenePoints, TakeEnd
from engine.contract.take import TakeReader

ROOT = Path(__file__).resolve().parents[2]


def read(path):
    with TakeReader(path) as reader:
        messages = list(reader)
    assert reader.problem is None
    return reader.header, messages


def test_a_take_is_read(written, known):
    header, messages = read(written / "people.h3r")
    wanted, settings = known["people"], header.settings
    frames = [message for message in messages if isinstance(message, Frame)]
    assert (list(header.footage_size), header.frame_rate, header.frame_count) == (
        wanted["size"],
        wanted["rate"],
        wanted["frames"],
    )
    assert (settings.source, settings.stride, settings.reset_interval, settings.camera) == (
        "walk.mp4",
        2,
        50,
        "tracked",
    )
    assert dict(header.person_names) == {0: "Anna"}
    assert [list(frame.track_id) for frame in frames] == [
        [0] if index in wanted["missed"] else [0, 1] for index in range(wanted["frames"])
    ]
    for frame in frames:
        np.testing.assert_allclose(frame.betas, np.array(wanted["betas"])[frame.track_id], rtol=1e-6)
        heads = frame.head_point @ frame.world_from_camera[:3, :3].T + frame.world_from_camera[:3, 3]
        places = np.array(wanted["heads"])[frame.index, frame.track_id]
        np.testing.assert_allclose(heads, places @ [[1, 0, 0], [0, 0, 1], [0, -1, 0]], atol=1e-5)
    clouds = [message for message in messages if isinstance(message, ScenePoints)]
    assert [(len(cloud.position), cloud.replaces_all) for cloud in clouds] == [(20, False), (wanted["points"], True)]
    assert [message.color.max() for message in messages if isinstance(message, PointMap)] == [90]
    assert messages[-1] == TakeEnd("complete", wanted["frames"], "a note")


def test_an_interrupted_run_goes_on(written, known):
    run, take = known["interrupted"], written / "interrupted.h3r"
    before = [message for message in read(take)[1] if isinstance(message, Frame)]
    assert len(before) == run["interrupted_after"]
    done = subprocess.run(
        [sys.executable, "-m", "engine", "run", "walk.mp4", "--take", take.name, *run["options"], "--resume", "--json"],
        cwd=written,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "complete"
    after = [message for message in read(take)[1] if isinstance(message, Frame)]
    assert [frame.index for frame in after] == list(range(run["frames"]))
    for one, other in zip(before, after, strict=False):
        np.testing.assert_array_equal(one.head_point, other.head_point)
    assert not Path(f"{take}.resume").exists()
