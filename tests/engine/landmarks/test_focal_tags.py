# SPDX-License-Identifier: GPL-3.0-or-later
"""Focal lengths in the tags of files: written byte for byte, and damaged ones."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from engine.landmarks.camera.focal_tags import focal_mm_of_footage

KEY = b"com.apple.quicktime.camera.focal_length.35mm_equivalent"


def atom(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def metadata(value_type: int, value: bytes, version: bytes = b"") -> bytes:
    """`meta` with two keys, ours the second; MP4 has a `version` where QuickTime has none."""
    names = b"".join(atom(b"mdta", name) for name in (b"com.apple.quicktime.make", KEY))
    data = [
        atom(b"data", struct.pack(">II", 1, 0) + b"Apple"),
        atom(b"data", struct.pack(">II", value_type, 0) + value),
    ]
    items = b"".join(atom(struct.pack(">I", place + 1), item) for place, item in enumerate(data))
    handler = atom(b"hdlr", bytes(25))
    return atom(b"meta", version + handler + atom(b"keys", struct.pack(">II", 0, 2) + names) + atom(b"ilst", items))


def video(path: Path, inside: bytes) -> Path:
    path.write_bytes(
        atom(b"ftyp", b"qt  ") + atom(b"mdat", bytes(100)) + atom(b"moov", atom(b"mvhd", bytes(100)) + inside)
    )
    return path


@pytest.mark.parametrize(
    ("value_type", "value"),
    [
        (1, b"26"),
        (21, struct.pack(">i", 26)),
        (22, struct.pack(">H", 26)),
        (23, struct.pack(">f", 26)),
        (77, b"\0\0\0\x1a"),
    ],
)
def test_every_type_of_number_is_read(tmp_path: Path, value_type: int, value: bytes) -> None:
    assert focal_mm_of_footage(video(tmp_path / "a.mov", metadata(value_type, value))) == 26


@pytest.mark.parametrize("holders", [(), (b"trak",), (b"udta",)])
@pytest.mark.parametrize("version", [b"", bytes(4)])
def test_the_metadata_may_lie_in_several_places(tmp_path: Path, holders: tuple[bytes, ...], version: bytes) -> None:
    inside = metadata(1, b"77.0", version)
    for holder in holders:
        inside = atom(holder, inside)
    assert focal_mm_of_footage(video(tmp_path / "a.mp4", inside)) == 77


def test_what_is_not_believable_is_no_tag(tmp_path: Path) -> None:
    for value in (b"0", b"1e9", b"nan", b"words", b"", b" "):
        assert focal_mm_of_footage(video(tmp_path / "a.mov", metadata(1, value))) is None
    assert focal_mm_of_footage(tmp_path / "missing.mov") is None
    assert focal_mm_of_footage(tmp_path) is None


def test_damaged_files_have_no_tag_and_raise_nothing(tmp_path: Path) -> None:
    whole = video(tmp_path / "a.mov", metadata(1, b"26")).read_bytes()
    damaged = tmp_path / "b.mov"
    for length in range(0, len(whole), 7):
        damaged.write_bytes(whole[:length])
        assert focal_mm_of_footage(damaged) is None
    for place in range(0, len(whole)):
        damaged.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        assert focal_mm_of_footage(damaged) in (26, None)


def test_pictures_tell_it_in_their_exif_data(tmp_path: Path) -> None:
    details = Image.Exif()
    details.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 28
    Image.new("RGB", (8, 8)).save(tmp_path / "shot.0001.jpg", exif=details)
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.jpg")
    assert focal_mm_of_footage(tmp_path / "shot.####.jpg") == 28
    assert focal_mm_of_footage(tmp_path / "plain.jpg") is None
