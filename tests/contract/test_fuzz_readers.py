# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged and forged takes, messages and bodies: every reader succeeds or refuses, and does nothing else."""

import io
import json
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest

from engine.contract import framing, message_records, messages
from engine.contract.array_archive import BadArchive, read_arrays
from engine.contract.body_files import install_body
from engine.contract.body_model import BodyModel
from engine.contract.camera_files import read_camera_file
from engine.contract.errors import UserError
from engine.contract.inert_pickle import BadPickle, as_array, read_items
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from tests.fuzzing import changed_json, mutations, survives

pytestmark = pytest.mark.fuzz

SETTINGS = CaptureSettings(source="clip.mp4", take="clip.h3r", end=30)
HEADER = messages.TakeHeader(
    messages.PROTOCOL_VERSION,
    "t",
    (64, 48),
    29.97,
    None,
    "m",
    "mannequin",
    SETTINGS,
    "12345678",
    ((0, "Anna"),),
    (1, 2),
)
FRAME = messages.Frame(
    index=0,
    source_frame=0,
    time_s=0.0,
    focal_px=70.0,
    world_from_camera=np.eye(4),
    principal_point_px=np.ones(2),
    track_id=np.arange(1),
    score=np.ones(1),
    pose_axis_angle=np.zeros((1, 55, 3)),
    betas=np.zeros((1, 10)),
    expression=np.zeros((1, 10)),
    translation=np.zeros((1, 3)),
    head_point=np.zeros((1, 3)),
    head_px=np.zeros((1, 2)),
    mask_size=(4, 3),
    mask_box_px=(0.0, 0.0, 1.0, 1.0),
    mask_bits=np.zeros(2, np.uint8),
)
POINTS = messages.ScenePoints(0, False, np.ones((2, 3)), np.ones((2, 3)), np.ones(2))
EVERYTHING = [
    HEADER,
    FRAME,
    POINTS,
    messages.TakeEnd("complete", 1, ""),
    messages.Failure("a", "b", "c"),
    messages.StartCapture(SETTINGS),
    messages.Status("loading", "x"),
]


def record_bytes(*parts: messages.Message) -> bytes:
    stream = io.BytesIO()
    for part in parts:
        framing.write_record(stream, message_records.encode(part))
    return stream.getvalue()


def sealed(header: object, payload: bytes) -> bytes:
    """A record with this header and a checksum that holds, whatever the header says."""
    text = json.dumps(header).encode()
    checksum = zlib.crc32(payload, zlib.crc32(text))
    return struct.pack("<4sIQ", framing.MAGIC, len(text), len(payload)) + text + payload + struct.pack("<I", checksum)


def parts_of(record: bytes) -> tuple[object, bytes]:
    _, header, payload = struct.unpack_from("<4sIQ", record)
    return json.loads(record[16 : 16 + header]), record[16 + header : 16 + header + payload]


def read_take(path) -> None:
    with TakeReader(path) as take:
        for message in take:
            if isinstance(message, messages.Frame):
                assert messages.unpack_mask(message).size <= 8 * len(message.mask_bits)


def test_damaged_takes(tmp_path):
    path, whole = tmp_path / "t.h3r", record_bytes(HEADER, FRAME, POINTS, messages.TakeEnd("complete", 1))
    path.write_bytes(whole)
    assert survives(lambda: read_take(path), ())
    for data in mutations(whole, 600, seed=1):
        path.write_bytes(data)
        survives(lambda: read_take(path), (UserError,))


@pytest.mark.parametrize("message", EVERYTHING, ids=lambda message: message.kind)
def test_forged_records_with_good_checksums(message, tmp_path):
    path, (header, payload) = tmp_path / "t.h3r", parts_of(record_bytes(message))
    for forged in changed_json(header, 200, seed=2):
        data = sealed(forged, payload)
        survives(
            lambda data=data: message_records.decode(framing.read_record(io.BytesIO(data))),
            (framing.CorruptRecord, UserError),
        )
        path.write_bytes(record_bytes(HEADER) + data)
        survives(lambda: read_take(path), (UserError,))


def test_damaged_camera_files(tmp_path):
    path = tmp_path / "camera.npz"
    np.savez(path, world_from_camera=np.tile(np.eye(4), (3, 1, 1)), focal_px=np.full(3, 70.0), time_s=np.arange(3.0))
    whole = path.read_bytes()
    assert survives(lambda: read_camera_file(path), ())
    for data in mutations(whole, 600, seed=4):
        path.write_bytes(data)
        survives(lambda: read_camera_file(path), (UserError,))


