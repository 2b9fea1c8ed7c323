# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a settings preset, which Blender writes as Python, without executing any of it."""

from __future__ import annotations

import ast
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

from ...engine.contract.errors import UserError
from ...engine.contract.json_checks import is_number

MOST_BYTES = 1 << 16
"""A preset has a line for each setting."""

_HOME, _NAME = "bpy.context.scene.human3r", "settings"
_LEADS = ("import bpy", f"{_NAME} = {_HOME}")
_FORGET = (f"{_NAME}.use_defaults()", f"{_HOME}.use_defaults()")

Value = str | bool | int | float


@dataclass(frozen=True)
class SettingsPreset:
    """What a file says: values by the names of settings, and whether all else goes back to its default first."""

    values: dict[str, Value]
    forgets: bool = False


class _Stranger(ValueError):
    """A statement that no preset has."""


def read(path: Path) -> SettingsPreset:
    """A preset's values as they are written, whether or not such settings exist.

    Raises UserError (``settings-preset-unreadable``) for a file that does anything else than set settings.
    """
    try:
        return _parse(_content(path))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise unusable(path.name, error) from error


def unusable(name: str, error: BaseException) -> UserError:
    """What is said of a preset that cannot be used."""
    return UserError(
        "settings-preset-unreadable",
        "The settings preset {name} cannot be used: {error}.",
        "Save it again from the list of presets, or delete it.",
        name=name,
        error=str(error).strip().rstrip(".") or "it is too complicated",
    )


def _content(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("it is larger than any preset")
    return content


def _parse(content: bytes) -> SettingsPreset:
    values: dict[str, Value] = {}
    forgets = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python's about what it parses
        statements = ast.parse(content.decode("utf-8-sig")).body
    for statement in statements:
        if _is_text(statement) or ast.unparse(statement) in _LEADS:
            continue
        if ast.unparse(statement) in _FORGET:
            values, forgets = {}, True
        else:
            name, value = _assigned(statement)
            values[name] = value
    return SettingsPreset(values, forgets)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _assigned(statement: ast.stmt) -> tuple[str, Value]:
    """The setting and the value of ``settings.name = value``."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) in (_NAME, _HOME):
            return target.attr, _plain(statement.value, statement.lineno)
    raise _Stranger(f"line {statement.lineno} does not set a setting")


def _plain(node: ast.expr, line: int) -> Value:
    """A text, a truth value, or a number that 64 bits hold."""
    is_minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    value = getattr(node.operand if is_minus else node, "value", None)  # type: ignore[attr-defined]
    if isinstance(value, str | bool) and not is_minus:
        if isinstance(value, str):
            value.encode("utf-8")
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and is_number(value):
        return -value if is_minus else value
    raise _Stranger(f"line {line} holds no value that a setting can have")
