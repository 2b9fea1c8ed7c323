# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are footage, and in which order."""

import pytest

from engine.contract.media import PICTURE_SUFFIXES, VIDEO_SUFFIXES, files_in, has_picture_signature, picture_sequence

SIGNATURES = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "jpg": b"\xff\xd8\xff\xe1\0\x18Exif", "tif": b"II*\0\x08\0\0\0",
    "tiff": b"MM\0*\0\0\0\x08", "bmp": b"BM\x36\0", "webp": b"RIFF\x0a\n\0\0WEBPVP8 ", "hdr": b"#?RADIANCE\n",
    "jp2": b"\0\0\0\x0cjP  \r\n\x87\n", "exr": b"\x76\x2f\x31\x01\x02", "ppm": b"P6 2 2 255\n",
    "pgm": b"P5\n2 2\n255\n", "avif": b"\0\0\0\x1cftypavif",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for name in (
        "a_10.jpg",
        "a_8.JPG",
        "a_9.jpg",
        "._a_8.jpg",
        ".b.png",
        "Thumbs.db",
        "desktop.ini",
        "x2.mp4",
        "x10.mov",
        "._x2.mp4",
        "a_².jpg",
    ):
        (tmp_path / name).touch()
    (tmp_path / "a_1.jpg").mkdir()
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_folders_are_listed_in_natural_order_without_hidden_files_and_folders(folder):
    assert names(files_in(folder, VIDEO_SUFFIXES)) == ["x2.mp4", "x10.mov"]
    assert names(files_in(folder, PICTURE_SUFFIXES)) == ["a_8.JPG", "a_9.jpg", "a_10.jpg", "a_².jpg"]
    assert picture_sequence(folder) == files_in(folder, PICTURE_SUFFIXES)


def test_what_a_source_stands_for(folder):
    assert names(picture_sequence(folder / "a_%d.jpg")) == ["a_9.jpg", "a_10.jpg"]
    assert names(picture_sequence(folder / "a_##.jpg")) == ["a_10.jpg"]
    assert names(picture_sequence(folder / "a_9.jpg")) == ["a_9.jpg"]
    assert picture_sequence(folder / "b_%d.jpg") == []
    assert picture_sequence(folder / "x2.mp4") is None
    assert picture_sequence(folder / "nothing.jpg") is None


@pytest.mark.parametrize("kind", SIGNATURES)
def test_signatures_are_known(tmp_path, kind):
    path = tmp_path / "picture.jpg"
    path.write_bytes(SIGNATURES[kind])
    assert has_picture_signature(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", b"RIFF\0\0\0\0AVI "])
def test_other_files_have_none(tmp_path, content):
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    assert not has_picture_signature(path)
    assert not has_picture_signature(tmp_path / "missing.jpg")
