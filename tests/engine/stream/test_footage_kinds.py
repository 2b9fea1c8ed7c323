# SPDX-License-Identifier: GPL-3.0-or-later
"""What phones, browsers, editors and cameras put into files; written by FFmpeg through PyAV, each a real file."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from engine.contract.errors import UserError
from engine.video.footage import open_footage
from tests.engine.stream.footage_files import numbered_picture, picture_number

SIZE = (96, 64)


def encode(
    path, count=12, codec="mpeg4", rate=25, size=SIZE, prepare=None, stamp=lambda number: number, draw=numbered_picture
):
    """A video of numbered pictures; `prepare` is called with the stream, `stamp` gives times in 1000 / rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if prepare:
            prepare(stream)
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(draw(number, size)[..., ::-1].copy(), format="rgb24")
            frame.pts, frame.time_base = stamp(number), Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(path, *range_):
    footage = open_footage(path)
    pictures = list(footage.pictures(*range_))
    return footage, pictures


def corner(rgb):
    """Where the red block is: (row, column), 0 or 1 each."""
    red = (rgb[..., 0].astype(int) - rgb[..., 2]) > 90
    rows, columns = np.nonzero(red)
    return int(rows.mean() > rgb.shape[0] / 2), int(columns.mean() > rgb.shape[1] / 2)


@pytest.mark.parametrize("codec", ["libx265", "libsvtav1", "libx264", "libvpx-vp9", "ffv1"])
def test_codecs_of_phones_and_cameras(tmp_path, codec):
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec} to write the file with")
    path = encode(tmp_path / ("a.mkv" if codec == "ffv1" else "a.mp4"), codec=codec)
    footage, pictures = read(path)
    assert [picture_number(picture.rgb) for picture in pictures] == list(range(12)) and footage.problem is None
    np.testing.assert_allclose([picture.time_s for picture in pictures], np.arange(12) / 25, atol=2e-3)


def test_an_unknown_codec_is_named(tmp_path):
    path = encode(tmp_path / "a.mp4", codec="libx265")
    path.write_bytes(path.read_bytes().replace(b"hev1", b"xyz9"))
    with pytest.raises(UserError, match="xyz9") as caught:
        open_footage(path)
    assert caught.value.code == "footage-unreadable" and "H.264" in caught.value.remedy


def mirrored(stream):
    stream.set_display_matrix([-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30])


def upside_down(stream):
    stream.set_display_matrix([65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30])


def mirrored_and_turned(stream):
    stream.set_display_matrix([0, 65536, 0, 65536, 0, 0, 0, 0, 1 << 30])


@pytest.mark.parametrize(("prepare", "size", "expected"), [
    (mirrored, (96, 64), (0, 1)),
    (upside_down, (96, 64), (1, 0)),
    (mirrored_and_turned, (64, 96), (0, 0)),
    (lambda stream: stream.set_display_rotation(90), (64, 96), (1, 0)),
    (lambda stream: stream.set_display_rotation(-90), (64, 96), (0, 1)),
    (lambda stream: stream.set_display_rotation(180), (96, 64), (1, 1)),
], ids=["mirrored", "flipped", "transposed", "left", "right", "half"])  # fmt: skip
def test_pictures_are_mirrored_and_turned_as_players_show_them(tmp_path, prepare, size, expected):
    footage, pictures = read(encode(tmp_path / "a.mp4", 3, prepare=prepare))
    assert footage.size == size and pictures[0].rgb.shape == (size[1], size[0], 3)
    assert corner(pictures[0].rgb) == expected


def test_any_angle_turns_about_the_middle(tmp_path):
    footage, pictures = read(encode(tmp_path / "a.mp4", 3, prepare=lambda stream: stream.set_display_rotation(-10)))
    straight = read(encode(tmp_path / "b.mp4", 3))[1][0].rgb
    matrix = cv2.getRotationMatrix2D((47.5, 31.5), -10, 1.0)  # OpenCV counts against the clock, as FFmpeg does
    expected = cv2.warpAffine(straight, matrix, SIZE)
    assert footage.size == SIZE
    assert np.abs(pictures[0].rgb.astype(int) - expected).mean() < 3


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(16, 11), (140, 64)), (Fraction(1, 2), (48, 64))])
def test_pixels_that_are_not_square_are_made_so(tmp_path, aspect, size):
    def prepare(stream):
        stream.codec_context.sample_aspect_ratio = aspect

    footage, pictures = read(encode(tmp_path / "a.mp4", 3, codec="libx264", prepare=prepare))
    assert footage.size == size and pictures[0].rgb.shape == (size[1], size[0], 3)


def test_rates_that_the_times_contradict_are_not_believed(tmp_path):
    """As browsers record: the container says 1000, pictures come every 33 milliseconds or so."""
    jitter = [0, 33, 67, 100, 134, 166, 200, 234, 266, 301, 333, 367]
    footage, pictures = read(encode(tmp_path / "a.webm", codec="libvpx-vp9", rate=1000, stamp=lambda n: jitter[n]))
    assert footage.frame_rate == 30.0
    np.testing.assert_allclose([picture.time_s for picture in pictures], np.array(jitter) / 1000, atol=1.5e-3)


