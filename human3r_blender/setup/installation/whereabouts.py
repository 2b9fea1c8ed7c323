# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the engine goes when paths in the data folder would grow longer than Windows allows.

Windows programs understand 259 characters unless they and the system were set up for more. The extension's own folder
takes 150 of them before the user's name is counted, and the longest path in a wheel of torch 167. Then the engine goes
to a short folder beside the user's other programs, which a small file in the data folder names (``store.py``).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from ....engine.contract.sentences import Sentence
from .store import Store

MOST_CHARACTERS = 255
"""What a path may have: four fewer than Windows allows, for what a program puts at a name's end for a moment."""
SHORT_NAME = "h3r"
_NAME_CHARACTERS = 4
_PACKAGES = "/12345678/Lib/site-packages/"
"""Between the folder of environments and the longest path inside, on Windows."""
_CACHED = "/archive-v0/123456789012345678901/"
"""The same in uv's cache."""


@dataclass(frozen=True)
class Whereabouts:
    """Where the engine goes, and what the user should know of that before anything is downloaded."""

    folder: Path
    notes: tuple[str, ...] = ()


def choose(store: Store, longest_path: int) -> Whereabouts:
    """The store's folder for an engine whose longest path has so many characters (0: they do not matter).

    An engine that is installed stays where it is, and so does the choice once it was made.
    """
    if store.read_manifest() is not None or store.home != store.data or not longest_path:
        return Whereabouts(store.home)
    needed = characters(store, longest_path)
    if needed <= MOST_CHARACTERS:
        return Whereabouts(store.data)
    short = short_folder(store.data)
    shortest = characters(Store(store.data, short), longest_path)
    if shortest > MOST_CHARACTERS:
        return Whereabouts(store.data if needed <= shortest else short, (_too_long(min(needed, shortest)),))
    moved = Sentence(
        "Windows allows paths of {most} characters, and in {folder} the engine's would have up to {needed}. So the "
        "engine goes to {short}; weights and settings stay.",
        most=MOST_CHARACTERS,
        folder=store.data,
        needed=needed,
        short=short,
    )
    return Whereabouts(short, (moved,))


def characters(store: Store, longest_path: int) -> int:
    """How long the longest path of an engine in this store would be."""
    parts = ((store.environments, _PACKAGES), (store.cache, _CACHED))
    return max(len(str(folder)) + len(inside) for folder, inside in parts) + longest_path


def short_folder(data: Path) -> Path:
    """A short place of this data folder's own: Blenders side by side have an engine each."""
    local = os.environ.get("LOCALAPPDATA")
    around = Path(local) if local and Path(local).is_absolute() else Path.home()
    return around / SHORT_NAME / hashlib.sha256(os.fsencode(data)).hexdigest()[:_NAME_CHARACTERS]


def _too_long(needed: int) -> Sentence:
    return Sentence(
        "Windows allows paths of {most} characters, and the engine's would have up to {needed}: the installation may "
        "fail. Name a shorter folder, such as C:\\h3r, in the environment variable HUMAN3R_DATA first.",
        most=MOST_CHARACTERS,
        needed=needed,
    )
