# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities: agreement with motmetrics on random clips, and known answers."""

import motmetrics
import numpy as np
import pytest

from engine.evaluation.tracking import IdentityFrame, TrackingCounts, count_tracking


def random_clip(seed: int, frames: int = 60) -> list[IdentityFrame]:
    """People who come and go, predictions that swap, split and vanish, and pairs that cannot match."""
    random = np.random.default_rng(seed)
    identity = {person: person * 10 for person in range(5)}
    fresh = 100
    clip = []
    for _ in range(frames):
        truths = np.flatnonzero(random.random(5) < 0.8)
        for person in truths:
            if random.random() < 0.05:
                identity[int(person)], fresh = fresh, fresh + 1
        if random.random() < 0.1:
            first, second = random.choice(5, 2, replace=False)
            identity[int(first)], identity[int(second)] = identity[int(second)], identity[int(first)]
        seen = [identity[int(person)] for person in truths if random.random() < 0.9]
        if random.random() < 0.2:
            seen.append(fresh)
            fresh += 1
        predictions = random.permutation(np.array(seen, dtype=np.int64))
        distance = random.uniform(0.3, 1.0, (len(truths), len(predictions)))
        for row, person in enumerate(truths):
            distance[row, predictions == identity[int(person)]] *= 0.3
        distance[random.random(distance.shape) < 0.4] = np.nan
        clip.append(IdentityFrame(truths, predictions, distance))
    return clip


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_agrees_with_motmetrics(seed: int) -> None:
    clip = random_clip(seed)
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for frame in clip:
        accumulator.update(frame.truth_ids, frame.prediction_ids, frame.distance)
    names = ["num_switches", "idf1", "idtp", "num_objects", "num_predictions"]
    theirs = motmetrics.metrics.create().compute(accumulator, metrics=names, return_dataframe=False)
    ours = count_tracking(clip)
    assert ours.id_switches == theirs["num_switches"] > 0
    assert ours.id_true_positives == theirs["idtp"]
    assert (ours.truths, ours.predictions) == (theirs["num_objects"], theirs["num_predictions"])
    assert ours.idf1 == pytest.approx(theirs["idf1"], abs=1e-12)


def frame(truths: list[int], predictions: list[int], distance: list[list[float]]) -> IdentityFrame:
    return IdentityFrame(
        np.array(truths, dtype=int),
        np.array(predictions, dtype=int),
        np.array(distance, dtype=float).reshape(len(truths), len(predictions)),
    )


def test_perfect_tracks() -> None:
    counts = count_tracking([frame([0, 1], [7, 3], [[0.0, 1.0], [1.0, 0.0]])] * 10)
    assert counts == TrackingCounts(id_switches=0, id_true_positives=20, truths=20, predictions=20)
    assert counts.idf1 == 1.0


def test_new_identity_after_a_gap_is_one_switch() -> None:
    clip = [frame([0], [5], [[0.0]])] * 3 + [frame([0], [], [])] * 2 + [frame([0], [6], [[0.0]])] * 5
    counts = count_tracking(clip)
    assert counts.id_switches == 1
    assert counts.id_true_positives == 5
    assert counts.idf1 == pytest.approx(2 * 5 / (10 + 8))


def test_an_identity_is_kept_while_possible_though_another_is_nearer() -> None:
    clip = [frame([0], [1], [[0.0]]), frame([0], [1, 2], [[0.9, 0.1]])]
    assert count_tracking(clip).id_switches == 0


def test_swap_of_two_people_is_two_switches() -> None:
    clip = [frame([0, 1], [0, 1], [[0, np.nan], [np.nan, 0]]), frame([0, 1], [1, 0], [[0, np.nan], [np.nan, 0]])]
    assert count_tracking(clip).id_switches == 2


def test_counts_pool_and_nothing_is_undefined() -> None:
    clip = random_clip(1)
    assert count_tracking(clip) + TrackingCounts() == count_tracking(clip)
    assert np.isnan(count_tracking([]).idf1)
