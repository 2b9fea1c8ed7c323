# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardstick's fall and outline, of people who were put there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.contract.body_model import BodyModel
from engine.contract.messages import Frame
from engine.contract.rotations import axis_angle_to_matrix
from engine.evaluation.real.falling import TrueFlight, centre_of_mass, measure_fall
from engine.evaluation.real.outlines import outline, outline_overlap

from .clips import true_messages, walking_truth
from .test_real import CLIP, PER_PERSON, noted, run, write_take


@pytest.fixture(scope="module")
def frames(body: BodyModel) -> list[Frame]:
    return [message for message in true_messages(walking_truth(frames=1), body) if isinstance(message, Frame)]


def flying(frames: list[Frame], acceleration: float, missing: int = 0) -> list[Frame]:
    """Frames of 0.04 s in which the first person falls, and the other one stands."""
    one = frames[0]
    fallen = []
    for number in range(12):
        time_s = 0.04 * number
        moved = one.translation.copy()
        moved[0, 1] += acceleration * time_s**2 / 2 - 2.0 * time_s
        moved[0, 0] += 0.5 * time_s
        changed = {"index": number, "source_frame": number, "time_s": time_s, "translation": moved}
        lost = {name: getattr(one, name)[1:] for name in PER_PERSON} if 3 <= number < 3 + missing else {}
        fallen.append(replace(one, **(changed | {**lost, "translation": moved[1:]} if lost else changed)))
    return fallen


def flight_of(frames: list[Frame], body: BodyModel) -> TrueFlight:
    centres = {}
    for frame in frames[::3]:
        rotations = axis_angle_to_matrix(frame.pose_axis_angle)
        joints = body.posed_joints(rotations, frame.betas, frame.expression, frame.translation)
        centre = centre_of_mass(joints)[0]
        centres[frame.source_frame] = frame.focal_px * centre[:2] / centre[2] + frame.principal_point_px
    return TrueFlight(-0.5, 11.5, centres)


def test_whoever_falls_falls_as_it_was_put_there(frames: list[Frame], body: BodyModel) -> None:
    fallen = flying(frames, 9.0)
    flight = flight_of(fallen, body)
    fall = measure_fall(flight, {frame.source_frame: frame for frame in fallen}, body)
    assert fall.acceleration == pytest.approx(9.0, rel=1e-3)
    assert (fall.seen, fall.captured, fall.tracks) == (12, 12, (int(frames[0].track_id[0]),))
    some = {frame.source_frame: frame for frame in flying(frames, 9.0, missing=5)}
    assert measure_fall(flight, some, body).acceleration == pytest.approx(9.0, rel=1e-3)
    few = measure_fall(flight, {frame.source_frame: frame for frame in flying(frames, 9.0, missing=7)}, body)
    assert (few.acceleration, few.seen, few.captured) == (None, 5, 12)


def test_the_table_tells_the_fall_and_the_outline(tmp_path: Path, frames: list[Frame], body: BodyModel) -> None:
    fallen = flying(frames, 9.81)
    write_take(tmp_path / "two-people.h3r", fallen)
    flight = flight_of(fallen, body)
    facts = {
        "flight": {"takeoff_frame": -0.5, "landing_frame": 11.5},
        "centre_of_mass_px": {str(number): place.tolist() for number, place in flight.centre_px.items()},
    }
    clip = {"frames": {"0": noted(fallen[0], body)}, "facts": facts}
    (tmp_path / "annotations.json").write_text(json.dumps({"clips": {CLIP: clip}}))
    code, text = run("--real", str(tmp_path), "--takes", str(tmp_path), "--json", str(tmp_path / "out.json"))
    assert code == 0
    told = json.loads((tmp_path / "out.json").read_text())["reports"][0]["clips"][CLIP]
    assert told["fall"]["acceleration"] == pytest.approx(9.81, rel=1e-3)
    assert "9.81 (12 of 12)" in text


def test_outlines_lie_on_the_mask_of_their_own_bodies(frames: list[Frame], body: BodyModel) -> None:
    own = replace(frames[0], mask_bits=np.packbits(outline(frames[0], body)))
    assert outline_overlap(own, body) == 1.0
    aside = replace(own, translation=own.translation + np.array([0.2, 0, 0], np.float32))
    moved = outline_overlap(aside, body)
    assert moved is not None and 0.2 < moved < 0.8
    nobody = replace(own, mask_bits=np.zeros_like(own.mask_bits))
    assert outline_overlap(nobody, body) is None
