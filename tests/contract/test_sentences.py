# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences remember their templates; nothing that people read is put together without one."""

import ast
import copy
import json

import pytest

from engine.contract.errors import UserError
from engine.contract.message_records import decode, encode
from engine.contract.messages import Failure
from engine.contract.sentences import Sentence


def test_a_sentence_is_a_string_that_knows_its_template():
    sentence = Sentence("{count} people in {path}", count=3, path="{odd}.mp4")
    assert sentence == "3 people in {odd}.mp4" and json.dumps(sentence) == '"3 people in {odd}.mp4"'
    assert sentence.template == "{count} people in {path}" and sentence.values == {"count": "3", "path": "{odd}.mp4"}
    assert copy.deepcopy(sentence).template == sentence.template


def test_a_text_without_values_may_have_braces():
    assert Sentence("{as it stands}") == "{as it stands}" and Sentence("{as it stands}").values == {}


def test_a_sentence_may_be_a_value_of_another_and_stays_one():
    inner = Sentence("{size} free", size="2 GB")
    outer = Sentence("{what}: {state}", what="Disk", state=inner)
    assert outer == "Disk: 2 GB free" and outer.values["state"].template == "{size} free"
    assert Sentence(inner) is inner


def test_an_errors_parts_share_the_values():
    error = UserError("take-missing", "There is no take {path}.", "Make {path}, or choose another.", path="a.h3r")
    assert str(error) == "There is no take a.h3r. [take-missing] Make a.h3r, or choose another."
    assert error.message.template == "There is no take {path}." and error.remedy.values == {"path": "a.h3r"}


@pytest.mark.parametrize("values", [{}, {"path": "{a}.h3r"}])
def test_an_error_crosses_the_wire_whole(values):
    text = "There is no take {path}." if values else "There is no take."
    error = UserError("take-missing", text, "Choose another.", **values)
    for arrived in (
        UserError.from_dict(json.loads(json.dumps(error.as_dict()))),
        decode(encode(Failure.of(error))).as_error(),
    ):
        assert (arrived.code, arrived.message, arrived.remedy) == (error.code, error.message, error.remedy)
        assert arrived.message.template == error.message.template and arrived.message.values == error.message.values


@pytest.mark.parametrize(
    "wrong", [{"values": {"other": 1}}, {"values": 3}, {"message_template": "{0}"}, {"message": ""}]
)
def test_parts_that_do_not_fit_are_left_out(wrong):
    parts = UserError("take-missing", "There is no take {path}.", "Choose another.", path="a.h3r").as_dict() | wrong
    assert UserError.from_dict(parts).message == parts["message"]


def test_a_forgotten_value_is_told_at_once():
    with pytest.raises(KeyError):
        UserError("bad-setting", "The setting {name} is {value}.", "Change it.", name="start")


SENTENCES = {"UserError": slice(0, 3), "Sentence": slice(0, 1), "tr": slice(0, 1), "say": slice(2, 3),
             "draw_text": slice(1, 2), "poll_message_set": slice(0, 1), "report": slice(1, 2), "Row": slice(1, 3),
             "Step": slice(0, 3), "explained_write_errors": slice(0, 1), "require_space": slice(2, 4)}  # fmt: skip
"""By the names of functions that take sentences, which of their arguments these are."""


def put_together(call):
    """What a call passes as a sentence although no translator could ever find it: glued of pieces."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    given = list(call.args[SENTENCES[name]]) if name in SENTENCES else []
    given += [keyword.value for keyword in call.keywords if keyword.arg == "text"]
    return [part for part in given if isinstance(part, ast.JoinedStr | ast.BinOp)
            and any(isinstance(piece, ast.Constant) and isinstance(piece.value, str)
                    and any(letter.isalpha() for letter in piece.value) for piece in ast.walk(part))]  # fmt: skip


def passes_by_the_look_up(call):
    """Whether a report or the reason of a grayed-out button is given to Blender without being looked up."""
    name, values = getattr(call.func, "attr", ""), call.args
    return (name == "report" and len(values) == 2) or (
        name == "poll_message_set" and not (isinstance(values[0], ast.Call) and values[0].func.id == "tr")
    )


def test_reports_and_reasons_are_looked_up(root):
    """Blender does not by itself: `say` and `refuse` report, `tr` gives reasons."""
    ours, past = root / "human3r_blender", []
    for path in sorted(set(ours.rglob("*.py")) - {ours / "blender" / "operators.py"}):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and passes_by_the_look_up(node):
                past.append(f"{path.relative_to(root)}:{node.lineno}")
    assert past == []


@pytest.mark.parametrize("room", ["human3r_blender", "engine", "weights_downloader"])
def test_nothing_that_people_read_is_glued_together(root, room):
    glued = []
    for path in sorted((root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                glued += [f"{path.relative_to(root)}:{part.lineno}" for part in put_together(node)]
    assert glued == []
