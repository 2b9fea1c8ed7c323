# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a person's motion, an Action each: raw, live and clean. The raw one is read and never changed.

The live version exists while a take arrives. The clean one replaces it at the end, and is made again whenever somebody
asks for another strength. Expressions, and when a mesh is hidden, are in the raw Action (in Blenders without slots: in
Actions of their own), and play on with every version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import bpy
import numpy as np

from ...engine.contract.errors import UserError
from ...engine.motion.causal import CausalSmoother
from ...engine.motion.clean_up import CleanMotion, CleanUpSettings, clean_up
from . import contact_marks, keyframes, tags
from .motion_of_person import LOCATION, NAMES, KeyedMotion, motion_of_curves, set_motion, up_in_body, values_of

STRENGTH, LOCK_FEET = "human3r_strength", "human3r_lock_feet"
"""On a clean Action: the settings that it was made with."""

CONTACTS = "human3r_contacts"
"""On a clean Action: for every key of the pelvis which points stand, as a sum of 1 for the left heel, 2 for the right
heel, 4 for the ball of the left foot and 8 for that of the right."""

_LIVE_ROWS = 8
"""Rows smoothed in one slice of work."""

FindObject = Callable[[], bpy.types.Object | None]


def find(item: bpy.types.Object, role: str) -> bpy.types.Action | None:
    """A person's Action with one of the roles `tags.RAW`, `tags.LIVE` and `tags.CLEAN`."""
    found = tags.find_action(item[tags.TAKE], role, item[tags.TRACK])
    if found is None and role == tags.RAW and item.animation_data is not None:
        # Files of earlier versions have one Action a person, and say nothing on it.
        plain = item.animation_data.action
        if plain is not None and tags.ROLE not in plain and keyframes.curves_in(plain, LOCATION):
            tags.mark(plain, item[tags.TAKE], tags.RAW, item[tags.TRACK])
            return plain
    return found


def shown(item: bpy.types.Object) -> str:
    """The role of the version that plays; empty for an Action of the user's own, or none."""
    action = item.animation_data.action if item.animation_data is not None else None
    return "" if action is None else str(action.get(tags.ROLE, ""))


def show(item: bpy.types.Object, role: str) -> None:
    """Play another version of a person's motion. Raises UserError (``no-version``)."""
    action = find(item, role)
    if action is None:
        raise UserError("no-version", f"{item.name} has no {role} motion.", "Clean up the person first.")
    before = item.animation_data.action if item.animation_data is not None else None
    if before is not None:
        before.use_fake_user = True  # what does not play is kept when the file is saved
    keyframes.play(item, action, LOCATION)


def settings_of(item: bpy.types.Object) -> CleanUpSettings | None:
    """The settings that a person was cleaned up with; None for one that was not."""
    action = find(item, tags.CLEAN)
    if action is None:
        return None
    return CleanUpSettings(float(action.get(STRENGTH, 0.75)), bool(action.get(LOCK_FEET, True)))


def clean(item: bpy.types.Object, rate: float, settings: CleanUpSettings) -> None:
    """Make a person's clean Action out of the raw one, at once, and play it; see `clean_in_steps`."""
    for _ in clean_in_steps(lambda: item, rate, settings):
        pass


def clean_in_steps(find_armature: FindObject, rate: float, settings: CleanUpSettings) -> Iterator[None]:
    """Make a person's clean Action and play it, in slices of a few milliseconds, the arithmetic on a thread.

    `rate` is the scene's frames per second. It takes the place of the clean Action that there was, also where NLA
    strips use that, and the live one goes. Ends early if the person is deleted. Raises UserError
    (``person-not-animated``).
    """
    item = find_armature()
    if item is None:
        return
    raw = find(item, tags.RAW)
    keyed = motion_of_curves(item, rate, {} if raw is None else keyframes.curves_in(raw, LOCATION))
    yield
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="human3r-clean-up")
    computing = thread.submit(clean_up, keyed.motion, up_in_body(item), settings)
    thread.shutdown(wait=False)
    while not computing.done():
        wait([computing], timeout=0.001)
        yield
    yield from _write(find_armature, keyed, computing.result(), settings)


def _write(find_armature: FindObject, keyed: KeyedMotion, cleaned: CleanMotion,
           settings: CleanUpSettings) -> Iterator[None]:
    item = find_armature()
    raw = find(item, tags.RAW) if item is not None else None
    if raw is None:
        return
    # All that does not differ is the raw Action's: frames, interpolation, groups, other curves.
    made = keyframes.copy_part(raw, LOCATION, f"{raw.name} clean")
    name, values = made.name, values_of(cleaned.motion)
    yield
    for names in keyframes.slices(NAMES, len(keyed.frames)):
        made = bpy.data.actions.get(name)
        if made is None:
            return
        curves = keyframes.curves_in(made, LOCATION)
        set_motion(curves, tuple(names), keyed.frames, values)
        for some in names:
            if some in curves:
                curves[some].update()
        yield
    item, made = find_armature(), bpy.data.actions.get(name)
    if item is None or made is None:
        return
    raw, before = find(item, tags.RAW), find(item, tags.CLEAN)
    tags.mark(made, item[tags.TAKE], tags.CLEAN, item[tags.TRACK])
    made[STRENGTH], made[LOCK_FEET] = settings.strength, settings.lock_feet
    made[CONTACTS] = (cleaned.planted @ (1, 2, 4, 8)).astype(int).tolist()
    if before is not None:
        before.user_remap(made)
        bpy.data.actions.remove(before)
    keyframes.play(item, made, LOCATION)
    made.use_fake_user = True
    if raw is not None:
        raw.use_fake_user, made.name = True, f"{raw.name} clean"
    live = find(item, tags.LIVE)
    if live is not None:
        bpy.data.actions.remove(live)
    contact_marks.make(item, made, keyed.frames, cleaned.planted)
    yield


def begin_live(item: bpy.types.Object) -> None:
    """Give a new person, whose raw curves have no keys yet, a live Action and play it."""
    raw = find(item, tags.RAW)
    if raw is not None:
        live = keyframes.copy_part(raw, LOCATION, f"{raw.name} live")
        tags.mark(live, item[tags.TAKE], tags.LIVE, item[tags.TRACK])
        raw.use_fake_user = True
        keyframes.play(item, live, LOCATION)


class LiveSmoothing:
    """The rows of one person, smoothed as they arrive."""

    def __init__(self, strength: float, rate: float) -> None:
        """`rate` is in scene frames per second."""
        self._smoother, self._rate = CausalSmoother(strength), rate
        self._rows: list[np.ndarray] = []

    def add(self, frames: list[float], rotations: np.ndarray, location: np.ndarray) -> Iterator[None]:
        """The next rows, in slices: T frames, (T, 55, 4) quaternions and (T, 3) places of the pelvis."""
        for row, frame in enumerate(frames):
            turned, placed = self._smoother.update(frame / self._rate, rotations[row], location[row])
            self._rows.append(np.concatenate([placed, turned.ravel()]))
            if row % _LIVE_ROWS == _LIVE_ROWS - 1:
                yield

    def take(self) -> np.ndarray:
        """(T, 223) values of the curves of `NAMES` for the rows since the last call."""
        rows, self._rows = self._rows, []
        return np.stack(rows)
