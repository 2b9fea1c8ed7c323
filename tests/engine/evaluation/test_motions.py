# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate --motion`: one take, measured raw, clean and refined side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.capture import run_capture
from engine.contract.body_model import BodyModel
from engine.contract.settings import CaptureSettings
from engine.evaluation.figures import Mean, TaskFigures
from engine.evaluation.motions import CLEAN, MOTIONS, RAW, REFINED
from engine.evaluation.promises import MOST, kept, shares_of_raw
from engine.evaluation.real.motions import MotionResult, holds
from engine.evaluation.real.scoring import RealScore
from engine.evaluation.real.standing import Standing, standing_feet
from engine.evaluation.synthetic_set import NamedBody, SyntheticSet
from engine.ground_truth import write_truth
from engine.interruption import Interruption
from engine.synthetic.settings import tier_settings
from tests.engine.motion import people
from tests.engine.refining import walking_takes as takes
from tests.engine.refining.test_refine_take import refined

from .test_command import run
from .test_real import CLIP, evaluate, noted

OF_PEOPLE = ("mpjpe_mm", "pa_mpjpe_mm", "pve_mm", "head_m", "wa_mpjpe_mm", "w_mpjpe_mm", "jitter", "foot_sliding_mm")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def reported(path: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    code, text = run(*arguments, "--json", str(path))
    assert code == 0
    return json.loads(path.read_text())["reports"][0], text


def test_synthetic_clips(tmp_path: Path) -> None:
    clips = ("--synthetic-seeds", "1000000:1000002", "--clip-frames", "12", "--model", "small", "--no-baselines")
    plain, _ = reported(tmp_path / "plain.json", *clips)
    report, text = reported(tmp_path / "all.json", *clips, "--motion", "refined")
    assert list(plain["figures"]) == ["model"] and list(report["figures"]) == list(MOTIONS)
    assert report["figures"][RAW] == plain["figures"]["model"], "the take itself is the same"
    raw, clean, refined = (report["figures"][name] for name in MOTIONS)
    assert refined["jitter"] < clean["jitter"] < raw["jitter"]
    assert refined["f1"] == raw["f1"] and refined["ate_m"] == raw["ate_m"] and refined["abs_rel"] is None
    assert report["shares_of_raw"][CLEAN]["jitter"] == pytest.approx(clean["jitter"] / raw["jitter"])
    assert {name: list(by_clip) for name, by_clip in report["clips_by_motion"].items()} == {
        name: ["seed 1000000", "seed 1000001"] for name in (CLEAN, REFINED)
    }
    assert "clean/raw" in text and "refined/raw" in text and len(report["promises"]) == len(MOST)
    assert list(reported(tmp_path / "two.json", *clips, "--motion", "clean")[0]["figures"]) == [RAW, CLEAN]


def test_refined_is_what_the_command_refine_writes(tmp_path: Path) -> None:
    clips = SyntheticSet(range(3, 4), replace(tier_settings("studio"), frames=12), NamedBody.load())
    take, truth = tmp_path / "clip.h3r", tmp_path / "truth.npz"
    for clip in clips.clips():
        write_truth(truth, clip.truth)
        settings = CaptureSettings(
            clip.source, str(take), model="small", body="mannequin", frame_rate=clip.truth.frame_rate
        )
        assert run_capture(settings, lambda _: None, Interruption()).status == "complete"
    against = ("--truth", str(truth), "--no-baselines")
    report, _ = reported(tmp_path / "a.json", "--take", str(take), *against, "--motion", "refined")
    written = refined(take)
    as_written, _ = reported(tmp_path / "b.json", "--take", str(written), *against)
    raw_again, _ = reported(tmp_path / "c.json", "--take", str(written), *against, "--motion", "raw")
    for key in OF_PEOPLE:
        assert report["figures"][REFINED][key] == as_written["figures"]["take"][key] != report["figures"][RAW][key]
        assert raw_again["figures"][RAW][key] == report["figures"][RAW][key]


def test_a_promise_is_kept_or_not() -> None:
    def figures(**means: float) -> TaskFigures:
        return TaskFigures(**{name: Mean(value, 1) for name, value in means.items()})

    raw, after = figures(wa_mpjpe_mm=100.0, head_m=0.2, rte_percent=8.0), figures(wa_mpjpe_mm=91.0, head_m=0.2)
    columns = {RAW: raw, REFINED: after, "trivial": raw}
    assert shares_of_raw(columns) == {REFINED: {"wa_mpjpe_mm": pytest.approx(0.91), "head_m": pytest.approx(1.0)}}
    assert kept(columns) == [("WA-MPJPE", pytest.approx(0.91), 0.9), ("head position", pytest.approx(1.0), 1.02)]
    assert shares_of_raw({"model": raw}) == {} and kept({RAW: raw, CLEAN: after}) == []


def test_feet_that_stand_are_measured_where_the_last_motion_stands() -> None:
    """Everybody is still, and slides sideways by 7 mm a frame in the first motion: 9 mm somebody else."""
    still = tuple(replace(one, pelvis=one.pelvis * 0 + one.pelvis[0]) for one in takes.truths())
    still = tuple(replace(one, rotations=one.rotations * 0 + one.rotations[0]) for one in still)
    along = np.arange(len(still[0]))[:, None] * np.array([0.001, 0.0, 0.0])
    sliding = tuple(one.moved(step * along) for one, step in zip(still, (7, 7, 9), strict=True))
    found = standing_feet({RAW: takes.frames_of(sliding), REFINED: takes.frames_of(still)}, people.body(), people.UP)
    raw, last = found[RAW], found[REFINED]
    assert raw is not None and last is not None and raw.steps == last.steps > 100
    assert raw.worst_mm == pytest.approx(9.0, abs=0.01) and 7.0 < raw.mean_mm < 9.0
    assert last.mean_mm == pytest.approx(0.0, abs=0.01)


def test_nobody_stands_who_is_not_there() -> None:
    frames = takes.frames_of(takes.truths())[:2]
    assert standing_feet({RAW: frames, REFINED: frames}, people.body(), people.UP) == {RAW: None, REFINED: None}
    assert standing_feet({RAW: []}, people.body(), people.UP) == {RAW: None}


@pytest.mark.parametrize(
    ("rise", "worst_mm", "kept_so"),
    [(0.0019, 4.9, True), (0.0021, 4.9, False), (0.0, 5.1, False), (-0.1, 0.0, True)],
)
def test_what_must_hold_on_real_footage(rise: float, worst_mm: float, kept_so: bool) -> None:
    raw = MotionResult(RealScore(errors=(0.03,)), Standing(20, 30.0, 40.0), None)
    after = MotionResult(RealScore(errors=(0.03 + rise,)), Standing(20, 1.0, worst_mm), None)
    assert holds({RAW: raw, REFINED: after}) is kept_so
    assert holds({RAW: raw}) is None


def test_real_footage(tmp_path: Path, body: BodyModel) -> None:
    """Where people truly are is noted; they were seen elsewhere."""
    true, seen = takes.frames_of(takes.truths()), takes.frames_of(takes.seen())
    take = takes.write(tmp_path / f"{Path(CLIP).stem}.h3r", seen, takes.summary())
    annotated = {frame.source_frame: noted(frame, body) for frame in true[20:160:20]}
    report, text = evaluate(tmp_path, annotated, "--motion", "refined")
    clip = report["clips"][CLIP]
    raw, clean, after = (clip["motions"][name] for name in MOTIONS)
    assert raw["mean"] == clip["mean"] and raw["rise"] == 0
    assert after["standing"]["mean_mm"] < clean["standing"]["mean_mm"] < raw["standing"]["mean_mm"]
    assert after["rise"] == pytest.approx(after["mean"] - raw["mean"])
    assert clip["refined_holds"] is (after["rise"] <= 0.002 and after["standing"]["worst_mm"] < 5)
    assert ("holds" in text) is clip["refined_holds"] and f"{100 * after['mean']:.2f}" in text
    plain, text = evaluate(tmp_path, annotated)
    assert "motions" not in plain["clips"][CLIP] and "standing feet" not in text
    refined(take).replace(take)
    as_the_take_has_it, _ = evaluate(tmp_path, annotated)
    assert as_the_take_has_it["clips"][CLIP]["mean"] == pytest.approx(after["mean"], abs=1e-6)
    again, _ = evaluate(tmp_path, annotated, "--motion", "raw")
    assert list(again["clips"][CLIP]["motions"]) == [RAW] and again["clips"][CLIP]["mean"] == clip["mean"]
