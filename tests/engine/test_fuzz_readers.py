# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged and forged checkpoints, resume files, ground truth and records: every reader succeeds or refuses."""

import argparse
import io
import json
import zipfile
from dataclasses import asdict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from engine.contract.errors import UserError
from engine.contract.framing import CorruptRecord, Record
from engine.contract.message_records import MESSAGE_TYPES, decode
from engine.contract.settings import CaptureSettings
from engine.farm.clips import read_tasks
from engine.farm_task.notes import read_note
from engine.ground_truth import ClipTruth, SmplxPeople, read_truth, write_truth
from engine.installed import inventory, locations
from engine.model import conversion
from engine.model.checkpoint import FORMAT, read_checkpoint
from engine.model.config import Human3RConfig, embedded
from engine.model.released_checkpoint import infer_config, literal_arguments, read_pickle
from engine.resuming.resume_file import ResumePoint, load_resume_point, resume_path, save_resume_point
from tests.fuzzing import ROUNDS, Reader, attack, changed_json, mutations, survives
from weights_downloader import part, records

pytestmark = [pytest.mark.fuzz, pytest.mark.filterwarnings("ignore:Detected pickle protocol")]

TENSORS = {"patch_embed.proj.weight": torch.ones(4, 3), "enc_blocks.0.norm.bias": torch.zeros(5)}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=8), part, max_size=4),
    max_leaves=12,
)

examples = settings(max_examples=100 * ROUNDS, deadline=None, derandomize=True, database=None)


def safetensors_bytes(metadata: dict[str, str]) -> bytes:
    return save(TENSORS, metadata)


