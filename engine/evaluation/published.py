# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures that the Human3R paper publishes, as data, to print beside measured ones.

They were measured on real footage with the released weights (896L, SMPL-X neutral, TTT3R unless said otherwise).
"""

from __future__ import annotations

from dataclasses import dataclass

NOTE = (
    "The published figures belong to the released weights on real footage. Figures on synthetic clips or\n"
    "on other footage cannot be compared with them number by number."
)
"""Printed wherever published figures are."""

FULL = "Human3R"


@dataclass(frozen=True)
class PublishedFigures:
    """One row of a published table."""

    dataset: str
    task: str
    joints: str
    """Which joints the errors are over; empty where it does not apply."""
    method: str
    values: dict[str, float]
    """By the keys of `figures.LINES`."""


PUBLISHED: tuple[PublishedFigures, ...] = (
    PublishedFigures(
        "3DPW", "local body", "14 H36M joints", FULL, {"pa_mpjpe_mm": 44.1, "mpjpe_mm": 71.2, "pve_mm": 84.9}
    ),
    PublishedFigures(
        "EMDB-1", "local body", "24 SMPL joints", FULL, {"pa_mpjpe_mm": 48.5, "mpjpe_mm": 73.9, "pve_mm": 86.0}
    ),
    PublishedFigures(
        "EMDB-2",
        "global motion",
        "24 SMPL joints",
        FULL,
        {"wa_mpjpe_mm": 112.2, "w_mpjpe_mm": 267.9, "rte_percent": 2.2},
    ),
    PublishedFigures(
        "RICH", "global motion", "24 SMPL joints", FULL, {"wa_mpjpe_mm": 110.0, "w_mpjpe_mm": 184.9, "rte_percent": 3.3}
    ),
    PublishedFigures(
        "EMDB-2",
        "global motion",
        "24 SMPL joints",
        "without TTT3R",
        {"wa_mpjpe_mm": 124.3, "w_mpjpe_mm": 292.3, "rte_percent": 2.5},
    ),
    PublishedFigures(
        "EMDB-2",
        "global motion",
        "24 SMPL joints",
        "without human prior",
        {"wa_mpjpe_mm": 221.2, "w_mpjpe_mm": 808.4, "rte_percent": 2.2},
    ),
    PublishedFigures(
        "EMDB-2",
        "global motion",
        "24 SMPL joints",
        "CUT3R and Multi-HMR side by side, with TTT3R",
        {"wa_mpjpe_mm": 401.3, "w_mpjpe_mm": 1173.9, "rte_percent": 12.2},
    ),
)
"""Paper section 4. Camera (TUM-dynamics) and depth (Bonn) are left out: their exact values were not at hand."""

PUBLISHED_SPEED = "15 frames/s and 8 GB on one GPU (claimed)"
