# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the scripts of this folder that need nobody, in a real Blender on a screen that exists in memory alone.

They run where there are xvfb-run, xdotool, ImageMagick's import and a Blender: `blender`, or what HUMAN3R_BLENDER
names. Where these live in a container or a chroot that shows the same files at the same places, HUMAN3R_WINDOW_PREFIX
has the words that go before every command.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="windows are driven once, from the engine's environment")

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo" / "demo.mp4"
TOOLS = ("xvfb-run", "xdotool", "import")
ENABLE = "import addon_utils; addon_utils.enable('bl_ext.user_default.human3r_blender', default_set=True)"
STANDSTILL_S = 600
"""Ten times what a script takes at most until it prints or pictures something: then it hangs."""
FRAMES, ANIMATORS_FRAMES = "24", "48"
TALL = 3900
"""Pixels that all panels of the sidebar take when they are open."""
UNSET = ("HUMAN3R_ENGINE_PYTHON", "WAYLAND_DISPLAY")
"""Blender prefers a Wayland screen to the one in memory; the preferences begin without an engine."""


@pytest.fixture(scope="module")
def blender() -> tuple[list[str], str]:
    """What goes before every command, and the Blender program."""
    prefix = shlex.split(os.environ.get("HUMAN3R_WINDOW_PREFIX", ""))
    program = os.environ.get("HUMAN3R_BLENDER", "blender")
    for tool in (*TOOLS, program):
        found = subprocess.run([*prefix, "sh", "-c", f"command -v {shlex.quote(tool)}"], capture_output=True)
        if found.returncode != 0:
            pytest.skip(f"no {tool} here: a window needs {', '.join(TOOLS)} and a Blender (HUMAN3R_BLENDER)")
    return prefix, program


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """The demo clip where takes may be written beside it."""
    return shutil.copy(DEMO, tmp_path / "walk.mp4")


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is true of the demo clip, as a take."""
    path = tmp_path_factory.mktemp("take") / "truth.h3r"
    truth = DEMO.with_name("demo_truth.npz")
    subprocess.run([sys.executable, ROOT / "tools" / "truth_take.py", truth, DEMO, path], check=True)
    return path


@pytest.fixture(scope="module")
def lost_take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of footage that is not there any more."""
    folder = tmp_path_factory.mktemp("lost")
    clip = Path(shutil.copy(DEMO, folder / "run.mp4"))
    truth = DEMO.with_name("demo_truth.npz")
    subprocess.run([sys.executable, ROOT / "tools" / "truth_take.py", truth, clip, folder / "run.h3r"], check=True)
    clip.unlink()
    return folder / "run.h3r"


