# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading footage: numbers, times, rotation, ranges, sequences, and what damaged files do. All files are real."""

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.contract.errors import UserError
from engine.video.footage import open_footage
from engine.video.picture import PictureMap
from engine.video.reading import PICTURES_AHEAD, FrameReader
from tests.engine.stream.footage_files import (
    NUMBERS,
    numbered_picture,
    picture_number,
    rotate_mp4,
    set_mp4_durations,
    write_video,
)
from tests.waiting import wait_until


def numbers_and_times(source, *range_, frame_rate=None):
    pictures = list(open_footage(source, frame_rate).pictures(*range_))
    assert [picture_number(picture.rgb) for picture in pictures] == [p.source_frame % NUMBERS for p in pictures]
    return [p.source_frame for p in pictures], [p.time_s for p in pictures]


def write_pictures(folder, names, size=(48, 32)):
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), numbered_picture(number, size))


def test_a_video_tells_size_rate_count_and_times(tmp_path):
    path = write_video(tmp_path / "a.mp4", 30, rate=25.0)
    footage = open_footage(path)
    assert (footage.size, footage.frame_rate, footage.frame_count) == ((96, 64), 25.0, 30)
    numbers, times = numbers_and_times(path)
    assert numbers == list(range(30))
    np.testing.assert_allclose(times, np.arange(30) / 25, atol=1e-6)


@pytest.mark.parametrize(("start", "end", "stride"), [(0, None, 1), (7, None, 1), (0, 9, 1), (5, 20, 4), (29, None, 3)])
@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mp4v"), ("a.avi", "MJPG")])
def test_start_end_and_stride_are_exact(tmp_path, start, end, stride, name, codec):
    path = write_video(tmp_path / name, 30, codec=codec)
    numbers, times = numbers_and_times(path, start, end, stride)
    assert numbers == list(range(30))[start:end:stride]
    assert open_footage(path).expected_count(start, end, stride) == len(numbers)
    np.testing.assert_allclose(times, np.array(numbers) / 25, atol=1e-6)


def test_variable_frame_rate_gives_true_times(tmp_path):
    path = write_video(tmp_path / "phone.mp4", 12, rate=30.0)
    durations = [0.02, 0.1, 0.03, 0.5, 0.04, 0.04, 0.25, 0.033, 0.017, 0.1, 0.08, 0.04]
    expected = set_mp4_durations(path, durations)
    numbers, times = numbers_and_times(path)
    assert numbers == list(range(12))
    np.testing.assert_allclose(times, expected, atol=1e-6)
    _, late = numbers_and_times(path, 5, None, 3)
    np.testing.assert_allclose(late, expected[5::3], atol=1e-6)


def test_a_given_frame_rate_replaces_the_container_s_times(tmp_path):
    path = write_video(tmp_path / "a.mp4", 10, rate=30.0)
    set_mp4_durations(path, [0.1 * (number + 1) for number in range(10)])
    assert open_footage(path, frame_rate=50.0).frame_rate == 50.0
    _, times = numbers_and_times(path, frame_rate=50.0)
    np.testing.assert_allclose(times, np.arange(10) / 50, atol=1e-9)


def test_rotation_metadata_is_honoured(tmp_path):
    path = write_video(tmp_path / "phone.mp4", 5)
    upright = next(iter(open_footage(path).pictures())).rgb
    rotate_mp4(path)
    footage = open_footage(path)
    assert footage.size == (64, 96)
    rotated = next(iter(footage.pictures())).rgb
    assert rotated.shape == (96, 64, 3)
    np.testing.assert_array_equal(rotated, np.rot90(upright, -1))
    assert rotated[4, -4, 0] > 150 > rotated[4, 4, 0], "the red corner went from top left to top right"


def test_colours_are_rgb(tmp_path):
    red_corner = next(iter(open_footage(write_video(tmp_path / "a.mp4", 2)).pictures())).rgb[4, 4]
    assert red_corner[0] > 200 and red_corner[2] < 60


