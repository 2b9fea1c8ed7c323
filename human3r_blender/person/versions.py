# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a person's motion, an Action each: raw, live and clean. The raw one is read and never changed.

While a take arrives only the live version is written: it becomes the clean one at the end, when the raw one is there,
and is made again when somebody wants to compare. The clean one is replaced whenever somebody asks for another strength.
Expressions, and when a mesh is hidden, are in the raw Action (in Blenders without slots: in Actions of their own), and
play on with every version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from ...engine.contract.errors import UserError
from ...engine.contract.skeleton import PELVIS
from ...engine.motion.causal import CausalSmoother
from ...engine.motion.clean_up import CleanUpSettings, clean_up
from ...engine.motion.contact_edits import ContactEdits
from ..blender import keyframes, packed_keys, tags, turns
from ..blender.slices import GOES_ON, Slices, run_through, sliceable, to_its_end
from . import armature, contact_marks, contacts, copies, family, filmed
from .motion import (
    LOCATION,
    NAMES,
    Keys,
    keyed_motion,
    merge_keys,
    motion_of_person,
    read_keys,
    refuse_none,
    set_motion,
    up_in_body,
    values_of,
)

STRENGTH, LOCK_FEET, REFINE = "human3r_strength", "human3r_lock_feet", "human3r_refine"
"""On a clean Action: the settings that it was made with."""

REFINED = "human3r_refined"
"""On a clean Action: whether the place was refined, which needs the take's camera."""

_LIVE_ROWS = 8
"""Rows smoothed in one slice of work."""

FindObject = Callable[[], bpy.types.Object | None]


def shown(item: bpy.types.Object) -> str:
    """The role of the version that plays; empty for an Action of the user's own, or none."""
    action = item.animation_data.action if item.animation_data is not None else None
    return "" if action is None else tags.text(action, tags.ROLE)


@sliceable
def show(item: bpy.types.Object, role: str) -> Slices[None]:
    """Play another version of a person's motion. Raises UserError (``no-version``)."""
    action = family.action(item, role)
    if action is None:
        raise UserError(
            "no-version", "{name} has no {role} motion.", "Clean up the person first.", name=item.name, role=role
        )
    yield from unpacked(lambda: family.action(item, role))
    before = item.animation_data.action if item.animation_data is not None else None
    if before is not None:
        before.use_fake_user = True  # what does not play is kept when the file is saved
    keyframes.play(item, action, LOCATION)


def unpacked(find: Callable[[], bpy.types.Action | None]) -> Slices[None]:
    """Give a version that was packed its keys again, as far as it comes; see `packed_keys`."""
    yield from packed_keys.unpack(find, NAMES[0])


def play_own(item: bpy.types.Object, name: str) -> None:
    """Let a person go on with the Action called `name`, which is the user's; with none where the name is empty."""
    action = bpy.data.actions.get(name)
    if action is not None:
        run_through(unpacked(lambda: action))
        keyframes.play(item, action, LOCATION)
    elif item.animation_data is not None:
        item.animation_data.action = None


def settings_of(item: bpy.types.Object) -> CleanUpSettings | None:
    """The settings that a person was cleaned up with; None for one that was not."""
    action = family.action(item, tags.CLEAN)
    if action is None:
        return None
    return CleanUpSettings(
        min(max(tags.number(action, STRENGTH, CleanUpSettings.strength), 0.0), 1.0),
        tags.flag(action, LOCK_FEET, True),
        tags.flag(action, REFINE, False),  # which earlier versions did not do
    )


def is_refined(item: bpy.types.Object) -> bool:
    """Whether a person has a clean Action whose place was refined."""
    action = family.action(item, tags.CLEAN)
    return action is not None and tags.flag(action, REFINED, tags.flag(action, REFINE, False))


def lacks_camera(item: bpy.types.Object) -> bool:
    """Whether the place of a person who was cleaned up was to be refined, and was not: the take has no camera here."""
    settings = settings_of(item)
    return settings is not None and settings.refine and not is_refined(item)


@sliceable
def clean(item: bpy.types.Object, rate: float, settings: CleanUpSettings) -> Slices[None]:
    """Make a person's clean Action out of the raw one, and play it; see `clean_in_steps`."""
    yield from clean_in_steps(lambda: item, rate, settings)


