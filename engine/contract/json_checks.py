# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that anybody may have written: a value is what a type says, or it is refused."""

from __future__ import annotations

import json
import math
import stat
import types
import typing
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")


class BadJson(ValueError):
    """It is not what it has to be. Its text completes "cannot be read: ..."."""


MOST_BYTES = 1 << 26
"""No file of notes, presets or records comes near this."""

_DEEPEST = 64
"""Far deeper than anything of ours; what walks through a value afterwards stays within Python's own limit."""


def read_json(path: Path, most_bytes: int = MOST_BYTES) -> Any:
    """What a file holds, as `parse_json` takes it. Raises OSError, and BadJson for what is no such file."""
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
        raise BadJson(f"{path.name} is not a file")
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise BadJson(f"{path.name} is larger than any such file")
    try:
        return parse_json(content)
    except BadJson as error:
        raise BadJson(f"{path.name} is not JSON: {error}") from error


def parse_json(content: str | bytes) -> Any:
    """A value out of JSON (UTF-8, with or without a mark in front), which everybody may use without fear.

    Numbers fit into 64 bits and are finite, texts can be written as UTF-8, and little lies inside each other. Raises
    BadJson for all else.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        value = json.loads(text, parse_int=_whole_number, parse_float=_finite_number, parse_constant=_finite_number)
        _check_parts(value)
    except (ValueError, RecursionError) as error:
        raise BadJson(str(error)) from error
    return value


def _whole_number(text: str) -> int:
    number = int(text) if len(text) <= 20 else None  # Python itself refuses thousands of digits, and with other words
    if number is None or not is_number(number):
        raise BadJson("it holds a number beyond 64 bits")
    return number


def _finite_number(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise BadJson("it holds a number that is not finite")
    return number


def _check_parts(value: Any) -> None:
    level, depth = [value], 0
    while level:
        if depth > _DEEPEST:
            raise BadJson("it is nested too deeply")
        inner: list[Any] = []
        for part in level:
            if isinstance(part, str):
                part.encode("utf-8")  # half a surrogate pair is legal JSON, and no text
            elif isinstance(part, dict):
                inner += [*part.keys(), *part.values()]
            elif isinstance(part, list):
                inner += part
        level, depth = inner, depth + 1


def build(item_type: type[Item], values: Any) -> Item:
    """A dataclass from a decoded object: all of its fields but those with a default, and no others. Raises BadJson."""
    if not isinstance(values, dict):
        raise BadJson("it is not a JSON object")
    hints, arguments = typing.get_type_hints(item_type), {}
    declared = {item.name: item for item in fields(item_type)}  # type: ignore[arg-type]
    for name, item in declared.items():
        if name in values:
            arguments[name] = checked(values[name], hints[name], name)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise BadJson(f"{name} is missing")
    if unknown := values.keys() - declared.keys():
        raise BadJson(f"{min(unknown)} is unknown")
    return item_type(**arguments)


def checked(value: Any, hint: Any, where: str) -> Any:
    """A decoded value as a type hint has it: str, int, float, bool, tuples and dictionaries of them, or None.

    A type with a method `from_json` checks by itself. Raises BadJson, which names the place by `where`.
    """
    if isinstance(hint, types.UnionType):
        options = typing.get_args(hint)
        if value is None and types.NoneType in options:
            return None
        hint = next(option for option in options if option is not types.NoneType)
    if hasattr(hint, "from_json"):
        return hint.from_json(value)
    if typing.get_origin(hint) is tuple:
        options = typing.get_args(hint)
        if options[-1] is Ellipsis:  # any number of them
            options = options[:1] * (len(value) if isinstance(value, list | tuple) else 0)
        if isinstance(value, list | tuple) and len(value) == len(options):
            return tuple(checked(item, option, where) for item, option in zip(value, options, strict=True))
    elif typing.get_origin(hint) is dict:
        if isinstance(value, dict):
            return {name: checked(item, typing.get_args(hint)[1], f"{where}.{name}") for name, item in value.items()}
    elif hint is float:
        if is_number(value):
            return float(value)
    elif isinstance(value, hint) and (hint is not int or is_number(value)):
        return value
    raise BadJson(f"{where}: {value!r} is not a valid value")


def is_number(value: Any) -> bool:
    """Whether a decoded value is a number that 64 bits hold: JSON knows larger ones, and ``Infinity``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -(2**63) <= value < 2**63 if isinstance(value, int) else math.isfinite(value)
