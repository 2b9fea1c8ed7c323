# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoded JSON is what a type says, or it is refused."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.contract.json_checks import BadJson, build, checked, is_number, parse_json, read_json


@dataclass(frozen=True)
class Item:
    name: str
    count: int
    share: float = 0.5
    size: tuple[int, int] = (0, 0)
    limit: int | None = None
    versions: dict[str, str] = field(default_factory=dict)


def test_a_dataclass_is_built_of_what_fits() -> None:
    values = {"name": "a", "count": 3, "share": 1, "size": [4, 5], "limit": None, "versions": {"torch": "2"}}
    item = build(Item, values)
    assert item == Item("a", 3, 1.0, (4, 5), None, {"torch": "2"}) and type(item.share) is float
    assert build(Item, {"name": "a", "count": 3}) == Item("a", 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 1}, "name"),
        ({"count": True}, "count"),
        ({"count": 1.0}, "count"),
        ({"count": 2**63}, "count"),
        ({"share": float("inf")}, "share"),
        ({"size": [1]}, "size"),
        ({"size": [1, "2"]}, "size"),
        ({"limit": "no"}, "limit"),
        ({"versions": {"torch": 2}}, "versions.torch"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_does_not_fit_is_named(change: dict, said: str) -> None:
    with pytest.raises(BadJson, match=said):
        build(Item, {"name": "a", "count": 3} | change)


def test_what_is_no_object_or_lacks_something_is_refused() -> None:
    for values in ([], None, "name", {"name": "a"}):
        with pytest.raises(BadJson):
            build(Item, values)
    assert checked([1, 2, 3], tuple[int, ...], "ids") == (1, 2, 3)
    assert not is_number(float("nan")) and not is_number("1") and is_number(-(2**63))


def test_files_that_are_no_json_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(BadJson, match=r"a\.json"):
            read_json(path)
    path.write_bytes(b" " * 11)
    with pytest.raises(BadJson, match="larger"):
        read_json(path, most_bytes=10)
    with pytest.raises(BadJson, match="not a file"):
        read_json(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "absent.json")


@pytest.mark.parametrize("text", [
    "NaN", "-Infinity", '[{"a": 1e999}]', "9" * 10_000, "[9223372036854775808]", "-" + "9" * 19, '"\\ud800"',
    '{"\\udfff": 1}', "[" * 66 + "]" * 66, "[" * 500_000, '{"a":' * 100_000, b"\xff", "{}".encode("utf-16"), "",
])  # fmt: skip
def test_values_that_nobody_can_use_are_refused(text: str | bytes) -> None:
    with pytest.raises(BadJson):
        parse_json(text)


def test_what_is_sound_is_as_python_reads_it() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": [1, -9223372036854775808, 1.5, 1e-999, true, null, "\\ud83d\\ude00"]}') == {
        "a": [1, -(2**63), 1.5, 0.0, True, None, "\U0001f600"]
    }
    assert parse_json("[" * 60 + "]" * 60)
