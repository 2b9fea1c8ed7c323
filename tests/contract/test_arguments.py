# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line options are exactly the settings: every field, its default, its help."""

import argparse
from dataclasses import fields

import pytest

from engine.contract.arguments import add_setting_options, settings_from_options
from engine.contract.declaring import field_docs
from engine.contract.errors import UserError
from engine.contract.settings import CaptureSettings


def make_parser(**options):
    parser = argparse.ArgumentParser()
    add_setting_options(parser, **options)
    return parser


def test_every_field_has_a_text():
    docs = field_docs(CaptureSettings)
    assert set(docs) == {item.name for item in fields(CaptureSettings)}
    assert all(
        len(text) > 10 and "\n" not in text and "  " not in text and not text.endswith(".") for text in docs.values()
    )


def test_no_options_give_the_defaults():
    options = make_parser().parse_args([])
    assert settings_from_options(options, source="a.mp4", take="a.h3r") == CaptureSettings("a.mp4", "a.h3r")


def test_options_of_every_type():
    options = make_parser().parse_args(
        ["--no-ttt3r", "--point-maps", "--end", "30", "--frame-rate", "29.97", "--device", "cpu", "--model", "m.pt"]
    )
    assert settings_from_options(options, source="a", take="b") == CaptureSettings(
        "a", "b", ttt3r=False, point_maps=True, end=30, frame_rate=29.97, device="cpu", model="m.pt"
    )


def test_required_fields_that_are_not_left_out():
    with pytest.raises(SystemExit):
        make_parser(leave_out=["source"]).parse_args([])
    assert make_parser(leave_out=["source"]).parse_args(["--take", "t.h3r"]).take == "t.h3r"


def test_values_are_checked_like_settings():
    with pytest.raises(UserError, match="stride"):
        settings_from_options(make_parser().parse_args(["--stride", "0"]), source="a", take="b")


def test_automatic_camera_is_tracked_for_our_own_models_alone():
    for own in ("landmarks", "small"):
        assert CaptureSettings("a", "b", model=own).with_camera_chosen().camera == "tracked"
    assert CaptureSettings("a", "b", model="landmarks").with_camera_chosen().camera == "tracked"
    assert CaptureSettings("a", "b", model="896L.pth").with_camera_chosen().camera == "network"
    for camera in ("network", "tracked"):
        assert CaptureSettings("a", "b", camera=camera).with_camera_chosen().camera == camera
    with pytest.raises(UserError, match="camera"):
        CaptureSettings("a", "b", camera="still")


def test_automatic_refinement_is_on_for_the_built_in_model_alone():
    def refined(**settings):
        return CaptureSettings("a", "b", **settings).with_camera_chosen().refine_camera

    assert refined(model="landmarks") == "on"
    assert refined(model="small") == refined(model="896L.pth") == "off"
    assert refined(model="landmarks", refine_camera="off") == "off" and refined(refine_camera="on") == "on"


def test_help_can_be_printed():
    text = make_parser(leave_out=[]).format_help()
    assert "shot.%04d.png" in text.replace("\n", "") and "--no-point-maps" in text
