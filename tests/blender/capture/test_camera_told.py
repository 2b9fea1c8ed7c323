# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of camera it is, is told while a run goes on and at its end: in the panel and by the command line."""

import json

import pytest
from bl_ext.user_default.human3r_blender.engine.contract.messages import CAMERA_NOTES, CameraMotion, TakeEnd
from bl_ext.user_default.human3r_blender.engine.contract.take import TakeWriter

from ..backdrops import still_take, summary


@pytest.fixture
def write(synthetic, tmp_path):
    """A take in which these messages follow the frames of these numbers."""

    def run(told):
        take, path = still_take(synthetic, frames=6), tmp_path / "take.h3r"
        with TakeWriter(path) as writer:
            writer.write(take.header)
            for index in range(take.frames):
                writer.write(take.frame(index))
                for message in told.get(index, ()):
                    writer.write(message)
            writer.write(TakeEnd("complete", take.frames))
        return path

    return run


@pytest.fixture
def pumped(addon, scene, write):
    """The run of a take's import, and all that was said of the camera on the way."""

    def run(told):
        session, said = addon.session.start_import(scene, write(told), addon.builder.ImportOptions()), []
        while session.pump_messages(0.0005):
            text = str(addon.session.describe_camera(session) or "")
            if text not in said[-1:]:
                said.append(text)
        assert session.error is None
        return session, [*said, str(addon.session.describe_camera(session) or "")]

    return run


def test_nothing_is_said_where_nobody_looked(pumped):
    session, said = pumped({})
    assert set(said) == {""} and session.motion == session.camera_note == ""


def test_it_is_told_while_it_changes(pumped):
    told = {0: [CameraMotion(0, "still")], 2: [CameraMotion(2, "turning")], 4: [CameraMotion(4, "moving")]}
    session, said = pumped(told)
    assert said[-1] == "The camera moves" and session.motion == "moving"
    order = ["", "The camera stands still", "The camera turns on the spot", "The camera moves"]
    assert [order.index(text) for text in said] == sorted(order.index(text) for text in said)


@pytest.mark.parametrize(
    ("motion", "refined", "text"),
    [
        ("moving", True, "The camera moves (path refined)"),
        ("moving", False, "The camera moves"),
        ("turning", True, "The camera turns on the spot (path refined)"),
        ("still", True, "The camera stands still"),
    ],
)
def test_the_final_pass_has_the_last_word(pumped, motion, refined, text):
    _, said = pumped({0: [CameraMotion(0, "moving")], 5: [summary(motion, refined)]})
    assert said[-1] == text


def test_why_the_live_path_was_kept(pumped):
    session, _ = pumped({5: [summary("moving", False, "little-parallax")]})
    assert session.camera_note == CAMERA_NOTES["little-parallax"]
    assert all("Nobody was found" in note for note in session.notes), "there are no people in it"


def test_a_word_of_later_versions_is_no_error(pumped):
    session, said = pumped({0: [CameraMotion(0, "orbiting")], 5: [summary("orbiting", True, "strange")]})
    assert said[-1] == "" and session.camera_note == ""


def test_the_command_line_says_it_too(addon, scene, write, tmp_path, capsys):
    take = write({5: [summary("moving", False, "lost")]})
    arguments = ["import", str(take), "--output", str(tmp_path / "a.blend"), "--json", str(tmp_path / "a.json")]
    assert addon.command_line.main(arguments) == 0
    (result,) = json.loads((tmp_path / "a.json").read_text())["results"]
    assert (result["camera"], result["camera_refined"]) == ("moving", False)
    assert result["camera_note"] == CAMERA_NOTES["lost"]
    said = capsys.readouterr().err
    assert "The camera moves" in said and CAMERA_NOTES["lost"] in said


def test_a_changed_camera_is_told_at_the_end(addon, scene, synthetic, write):
    """The builder's sentences reach the run's notes."""
    take = still_take(synthetic, frames=6)
    final = {5: [take.final(index) for index in range(6)]}
    session = addon.session.start_import(scene, write(final), addon.builder.ImportOptions())
    while session.pump_messages(0.0005):
        camera = session.builder.camera if session.builder is not None else None
        if camera is not None and not camera.constraints:
            camera.constraints.new("TRACK_TO")
    assert [note for note in session.notes if "was changed while the footage ran" in note]
