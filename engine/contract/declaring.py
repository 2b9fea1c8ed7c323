# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings are declared once: a frozen dataclass whose fields are made by :func:`setting`.

What a value may be, what it is called and what it does stand there and nowhere else. The check
(:func:`check_settings`), the options of the command line (`arguments`), Blender's properties, what presets hold and
what the report on an installation tells all follow from it. The docstring below a field is its one help text.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from typing import Any

from .errors import UserError
from .sentences import Sentence

Choices = Mapping[str, tuple[str, str]]
"""The words that a setting takes, each with its label and with what it means."""


_REMEDIES = {
    ("least",): "Use {least} or more{unit}{zero}.",
    ("above",): "Use more than {above}{unit}{zero}.",
    ("least", "most"): "Use a value from {least} to {most}{unit}{zero}.",
    ("least", "below"): "Use a value from {least} to less than {below}{unit}{zero}.",
    ("above", "most"): "Use more than {above} and at most {most}{unit}{zero}.",
    ("above", "below"): "Use a value between {above} and {below}{unit}{zero}.",
}
"""What to give instead of a number that is not allowed, by the limits that a setting has."""


@dataclass(frozen=True)
class Setting:
    """Everything that is known of one setting."""

    name: str = ""
    owner: type = object
    """The dataclass that it is a field of."""
    kind: type = str
    """``bool``, ``int``, ``float`` or ``str``."""
    is_optional: bool = False
    """Whether it may be None."""
    is_required: bool = False
    """Whether there is no default."""
    default: Any = None
    label: str = ""
    """What it is called in the interface."""
    group: str = ""
    """Those of one group stand together in the interface."""
    choices: Choices | None = None
    least: float | None = None
    most: float | None = None
    above: float | None = None
    """Like `least`, but not allowed itself."""
    below: float | None = None
    """Like `most`, but not allowed itself."""
    soft_most: float | None = None
    """Where a slider ends; larger values can be typed."""
    zero: str = ""
    """What 0 means where that is no number like others; it is then allowed beside the range. At the beginning of the
    range (`least` is 0), the docstring says it too."""
    none: str = ""
    """What None means, which the interface stores as 0."""
    typical: float | None = None
    """What the interface begins with when somebody wants a number where the default is none."""
    needed: str = ""
    """What to do when a text is empty; without it, it may be."""
    unit: str = ""
    """``meters``, ``seconds``, ``frames``, ... of a number, ``share`` of a whole, or ``path`` for a file."""
    entries: str = ""
    """What one entry looks like of a text that is a list with commas; its option may be given once for each."""
    belongs_to: str = ""
    """``footage`` or ``machine``, for a setting that another video or another machine has to have anew."""

    def allows(self, value: Any) -> bool:
        """Whether a value of the right type is one that the setting takes."""
        if value is None:
            return self.is_optional
        if self.kind is str:
            return (not self.needed or bool(value)) and (self.choices is None or value in self.choices)
        if self.zero and value == 0:
            return True
        return (  # so put that a number that is none fails
            (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
        )

    @property
    def means_off(self) -> str:
        """What 0 stands for in the interface where that is no number like others; else empty."""
        return self.zero or self.none

    @property
    def first_value(self) -> Any:
        """The number that a switch from off to on begins with."""
        return self.kind(self.default or self.typical or self.least or 1)

    @property
    def help(self) -> str:
        """Its docstring, in one line and without the full stop."""
        return field_docs(self.owner)[self.name]

    @property
    def text(self) -> str:
        """Help for people."""
        return self.help + (f". 0: {self.zero}" if self.zero and self.least != 0 else "")

    @property
    def remedy(self) -> Sentence:
        """What to give instead of a value that is not allowed."""
        if self.choices is not None:
            return Sentence("Use one of {words}.", words=", ".join(self.choices))
        if self.needed:
            return Sentence(self.needed)
        limits = {name: getattr(self, name) for name in ("least", "above", "most", "below")}
        given = {name: value for name, value in limits.items() if value is not None}
        template = _REMEDIES.get(tuple(given), "Use another value.")
        unit = "" if self.unit in ("", "share") else f" {self.unit}"
        zero = f", or 0 for {self.zero}" if self.zero else ""
        if self.zero and self.least == 0:
            given["least"], zero = f"0 ({self.zero})", ""
        return Sentence(template, unit=unit, zero=zero, **given)


def setting(
    default: Any = MISSING,
    *,
    label: str = "",
    group: str = "",
    choices: Choices | None = None,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    soft_most: float | None = None,
    zero: str = "",
    none: str = "",
    typical: float | None = None,
    needed: str = "",
    unit: str = "",
    entries: str = "",
    belongs_to: str = "",
) -> Any:
    """Declare a field of a settings dataclass, as the fields of :class:`Setting` say; its docstring stands below it."""
    declared = Setting(
        label=label,
        group=group,
        choices=choices,
        least=least,
        most=most,
        above=above,
        below=below,
        soft_most=soft_most,
        zero=zero,
        none=none,
        typical=typical,
        needed=needed,
        unit=unit,
        entries=entries,
        belongs_to=belongs_to,
    )
    return field(default=default, metadata={"setting": declared})


@cache
def settings_of(settings_type: type) -> Mapping[str, Setting]:
    """The settings of a dataclass by their names, in their order; fields not made by :func:`setting` are left out."""
    hints = typing.get_type_hints(settings_type)
    found = {}
    for item in fields(settings_type):
        if "setting" in item.metadata:
            options = typing.get_args(hints[item.name]) or (hints[item.name],)
            [kind] = [option for option in options if option is not type(None)]
            found[item.name] = replace(
                item.metadata["setting"],
                name=item.name,
                owner=settings_type,
                kind=kind,
                is_optional=len(options) > 1,
                is_required=item.default is MISSING,
                default=None if item.default is MISSING else item.default,
            )
    return types.MappingProxyType(found)


def names_of(settings_type: type, *groups: str) -> list[str]:
    """The names of the settings that stand together in these groups; without groups, of all."""
    return [item.name for item in settings_of(settings_type).values() if not groups or item.group in groups]


def check_settings(settings: Any) -> None:
    """Check every value of a settings dataclass, for its ``__post_init__``. Raises UserError (``bad-setting``)."""
    settings_type: type = type(settings)
    for name, item in settings_of(settings_type).items():
        if not item.allows(getattr(settings, name)):
            raise bad_setting(settings, name, item.remedy)


def bad_setting(settings: Any, name: str, remedy: str) -> UserError:
    """The error for a value that does not go, also for one that does not go with the others."""
    value = getattr(settings, name)
    if value == "":
        return UserError("bad-setting", "The setting {name} is empty.", remedy, name=name)
    return UserError("bad-setting", "The setting {name} cannot be {value}.", remedy, name=name, value=repr(value))


@cache
def field_docs(settings_type: type) -> dict[str, str]:
    """The docstring below each field of a dataclass: the one text for option help and for tooltips.

    In one line and without the full stop, for whoever shows it breaks lines, and Blender adds a stop of its own.
    """
    body = ast.parse(textwrap.dedent(inspect.getsource(settings_type))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            text = " ".join(str(following.value.value).split())
            docs[statement.target.id] = text.replace("``", "").removesuffix(".")
    return docs
