# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings dataclasses as command line options, so that both programs take the same ones under the same names."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .declaring import Choices, Setting, settings_of
from .settings import CaptureSettings


def add_setting_options(
    parser: argparse.ArgumentParser,
    settings_type: type = CaptureSettings,
    title: str = "capture settings",
    leave_out: Sequence[str] = ("source", "take"),
    prefix: str = "",
    also: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Add ``--frame-rate``, ``--ttt3r`` / ``--no-ttt3r``, ... for every setting of a dataclass.

    ``leave_out`` names those that the caller asks for in its own way; with ``prefix`` "export_" the options are
    ``--export-frame-rate`` and so on. ``also`` gives settings further options, by their names. Read the values back
    with :func:`settings_from_options`.
    """
    group = parser.add_argument_group(title)
    for name, item in settings_of(settings_type).items():
        if name not in leave_out:
            flags = ["--" + (prefix + name).replace("_", "-"), *(also or {}).get(name, ())]
            group.add_argument(*flags, dest=prefix + name, **_options(item))


class _Remembered:
    """What an action does, and a note on the namespace that the option was given."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        super().__call__(parser, namespace, values, option_string)  # type: ignore[misc]
        namespace.given = getattr(namespace, "given", frozenset()) | {self.dest}  # type: ignore[attr-defined]


class _Value(_Remembered, argparse._StoreAction):
    pass


class _Joined(_Value):
    """Given again, an option adds to what it was given before."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        before = getattr(namespace, self.dest) if self.dest in getattr(namespace, "given", ()) else ""
        super().__call__(parser, namespace, ",".join(filter(None, (before, values))), option_string)


class _Switch(_Remembered, argparse.BooleanOptionalAction):
    pass


def given_settings(
    options: argparse.Namespace, settings_type: type = CaptureSettings, prefix: str = ""
) -> dict[str, Any]:
    """By name, the values of the settings that were really given on the command line, defaults left out."""
    given: frozenset[str] = getattr(options, "given", frozenset())
    return {name: getattr(options, prefix + name) for name in settings_of(settings_type) if prefix + name in given}


def _options(item: Setting) -> dict[str, Any]:
    default = item.none or ("" if item.default in (None, "") else "%(default)s")
    # argparse expands % in help texts
    options: dict[str, Any] = {"help": item.text.replace("%", "%%") + (f" ({default})" if default else "")}
    options |= {"required": True} if item.is_required else {"default": item.default}
    if item.kind is bool:
        return options | {"action": _Switch}
    if item.choices is not None:
        return options | {"action": _Value, "choices": list(item.choices), "type": _word_of(item.choices)}
    action = _Joined if item.entries else _Value
    return options | {"action": action, "type": item.kind, "metavar": item.entries or item.name.upper()}


def _word_of(choices: Choices) -> Callable[[str], str]:
    """Words are taken in capitals and in small letters."""
    words = {word.lower(): word for word in choices}
    return lambda text: words.get(text.lower(), text)


def settings_from_options(
    options: argparse.Namespace, settings_type: type = CaptureSettings, prefix: str = "", **given: Any
) -> Any:
    """Settings from parsed options; ``given`` holds what the parser left out (``source=...``, ``take=...``).

    Raises :class:`~.errors.UserError` (``bad-setting``).
    """
    values = {name: getattr(options, prefix + name) for name in settings_of(settings_type) if name not in given}
    return settings_type(**values, **given)
