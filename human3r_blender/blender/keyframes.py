# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that knows how Blender versions store animation.

Up to 4.3 the F-curves lie on the Action itself, and an Action animates one data-block. From 4.4 an Action has slots,
one per data-block, each with its channelbag of F-curves; `action.fcurves` is gone in 5.0. Callers see neither: they
`animate` a data-block, ask for its `curves`, and write keys in bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import bpy
import numpy as np

HAS_SLOTS = "slots" in bpy.types.Action.bl_rna.properties
"""Blender 4.4 and newer: several data-blocks share one Action."""

_DESELECTS = "deselect_keys" in bpy.types.Action.bl_rna.functions
"""Blender 4.4 and newer: an Action's keys are deselected at once. One by one takes longer than all else."""

CONSTANT, LINEAR = 0, 1
"""Interpolations, as bulk access to `Keyframe.interpolation` wants them (in arrays of uint8, the fast way)."""

_NAMES = ("CONSTANT", "LINEAR")

_FEW = 8
"""Up to this many keys it is cheaper to set each one than to pass the whole curve through an array."""

_SLICE = 20_000
"""Keys written in one slice of work: a few milliseconds' worth."""

_SAME = 1e-4
"""Frames. Blender takes a key so little after a frame for one that is at it."""

_SMOOTH = ("location", "rotation_quaternion", "rotation_euler", "scale", ".value")
"""Ends of the paths of properties that Blender does not round to whole numbers."""

CurveName = tuple[str, int]
"""Data path and array index."""

Curves = dict[CurveName, bpy.types.FCurve]
"""A data-block's F-curves by their names."""


def animate(block: bpy.types.ID, name: str, part: str = "", share: bpy.types.ID | None = None) -> bpy.types.Action:
    """Give a data-block an Action called `name` to hold its F-curves, and return it.

    `share` is a data-block that was given its Action before and belongs to the same person or camera, or that Action:
    where Blender has slots, both use the one; on older versions the block gets an Action called "`name` `part`".
    """
    data = block.animation_data or block.animation_data_create()
    if share is not None and not isinstance(share, bpy.types.Action):
        share = share.animation_data.action
    action, container = _new_container(block, name, part, share)
    data.action = action
    if HAS_SLOTS:
        data.action_slot = container.slot
    return action


def set_aside(
    block: bpy.types.ID,
    name: str,
    columns: Mapping[str, np.ndarray],
    frames: np.ndarray,
    part: str = "",
    share: bpy.types.Action | None = None,
) -> bpy.types.Action:
    """Keep keys in an Action that nothing plays, for the user to choose; the data-block itself is not touched.

    `columns` has (T, n) values by data path, at (T,) scene frames. `name`, `part` and `share` as of `animate`.
    """
    action, container = _new_container(block, name, part, share)
    action.use_fake_user = True
    kinds = np.full(len(frames), LINEAR, dtype=np.uint8)
    for path, values in columns.items():
        for axis, column in enumerate(values.T):
            replace(container.fcurves.new(path, index=axis), frames, column, kinds)
    return action


def _new_container(block: bpy.types.ID, name: str, part: str, share: bpy.types.Action | None) -> tuple[Any, Any]:
    """An Action with room for the F-curves of a data-block that does not play it yet, and what will hold them."""
    if not HAS_SLOTS:
        action = bpy.data.actions.new(f"{name} {part}" if share and part else name)
        action.id_root = block.id_type
        return action, action
    action = share or bpy.data.actions.new(name)
    if not action.layers:
        action.layers.new("Layer").strips.new(type="KEYFRAME")
    slot = action.slots.new(id_type=block.id_type, name=block.name)
    return action, action.layers[0].strips[0].channelbag(slot, ensure=True)


def _container(block: bpy.types.ID) -> Any:  # a type that differs between versions
    """What holds the F-curves and groups of a data-block: its Action or its slot's channelbag; None without one."""
    data = block.animation_data
    if data is None or data.action is None:
        return None
    if not HAS_SLOTS:
        return data.action
    for layer in data.action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(data.action_slot) if data.action_slot else None
            if bag is not None:
                return bag
    return None


def curves(block: bpy.types.ID) -> Curves:
    """The F-curves that animate a data-block; empty when it has none. Fetch anew after undo, never keep."""
    container = _container(block)
    return {} if container is None else {(curve.data_path, curve.array_index): curve for curve in container.fcurves}


def curves_in(action: bpy.types.Action, data_path: str) -> Curves:
    """The F-curves in an Action of that data-block whose `data_path` it animates, whether or not it plays; empty
    where it animates no such property.
    """
    container = _container_in(action, data_path)
    return {} if container is None else {(curve.data_path, curve.array_index): curve for curve in container.fcurves}


def curve_in(action: bpy.types.Action, data_path: str, wanted: str, index: int = 0) -> bpy.types.FCurve:
    """The F-curve of a property `wanted` in an Action, made where there is none, for the data-block whose `data_path`
    it animates too.
    """
    container = _container_in(action, data_path)
    return container.fcurves.find(wanted, index=index) or container.fcurves.new(wanted, index=index)


