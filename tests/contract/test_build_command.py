# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths given to `build.py test` go to the environments that can run them, and nowhere else."""

import importlib.util

import pytest


@pytest.fixture
def build(root):
    described = importlib.util.spec_from_file_location("build_command", root / "build.py")
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("given", "engine", "blender"),
    [
        (["-k", "camera"], ["-k", "camera"], ["-k", "camera"]),
        (["tests/blender/scene", "-x"], None, ["tests/blender/scene", "-x"]),
        (["tests/system"], None, ["tests/system"]),
        (["tests/compatibility/test_takes.py"], None, ["tests/compatibility/test_takes.py"]),
        (["tests/engine/test_import_path.py::test_a"], ["tests/engine/test_import_path.py::test_a"], None),
        (["tests/contract"], ["tests/contract"], ["tests/contract"]),
        (["tests"], ["tests"], ["tests"]),
        (
            ["-q", "tests/engine", "tests/contract", "tests/blender"],
            ["-q", "tests/engine", "tests/contract"],
            ["-q", "tests/contract", "tests/blender"],
        ),
    ],
)
def test_paths_go_where_they_can_run(build, given, engine, blender):
    assert build.arguments_for(given, build.TESTS_OF_BLENDER) == engine
    assert build.arguments_for(given, build.TESTS_OF_THE_ENGINE) == blender
