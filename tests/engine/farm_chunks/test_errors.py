# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with chunks is told before a take is touched, with what to do; damaged files do no harm."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.contract.framing import read_record, write_record
from engine.farm_chunks.chunk_file import ChunkReader
from engine.farm_chunks.merging import look_at, ordered
from engine.resuming.resume_file import resume_path
from tests.engine.farm_chunks.commands import OPTIONS, chunked, engine, merged
from tests.engine.stream.footage_files import busy_picture, write_video
from tests.fuzzing import changed_json, mutations, survives

SIZE = (96, 72)
RESET = (*OPTIONS, "--reset-interval", "3")


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("footage") / "busy.mp4", 8, size=SIZE, draw=busy_picture)


@pytest.fixture(scope="module")
def chunks(video, tmp_path_factory):
    return chunked(video, tmp_path_factory.mktemp("chunks"), *RESET)


def refused(code, *arguments):
    """The summary of a command that fails with this code and says what to do."""
    summary = engine(*arguments)
    assert (summary["status"], summary.get("code")) == ("failed", code), summary
    assert summary["message"] and summary["remedy"]
    return summary


def test_a_chunk_that_is_missing_is_named(chunks, tmp_path):
    take = tmp_path / "a.h3r"
    assert "frames 3 to 5" in refused("chunk-missing", "farm-merge", chunks[0], chunks[2], "--take", take)["message"]
    assert "frame 6" in refused("chunk-missing", "farm-merge", *chunks[:2], "--take", take)["message"]
    assert "frames 0 to 2" in refused("chunk-missing", "farm-merge", *chunks[1:], "--take", take)["message"]
    assert not take.exists()


def test_a_chunk_that_is_given_twice_is_named(chunks, tmp_path):
    again = shutil.copy(chunks[1], tmp_path / "again.h3rc")
    told = refused("chunk-twice", "farm-merge", *chunks, again, "--take", tmp_path / "a.h3r")
    assert "again.h3rc" in told["message"] and "1.h3rc" in told["message"]


@pytest.mark.parametrize(("changes", "what"), [
    (("--detection-threshold", "0.4"), "detection_threshold"),
    (("--voxel-size", "0.2"), "voxel_size"),
    (("--end", "7"), "end"),
    (("--model", "small"), "model"),
])  # fmt: skip
def test_a_chunk_of_another_capture_is_refused_with_what_differs(video, chunks, tmp_path, changes, what):
    engine("farm-chunk", video, "--index", 1, "--output", tmp_path / "other.h3rc", *RESET, *changes)
    mixed = (chunks[0], tmp_path / "other.h3rc", chunks[2])
    assert what in refused("chunk-foreign", "farm-merge", *mixed, "--take", tmp_path / "a.h3r")["message"]


def test_a_chunk_of_other_footage_is_refused(chunks, tmp_path):
    other = write_video(tmp_path / "busy.mp4", 8, size=SIZE, draw=lambda number, size: busy_picture(number + 1, size))
    engine("farm-chunk", other, "--index", 1, "--output", tmp_path / "other.h3rc", *RESET)
    mixed = (chunks[0], tmp_path / "other.h3rc", chunks[2])
    assert "footage" in refused("chunk-foreign", "farm-merge", *mixed, "--take", tmp_path / "a.h3r")["message"]


def test_footage_that_was_moved_is_the_same(video, chunks, tmp_path):
    moved = shutil.copy(video, tmp_path / "elsewhere.mp4")
    engine("farm-chunk", moved, "--index", 1, "--output", tmp_path / "1.h3rc", *RESET)
    expected = merged(chunks, tmp_path / "a.h3r")
    assert merged([chunks[0], tmp_path / "1.h3rc", chunks[2]], tmp_path / "a.h3r", "--overwrite") == expected


@pytest.mark.parametrize(("options", "code"), [
    (("--index", "3"), "no-such-chunk"),
    (("--index", "-1"), "no-such-chunk"),
    (("--index", "2", "--chunks", "2"), "no-such-chunk"),
    (("--index", "0", "--reset-interval", "0"), "no-chunks"),
    (("--index", "0", "--model", "landmarks"), "no-chunks"),
    (("--index", "0", "--model", "recipe:enormous"), "unknown-model"),
    (("--index", "0", "--stride", "0"), "bad-setting"),
])  # fmt: skip
def test_what_cannot_be_run_as_a_chunk_is_explained(video, tmp_path, options, code):
    refused(code, "farm-chunk", video, "--output", tmp_path / "a.h3rc", *RESET, *options)
    assert not list(tmp_path.iterdir())


def test_the_default_model_is_refused_where_it_is_the_built_in_one(video, tmp_path):
    told = refused("no-chunks", "farm-chunk", video, "--index", 0, "--output", tmp_path / "a.h3rc")
    assert "landmarks" in told["message"] and "--model" in told["remedy"]
    refused("no-chunks", "run", video, "--take", tmp_path / "a.h3r", "--workers", 2)


@pytest.mark.parametrize("count", [0, -1, 1000])
def test_an_impossible_number_of_workers_is_refused(video, tmp_path, count):
    refused("bad-setting", "run", video, "--take", tmp_path / "a.h3r", *RESET, "--workers", count)


def test_nothing_is_replaced_by_accident(video, chunks, tmp_path):
    letter, take = tmp_path / "letter.txt", tmp_path / "a.h3r"
    letter.write_bytes(b"Dear Anna")
    refused("chunk-exists", "farm-chunk", video, "--index", 0, "--output", letter, *RESET)
    refused("not-a-chunk", "farm-chunk", video, "--index", 0, "--output", letter, *RESET, "--overwrite")
    refused("not-a-take", "farm-merge", *chunks, "--take", letter, "--overwrite")
    assert letter.read_bytes() == b"Dear Anna"
    data = merged(chunks, take)
    refused("take-exists", "farm-merge", *chunks, "--take", take)
    assert take.read_bytes() == data


