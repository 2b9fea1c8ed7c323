# SPDX-License-Identifier: GPL-3.0-or-later
"""Trivial predictors are as good as constants can be and no better; the report says what was measured, on what."""

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.contract.body_model import BodyModel
from engine.evaluation import baselines
from engine.evaluation.baselines import TrivialPredictor
from engine.evaluation.figures import LINES, Mean, TaskFigures
from engine.evaluation.measuring import measure
from engine.evaluation.published import NOTE, PUBLISHED
from engine.evaluation.report import Report

from . import clips


@pytest.fixture(scope="module")
def trivial(body: BodyModel) -> TaskFigures:
    truth = clips.walking_truth(frames=6)
    return measure(TrivialPredictor.fit([truth], body).messages(truth, body), truth, body)


def test_everybody_is_found_but_nothing_is_right(trivial: TaskFigures) -> None:
    values = trivial.values()
    assert values["recall"] == values["precision"] == 1.0
    assert 0 < values["pa_mpjpe_mm"] < values["mpjpe_mm"]
    assert values["abs_rel"] > 0.2
    assert values["ate_m"] > 0.01
    assert values["focal_relative"] == 0.0
    assert values["head_depth_relative"] < 0.2, "both people are near the mean distance"


def test_a_clip_of_constants_is_predicted_exactly(body: BodyModel) -> None:
    """One still person, still camera, even depth: then constants are the truth, mean rotation and head included."""
    moving = clips.walking_truth(frames=5, people=1)
    people = moving.people
    still = replace(
        moving,
        world_from_camera=np.tile(np.eye(4), (5, 1, 1)),
        depth_m=np.full((5, 8, 8), 2.5, np.float32),
        people=replace(
            people,
            **{
                name: np.repeat(getattr(people, name)[:1], 5, axis=0)
                for name in ("pose_axis_angle", "expression", "translation")
            },
        ),
    )
    values = measure(TrivialPredictor.fit([still], body).messages(still, body), still, body).values()
    for key in ("mpjpe_mm", "pve_mm", "head_m", "root_orientation_deg", "abs_rel", "ate_rigid_m", "foot_sliding_mm"):
        assert values[key] == pytest.approx(0.0, abs=1e-3), key
    assert values["rte_percent"] is None, "nobody walks"


def test_the_constant_depth_is_the_best_one(body: BodyModel) -> None:
    truth = clips.walking_truth(frames=3)
    best = TrivialPredictor.fit([truth], body)
    errors = [
        measure(replace(best, depth_m=best.depth_m * factor).messages(truth, body), truth, body).depth.abs_rel
        for factor in (1.0, 0.9, 1.1)
    ]
    assert errors[0] < min(errors[1:])


def test_clips_without_people(body: BodyModel) -> None:
    truth = replace(clips.walking_truth(frames=4), people=None, present=None, expected=None)
    values = measure(TrivialPredictor.fit([truth], body).messages(truth, body), truth, body).values()
    assert values["abs_rel"] > 0 and values["mpjpe_mm"] is None


def test_report(trivial: TaskFigures) -> None:
    report = Report("the model on 1 clip", "SMPL-X, 22 joints", {"ours": trivial, baselines.NAME: trivial})
    text = report.text()
    assert "SMPL-X, 22 joints" in text and "6 frames, 12 people" in text
    assert NOTE in text and "EMDB-2" in text and "1173.9" in text and "24 SMPL joints" in text
    assert f"{trivial.mpjpe_mm.value:.1f}" in text
    assert max(map(len, text.splitlines())) < 130
    values = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert values["figures"]["ours"]["mpjpe_mm"] == pytest.approx(trivial.mpjpe_mm.value)
    assert values["counts"]["ours"]["found"] == 12
    assert len(values["published"]) == len(PUBLISHED)


def test_fractions_of_the_trivial_errors(trivial: TaskFigures) -> None:
    half = replace(trivial, ate_m=Mean(trivial.ate_m.total / 2, trivial.ate_m.count))
    fractions = Report("", "", {"ours": half, baselines.NAME: trivial}).fractions_of_trivial()
    assert fractions["ate_m"] == pytest.approx(0.5)
    assert fractions["mpjpe_mm"] == 1.0
    assert not fractions.keys() & {"f1", "jitter", "id_switches", "focal_relative"}, "no errors, or none to divide by"
    assert Report("", "", {"ours": half}).fractions_of_trivial() == {}


def test_a_figure_that_was_not_measured_is_null_and_left_out() -> None:
    report = Report("nothing", "none", {"ours": TaskFigures()})
    assert set(report.to_json()["figures"]["ours"].values()) == {None}
    assert "MPJPE [mm]" not in report.text()


def test_published_figures_are_ours_to_print() -> None:
    keys = {line.key for line in LINES}
    assert len(keys) == len(LINES)
    for row in PUBLISHED:
        assert set(row.values) <= keys
