# SPDX-License-Identifier: GPL-3.0-or-later
"""Which words after --model are names, and which are files."""

from pathlib import Path

import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.batch import conversions


@pytest.mark.parametrize("name", ["default", "landmarks", "small", "896L", "recipe:896L"])
def test_names_of_models_stay_as_they_are(name):
    assert conversions._model(name) == name


def test_a_checkpoint_is_a_file_of_the_current_folder():
    assert conversions._model("mine.safetensors") == str(Path.cwd() / "mine.safetensors")
