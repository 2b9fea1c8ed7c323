# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: where things lie, the switch for slow tests, and which folders this Python can run."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from tests import fuzzing
from tests.windows_semantics import Windows

ROOT = Path(__file__).resolve().parents[1]

# The suite runs once in the engine's environment and once in each Blender's; each leaves out the other's folders. The
# windows are driven once, from the engine's side: the Blender in them is a program of its own.
collect_ignore = [] if importlib.util.find_spec("torch") else ["engine", "window"]
if not importlib.util.find_spec("bpy"):
    collect_ignore.append("blender")


if importlib.util.find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings

    # No limits on seconds, which a busy machine would reach.
    settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("no clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--run-slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: run with --run-slow"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # one of several processes, whose first one counts
        session.config.workeroutput["fuzzed"] = fuzzing.tried


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    fuzzing.tried += getattr(node, "workeroutput", {}).get("fuzzed", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if fuzzing.tried:
        terminalreporter.write_line(f"damaged and forged inputs that readers were given: {fuzzing.tried:,}")


@pytest.fixture(scope="session", autouse=True)
def no_installation(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing that this machine's user installed (weights, a SMPL-X body) changes a test."""
    os.environ["HUMAN3R_DATA"] = str(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference material beside the checkout; skips the test where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the reference material (../shared) is not beside this checkout")
    return folder


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Windows:
    """Windows' rules inside the test's folder, for this process."""
    rules = Windows(tmp_path)
    rules.install(monkeypatch)
    return rules