@pytest.fixture(scope="module")
def character(blender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rig that Rigify generates."""
    prefix, program = blender
    path = tmp_path_factory.mktemp("character") / "hero.blend"
    maker = ROOT / "tests" / "blender" / "retarget" / "generate_rigify.py"
    subprocess.run([*prefix, program, "-b", "--factory-startup", "--python", maker, "--", path], check=True)
    return path


@pytest.fixture
def data() -> Iterator[str]:
    """An empty data folder. Its path is short: a longer one moves what is below it in dialogs from where clicks go."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield folder


@pytest.fixture
def drive(blender, tmp_path, data):
    """Run one script, with more environment variables; what it left in its folder of pictures."""

    def run(script: str, width: int = 1280, height: int = 800, **variables: str | Path) -> set[str]:
        pictures = tmp_path / "pictures"
        pictures.mkdir()
        extensions = tmp_path / "resources" / "extensions" / "user_default"
        extensions.mkdir(parents=True)
        (extensions / "human3r_blender").symlink_to(ROOT)
        variables |= {
            "HUMAN3R_PICTURES": pictures,
            "HUMAN3R_DATA": data,
            "BLENDER_USER_RESOURCES": tmp_path / "resources",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        prefix, program = blender
        screen = ["xvfb-run", "-a", "-s", f"-screen 0 {width}x{height}x24"]
        window = ["--window-geometry", "0", "0", str(width), str(height)]
        settings = ["env", *(f"--unset={name}" for name in UNSET), *(f"{name}={variables[name]}" for name in variables)]
        scripts = ["--python-exit-code", "1", "--python-expr", ENABLE, "--python", ROOT / "tests" / "window" / script]
        command = [*prefix, *settings, *screen, program, *window, *map(str, scripts)]
        log = tmp_path / "log.txt"
        code, said = run_while_it_gets_on(command, log, pictures), log.read_text(errors="replace")
        assert code == 0 and "Traceback" not in said, f"{script} ended with {code}; pictures in {pictures}\n{said}"
        return {path.stem for path in pictures.iterdir()}

    return run


def test_what_is_said_is_translated(blender, tmp_path):
    """With a made-up translation, in a Blender program without a window: the wheels have no languages."""
    prefix, program = blender
    extensions = tmp_path / "extensions" / "user_default"
    extensions.mkdir(parents=True)
    (extensions / "human3r_blender").symlink_to(ROOT)
    settings = ["env", f"BLENDER_USER_RESOURCES={tmp_path}", "PYTHONDONTWRITEBYTECODE=1"]
    script = str(ROOT / "tests" / "window" / "see_translation.py")
    command = [
        *prefix,
        *settings,
        program,
        "-b",
        "--python-exit-code",
        "1",
        "--python-expr",
        ENABLE,
        "--python",
        script,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if "no languages here" in done.stdout:
        pytest.skip("this Blender was packaged without its languages")
    assert done.returncode == 0 and "seen:" in done.stdout, done.stdout + done.stderr


def run_while_it_gets_on(command: list[str], log: Path, pictures: Path) -> int:
    """Run a command to its end; one that neither prints nor pictures anything for long is ended, and is a failure."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        before, since = None, time.monotonic()
        try:
            while process.poll() is None:
                now = log.stat().st_size, len(list(pictures.iterdir()))
                if now != before:
                    before, since = now, time.monotonic()
                assert time.monotonic() - since < STANDSTILL_S, f"it hangs:\n{log.read_text(errors='replace')}"
                time.sleep(0.2)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


def test_the_panel_runs_a_video(drive, clip):
    """Start, cancel, resume, an error, and undo while it runs, by the mouse and with the real engine."""
    pictures = drive("drive_panel.py", HUMAN3R_ENGINE_PYTHON=sys.executable, HUMAN3R_VIDEO=clip, HUMAN3R_FRAMES=FRAMES)
    assert {"4-done", "6-error", "8-cancelled", "8-resumed", "9-preview"} <= pictures


def test_every_section_is_drawn(drive, take):
    pictures = drive("drive_sections.py", HUMAN3R_TAKE=take)
    assert {"capture", "people", "edit_people", "clean_up", "retarget", "export", "display", "ground"} <= pictures


def test_display(drive, take):
    assert "7-menu" in drive("drive_display.py", HUMAN3R_TAKE=take)


def test_clean_up(drive, take):
    assert "6-actions" in drive("drive_clean_up.py", HUMAN3R_TAKE=take)


def test_retargeting(drive, take, character):
    """Onto a rig that Rigify generates in the same Blender."""
    assert "8-own-preset" in drive("drive_retarget.py", HUMAN3R_TAKE=take, HUMAN3R_CHARACTER=character)


def test_preferences(drive):
    """From a fresh installation to the self-test, with the engine's packages that run this test."""
    assert "15-sidebar-ready" in drive("drive_preferences.py", HUMAN3R_PYTHON=sys.executable)


def test_takes(drive, take, lost_take):
    """Footage that is gone, the question about a second take, and Save to Take."""
    pictures = drive(
        "drive_takes.py", HUMAN3R_ENGINE_PYTHON=sys.executable, HUMAN3R_TAKE=lost_take, HUMAN3R_SECOND_TAKE=take
    )
    assert {"3-second-take", "8-saved", "9-browser"} <= pictures


def test_the_way_of_an_animator(drive, clip, tmp_path):
    """From a video to a character, to files and to a .blend that is opened again."""
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    pictures = drive(
        "drive_animators.py",
        width=1440,
        height=900,
        HUMAN3R_ENGINE_PYTHON=sys.executable,
        HUMAN3R_VIDEO=clip,
        HUMAN3R_FRAMES=ANIMATORS_FRAMES,
        HUMAN3R_OUTPUTS=outputs,
    )
    assert {"3-done", "9-in-the-footage", "12-reopened"} <= pictures


def test_contact_sheet(drive, take, lost_take, character, clip):
    """Every state of the sidebar, in both themes; HUMAN3R_CONTACT_SHEET names a file for the sheet to keep."""
    from tests.window.contact_sheet import make_sheet

    drive(
        "drive_contact_sheet.py",
        height=TALL,
        HUMAN3R_ENGINE_PYTHON=sys.executable,
        HUMAN3R_VIDEO=clip,
        HUMAN3R_TAKE=take,
        HUMAN3R_SECOND_TAKE=lost_take,
        HUMAN3R_CHARACTER=character,
    )
    sheet = Path(os.environ.get("HUMAN3R_CONTACT_SHEET", clip.with_name("sheet.png")))
    states = make_sheet(clip.with_name("pictures"), sheet)
    assert {"empty", "chosen", "running", "canceled", "error", "done", "two takes"} <= states