@sliceable
def clean_behind(
    item: bpy.types.Object, rate: float, settings: CleanUpSettings, edits: contacts.Edits | None = None
) -> Slices[None]:
    """The same while what plays goes on: another version, an Action of the user's, NLA strips, or nothing."""
    role, data = shown(item), item.animation_data
    own = "" if data is None or data.action is None else data.action.name
    yield from clean_in_steps(lambda: item, rate, settings, edits=edits)
    if role in (tags.RAW, tags.LIVE):
        yield from show.in_slices(item, role)
    elif not role:
        play_own(item, own)


def clean_in_steps(
    find_armature: FindObject,
    rate: float,
    settings: CleanUpSettings,
    takes_live: bool = False,
    edits: contacts.Edits | None = None,
) -> Slices[None]:
    """Make a person's clean Action and play it, in slices of a few milliseconds, the arithmetic on a thread.

    `rate` is the scene's frames per second. It takes the place of the clean Action that there was, also where NLA
    strips use that. Without the take's camera in the scene the place is not refined (see `lacks_camera`). Contacts that
    were edited by hand count more than those that are found; `edits` are others than the person's own. With
    `takes_live` the live Action of a run that ends is made the clean one. Ends early if the person is deleted. Raises
    UserError (``person-not-animated``).
    """

    def raw_curves() -> keyframes.Curves:
        raw = _raw_of(find_armature())
        return {} if raw is None else keyframes.curves_in(raw, LOCATION)

    yield from unpacked(lambda: _raw_of(find_armature()))
    keys: Keys = {}
    for names in keyframes.slices(NAMES, keyframes.longest(raw_curves())):
        keys |= read_keys(raw_curves(), names)
        yield None
    item = find_armature()
    if item is None:
        return
    frames, values = merge_keys(keys, raw_curves())
    refuse_none(item, frames)
    camera = filmed.camera_places(item, frames) if settings.refine else None
    told = contacts.in_seconds(contacts.read(item) if edits is None else edits, rate)
    yield None
    rest, up = armature.rest_joints(item), up_in_body(item)
    computing = turns.submit("human3r-clean-up", _compute, frames, values, rate, rest, up, camera, settings, told)
    cleaned = yield from turns.result_of(computing)
    yield from to_its_end(_write(find_armature, cleaned, settings, takes_live))


@dataclass(frozen=True)
class _Cleaned:
    """What the thread found out."""

    values: np.ndarray
    """(T, 223) of the curves of `NAMES`."""
    resting: list[int]
    """As of `contacts.RESTING`."""
    is_refined: bool
    contacts: contact_marks.Contacts


def _compute(
    frames: np.ndarray,
    values: np.ndarray,
    rate: float,
    rest: np.ndarray,
    up: np.ndarray,
    camera: np.ndarray | None,
    settings: CleanUpSettings,
    edits: ContactEdits,
) -> _Cleaned:
    motion = keyed_motion(frames, values, rate, rest).motion
    cleaned = clean_up(motion, up, settings, camera, edits)
    limbs = np.concatenate([cleaned.planted[:, 2:], cleaned.hands], axis=1)
    places = contact_marks.places(cleaned.motion.joints())
    marks = contact_marks.Contacts(frames, limbs, places, up, tuple(motion.stretches()))
    told = contacts.resting(cleaned.planted, cleaned.hands)
    return _Cleaned(values_of(cleaned.motion), told, settings.refine and camera is not None, marks)