def copy_part(action: bpy.types.Action, data_path: str, name: str) -> bpy.types.Action:
    """A copy of what an Action has for that data-block whose `data_path` it animates; nothing plays it yet."""
    copy = action.copy()
    copy.name = name
    if HAS_SLOTS:
        kept = _container_in(copy, data_path)
        handle = None if kept is None else kept.slot.handle
        for slot in [slot for slot in copy.slots if slot.handle != handle]:
            copy.slots.remove(slot)
    return copy


def play(block: bpy.types.ID, action: bpy.types.Action, data_path: str) -> None:
    """Let a data-block be moved by what an Action has for the block whose `data_path` it animates."""
    data = block.animation_data or block.animation_data_create()
    data.action = action
    action.update_tag()  # it may have been evaluated before its keys were written: Blender 4.2 follows pointers to it
    if HAS_SLOTS:
        container = _container_in(action, data_path)
        data.action_slot = None if container is None else container.slot


def strips_of(block: bpy.types.ID) -> list[bpy.types.NlaStrip]:
    """All NLA strips of a data-block, also those that are muted."""
    data = block.animation_data
    return [] if data is None else [strip for track in data.nla_tracks for strip in track.strips]


def playing_strips(block: bpy.types.ID) -> list[bpy.types.NlaStrip]:
    """The NLA strips that animate a data-block."""
    data = block.animation_data
    if data is None or not data.use_nla:
        return []
    return [strip for track in data.nla_tracks if not track.mute for strip in track.strips if not strip.mute]


def paths_of_strip(strip: bpy.types.NlaStrip) -> set[str]:
    """The data paths that an NLA strip animates, those of the strips in a meta-strip among them."""
    if strip.type == "META":
        return {path for part in strip.strips for path in paths_of_strip(part)}
    if strip.action is None:
        return set()
    if not HAS_SLOTS:
        return {curve.data_path for curve in strip.action.fcurves}
    bags = [part.channelbag(strip.action_slot) for layer in strip.action.layers for part in layer.strips]
    return {curve.data_path for bag in bags if bag is not None and strip.action_slot for curve in bag.fcurves}


def has_drivers(block: bpy.types.ID) -> bool:
    """Whether drivers move any property of a data-block."""
    return block.animation_data is not None and len(block.animation_data.drivers) > 0


def actions_of(block: bpy.types.ID) -> list[bpy.types.Action]:
    """The Actions that a data-block uses: the one that plays, then those of its NLA strips."""
    if block.animation_data is None:
        return []
    used = (block.animation_data.action, *(strip.action for strip in strips_of(block)))
    return [action for action in used if action is not None]


def exchange(block: bpy.types.ID, before: bpy.types.Action, copy: bpy.types.Action) -> None:
    """Let a data-block use a copy of an Action wherever it uses that one."""
    users = [] if block.animation_data is None else [block.animation_data, *strips_of(block)]
    for user in users:
        if user.action == before:
            handle = user.action_slot.handle if HAS_SLOTS and user.action_slot is not None else None
            user.action = copy
            if HAS_SLOTS:
                user.action_slot = next((slot for slot in copy.slots if slot.handle == handle), None)


def _container_in(action: bpy.types.Action, data_path: str) -> Any:
    if not HAS_SLOTS:
        return action
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return next((bag for bag in bags if bag.fcurves.find(data_path, index=0) is not None), None)


def add_curves(block: bpy.types.ID, data_path: str, size: int, group: str = "") -> list[bpy.types.FCurve]:
    """Make empty F-curves for the `size` components of a property of an animated block.

    `group` is the heading that they appear under in the editors. Raises RuntimeError where the curves exist already.
    """
    container = _container(block)
    made = [container.fcurves.new(data_path, index=index) for index in range(size)]
    if group:
        # 4.5's channelbags take no group name when a curve is made; setting it afterwards works everywhere.
        heading = container.groups.get(group) or container.groups.new(group)
        for curve in made:
            curve.group = heading
    return made


def append(curve: bpy.types.FCurve, frames: np.ndarray, values: np.ndarray, interpolation: np.ndarray) -> None:
    """Add keys after the last one: (T,) scene frames, ascending, (T,) values and (T,) uint8 interpolations.

    A few keys on a long curve are added without a pass over the whole curve.
    """
    points = curve.keyframe_points
    old, new = len(points), len(frames)
    points.add(new)
    if new <= _FEW < old:
        for index in range(new):
            point = points[old + index]
            point.co = (frames[index], values[index])
            point.interpolation = _NAMES[interpolation[index]]
        return
    co = np.empty(2 * (old + new), dtype=np.float32)
    kinds = np.empty(old + new, dtype=np.uint8)
    if old:
        points.foreach_get("co", co)
        points.foreach_get("interpolation", kinds)
    co[2 * old :: 2] = frames
    co[2 * old + 1 :: 2] = values
    kinds[old:] = interpolation
    points.foreach_set("co", co)
    points.foreach_set("interpolation", kinds)


