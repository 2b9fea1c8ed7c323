# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings dataclasses as command line options, so that both programs take the same ones under the same names."""

from __future__ import annotations

import argparse
import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from .settings import CAMERAS, DEVICES, PRECISIONS, CaptureSettings

CAPTURE_CHOICES = {"device": DEVICES, "precision": PRECISIONS, "camera": CAMERAS}
_TYPES = {"str": str, "int": int, "float": float}


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


def add_setting_options(
    parser: argparse.ArgumentParser,
    settings_type: type = CaptureSettings,
    title: str = "capture settings",
    leave_out: Sequence[str] = ("source", "take"),
    choices: Mapping[str, Sequence[str]] = CAPTURE_CHOICES,
    prefix: str = "",
) -> None:
    """Add ``--frame-rate``, ``--ttt3r`` / ``--no-ttt3r``, ... for every field of a settings dataclass.

    ``leave_out`` names the fields that the caller asks for in its own way, ``choices`` the words that some take;
    with ``prefix`` "export_" the options are ``--export-frame-rate`` and so on.
    Read the values back with :func:`settings_from_options`.
    """
    group = parser.add_argument_group(title)
    docs = field_docs(settings_type)
    for item in fields(settings_type):
        if item.name in leave_out:
            continue
        # argparse expands % in help texts
        help_text = docs[item.name].replace("%", "%%") + ("" if item.default in (None, "") else " (%(default)s)")
        options: dict[str, Any] = {"dest": prefix + item.name, "help": help_text}
        options |= {"required": True} if item.default is MISSING else {"default": item.default}
        type_name = str(item.type).removesuffix(" | None")
        if type_name == "bool":
            options["action"] = argparse.BooleanOptionalAction
        elif item.name in choices:
            options["choices"] = choices[item.name]
        else:
            options |= {"type": _TYPES[type_name], "metavar": item.name.upper()}
        group.add_argument("--" + (prefix + item.name).replace("_", "-"), **options)


def settings_from_options(
    options: argparse.Namespace, settings_type: type[Any] = CaptureSettings, prefix: str = "", **given: Any
) -> Any:
    """Settings from parsed options; ``given`` holds what the parser left out (``source=...``, ``take=...``).

    Raises :class:`~.errors.UserError` (``bad-setting``).
    """
    values = {
        item.name: getattr(options, prefix + item.name) for item in fields(settings_type) if item.name not in given
    }
    return settings_type(**values, **given)