def test_records_that_claim_more_than_there_is():
    for header, payload in ((0, 1 << 60), (1 << 31, 0), (1 << 20, 1 << 30), (0xFFFFFFFF, (1 << 64) - 1)):
        data = struct.pack("<4sIQ", framing.MAGIC, header, payload) + bytes(100)
        assert not survives(lambda data=data: framing.read_record(io.BytesIO(data)), (framing.CorruptRecord,))


def test_json_nested_without_end():
    for text in (b"[" * 500_000, b'{"kind":' * 100_000, b'{"kind":"status","values":' + b'{"a":' * 150_000):
        checksum = struct.pack("<I", zlib.crc32(text))
        data = struct.pack("<4sIQ", framing.MAGIC, len(text), 0) + text + checksum
        assert not survives(lambda data=data: framing.read_record(io.BytesIO(data)), (framing.CorruptRecord,))


@pytest.fixture(scope="module")
def tiny_arrays():
    """The arrays of a body, much too small: readers come as far as the check of the shapes."""
    names = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")
    return {
        name: np.arange(6, dtype=np.float64 if number < 5 else np.int64).reshape(2, 3)
        for number, name in enumerate(names)
    }


def zip_bytes(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    return stream.getvalue()


def test_damaged_npz_bodies(tmp_path, tiny_arrays):
    path, members = tmp_path / "b.npz", {f"{name}.npy": npy_bytes(array) for name, array in tiny_arrays.items()}
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        for data in mutations(zip_bytes(members, compression), 100, seed=3):
            path.write_bytes(data)
            survives(lambda: BodyModel.load(path), (UserError,))


def test_forged_arrays_with_good_checksums(tmp_path, tiny_arrays):
    path = tmp_path / "b.npz"
    for data in mutations(npy_bytes(tiny_arrays["v_template"]), 500, seed=4):
        path.write_bytes(zip_bytes({"v_template.npy": data}))
        survives(lambda: read_arrays(path, 1 << 20), (BadArchive,))


@pytest.mark.parametrize(
    "description",
    [
        "'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,)",
        "'descr': '<f8', 'fortran_order': False, 'shape': (" + "4294967296, " * 40 + ")",
        "'descr': '<f8', 'fortran_order': False, 'shape': (-1,)",
        "'descr': '|O', 'fortran_order': False, 'shape': (1,)",
        "'descr': '<U0', 'fortran_order': False, 'shape': (1152921504606846976,)",
        "'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)",
        "'descr': '<f8', 'fortran_order': False, 'shape': " + "(" * 3000,
        "'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (1,)",
    ],
)
def test_headers_of_arrays_that_lie(tmp_path, description):
    text = ("{" + description + ", }").encode()
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n" + bytes(8)
    (tmp_path / "b.npz").write_bytes(zip_bytes({"v_template.npy": content}))
    assert not survives(lambda: read_arrays(tmp_path / "b.npz", 1 << 40), (BadArchive,))


def test_damaged_pickles(tmp_path, old_pickle, tiny_arrays):
    path = tmp_path / "b.pkl"
    seeds = [
        old_pickle.body(tiny_arrays),
        old_pickle.table({"a": old_pickle.chumpy(np.eye(2))}),
        *(pickle.dumps(tiny_arrays | {"part2num": {"Head": 1}, "s": [1, (2,)]}, protocol) for protocol in (0, 2, 4, 5)),
    ]

    def read() -> None:
        for value in read_items(path).values():
            try:
                as_array(value)
            except BadPickle:
                continue

    for number, seed in enumerate(seeds):
        path.write_bytes(seed)
        assert survives(read, ())
        for data in mutations(seed, 200, seed=10 + number):
            path.write_bytes(data)
            survives(read, (BadPickle,))


def test_damaged_zips_of_bodies(tmp_path, old_pickle, tiny_arrays):
    inner = {"models/smplx/SMPLX_NEUTRAL.pkl": old_pickle.body(tiny_arrays), "models/smplx/version.txt": b"1.1"}
    nested = {"SMPLX_NEUTRAL.npz": zip_bytes({f"{name}.npy": npy_bytes(a) for name, a in tiny_arrays.items()})}
    source, target = tmp_path / "x.zip", tmp_path / "data" / "b.npz"
    for members in (inner, nested):
        for data in mutations(zip_bytes(members, zipfile.ZIP_DEFLATED), 150, seed=5):
            source.write_bytes(data)
            assert not survives(lambda: install_body(source, target), (UserError,))
    assert not target.exists() and {path.name for path in tmp_path.iterdir()} <= {"x.zip", "data"}
    assert not list((tmp_path / "data").iterdir())
