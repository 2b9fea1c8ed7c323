# SPDX-License-Identifier: GPL-3.0-or-later
"""The take of chunks is the take of one run, byte for byte, whatever the clip and its settings are like."""

import random
from dataclasses import replace

import cv2
import pytest

from engine.contract.messages import Frame, ScenePoints, TakeEnd
from engine.contract.take import TakeReader
from engine.model.weights import SMALL
from engine.synthetic.clips import make_clip
from engine.synthetic.settings import tier_settings
from tests.engine.farm_chunks.commands import OPTIONS, chunked, engine, merged, whole
from tests.engine.stream.footage_files import busy_picture, write_video

SIZE = (160, 120)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("footage") / "busy.mp4", 22, size=SIZE, draw=busy_picture)


def messages_of(take, kind):
    with TakeReader(take) as reader:
        return [message for message in reader if isinstance(message, kind)]


@pytest.mark.parametrize(("options", "frames", "chunk_count"), [
    (("--reset-interval", "7"), 22, 4),  # the last chunk has one frame
    (("--reset-interval", "11"), 22, 2),  # the clip ends with a chunk: its replay never runs
    (("--reset-interval", "2", "--start", "3", "--end", "10"), 7, 4),
    (("--reset-interval", "3", "--start", "1", "--stride", "3", "--point-maps"), 7, 3),
    (("--reset-interval", "30"), 22, 1),
    (("--reset-interval", "5", "--voxel-size", "0", "--precision", "bfloat16"), 22, 5),
    (("--reset-interval", "6", "--camera", "tracked", "--constant-focal"), 22, 4),
    (("--reset-interval", "6", "--camera", "tracked", "--refine-camera", "on", "--stride", "2"), 11, 2),
    (("--reset-interval", "8", "--camera", "tracked", "--fixed-camera", "--focal-px", "150"), 22, 3),
    (("--reset-interval", "5", "--stature", "1.75", "--height", "1=1.6", "--fov", "60"), 22, 5),
    (("--reset-interval", "8", "--constant-focal", "--track-memory", "3", "--max-points", "500"), 22, 3),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")  # fmt: skip
def test_chunks_give_the_take_of_one_run(video, tmp_path, options, frames, chunk_count):
    take = tmp_path / "a.h3r"
    expected = whole(video, take, *OPTIONS, *options)
    chunks = chunked(video, tmp_path, *OPTIONS, *options)
    assert len(chunks) == chunk_count
    random.Random(0).shuffle(chunks)
    assert merged(chunks, take) == expected
    assert messages_of(take, TakeEnd) == [TakeEnd("complete", frames)]
    assert len(messages_of(take, Frame)) == frames and any(len(frame.track_id) for frame in messages_of(take, Frame))


@pytest.mark.parametrize("chunks", [1, 2, 3, 6])
def test_a_number_of_chunks_may_be_asked_for_more_than_there_are_intervals_too(video, tmp_path, chunks):
    options, take = (*OPTIONS, "--reset-interval", "5"), tmp_path / "a.h3r"
    expected = whole(video, take, *options)
    assert merged(chunked(video, tmp_path, *options, chunks=chunks), take) == expected


def test_chunks_of_different_lengths_go_together(video, tmp_path):
    options, take = (*OPTIONS, "--reset-interval", "4"), tmp_path / "a.h3r"
    expected = whole(video, take, *options)
    (tmp_path / "half").mkdir()
    single, halves = chunked(video, tmp_path, *options), chunked(video, tmp_path / "half", *options, chunks=2)
    assert merged([*single[:3], halves[1]], take) == expected


def test_the_fused_points_are_there(video, tmp_path):
    """Equal bytes alone would be satisfied by takes without points."""
    options, take = (*OPTIONS, "--reset-interval", "7"), tmp_path / "a.h3r"
    merged(chunked(video, tmp_path, *options), take)
    assert len(messages_of(take, ScenePoints)[-1].position) > 100


def test_images_that_are_missing_or_damaged_are_left_out_as_in_one_run(tmp_path):
    folder, take = tmp_path / "shot", tmp_path / "a.h3r"
    folder.mkdir()
    for number in (*range(6), *range(8, 17)):
        cv2.imwrite(str(folder / f"shot.{number:04}.png"), busy_picture(number, SIZE))
    damaged = folder / "shot.0003.png"
    damaged.write_bytes(damaged.read_bytes()[:200])
    options = (*OPTIONS, "--reset-interval", "4", "--frame-rate", "24")
    expected = whole(folder, take, *options)
    chunks = chunked(folder, tmp_path, *options)
    assert merged(chunks, take) == expected and len(chunks) == 4
    assert "shot.0003.png" in messages_of(take, TakeEnd)[0].note


def test_a_video_that_is_cut_off_is_told_of(tmp_path):
    video, take = write_video(tmp_path / "cut.avi", 60, codec="MJPG", draw=busy_picture, size=SIZE), tmp_path / "a.h3r"
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 5])
    options = (*OPTIONS, "--reset-interval", "4")
    expected = whole(video, take, *options)
    assert merged(chunked(video, tmp_path, *options), take) == expected
    assert "ends early" in messages_of(take, TakeEnd)[0].note
    # So much shorter than announced that most of the chunks that were planned have nothing to do.
    for path in tmp_path.glob("*.h3rc"):
        path.unlink()
    assert merged(chunked(video, tmp_path, *options, chunks=5), take, "--overwrite") == expected


@pytest.mark.skipif(not SMALL.is_file(), reason="no small model")
@pytest.mark.parametrize("camera", ["network", "tracked"])
@pytest.mark.parametrize(("backwards", "interval"), [(False, 5), (True, 7)], ids=["appears", "leaves"])
def test_people_are_the_same_across_the_end_of_a_chunk(tmp_path, camera, backwards, interval):
    """Somebody goes on over it, and somebody appears or leaves just there."""
    clip = make_clip(900001, replace(tier_settings("studio"), frames=12, frame_gap=(2, 2)))
    folder, take = tmp_path / "people", tmp_path / "a.h3r"
    folder.mkdir()
    for number, rgb in enumerate(clip.rgb.flip(0) if backwards else clip.rgb):
        cv2.imwrite(str(folder / f"{number:03}.png"), rgb.numpy()[..., ::-1])
    options = ("--model", "small", "--camera", camera, "--reset-interval", interval)
    expected = whole(folder, take, *options)
    assert merged(chunked(folder, tmp_path, *options), take) == expected
    seen = [set(frame.track_id.tolist()) for frame in messages_of(take, Frame)]
    before, after = seen[interval - 1], seen[interval]
    assert before & after and (before - after if backwards else after - before), seen
    assert len(set().union(*seen)) == 2, "nobody is taken for somebody new"


def test_a_chunk_says_what_it_has(video, tmp_path):
    """What a farm reads of each chunk."""
    options = (*OPTIONS, "--reset-interval", "10")
    path = tmp_path / "2.h3rc"
    summary = engine("farm-chunk", video, "--index", 2, "--output", path, *options)
    del summary["seconds"]
    assert summary == {"status": "complete", "first": 20, "frame_count": 2, "more": False, "chunk": str(path)}
