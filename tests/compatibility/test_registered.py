# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts and keymaps of users go on: operators, panels and properties of earlier versions are there, and the same."""

import json

import pytest

from tests.compatibility.decided import is_decided
from tests.fixtures import registered

SAME = ("type", "default", "unit", "of")


@pytest.fixture
def before(written):
    return json.loads((written / "operators.json").read_text(encoding="utf-8"))


def test_operators(before):
    assert changes(before["operators"], registered.operators()) == []


def test_settings_and_preferences(before):
    assert changes(before["groups"], registered.groups()) == []


def test_panels_and_menus(before):
    assert set(before["interface"]) - set(registered.interface()) == set()


def changes(before, now):
    """What is gone or means something else than before. More may be there, and more may be allowed."""
    found = []
    for owner, properties in before.items():
        for name, wanted in properties.items():
            there = now.get(owner, {}).get(name)
            if there is not None and is_decided(name, wanted.get("default"), there.get("default")):
                there = {**there, "default": wanted["default"]}
            if there is None or not _serves(json.loads(json.dumps(there)), wanted):
                found.append(f"{owner}.{name}: {wanted} became {there}")
    return found + sorted(set(before) - set(now))


def _serves(there, wanted):
    return (
        all(there.get(key) == wanted.get(key) for key in SAME)
        and there.get("items", {}).items() >= wanted.get("items", {}).items()
        and there.get("least", 0) <= wanted.get("least", 0)
        and there.get("most", 0) >= wanted.get("most", 0)
    )
