# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are footage, and in which order."""

import pytest

from engine.contract.errors import UserError
from engine.contract.media import PICTURE_SUFFIXES, VIDEO_SUFFIXES, files_in, has_picture_signature, image_sequence

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
    images = image_sequence(folder)
    assert names(images.paths) == ["a_8.JPG", "a_9.jpg", "a_10.jpg"] and names(images.left_out) == ["a_².jpg"]


def test_what_a_source_stands_for(folder):
    def found(name):
        return names(image_sequence(folder / name).paths)

    assert found("a_%d.jpg") == ["a_9.jpg", "a_10.jpg"]
    assert found("a_##.jpg") == ["a_10.jpg"]
    assert found("a_9.jpg") == ["a_9.jpg"]
    assert found("b_%d.jpg") == []
    assert image_sequence(folder / "x2.mp4") is None
    assert image_sequence(folder / "nothing.jpg") is None


def numbered(folder, given):
    for name in given:
        (folder / name).touch()
    images = image_sequence(folder)
    return dict(zip(names(images.paths), images.numbers, strict=True))


@pytest.mark.parametrize(("given", "expected"), [
    (["s_01.png", "s_02.png", "s_05.png"], [0, 1, 4]),
    (["v2_s_0010.png", "v2_s_0011.png", "v2_s_0013.png"], [0, 1, 3]),
    (["0001_beauty.exr", "0002_beauty.exr", "0004_beauty.exr"], [0, 1, 3]),
    (["IMG_20250101_101500.jpg", "IMG_20250101_101503.jpg", "IMG_20250101_114200.jpg"], [0, 1, 2]),
    (["anna.jpg", "bert.png", "carl.jpg"], [0, 1, 2]),
    (["holiday.jpg"], [0]),
])  # fmt: skip
def test_numbers_keep_their_gaps(tmp_path, given, expected):
    assert numbered(tmp_path, given) == dict(zip(given, expected, strict=True))


@pytest.mark.parametrize("given", [
    ["a_1.png", "a_2.png", "b_1.png", "b_2.png"],
    ["f_1.jpg", "f_2.jpg", "f_1_mask.png", "f_2_mask.png"],
    ["f_1.jpg", "f_2.jpg", "f_1.png", "f_2.png"],
    ["shot1_001.jpg", "shot1_002.jpg", "shot2_001.jpg", "shot2_002.jpg"],
])  # fmt: skip
def test_several_sequences_are_named_and_refused(tmp_path, given):
    with pytest.raises(UserError) as caught:
        numbered(tmp_path, given)
    assert caught.value.code == "footage-several-sequences"
    assert given[0] in caught.value.message and given[-1] in caught.value.message


def test_a_poster_beside_a_sequence_is_left_out(tmp_path):
    assert list(numbered(tmp_path, ["f_1.jpg", "f_2.jpg", "f_3.jpg", "poster.jpg"])) == [
        "f_1.jpg",
        "f_2.jpg",
        "f_3.jpg",
    ]


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