def test_a_late_start_and_less_than_one_frame_a_second_are_no_damage(tmp_path):
    slow, pictures = read(encode(tmp_path / "slow.mp4", 8, rate=1, stamp=lambda number: 2 * number))
    assert slow.problem is None and pictures[-1].time_s == pytest.approx(14.0)
    late, pictures = read(encode(tmp_path / "late.mkv", 50, stamp=lambda number: 100 + number))
    assert (
        late.problem is None and pictures[0].time_s == 0.0 and pictures[-1].time_s == pytest.approx(49 / 25, abs=2e-3)
    )


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_cut_that_loses_more_than_a_tenth_is_damage(tmp_path, share):
    def fast_start(path):
        with (
            av.open(str(path)) as source,
            av.open(str(path.with_name("a.mp4")), "w", options={"movflags": "faststart"}) as out,
        ):
            stream = out.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
        return path.with_name("a.mp4")

    noise = np.random.default_rng(1).integers(0, 255, (64, 96, 3), np.uint8)
    path = fast_start(encode(tmp_path / "whole.mp4", 100, draw=lambda number, size: np.roll(noise, number, 1)))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    footage, pictures = read(path)
    assert 0.3 * share < len(pictures) / 100 < 0.9 and "a.mp4 ends early" in footage.problem


def test_a_song_with_a_cover_is_told(tmp_path):
    cv2.imwrite(str(tmp_path / "cover.jpg"), numbered_picture(3))
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=48000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = *SIZE, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(numbered_picture(3), format="bgr24")))
        container.mux(cover.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        silence.sample_rate = 48000
        container.mux(sound.encode(silence))
        container.mux(sound.encode())
    with pytest.raises(UserError, match="sound without video"):
        open_footage(tmp_path / "song.mp4")


def test_a_size_that_changes_in_the_middle_is_fitted_and_told(tmp_path):
    first = encode(tmp_path / "a.h264", 5, codec="libx264")
    second = encode(tmp_path / "b.h264", 5, codec="libx264", size=(192, 128))
    (tmp_path / "both.h264").write_bytes(first.read_bytes() + second.read_bytes())
    footage, pictures = read(tmp_path / "both.h264")
    assert len(pictures) == 10 and all(picture.rgb.shape == (64, 96, 3) for picture in pictures)
    assert "another size" in footage.problem and "(5)" in footage.problem
    assert [picture_number(picture.rgb) for picture in pictures] == [*range(5), *range(5)]


@pytest.mark.parametrize(("name", "options"), [
    ("a.webp", {"lossless": True}), ("a.png", {}), ("a.gif", {}), ("a.apng", {"format": "PNG"}),
])  # fmt: skip
def test_images_that_move(tmp_path, name, options):
    pictures = [Image.fromarray(numbered_picture(number)[..., ::-1].copy()) for number in range(5)]
    durations = [40, 80, 40, 200, 40]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=durations, loop=0, **options)
    footage, found = read(tmp_path / name)
    assert (footage.size, footage.frame_count) == (SIZE, 5) and footage.problem is None
    assert footage.frame_rate == pytest.approx(25)
    assert [picture_number(picture.rgb) for picture in found] == list(range(5))
    np.testing.assert_allclose([picture.time_s for picture in found], [0, 0.04, 0.12, 0.16, 0.36], atol=1e-3)
    assert [picture.source_frame for picture in read(tmp_path / name, 1, None, 2)[1]] == [1, 3]


def test_numbered_images_keep_their_times_where_some_are_missing(tmp_path):
    for number in (1, 2, 5, 6):
        cv2.imwrite(str(tmp_path / f"shot_{number:04d}.png"), numbered_picture(number))
    footage, pictures = read(tmp_path)
    assert [picture.source_frame for picture in pictures] == [0, 1, 4, 5] and footage.frame_count == 6
    assert footage.expected_count(0, None, 1) == 4 and footage.expected_count(1, 5, 1) == 2
    np.testing.assert_allclose([picture.time_s for picture in pictures], np.array([0, 1, 4, 5]) / 24)


CASES = {
    "browser_recording.webm": ((512, 384), 30.0, 30), "hflip.mp4": ((512, 384), 18.0, 9),
    "timelapse.mp4": ((320, 240), 0.5, 10), "trimmed_editlist.mp4": ((320, 240), 30.0, 75),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_files_that_users_sent(shared, name):
    size, rate, count = CASES[name]
    footage, pictures = read(shared / "cases" / "footage" / name)
    assert (footage.size, footage.frame_rate, len(pictures)) == (size, rate, count)
    assert footage.problem is None and footage.frame_count in (count, None)
