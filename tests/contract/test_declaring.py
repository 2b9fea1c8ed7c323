# SPDX-License-Identifier: GPL-3.0-or-later
"""A setting is declared once: what may be given, what is said otherwise, and the command line follow."""

import argparse
import math
from dataclasses import dataclass, fields

import pytest

from engine.contract.arguments import add_setting_options, settings_from_options
from engine.contract.declaring import check_settings, field_docs, names_of, setting, settings_of
from engine.contract.errors import UserError
from engine.contract.settings import CaptureSettings
from engine.motion.clean_up import CleanUpSettings

SIZES = {"small": ("Small", "For pockets"), "LARGE": ("Large", "For walls")}


@dataclass(frozen=True)
class MadeUp:
    """One of each kind."""

    place: str = setting(label="Place", needed="Say where.", unit="path")
    """Where it is put."""
    size: str = setting("small", label="Size", choices=SIZES, group="Shape")
    """How large it
    is made: ``small`` or ``LARGE``."""
    count: int = setting(3, label="Count", least=1, unit="pieces", group="Shape")
    """How many are made, 100% of them good."""
    every: int = setting(10, label="Every", least=2, zero="never", unit="frames")
    """How often it is made anew."""
    pace: float = setting(0.0, label="Pace", above=0, most=9, zero="its own", unit="meters per second")
    """How far it goes."""
    rate: float | None = setting(None, label="Rate", above=0, most=1000, none="as it comes", unit="frames per second")
    """How fast it goes."""
    strength: float = setting(0.5, label="Strength", least=0, most=1, zero="off", unit="share")
    """How strongly."""
    chance: float = setting(0.3, label="Chance", above=0, below=1, unit="share")
    """How likely it is."""
    shiny: bool = setting(True, label="Shiny")
    """Whether it shines."""
    note: str = ""
    """A field that is no setting."""

    def __post_init__(self) -> None:
        check_settings(self)


REFUSED = (
    ({"place": ""}, "place is empty", "Say where."),
    ({"size": "huge"}, "size cannot be 'huge'", "Use one of small, LARGE."),
    ({"count": 0}, "count cannot be 0", "Use 1 or more pieces."),
    ({"every": 1}, "every cannot be 1", "Use 2 or more frames, or 0 for never."),
    ({"rate": 0.0}, "rate cannot be 0.0", "Use more than 0 and at most 1000 frames per second."),
    ({"rate": 1001.0}, "rate cannot be 1001.0", "Use more than 0 and at most 1000 frames per second."),
    ({"rate": math.nan}, "rate cannot be nan", "Use more than 0 and at most 1000 frames per second."),
    ({"pace": -1.0}, "pace cannot be -1.0", "Use more than 0 and at most 9 meters per second, or 0 for its own."),
    ({"strength": -0.1}, "strength cannot be -0.1", "Use a value from 0 (off) to 1."),
    ({"strength": math.nan}, "strength cannot be nan", "Use a value from 0 (off) to 1."),
    ({"chance": 1.0}, "chance cannot be 1.0", "Use a value between 0 and 1."),
    ({"count": None}, "count cannot be None", "Use 1 or more pieces."),
)


@pytest.mark.parametrize(("values", "message", "remedy"), REFUSED, ids=[str(values) for values, *_ in REFUSED])
def test_what_is_not_allowed_is_refused_with_a_remedy(values, message, remedy):
    with pytest.raises(UserError) as refused:
        MadeUp(**{"place": "here"} | values)
    assert refused.value.code == "bad-setting"
    assert (refused.value.message, refused.value.remedy) == (f"The setting {message}.", remedy)


@pytest.mark.parametrize(
    "values", [{"every": 0}, {"pace": 0.0}, {"rate": None}, {"rate": 1000.0}, {"strength": 0.0}, {"count": 1}]
)
def test_ends_of_ranges_and_special_values_are_allowed(values):
    MadeUp(place="here", **values)


def test_everything_is_known_of_a_setting():
    known = settings_of(MadeUp)
    assert list(known) == ["place", "size", "count", "every", "pace", "rate", "strength", "chance", "shiny"]
    assert [item.kind for item in known.values()] == [str, str, int, int, float, float, float, float, bool]
    assert known["size"].help == "How large it is made: small or LARGE"
    assert known["every"].text == "How often it is made anew. 0: never"
    assert [name for name, item in known.items() if item.is_optional] == ["rate"]
    assert [name for name, item in known.items() if item.is_required] == ["place"]
    assert names_of(MadeUp, "Shape") == ["size", "count"]


def make_parser(prefix=""):
    parser = argparse.ArgumentParser()
    add_setting_options(parser, MadeUp, "made up", leave_out=(), prefix=prefix)
    return parser


def test_options_follow():
    options = make_parser("my_").parse_args(
        ["--my-place", "there", "--my-size", "large", "--my-rate", "24", "--my-every", "0", "--no-my-shiny"]
    )
    assert settings_from_options(options, MadeUp, "my_") == MadeUp("there", "LARGE", rate=24.0, every=0, shiny=False)
    assert settings_from_options(make_parser().parse_args(["--place", "here"]), MadeUp) == MadeUp("here")
    for wrong in ([], ["--place", "here", "--size", "huge"], ["--place", "here", "--count", "many"]):
        with pytest.raises(SystemExit):
            make_parser().parse_args(wrong)


def test_help_says_what_is_given_and_what_is_there_without():
    text = " ".join(make_parser().format_help().split())
    for said in ("How often it is made anew. 0: never (10)", "100% of them good (3)", "How fast it goes (as it comes)"):
        assert said in text


@pytest.mark.parametrize("settings_type", [CaptureSettings, CleanUpSettings])
def test_real_settings_are_called_something_and_explained(settings_type):
    docs = field_docs(settings_type)
    for name, item in settings_of(settings_type).items():
        assert item.label and len(docs[name]) > 10, name


def test_all_of_a_capture_is_declared():
    assert list(settings_of(CaptureSettings)) == [item.name for item in fields(CaptureSettings)]