def test_a_folder_is_read_in_natural_order(tmp_path):
    write_pictures(tmp_path / "shots", [f"s{number}.png" for number in range(12)])
    (tmp_path / "shots" / "notes.txt").write_text("not a picture")
    (tmp_path / "shots" / "._s0.png").write_bytes(b"macOS's companion of s0.png")
    (tmp_path / "shots" / "Thumbs.db").write_bytes(b"Windows' small pictures")
    numbers, times = numbers_and_times(tmp_path / "shots")
    assert numbers == list(range(12))
    np.testing.assert_allclose(times, np.arange(12) / 24)
    numbers, times = numbers_and_times(tmp_path / "shots", 2, 9, 3, frame_rate=10.0)
    assert (numbers, times) == ([2, 5, 8], [0.2, 0.5, 0.8])


@pytest.mark.parametrize("pattern", ["shot.%04d.png", "shot.####.png"])
def test_patterns_start_anywhere(tmp_path, pattern):
    write_pictures(tmp_path, [f"shot.{number:04d}.png" for number in range(1001, 1007)])
    write_pictures(tmp_path / "others", ["shot.1001.png"])
    cv2.imwrite(str(tmp_path / "shot.12.png"), numbered_picture(40))
    cv2.imwrite(str(tmp_path / "other.1001.png"), numbered_picture(40))
    assert numbers_and_times(tmp_path / pattern)[0] == list(range(6))


def test_a_single_picture_is_footage_too(tmp_path):
    write_pictures(tmp_path, ["one.png"])
    assert numbers_and_times(tmp_path / "one.png")[0] == [0]