def test_a_chunk_that_is_run_again_is_the_same_file(video, chunks, tmp_path):
    path = shutil.copy(chunks[1], tmp_path / "1.h3rc")
    engine("farm-chunk", video, "--index", 1, "--output", path, *RESET, "--overwrite")
    with ChunkReader(chunks[1]) as before, ChunkReader(path) as after:
        assert replace(after.header.settings, take="a") == replace(before.header.settings, take="a")
        for one, two in zip(before.frames(), after.frames(), strict=True):
            np.testing.assert_array_equal(one.network.points, two.network.points)
            np.testing.assert_array_equal(one.network.token, two.network.token)


def test_the_final_pass_asks_for_the_footage(video, tmp_path):
    moved = shutil.copy(video, tmp_path / "there.mp4")
    files = chunked(moved, tmp_path, *RESET, "--camera", "tracked", "--refine-camera", "on")
    moved.rename(tmp_path / "here.mp4")
    take = tmp_path / "a.h3r"
    assert "--footage" in refused("footage-missing", "farm-merge", *files, "--take", take)["remedy"]
    other = write_video(tmp_path / "other.mp4", 8, size=SIZE)
    refused("footage-differs", "farm-merge", *files, "--take", take, "--footage", other)
    assert not take.exists()
    assert engine("farm-merge", *files, "--take", take, "--footage", tmp_path / "here.mp4")["status"] == "complete"


@pytest.mark.parametrize("remote", ["//host/share/body.npz", r"\\\\host\\share\\body.npz"])
def test_what_chunks_name_on_another_computer_is_not_opened_unasked(chunks, tmp_path, remote):
    """Whoever made the chunks could have Windows send this user's login there."""
    forged = tmp_path / "forged.h3rc"
    with open(chunks[0], "rb") as source, open(forged, "wb") as target:
        for record in iter(lambda: read_record(source), None):
            if "settings" in record.values:
                record.values["settings"]["body"] = remote
            write_record(target, record)
    files = ("farm-merge", forged, *chunks[1:], "--take", tmp_path / "a.h3r")
    assert "--body" in refused("file-remote", *files)["remedy"]
    assert engine(*files, "--body", "mannequin")["status"] == "complete"


def test_a_file_that_is_cut_off_or_no_chunk_is_refused_before_the_take_is_begun(chunks, tmp_path):
    damaged, whole = tmp_path / "damaged.h3rc", chunks[1].read_bytes()
    for data in (b"", b"Dear Anna", whole[:1000], whole[:-1], whole[: len(whole) // 2], whole + b"x"):
        damaged.write_bytes(data)
        files = (chunks[0], damaged, chunks[2])
        told = refused("chunk-unreadable", "farm-merge", *files, "--take", tmp_path / "a.h3r")
        assert "damaged.h3rc" in told["message"]
    refused("chunk-unreadable", "farm-merge", tmp_path / "nothing.h3rc", "--take", tmp_path / "a.h3r")
    assert not (tmp_path / "a.h3r").exists()


def test_damage_inside_a_frame_is_found_when_it_is_reached(chunks, tmp_path):
    damaged, data = tmp_path / "damaged.h3rc", bytearray(chunks[1].read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    take = tmp_path / "a.h3r"
    refused("chunk-unreadable", "farm-merge", chunks[0], damaged, chunks[2], "--take", take)
    assert resume_path(take).exists(), "with the chunk run again, the merge goes on where it ended"
    resumed = merged(chunks, take, "--resume")
    assert merged(chunks, take, "--overwrite") == resumed


def read_all(path):
    """As farm-merge does: all from outside first, then the frames."""
    ordered([look_at(path)])
    with ChunkReader(path) as reader:
        return sum(1 for _ in reader.frames())


@pytest.mark.fuzz
def test_damaged_chunks(video, tmp_path):
    path, (whole,) = tmp_path / "a.h3rc", chunked(video, tmp_path, *RESET, "--end", "2")
    assert survives(lambda: read_all(whole), ()) and read_all(whole) == 2
    for data in mutations(whole.read_bytes(), 60, seed=1):
        path.write_bytes(data)
        survives(lambda: read_all(path), (UserError,))


@pytest.mark.fuzz
@pytest.mark.parametrize("options", [(), ("--camera", "tracked")], ids=["thin", "whole"])
def test_forged_chunks_with_good_checksums(video, tmp_path, options):
    """Anybody can write a file whose checksums are right: what it says is checked as well."""
    path, (whole,) = tmp_path / "a.h3rc", chunked(video, tmp_path, *RESET, "--end", "2", *options)
    with open(whole, "rb") as file:
        records = list(iter(lambda: read_record(file), None))

    def try_with(number, record):
        with open(path, "wb") as file:
            for place, item in enumerate(records):
                write_record(file, record if place == number else item)
        survives(lambda: read_all(path), (UserError,))

    for number, record in enumerate(records):
        for values in changed_json(record.values, 40, seed=number):
            if isinstance(values, dict):
                try:
                    json.dumps(values, allow_nan=False).encode("utf-8")
                except ValueError:  # no record can hold that
                    continue
                try_with(number, replace(record, values=values))
        for name, array in record.arrays.items():
            others = {key: value for key, value in record.arrays.items() if key != name}
            for forged in (array[:0] if array.ndim else array, np.zeros(3, np.float32), np.full_like(array, 255)):
                try_with(number, replace(record, arrays=others | {name: forged}))
            try_with(number, replace(record, arrays=others))
            if array.dtype.kind == "f":
                try_with(number, replace(record, arrays=others | {name: np.full_like(array, np.nan)}))
