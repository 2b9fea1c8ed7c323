# SPDX-License-Identifier: GPL-3.0-or-later
"""What the section Takes calls the takes of the scene."""

from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.sections.takes.panel import said_of

TAKE = Path("/clips/walk-preview-1795953244829088123.h3r")


@pytest.fixture
def root():
    item = bpy.data.objects.new("take", None)
    item[tags.SOURCE] = "/clips/walk.mp4"
    yield item
    bpy.data.objects.remove(item)


def test_a_quick_look_is_called_as_its_footage(root):
    root[tags.PREVIEW] = 1
    assert said_of(root, TAKE, is_missing=True) == "Preview of walk"


@pytest.mark.parametrize(("is_missing", "said"), [(False, "run.h3r"), (True, "run.h3r is not where it was")])
def test_another_take_is_called_as_its_file(root, is_missing, said):
    assert said_of(root, Path("/clips/run.h3r"), is_missing) == said
