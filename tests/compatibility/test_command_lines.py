# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines that worked with an earlier version work, and mean the same."""

import importlib.util
import json

import pytest

from tests.compatibility.decided import is_decided
from tests.fixtures import parsers

PROGRAMS = (
    *(parsers.MODULES if importlib.util.find_spec("torch") else ()),
    *((parsers.HUMAN3R,) if importlib.util.find_spec("bpy") else ()),
)
"""Those that run in this environment."""
SAME = ("default", "type")


@pytest.mark.parametrize("program", PROGRAMS)
def test_all_commands_and_options_are_there(written, program):
    before = json.loads((written / "command_lines.json").read_text(encoding="utf-8"))[program]
    now = parsers.commands_of(program)
    assert before, "nothing to compare"
    assert set(before) - set(now) == set()
    for command, options in before.items():
        there = now[command]
        changed = {name: option for name, option in options.items() if not _serves(name, there.get(name), option)}
        assert changed == {}, command
        asked_anew = {name for name, option in there.items() if option["required"] and name not in options}
        assert asked_anew == set(), command


def _serves(name, there, wanted):
    if there is not None and is_decided(name, wanted["default"], there["default"]):
        there = {**there, "default": wanted["default"]}
    if there is None or any(there[key] != wanted[key] for key in SAME) or there["required"] > wanted["required"]:
        return False
    # "?": an option that needed a word still takes it, and may stand alone now.
    if there["nargs"] != wanted["nargs"] and (wanted["nargs"], there["nargs"]) != (None, "?"):
        return False
    return there["choices"] is None or set(there["choices"]) >= set(wanted["choices"] or there["choices"])
