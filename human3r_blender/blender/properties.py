# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's properties of a settings dataclass, and the settings out of them again.

    @with_settings(CaptureSettings, leave_out=("body",))
    class Human3RSettings(bpy.types.PropertyGroup):
        ...

None is 0 in Blender, which has no empty numbers. Where 0 means something else than a number, the panel shows a checkbox
(``with_switches``) and the field only where it is checked; what is stored stays the one number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ...engine.contract.declaring import Setting, names_of, settings_of

SWITCH = "use_"
"""How the names of checkboxes begin that say whether a number counts."""

_EDGE = 0.01
"""How far a property stays from an end of its range that is itself not allowed."""
_UNITS: dict[str, dict[str, Any]] = {
    "meters": {"subtype": "DISTANCE", "unit": "LENGTH"},
    "seconds": {"subtype": "TIME_ABSOLUTE", "unit": "TIME_ABSOLUTE"},
    "share": {"subtype": "FACTOR", "precision": 2},
    "path": {"subtype": "FILE_PATH"},
}


def property_of(settings_type: type, name: str, /, ids: Callable[[str], str] = str, **changes: Any) -> Any:
    """A property for one setting; `ids` makes an enumeration's ids of the words, `changes` are of Blender's names."""
    item = settings_of(settings_type)[name]
    default = item.kind() if item.default is None else item.default
    options: dict[str, Any] = {"name": item.label, "description": help_of(item), "default": default}
    if item.choices is not None:
        options["default"] = ids(default)
        options["items"] = [(ids(word), *texts) for word, texts in item.choices.items()]
        return EnumProperty(**options | changes)
    make = {bool: BoolProperty, int: IntProperty, float: FloatProperty, str: StringProperty}[item.kind]
    options |= ({"precision": 3} if item.kind is float else {}) | _UNITS.get(item.unit, {}) | _limits(item)
    return make(**options | changes)


def help_of(item: Setting) -> str:
    """The tooltip of a setting."""
    return item.text + (f". 0: {item.none}" if item.none else "")


def with_settings(settings_type: type, leave_out: Sequence[str] = ()) -> Callable[[type[Any]], type[Any]]:
    """Give a class of Blender's a property for each setting that it does not declare itself."""

    def add(owner: type[Any]) -> type[Any]:
        own = owner.__annotations__
        for name in names_of(settings_type):
            if name not in own and name not in leave_out:
                own[name] = property_of(settings_type, name)
        return owner

    return add


def with_switches(*settings_types: type) -> Callable[[type[Any]], type[Any]]:
    """Give a class of Blender's a checkbox for each number of these settings for which 0 is no number like others."""

    def add(owner: type[Any]) -> type[Any]:
        for item in (item for settings_type in settings_types for item in settings_of(settings_type).values()):
            if item.means_off:
                owner.__annotations__[SWITCH + item.name] = _switch_of(item)
        return owner

    return add


def _switch_of(item: Setting) -> Any:
    def is_on(owner: Any) -> bool:
        return bool(getattr(owner, item.name))

    def switch(owner: Any, on: bool) -> None:
        if on != is_on(owner):
            setattr(owner, item.name, item.first_value if on else 0)

    description = f"Whether {item.label} is set here. When off: {item.means_off}"
    return BoolProperty(name=item.label, description=description, get=is_on, set=switch, options={"SKIP_SAVE"})


def settings_from(owner: Any, settings_type: type, **given: Any) -> Any:
    """The settings as an owner's properties say, but for those that are given. Raises UserError (``bad-setting``)."""
    values = {
        item.name: _value_of(item, getattr(owner, item.name))
        for item in settings_of(settings_type).values()
        if item.name not in given
    }
    return settings_type(**values, **given)


def copy_settings(source: Any, target: Any, settings_type: type) -> None:
    """Give the properties of one owner to another, such as those of a scene to a button's."""
    for name in names_of(settings_type):
        setattr(target, name, getattr(source, name))


def draw_settings(layout: bpy.types.UILayout, owner: Any, settings_type: type, *groups: str) -> None:
    """Draw the settings that stand together in these groups; without groups, all."""
    for name in names_of(settings_type, *groups):
        draw_setting(layout, owner, settings_of(settings_type)[name])


def draw_setting(layout: bpy.types.UILayout, owner: Any, item: Setting) -> None:
    """Draw one setting: its field, or a checkbox and behind it the field or what holds without it."""
    switch = SWITCH + item.name
    if not item.means_off or switch not in owner.bl_rna.properties:
        layout.prop(owner, item.name)
        return
    row = layout.row(align=True, heading=item.label)
    row.prop(owner, switch, text="")
    if getattr(owner, switch):
        row.prop(owner, item.name, text="")
    else:
        row.label(text=item.means_off)


def _limits(item: Setting) -> dict[str, float]:
    if item.kind not in (int, float):
        return {}
    least = item.above + _EDGE if item.above is not None else item.least
    most = item.below - _EDGE if item.below is not None else item.most
    limits = {"min": 0 if item.zero or item.is_optional else least, "max": most, "soft_max": item.soft_most}
    return {name: value for name, value in limits.items() if value is not None}


def _value_of(item: Setting, value: Any) -> Any:
    if item.is_optional and not value:
        return None
    if item.choices is not None and value not in item.choices:
        return next(word for word in item.choices if word.lower() == value.lower())  # ids in capitals
    return value
