# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever lies among the user's rig presets: it is named, the others are there, and the panel and its buttons work."""

import json
import os

import bpy
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.installed.locations import rig_presets_folder
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import presets, recognition
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import properties

from .test_presets import SMALL

HUGE = "9" * 10_000
HOSTILE = {
    "nested": b"[" * 200_000,
    "nested objects": b'{"a":' * 100_000,
    "deep but legal": b'{"schema":1,"name":"x","bones":' + b"[" * 90 + b"]" * 90 + b"}",
    "no text": bytes(range(256)),
    "UTF-16": json.dumps(SMALL).encode("utf-16"),
    "Latin-1": json.dumps(SMALL | {"name": "Größe"}, ensure_ascii=False).encode("latin-1"),
    "half a pair": json.dumps(SMALL | {"name": "\ud800"}).encode(),
    "half a pair of a bone": json.dumps(SMALL | {"bones": SMALL["bones"] | {"pelvis": "\udfff"}}).encode(),
    "control characters": json.dumps(SMALL | {"name": "a\x1b[31m\0"}).encode(),
    "a long name": json.dumps(SMALL | {"name": "x" * 100_000}).encode(),
    "infinite schema": b'{"schema": 1e999}',
    "huge schema": b'{"schema": ' + HUGE.encode() + b"}",
    "tested on a list": json.dumps(SMALL | {"tested_on": [{}]}).encode(),
    "a name that is a list": json.dumps(SMALL | {"name": ["x"]}).encode(),
    "sides of lists": json.dumps(SMALL | {"sides": [["L"], {}]}).encode(),
    "sides that multiply": json.dumps(
        SMALL | {"sides": ["x" * 300_000, "R"], "bones": SMALL["bones"] | {"toes": "{side}" * 50_000}}
    ).encode(),
    "a bone that is a number": json.dumps(SMALL | {"bones": SMALL["bones"] | {"pelvis": [1]}}).encode(),
    "a slow prefix": json.dumps(SMALL | {"prefix": "^(a+)+$"}).encode(),
    "a slow prefix of choices": json.dumps(SMALL | {"prefix": "(a|aa)*b"}).encode(),
    "a slow prefix of options": json.dumps(SMALL | {"prefix": "a?" * 40 + "a" * 40}).encode(),
    "a slow prefix behind a comment": json.dumps(SMALL | {"prefix": "(?x)(a+)#\n+$"}).encode(),
    "an endless prefix": json.dumps(SMALL | {"prefix": "a{99999999999999999999}"}).encode(),
    "a nested prefix": json.dumps(SMALL | {"prefix": "(" * 90_000}).encode(),
    "a larger file than any": b" " * (2 << 20),
    "empty": b"",
}  # fmt: skip
for number in (b"1e999", b"-1e999", b"NaN", b"Infinity", HUGE.encode(), b"1" + b"0" * 400, b"[1]", b'"1"', b"null"):
    switch = b'[{"bone": "a", "property": "b", "fk": ' + number + b', "ik": 0}]'
    HOSTILE[f"switch {number[:9].decode()} {len(number)}"] = json.dumps(SMALL).encode()[:-1] + (
        b', "switches": ' + switch + b"}"
    )


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The folder of the user's presets, with a good one in it."""
    monkeypatch.setenv("HUMAN3R_DATA", str(tmp_path))
    folder = rig_presets_folder()
    folder.mkdir(parents=True)
    (folder / "a good one.json").write_text(json.dumps(SMALL))
    return folder


def assert_works(scene, problems):
    """The list of presets has all that are good, and names the files that are not."""
    found, said = presets.find_all(rig_presets_folder())
    assert len(said) == problems and "Mine" in found and len(found) == len(presets.find_all()[0]) + 1
    assert all(isinstance(error, UserError) and error.remedy and str(error.message) for error in said)
    choices = properties._preset_items(scene.human3r_retarget, bpy.context)
    assert {name for name, *_ in choices} == {properties.RECOGNISE, properties.BY_NAMES, *found}
    scene.human3r_retarget.preset = "Mine"
    assert presets.path_of("Mine", rig_presets_folder()).name == "a good one.json"
    assert bpy.ops.human3r.retarget_remove_preset.poll()
    recognition.find({"a" * 60: "", "hips": "a" * 60}, found)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_preset(scene, mine, name):
    (mine / "Hostile.json").write_bytes(HOSTILE[name])
    assert_works(scene, 1)
    with pytest.raises(UserError, match=r"Hostile\.json"):
        presets.read(mine / "Hostile.json")


def test_what_is_no_file(scene, mine):
    (mine / "folder.json").mkdir()
    (mine / "gone.json").symlink_to(mine / "nowhere")
    (mine / "round.json").symlink_to(mine / "round.json")
    os.mkfifo(mine / "pipe.json")
    assert_works(scene, 4)


def test_a_file_with_a_mark_in_front_is_read(scene, mine):
    (mine / "a good one.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(SMALL).encode())
    assert_works(scene, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="this user may read everything")
def test_an_unreadable_file(scene, mine):
    (mine / "secret.json").write_text(json.dumps(SMALL))
    (mine / "secret.json").chmod(0)
    assert_works(scene, 1)


@pytest.mark.parametrize(
    "prefix", ["^Bip\\d*[ _]", "^mixamorig\\d*[:_. -]?", "^[fmn]_avg_", "^(?:x|y)", "(a)?", "^\\(+"]
)
def test_prefixes_that_are_quick(prefix):
    assert presets.parse(SMALL | {"prefix": prefix}, "x").prefix == prefix


def test_a_damaged_list_of_bones_in_the_file(scene, mine):
    scene.human3r_retarget.preset = "Mine"
    for damage in ("{", "[" * 100_000, '{"schema": 1}', "null", '{"schema": 1, "name": "x", "bones": {"knie": []}}'):
        scene.human3r_retarget.base = damage
        with pytest.raises(UserError) as refused:
            scene.human3r_retarget.rig()
        assert refused.value.code == "retarget-bones-unreadable"