@pytest.mark.parametrize(
    "name", ["grey.png", "alpha.png", "grey_alpha.png", "sixteen.png", "sixteen_rgb.tiff", "map.png"]
)
def test_every_kind_of_picture_becomes_8_bit_rgb(tmp_path, name):
    grey = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
    rgb = np.stack([grey, grey // 2, 255 - grey], axis=-1)
    path = tmp_path / name
    expected = np.stack([grey] * 3, axis=-1)
    if name == "grey.png":
        Image.fromarray(grey).save(path)
    elif name == "alpha.png":
        Image.fromarray(np.dstack([rgb, grey])).save(path)
        expected = rgb
    elif name == "grey_alpha.png":
        Image.fromarray(grey).convert("LA").save(path)
    elif name == "sixteen.png":
        cv2.imwrite(str(path), grey.astype(np.uint16) * 257)
    elif name == "sixteen_rgb.tiff":
        cv2.imwrite(str(path), rgb[..., ::-1].astype(np.uint16) * 257)
        expected = rgb
    else:
        Image.fromarray(rgb).quantize(256).save(path)
        expected = np.asarray(Image.open(path).convert("RGB"))
    np.testing.assert_array_equal(next(iter(open_footage(path).pictures())).rgb, expected)


def test_a_photograph_is_turned_as_its_exif_says(tmp_path):
    rgb = np.zeros((32, 48, 3), np.uint8)
    rgb[:16, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # show it a quarter turn clockwise
    Image.fromarray(rgb).save(tmp_path / "photo.jpg", exif=exif, quality=95)
    footage = open_footage(tmp_path / "photo.jpg")
    assert footage.size == (32, 48)
    assert next(iter(footage.pictures())).rgb[4, -4].min() > 200


def test_names_beyond_ascii(tmp_path):
    folder = tmp_path / "Aufnähme 日本"
    folder.mkdir()
    assert len(numbers_and_times(write_video(folder / "Übung.mp4", 4))[0]) == 4
    write_pictures(folder, ["bild_ü_1.png", "bild_ü_2.png"])
    assert len(list(open_footage(folder / "bild_ü_#.png").pictures())) == 2


def test_pictures_of_another_size_are_named(tmp_path):
    write_pictures(tmp_path, ["a1.png", "a2.png"])
    cv2.imwrite(str(tmp_path / "a3.png"), numbered_picture(2, (50, 32)))
    with pytest.raises(UserError, match=r"a3\.png is 50x32.*footage-sizes-differ"):
        list(open_footage(tmp_path).pictures())


def test_damaged_images_of_a_sequence_are_left_out_and_told(tmp_path):
    write_pictures(tmp_path, ["a1.png", "a2.png", "a3.png", "a4.png"])
    for name in ("a1.png", "a3.png"):
        (tmp_path / name).write_bytes((tmp_path / "a2.png").read_bytes()[:40])
    footage = open_footage(tmp_path)
    assert [picture.source_frame for picture in footage.pictures()] == [1, 3] and footage.size == (48, 32)
    assert footage.problem == "Damaged images were left out: a1.png, a3.png."
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"a1\.png.*footage-unreadable"):
        open_footage(tmp_path)


def test_a_video_that_was_cut_off_gives_what_is_there_and_says_so(tmp_path):
    path = write_video(tmp_path / "cut.avi", 100, codec="MJPG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    footage = open_footage(path)
    pictures = list(footage.pictures())
    assert 20 < len(pictures) < 40
    assert [picture_number(picture.rgb) for picture in pictures] == [n % NUMBERS for n in range(len(pictures))]
    assert "cut.avi ends early" in footage.problem


def test_a_whole_video_has_no_problem(tmp_path):
    for name, codec in (("a.mp4", "mp4v"), ("a.avi", "MJPG")):
        footage = open_footage(write_video(tmp_path / name, 60, codec=codec))
        assert len(list(footage.pictures())) == 60
        assert footage.problem is None
        footage = open_footage(tmp_path / name)
        assert len(list(footage.pictures(end=20))) == 20
        assert footage.problem is None, "stopping before the end is not the footage's fault"


def test_damage_in_the_middle_costs_only_the_damaged_pictures(tmp_path):
    path = write_video(tmp_path / "a.avi", 60, codec="MJPG")
    data = bytearray(path.read_bytes())
    frame = data.find(b"00dc", len(data) // 2)
    data[frame + 400 : frame + 440] = bytes(40)
    path.write_bytes(data)
    footage = open_footage(path)
    pictures = list(footage.pictures())
    assert len(pictures) == 59 and pictures[-1].source_frame == 59
    assert all(picture_number(p.rgb) == p.source_frame % NUMBERS for p in pictures), "the others keep their numbers"
    np.testing.assert_allclose([p.time_s for p in pictures], [p.source_frame / 25 for p in pictures], atol=1e-6)
    assert footage.problem == "a.avi: damaged frames were left out (1)."


@pytest.mark.parametrize("make", ["nothing", "text", "half an mp4", "empty", "empty folder", "no match"])
def test_what_cannot_be_read_says_why(tmp_path, make):
    path, code = tmp_path / "clip.mp4", "footage-unreadable"
    if make == "nothing":
        code = "footage-missing"
    elif make == "text":
        path.write_text("this is not a video")
    elif make == "half an mp4":
        data = write_video(path, 30).read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif make == "empty":
        path.write_bytes(b"")
    elif make == "empty folder":
        path, code = tmp_path / "folder", "footage-empty"
        path.mkdir()
    else:
        path, code = tmp_path / "shot.####.png", "footage-empty"
    with pytest.raises(UserError) as caught:
        open_footage(path)
    assert caught.value.code == code
    assert str(path.parent) in caught.value.message and caught.value.remedy


def test_the_reader_stays_only_a_few_pictures_ahead(tmp_path):
    path = write_video(tmp_path / "long.mp4", 200)
    footage = open_footage(path)
    decoded = []
    pictures = footage.pictures
    footage.pictures = lambda *range_: (decoded.append(p.source_frame) or p for p in pictures(*range_))
    with FrameReader(footage, PictureMap.plan(footage.size, 64), 0, None, 1) as reader:
        for frame in reader:
            assert len(decoded) <= frame.source_frame + PICTURES_AHEAD + 2
            assert frame.rgb.shape == (32, 64, 3)
    assert decoded == list(range(200))


def test_leaving_the_reader_ends_its_thread(tmp_path):
    footage = open_footage(write_video(tmp_path / "long.mp4", 200))
    reader = FrameReader(footage, PictureMap.plan(footage.size, 64), 0, None, 1)
    with reader:
        next(iter(reader))
    wait_until(lambda: not reader._thread.is_alive(), "the end of the thread")


def test_errors_of_decoding_arrive_where_the_frame_would_have(tmp_path):
    write_pictures(tmp_path, ["a1.png", "a2.png"])
    cv2.imwrite(str(tmp_path / "a3.png"), numbered_picture(2, (50, 32)))
    footage = open_footage(tmp_path)
    seen = []
    with (
        pytest.raises(UserError, match="sizes-differ"),
        FrameReader(footage, PictureMap.plan(footage.size, 48), 0, None, 1) as reader,
    ):
        seen.extend(frame.source_frame for frame in reader)
    assert seen == [0, 1] or seen == []  # a comprehension that raises keeps nothing
