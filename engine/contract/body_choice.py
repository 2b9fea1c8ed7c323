# SPDX-License-Identifier: GPL-3.0-or-later
"""Which body a capture or an import uses: the one rule that both programs follow.

The rule is given the place where an installed SMPL-X body would lie (`installed.locations.body_path`), which
each program imports in its own way.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from .body_model import BodyModel, default_body_path
from .file_names import is_remote
from .messages import TakeHeader
from .sentences import Sentence

MANNEQUIN = "mannequin"
"""The setting that means the bundled body, and what takes call it."""


def choose_body(setting: str, installed: Path) -> str:
    """What a `body` setting means: :data:`MANNEQUIN`, or a file's path.

    Empty means the installed SMPL-X body where there is one, and the mannequin where there is none.
    """
    return setting or (str(installed) if installed.is_file() else MANNEQUIN)


def body_file(choice: str) -> Path:
    """The file of a choice. Empty, as takes of earlier versions have it, is the mannequin."""
    return default_body_path() if choice in ("", MANNEQUIN) else Path(choice)


def choose_body_of_take(header: TakeHeader, installed: Path, is_foreign: bool = True) -> str:
    """The body that a take was made with, where it is there, and else the likeliest that is.

    `is_foreign`: the take may be from elsewhere, so a body on another computer is not looked for there: Windows sends
    the user's login to the host that such a path names.
    """
    if header.body == MANNEQUIN:
        return MANNEQUIN
    named = header.settings.body
    may_look = not (is_foreign and is_remote(named))
    return choose_body(named if may_look and _is_body(Path(named)) else "", installed)


def _is_body(path: Path) -> bool:
    """Whether a file has what bodies have; a take may name any file, and not all of it is read here."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "v_template.npy" in archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def warning_about_body(header: TakeHeader, choice: str, body: BodyModel) -> str:
    """One sentence when a take is shown with another body than its own; empty when all is well."""
    made_with_mannequin, is_mannequin = header.body == MANNEQUIN, body_file(choice) == default_body_path()
    name = MANNEQUIN if is_mannequin else Path(choice).name
    if header.body_fingerprint:
        is_same = header.body_fingerprint == body.fingerprint
    else:  # a take of an earlier version
        is_same = made_with_mannequin == is_mannequin
    if is_same:
        return ""
    return Sentence(
        "This take was made with the body {body}, but people are shown with {name}. Their shapes differ from the "
        "captured ones, because the same numbers mean different shapes for each body.",
        body=header.body,
        name=name,
    )
