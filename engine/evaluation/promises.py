# SPDX-License-Identifier: GPL-3.0-or-later
"""What refining people has to keep: figures as shares of those of the raw motion."""

from __future__ import annotations

from collections.abc import Mapping

from .figures import LINES, TaskFigures
from .motions import MOTIONS, RAW, REFINED

MOST = {"wa_mpjpe_mm": 0.9, "foot_sliding_mm": 0.35, "jitter": 0.3, "head_m": 1.02, "mpjpe_mm": 1.01}
"""The most that a figure of the refined motion may be of the raw one's."""


def shares_of_raw(columns: Mapping[str, TaskFigures]) -> dict[str, dict[str, float]]:
    """By motion and by key: figures over those of the raw motion, where both were measured and less is better."""
    if RAW not in columns:
        return {}
    raw = columns[RAW].values()
    keys = [line.key for line in LINES if not line.higher_is_better and line.task in ("local body", "global motion")]
    shares = {}
    for name in MOTIONS[1:]:
        if name in columns:
            values = {key: (columns[name].values()[key], raw[key]) for key in keys if key != "true_jitter"}
            shares[name] = {key: ours / theirs for key, (ours, theirs) in values.items() if ours is not None and theirs}
    return shares


def kept(columns: Mapping[str, TaskFigures]) -> list[tuple[str, float, float]]:
    """By the label of a figure: the refined motion's share of the raw one's, and the most that it may be."""
    shares = shares_of_raw(columns).get(REFINED, {})
    labels = {line.key: line.label for line in LINES}
    return [(labels[key], shares[key], most) for key, most in MOST.items() if key in shares]