def torch_bytes(zipped: bool) -> bytes:
    stream = io.BytesIO()
    content = {"model": TENSORS, "args": argparse.Namespace(model="Human3R(img_size=(512, 512), head='x')"), "epoch": 3}
    torch.save(content, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def test_damaged_safetensors(tmp_path):
    path = tmp_path / "human3r_672S.safetensors"
    whole = safetensors_bytes({"format": FORMAT, "config": embedded().to_json(), "contents": "inference"})
    path.write_bytes(whole)
    assert survives(lambda: read_checkpoint(path, path.name), ())
    for data in mutations(whole, 60, seed=1):
        path.write_bytes(data)
        survives(lambda: read_checkpoint(path, path.name), (UserError,))


def test_forged_configurations(tmp_path):
    for values in changed_json(asdict(embedded()), 300, seed=2):
        survives(lambda values=values: Human3RConfig.from_json(json.dumps(values)), (UserError,))
    for text in ("[" * 500_000, "{" * 3, "null", "1e999", '"x"'):
        assert not survives(lambda text=text: Human3RConfig.from_json(text), (UserError,))


@pytest.mark.parametrize("zipped", [True, False])
def test_damaged_released_checkpoints(tmp_path, zipped):
    path, whole = tmp_path / "human3r_672S.pth", torch_bytes(zipped)
    path.write_bytes(whole)
    assert survives(lambda: read_pickle(path), ())
    for data in mutations(whole, 300, seed=3):
        path.write_bytes(data)
        survives(lambda: read_pickle(path), (UserError,))


def test_forged_released_checkpoints_with_good_checksums(tmp_path):
    path = tmp_path / "human3r_672S.pth"
    with zipfile.ZipFile(io.BytesIO(torch_bytes(zipped=True))) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    program = next(name for name in members if name.endswith("data.pkl"))
    for data in mutations(members[program], 300, seed=4):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (members | {program: data}).items():
                archive.writestr(name, content)
        survives(lambda: read_checkpoint(path, path.name), (UserError,))


@examples
@given(st.text(max_size=60) | st.builds(lambda value: f"Human3R(img_size={value!r}, dec_num_heads={value!r})", JSON))
def test_constructor_expressions(expression):
    survives(lambda: literal_arguments(expression), ())
    survives(lambda: infer_config(TENSORS, expression, "human3r_672S.pth"), (UserError,))


@examples
@given(
    st.sampled_from(sorted(MESSAGE_TYPES)),
    st.dictionaries(
        st.sampled_from(
            [
                "protocol",
                "generator",
                "footage_size",
                "frame_rate",
                "frame_count",
                "model",
                "body",
                "settings",
                "index",
                "mask_size",
                "status",
                "note",
                "phase",
                "text",
                "code",
                "message",
                "remedy",
            ]
        ),
        JSON,
    ),
)
def test_messages_of_any_values(kind, values):
    survives(lambda: decode(Record(kind, values, {})), (CorruptRecord, UserError))


def npz_parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def write_zip(path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_resume_files(tmp_path):
    take = tmp_path / "t.h3r"
    take.write_bytes(bytes(100))
    wanted = CaptureSettings(source="clip.mp4", take=str(take))
    states = {"tracker": {"ids": np.arange(3), "counters": np.ones(2)}}
    save_resume_point(ResumePoint(wanted, "m", "b", 50, 3, 4, states))
    path = resume_path(take)
    whole = path.read_bytes()
    assert survives(lambda: load_resume_point(wanted), ())
    for data in mutations(whole, 200, seed=5):
        path.write_bytes(data)
        survives(lambda: load_resume_point(wanted), (UserError,))
    parts = npz_parts(whole)
    values = parts["values.npy"]
    described = json.loads(values[values.index(b"{", 100) :])
    for changed in changed_json(described, 200, seed=6):
        stream = io.BytesIO()
        np.save(stream, np.frombuffer(json.dumps(changed).encode(), np.uint8))
        write_zip(path, parts | {"values.npy": stream.getvalue()})
        survives(lambda: load_resume_point(wanted), (UserError,))


def test_ground_truth(tmp_path):
    path = tmp_path / "truth.npz"
    eye = np.broadcast_to(np.eye(4), (2, 4, 4))
    people = SmplxPeople(np.zeros((2, 1, 55, 3)), np.zeros((1, 10)), np.zeros((2, 1, 10)), np.zeros((2, 1, 3)))
    write_truth(
        path,
        ClipTruth(
            "x",
            (64, 48),
            25.0,
            np.arange(2),
            eye,
            np.ones(2),
            np.ones((2, 2)),
            people=people,
            present=np.ones((2, 1), bool),
            expected=np.ones((2, 1), bool),
        ),
    )
    whole = path.read_bytes()
    assert survives(lambda: read_truth(path), ())
    for data in mutations(whole, 150, seed=7):
        path.write_bytes(data)
        survives(lambda: read_truth(path), (UserError,))
    parts = npz_parts(whole)
    for number, name in enumerate(parts):
        for data in mutations(parts[name], 20, seed=20 + number):
            write_zip(path, parts | {name: data})
            survives(lambda: read_truth(path), (UserError,))


FIGURES = {"size": 5, "sha256": "0" * 64}
DOWNLOADED = json.dumps({"published": {"a.pth": FIGURES}, "installed": {"b": FIGURES}}).encode()
MANIFEST = json.dumps({"source_name": "a", "sha256": "0", "bytes": 1}).encode()
CLIPS = json.dumps({"format": 1, "tasks": [[["/a b.mp4", "a_b"], ["/c.mp4", "c"]], [["/d.mp4", "d"]]]}).encode()
NOTE = json.dumps({"status": "failed", "frames": 3, "seconds": 1.5, "error": {"code": "a", "message": "b"}}).encode()
READERS = [
    Reader("clips", "clips.json", CLIPS, read_tasks, (UserError,)),
    Reader("note of a task", "a.task.json", NOTE, lambda path: read_note(path.with_name("a.h3r")), ()),
    Reader("records", "records.json", DOWNLOADED,
           lambda _: records.installed("b"), (UserError,)),
    Reader("origin", "big.bin.part.json", b'{"size": 5, "validator": "abc"}',
           lambda path: part.Part(path.with_name("big.bin"), print).origin, (UserError,)),
    Reader("inventory", "weights/672S.json", MANIFEST,
           lambda path: inventory.read_manifest(path.with_suffix(".safetensors")), (UserError,)),
    Reader("manifest", "weights/672S.json", MANIFEST,
           lambda path: conversion.read_manifest(path.with_suffix(".safetensors")), (UserError,)),
]  # fmt: skip
"""What the downloader, the conversion of weights and farms' tasks note: a line for each reader."""


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_notes_of_downloads(reader, tmp_path, monkeypatch):
    monkeypatch.setenv(locations.DATA_VARIABLE, str(tmp_path))
    (tmp_path / "big.bin.part").write_bytes(b"x")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "672S.safetensors").write_bytes(b"x")
    attack(reader, tmp_path, 150, seed=8)
