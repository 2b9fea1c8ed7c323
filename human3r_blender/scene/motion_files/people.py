# SPDX-License-Identifier: GPL-3.0-or-later
"""One person out of a table of poses, positions and shape: what is wrong with single frames is a gap."""

from __future__ import annotations

import numpy as np

from ....engine.contract.body_model import BETA_COUNT, EXPRESSION_COUNT
from ....engine.contract.sentences import Sentence
from .motion import SMPL_PELVIS, FoundPerson
from .poses import FoundPoses, NoPoses, find_poses
from .tables import LARGEST, Table, finite_rows

TRANS = ("trans", "transl", "translation", "trans_world", "pred_trans", "smpl_transl", "root_trans", "root_translation")
BETAS = ("betas", "beta", "shape", "shapes", "smpl_shape", "pred_shape")
EXPRESSION = ("expression", "expressions", "smpl_expression")
FRAMES = ("frame_ids", "frame_id", "frames", "frame")
HIDDEN = "human3r_hidden"
"""(T,) whether the person is hidden, in files that this add-on wrote."""

NAMES = (*TRANS, *BETAS, *EXPRESSION, *FRAMES, HIDDEN)

MOST_FRAMES = 4_000_000
"""A day at 46 frames per second."""


def find_person(table: Table) -> tuple[FoundPerson, tuple[str, ...]]:
    """The person of a table, and what is to be said. Raises NoPoses."""
    poses = find_poses(table)
    count = len(poses.joints)
    frames, order = _frames(table, count)
    trans, notes = _trans(table, count)
    notes = (*poses.notes, *notes)
    expression, said = _expression(table, count)
    betas, said_of_shape = _betas(table, poses)
    hidden = table.numbers(HIDDEN)
    if hidden is not None and hidden.shape != (count,):
        table.unreadable.add(HIDDEN)
    person = FoundPerson(
        frames,
        poses.joints,
        trans,
        betas,
        expression,
        hidden.astype(bool) if hidden is not None and hidden.shape == (count,) else None,
        None if poses.family == "smplx" else SMPL_PELVIS,
    ).part(order)
    person, said_of_gaps = without_bad_frames(person)
    return person, (*notes, *said, *said_of_shape, *said_of_gaps)


def without_bad_frames(person: FoundPerson) -> tuple[FoundPerson, tuple[str, ...]]:
    """The person in the frames that have possible numbers, and how many have none. Raises NoPoses without any."""
    places = np.broadcast_to(person.offsets, person.trans.shape)
    turns = np.broadcast_to(person.rotations, (len(places), 3, 3))
    good = finite_rows(person.poses) & finite_rows(person.trans) & finite_rows(places) & finite_rows(turns)
    if not good.any():
        raise NoPoses("impossible values in all frames")
    if good.all():
        return person, ()
    said = "{count} frames have impossible numbers. They are gaps now."
    if np.count_nonzero(~good) == 1:
        said = "One frame has impossible numbers. It is a gap now."
    return person.part(np.flatnonzero(good)), (Sentence(said, count=np.count_nonzero(~good)),)


def _frames(table: Table, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(T,) numbers of the frames, and the rows to take in their order: without numbers, or with senseless ones, all."""
    given = table.numbers(*FRAMES)
    usual = np.arange(count)
    if given is None:
        return usual, usual
    if given.shape != (count,) or not ((given >= 0) & (given < MOST_FRAMES)).all():
        table.unreadable.update(name for name in FRAMES if name in table.entries)
        return usual, usual
    numbers = given.astype(np.int64)
    _, order = np.unique(numbers, return_index=True)
    return numbers, order


def _trans(table: Table, count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    given = table.numbers(*TRANS)
    if given is None:
        said = "The motion has no positions, so the person stays at the origin."
        return np.zeros((count, 3)), (Sentence(said),)
    if given.size not in (3, 3 * count) or given.shape[-1] != 3:
        raise NoPoses(f"positions (trans) of shape {given.shape} for {count} frames")
    return np.array(np.broadcast_to(given.reshape(-1, 3), (count, 3))), ()


def _betas(table: Table, poses: FoundPoses) -> tuple[np.ndarray, tuple[str, ...]]:
    """(10,) the shape: the mean where there is one for each frame."""
    betas = np.zeros(BETA_COUNT)
    given = table.numbers(*BETAS)
    if given is None or poses.family != "smplx":
        return betas, ()
    rows = given.reshape(-1, given.shape[-1]) if given.size else np.zeros((1, 0))
    rows = rows[finite_rows(rows)]
    if not len(rows):
        return betas, (Sentence("The shape has impossible numbers and was left out."),)
    shape = rows.mean(axis=0)[:BETA_COUNT]
    betas[: len(shape)] = shape
    return betas, ()


def _expression(table: Table, count: int) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """(T, 10) expressions, or None where there are none that can be used."""
    given = table.numbers(*EXPRESSION)
    if given is None or not given.size:
        return None, ()
    rows = given.reshape(-1, given.shape[-1])
    with np.errstate(invalid="ignore"):
        is_possible = bool((np.abs(rows) < LARGEST).all())
    if len(rows) not in (1, count) or not is_possible:
        return None, (Sentence("The expressions do not fit the motion and were left out."),)
    expression = np.zeros((count, EXPRESSION_COUNT))
    kept = min(rows.shape[1], EXPRESSION_COUNT)
    expression[:, :kept] = rows[:, :kept]
    if rows.shape[1] <= EXPRESSION_COUNT:
        return expression, ()
    said = "Of the {count} expression numbers per frame, the first {kept} are used, as of the shape."
    return expression, (Sentence(said, count=rows.shape[1], kept=EXPRESSION_COUNT),)
