# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures that are told facts of a clip that are true: what they are worth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.messages import Frame
from ..contract.settings import CaptureSettings
from ..contract.take import SettledTakeReader
from ..ground_truth import ClipTruth, SmplxPeople
from .knowable import CAMERA, FOCAL


def told(settings: CaptureSettings, truth: ClipTruth, known: Collection[str], folder: Path) -> CaptureSettings:
    """The settings with the true focal length and camera, as far as they are among the `known` facts; a file for the
    camera goes to `folder`."""
    if FOCAL in known:
        settings = replace(settings, focal_px=float(np.median(truth.focal_px)))
    if CAMERA in known:
        path = folder / "camera.npz"
        np.savez(path, world_from_camera=truth.world_from_camera, source_frame=truth.source_frame)
        settings = replace(settings, camera_file=str(path))
    return settings


def true_heights(take: Path, truth: ClipTruth, body: BodyModel) -> str:
    """The setting `height` for the people of a take, which has to be made without it first: as a user would who sees
    their numbers. People who are not in the truth get none."""
    people = truth.people
    if not isinstance(people, SmplxPeople) or truth.present is None:
        raise UserError("bad-setting", "The clips tell no heights.", "Leave height out of --known.")
    rest = body.template + np.einsum("vci,pi->pvc", body.shape_directions[..., :10], people.betas)
    height = np.ptp(rest[..., 1], axis=1)
    votes: dict[int, np.ndarray] = {}
    rows = {int(frame): row for row, frame in enumerate(truth.source_frame)}
    with SettledTakeReader(take) as reader:
        for frame in reader:
            if isinstance(frame, Frame) and frame.source_frame in rows:
                _vote(votes, frame, truth, rows[frame.source_frame])
    return ",".join(f"{track}={height[own.argmax()]:.4f}" for track, own in sorted(votes.items()) if own.any())


def _vote(votes: dict[int, np.ndarray], frame: Frame, truth: ClipTruth, row: int) -> None:
    """Who is seen where: the person whose direction is nearest to the track's."""
    people = truth.people
    assert isinstance(people, SmplxPeople) and truth.present is not None
    there = people.translation[row]
    for track, place in zip(frame.track_id.tolist(), np.asarray(frame.translation, np.float64), strict=True):
        away = np.linalg.norm(there / np.linalg.norm(there, axis=1)[:, None] - place / np.linalg.norm(place), axis=1)
        nearest = int(np.where(truth.present[row], away, np.inf).argmin())
        votes.setdefault(track, np.zeros(len(there)))[nearest] += bool(truth.present[row].any())