def replace(curve: bpy.types.FCurve, frames: np.ndarray, values: np.ndarray, interpolation: np.ndarray) -> None:
    """Put other keys in place of all that a curve has; arguments as of `append`."""
    curve.keyframe_points.clear()
    append(curve, frames, values, interpolation)
    _settle(curve)


def interpolation(curve: bpy.types.FCurve) -> np.ndarray:
    """(T,) uint8 interpolations of all keys."""
    kinds = np.empty(len(curve.keyframe_points), dtype=np.uint8)
    curve.keyframe_points.foreach_get("interpolation", kinds)
    return kinds


def set_values(curve: bpy.types.FCurve, values: np.ndarray | Callable[[np.ndarray], np.ndarray]) -> None:
    """Replace the (T,) values of all keys; their frames and interpolation stay.

    The values may be found from the keys' (T,) frames.
    """
    points = curve.keyframe_points
    co = np.empty(2 * len(points), dtype=np.float32)
    points.foreach_get("co", co)
    co[1::2] = values(co[0::2]) if callable(values) else values
    points.foreach_set("co", co)


def hold_last(curve: bpy.types.FCurve) -> None:
    """Hold the value of the last key until the next one instead of moving towards it."""
    if len(curve.keyframe_points):
        curve.keyframe_points[-1].interpolation = "CONSTANT"


def read(curve: bpy.types.FCurve) -> tuple[np.ndarray, np.ndarray]:
    """(T,) scene frames and (T,) values of all keys, or samples where a curve has these, float32."""
    points = curve.keyframe_points if len(curve.keyframe_points) else curve.sampled_points
    co = np.empty(2 * len(points), dtype=np.float32)
    points.foreach_get("co", co)
    return co[0::2].copy(), co[1::2].copy()


def sample(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """(T,) values of a curve at (T,) scene frames, whatever its interpolation and modifiers."""
    if _is_straight(curve):
        at, values = (column.astype(np.float64) for column in read(curve))
        row = np.searchsorted(at, frames + _SAME, side="right").clip(min=1) - 1
        return np.where(interpolation(curve)[row] == CONSTANT, values[row], np.interp(frames, at, values))
    return np.fromiter((curve.evaluate(frame) for frame in frames.tolist()), dtype=np.float64, count=len(frames))


def _is_straight(curve: bpy.types.FCurve) -> bool:
    """Whether all that Blender does with a curve is to hold its keys or to join them by lines."""
    if not curve.data_path.endswith(_SMOOTH) or len(curve.modifiers) or curve.extrapolation != "CONSTANT":
        return False
    return len(curve.keyframe_points) > _FEW and bool((interpolation(curve)[:-1] <= LINEAR).all())


def longest(made: Curves) -> int:
    """Keys of the curve that has most."""
    return max(map(count, made.values()), default=0)


def count(curve: bpy.types.FCurve) -> int:
    """Keys of a curve, or samples where it has these."""
    return len(curve.keyframe_points) or len(curve.sampled_points)


def slices(names: Sequence[CurveName], keys: int) -> Iterator[Sequence[CurveName]]:
    """Cut a list of curves of `keys` keys each into parts that take a few milliseconds to write."""
    step = max(1, _SLICE // max(keys, 1))
    for start in range(0, len(names), step):
        yield names[start : start + step]


def settle(find: Callable[[], bpy.types.ID | None]) -> Iterator[None]:
    """Leave a block's finished curves as an animator expects them: handles computed, nothing selected; in slices.

    `find` finds the block, before each slice anew.
    """

    def found() -> Curves:
        block = find()
        return {} if block is None else curves(block)

    return settle_curves(found)


def settle_curves(find: Callable[[], Curves]) -> Iterator[None]:
    """`settle` for the curves that `find` finds."""
    made = find()
    for names in slices(list(made), longest(made)):
        now = find()
        for name in names:
            if name in now:
                now[name].update()
                if not _DESELECTS:
                    _deselect(now[name])
        yield
    for action in {curve.id_data for curve in find().values()} if _DESELECTS else ():
        action.deselect_keys()
    for curve in find().values():
        curve.select = False


def _settle(curve: bpy.types.FCurve) -> None:
    curve.update()
    _deselect(curve)
    curve.select = False


def _deselect(curve: bpy.types.FCurve) -> None:
    nothing = np.zeros(len(curve.keyframe_points), dtype=bool)
    for part in ("select_control_point", "select_left_handle", "select_right_handle"):
        curve.keyframe_points.foreach_set(part, nothing)


def remove_curves(block: bpy.types.ID, data_paths: Sequence[str]) -> None:
    """Remove the F-curves of some properties of a data-block, where there are any."""
    container = _container(block)
    for curve in list(container.fcurves) if container is not None else []:
        if curve.data_path in data_paths:
            container.fcurves.remove(curve)
