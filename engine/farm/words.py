# SPDX-License-Identifier: GPL-3.0-or-later
"""Options as words again: what a user chose here, for a command line that a worker runs."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..contract.declaring import settings_of

FILES = ("model", "body", "camera_file", "retarget_to", "export_footage")
"""Options that may name a file or a folder, which workers have at another place."""

Words = tuple[list[str], list[str]]
"""Words, and those of them that are files on this computer."""


def words_of_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Words:
    """Whatever a parser declares and was given another value than the default."""
    words: list[str] = []
    files: list[str] = []
    for action in parser._actions:
        value = getattr(options, action.dest, action.default)
        if value == action.default:
            continue
        if isinstance(action, argparse.BooleanOptionalAction):
            words.append(action.option_strings[0 if value else 1])
        elif action.nargs == 0:
            words.append(action.option_strings[0])
        else:
            words += [action.option_strings[0], _text(action.dest, value, files)]
    return words, files


def words_of_settings(settings: Any, leave_out: Collection[str] = ()) -> Words:
    """The settings of a dataclass that are not as they are by default."""
    words: list[str] = []
    files: list[str] = []
    settings_type: type = type(settings)
    for name, item in settings_of(settings_type).items():
        value, option = _plain(getattr(settings, name)), "--" + name.replace("_", "-")
        if name in leave_out or value == item.default:
            continue
        if item.kind is bool:
            words.append(option if value else f"--no-{option[2:]}")
        else:
            words += [option, _text(name, value, files)]
    return words, files


def _plain(value: Any) -> Any:
    """A number without the digits that Blender's own single precision makes up."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _text(name: str, value: object, files: list[str]) -> str:
    """A value as one word; a file's path is made absolute, and noted."""
    path = Path(str(value)).expanduser()
    if name not in FILES or not path.exists():
        return str(value)
    files.append(str(path.absolute()))
    return files[-1]