def _write(find_armature: FindObject, cleaned: _Cleaned, settings: CleanUpSettings, takes_live: bool) -> Slices[None]:
    item = find_armature()
    raw = family.action(item, tags.RAW) if item is not None else None
    if item is None or raw is None:
        return
    made = family.action(item, tags.LIVE) if takes_live else None
    if made is None or not _same_keys(made, raw):
        # All that does not differ is the raw Action's: frames, interpolation, groups, other curves.
        made = copy_of(raw, tags.CLEAN)
    name = made.name
    yield None

    def curves() -> keyframes.Curves:
        action = bpy.data.actions.get(name)
        return {} if action is None else keyframes.curves_in(action, LOCATION)

    for names in keyframes.slices(NAMES, len(cleaned.values)):
        set_motion(curves(), names, cleaned.contacts.frames, cleaned.values)
        yield None
    yield from keyframes.settle_curves(curves)
    item, made = find_armature(), bpy.data.actions.get(name)
    if item is None or made is None:
        if made is not None and not made.users:
            bpy.data.actions.remove(made)
        return
    if family.action(item, tags.CLEAN) is not None:
        copies.own_blocks(item)
    raw, before = family.action(item, tags.RAW), family.action(item, tags.CLEAN)
    family.give(item, made, tags.CLEAN)
    made[STRENGTH], made[LOCK_FEET], made[REFINE] = settings.strength, settings.lock_feet, settings.refine
    made[REFINED], made[contacts.RESTING] = cleaned.is_refined, cleaned.resting
    if before is not None:
        before.user_remap(made)
        bpy.data.actions.remove(before)
    keyframes.play(item, made, LOCATION)
    made.use_fake_user = True
    if raw is not None:
        raw.use_fake_user, made.name = True, f"{raw.name} clean"
    yield None
    item = find_armature()
    made = None if item is None else family.action(item, tags.CLEAN)
    if item is not None and made is not None:
        contact_marks.make(item, made, cleaned.contacts)
    yield None
    yield from packed_keys.pack(lambda: _raw_at_rest(find_armature()), NAMES[0], NAMES[3:])


def _raw_of(item: bpy.types.Object | None) -> bpy.types.Action | None:
    return None if item is None else family.action(item, tags.RAW)


def _raw_at_rest(item: bpy.types.Object | None) -> bpy.types.Action | None:
    """A person's raw Action, unless it moves somebody."""
    raw = _raw_of(item)
    return None if item is None or raw is None or raw in keyframes.actions_of(item) else raw


def copy_of(raw: bpy.types.Action, version: str) -> bpy.types.Action:
    """A copy of the pose in a raw Action that is nobody's version yet."""
    copy = keyframes.copy_part(raw, LOCATION, f"{raw.name} {version}")
    for name in list(copy.keys()):
        if name.startswith(tags.PREFIX):
            del copy[name]
    return copy


def _same_keys(action: bpy.types.Action, raw: bpy.types.Action) -> bool:
    """Whether an Action has as many keys of the pose as the raw one, curve by curve."""
    ours, theirs = (keyframes.curves_in(which, LOCATION) for which in (action, raw))
    return all(
        name in ours and len(ours[name].keyframe_points) == len(theirs[name].keyframe_points)
        for name in NAMES
        if name in theirs
    )


def begin_live(item: bpy.types.Object) -> None:
    """Give a new person, whose raw curves have no keys yet, a live Action and play it."""
    raw = family.action(item, tags.RAW)
    if raw is not None:
        live = copy_of(raw, tags.LIVE)
        family.give(item, live, tags.LIVE)
        raw.use_fake_user = True
        keyframes.play(item, live, LOCATION)


@sliceable
def make_live(item: bpy.types.Object, rate: float) -> Slices[None]:
    """Make the live Action of a person who was cleaned up, as it was or would have been while the take arrived, if
    there is none of the same strength. Raises UserError (``person-not-animated``).
    """
    settings = settings_of(item) or CleanUpSettings()
    raw, live = family.action(item, tags.RAW), family.action(item, tags.LIVE)
    if raw is None or (live is not None and live.get(STRENGTH) == settings.strength):
        return
    remove_live(item)
    yield from unpacked(lambda: raw)
    keyed = yield from motion_of_person.in_slices(item, rate, raw)
    frames, motion = keyed.frames, keyed.motion
    smoothing = LiveSmoothing(settings.strength, rate)
    yield from smoothing.add(frames.tolist(), motion.rotations, motion.pelvis - motion.rest_joints[PELVIS])
    live = copy_of(raw, tags.LIVE)
    yield GOES_ON
    values = smoothing.take()
    for names in keyframes.slices(NAMES, len(frames)):
        set_motion(keyframes.curves_in(live, LOCATION), names, frames, values)
        yield GOES_ON
    family.give(item, live, tags.LIVE)
    live[STRENGTH] = settings.strength
    yield from to_its_end(packed_keys.pack(lambda: _raw_at_rest(item), NAMES[0], NAMES[3:]))


def remove_live(item: bpy.types.Object) -> None:
    """Remove the live Action of a person who has one; copies of the person keep theirs."""
    if family.action(item, tags.LIVE) is not None:
        copies.own_blocks(item)
        bpy.data.actions.remove(family.action(item, tags.LIVE))


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
