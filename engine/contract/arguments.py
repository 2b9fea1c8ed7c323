# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings dataclasses as command line options, so that both programs take the same ones under the same names."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from .declaring import Choices, Setting, settings_of
from .settings import CaptureSettings


def add_setting_options(
    parser: argparse.ArgumentParser,
    settings_type: type = CaptureSettings,
    title: str = "capture settings",
    leave_out: Sequence[str] = ("source", "take"),
    prefix: str = "",
) -> None:
    """Add ``--frame-rate``, ``--ttt3r`` / ``--no-ttt3r``, ... for every setting of a dataclass.

    ``leave_out`` names those that the caller asks for in its own way; with ``prefix`` "export_" the options are
    ``--export-frame-rate`` and so on. Read the values back with :func:`settings_from_options`.
    """
    group = parser.add_argument_group(title)
    for name, item in settings_of(settings_type).items():
        if name not in leave_out:
            group.add_argument("--" + (prefix + name).replace("_", "-"), dest=prefix + name, **_options(item))


def _options(item: Setting) -> dict[str, Any]:
    default = item.none or ("" if item.default in (None, "") else "%(default)s")
    # argparse expands % in help texts
    options: dict[str, Any] = {"help": item.text.replace("%", "%%") + (f" ({default})" if default else "")}
    options |= {"required": True} if item.is_required else {"default": item.default}
    if item.kind is bool:
        return options | {"action": argparse.BooleanOptionalAction}
    if item.choices is not None:
        return options | {"choices": list(item.choices), "type": _word_of(item.choices)}
    return options | {"type": item.kind, "metavar": item.name.upper()}


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
