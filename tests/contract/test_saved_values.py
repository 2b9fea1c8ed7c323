# SPDX-License-Identifier: GPL-3.0-or-later
"""What torch, joblib, numpy and pickle saved comes out as it went in, and nothing is executed for it."""

import collections
import contextlib
import io
import os
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest

from engine.contract.inert_pickle import BadPickle, UnsafePickle
from engine.contract.saved_values import as_numbers, read_values
from tests.fuzzing import mutations, survives

torch = pytest.importorskip("torch", reason="torch writes the files of this test")
PEOPLE = {
    0: {"pose": np.arange(12.0).reshape(4, 3), "ids": np.array([3, 4, 7, 9]), "name": "Anna"},
    np.int64(4): {"pose": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "ids": [1, 2], "name": "Bob"},
}


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def written(folder, content: bytes, name="values.pkl"):
    path = folder / name
    path.write_bytes(content)
    return path


def saved(save, value, *arguments, **options) -> bytes:
    stream = io.BytesIO()
    save(value, stream, *arguments, **options)
    return stream.getvalue()


def check_people(found):
    assert list(found) == [0, 4] and found[0]["name"] == "Anna"
    for number, own in zip(found, PEOPLE.values(), strict=True):
        for name in ("pose", "ids"):
            np.testing.assert_array_equal(as_numbers(found[number][name]), own[name])


@pytest.mark.parametrize("protocol", range(6))
def test_pickled_tables_of_arrays(tmp_path, protocol):
    check_people(read_values(written(tmp_path, pickle.dumps(PEOPLE, protocol))))
    if protocol > 1:
        ordered = collections.OrderedDict(PEOPLE)
        check_people(read_values(written(tmp_path, pickle.dumps(ordered, protocol))))


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)], ids=str)
def test_what_joblib_dumped(tmp_path, compress):
    """4D-Humans compresses its results, WHAM does not."""
    joblib = pytest.importorskip("joblib")
    objects = np.empty(2, dtype=object)
    objects[:] = [np.ones(3), np.zeros(2)]
    joblib.dump({"people": PEOPLE, "odd": objects, "last": np.float32(2.5)}, tmp_path / "a.pkl", compress=compress)
    found = read_values(tmp_path / "a.pkl")
    check_people(found["people"])
    assert as_numbers(found["last"]) == 2.5


@pytest.mark.parametrize("is_zip", [True, False])
def test_what_torch_saved(tmp_path, is_zip):
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    table = {
        "whole": base,
        "view": base[1:3, ::2].T,
        "half": base.half(),
        "bfloat": base.bfloat16(),
        "flags": torch.tensor([True, False]),
        "counts": torch.arange(3),
        "none": torch.zeros(0, 3),
        "one": torch.tensor(1.5),
        "parameter": torch.nn.Parameter(base),
    }
    torch.save({"people": {7: table}}, tmp_path / "a.pt", _use_new_zipfile_serialization=is_zip)
    found = read_values(tmp_path / "a.pt")["people"][7]
    for name, tensor in table.items():
        np.testing.assert_array_equal(as_numbers(found[name]), tensor.detach().float().numpy(), err_msg=name)


def test_tables_in_numpys_files(tmp_path):
    """TRAM saves a table as an array of one object, with tensors in it."""
    table = {"pred_trans": torch.arange(6.0).reshape(2, 1, 3), "frame": np.arange(2)}
    np.save(tmp_path / "a.npy", table)
    found = read_values(tmp_path / "a.npy")
    np.testing.assert_array_equal(as_numbers(found["pred_trans"]), table["pred_trans"].numpy())
    np.save(tmp_path / "a.npy", np.eye(3, order="F"))
    np.testing.assert_array_equal(as_numbers(read_values(tmp_path / "a.npy")), np.eye(3))


def hostile(sentinel: str) -> dict[str, bytes]:
    """Files that would write the sentinel if their instructions were obeyed."""
    call = {"pose": Calls(os.system, f"touch {sentinel}")}
    evaluated = Calls(eval, f"__import__('pathlib').Path({sentinel!r}).touch()")
    objects = np.empty(1, dtype=object)
    objects[0] = evaluated
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(call))
    return {
        "pickle": pickle.dumps(call),
        "in a key": pickle.dumps({(evaluated,): 1}),
        "zlib": zlib.compress(pickle.dumps(call)),
        "npy": saved(lambda value, stream: np.save(stream, value, allow_pickle=True), objects),
        "torch": zipped.getvalue(),
        "torch of before": b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}, call, [])),
        "numpy's loader": b"\x80\x02cnumpy\nload\nX\x01\x00\x00\x00a\x85R.",
        "torch's shorter loader": b"\x80\x02ctorch\nload\nX\x01\x00\x00\x00a\x85R.",
        "torch's loader": b"\x80\x02ctorch.serialization\nload\nX\x01\x00\x00\x00a\x85R.",
    }


@pytest.mark.parametrize("kind", list(hostile("x")))
def test_hostile_files_are_refused_and_nothing_runs(tmp_path, kind):
    sentinel = tmp_path / "it-ran"
    path = written(tmp_path, hostile(str(sentinel))[kind])
    assert not survives(lambda: read_values(path), (UnsafePickle,))
    assert not sentinel.exists()


def test_the_hostile_files_are_really_hostile(tmp_path):
    sentinel = tmp_path / "it-ran"
    for kind in ("pickle", "in a key"):
        pickle.loads(hostile(str(sentinel))[kind])
        assert sentinel.exists(), kind
        sentinel.unlink()
    np.load(written(tmp_path, hostile(str(sentinel))["npy"], "a.npy"), allow_pickle=True)
    assert sentinel.exists()


def everything_in(value, depth=6):
    """Ask for all numbers that a file holds."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts if depth else ():
        everything_in(part, depth - 1)
    with contextlib.suppress(BadPickle):
        as_numbers(value)


def test_damaged_files(tmp_path):
    table = {"people": PEOPLE, "tensor": torch.arange(6.0).reshape(2, 3), "list": [np.ones(2)] * 3}
    seeds = [
        saved(torch.save, table),
        saved(torch.save, table, _use_new_zipfile_serialization=False),
        saved(lambda value, stream: np.save(stream, value, allow_pickle=True), table),
        zlib.compress(pickle.dumps(PEOPLE)),
        pickle.dumps(table),
    ]
    for number, seed in enumerate(seeds):
        for data in mutations(seed, 150, seed=20 + number):
            path = written(tmp_path, data)
            survives(lambda path=path: everything_in(read_values(path)), (BadPickle,))


def test_what_claims_more_than_there_is(tmp_path):
    ones = torch.ones(4)
    endless = torch.as_strided(ones, (1 << 20, 1 << 20), (0, 0))
    found = read_values(written(tmp_path, saved(torch.save, {"a": endless})))
    assert not survives(lambda: as_numbers(found["a"]), (BadPickle,))
    inner: list = [0.0] * 4000
    for _ in range(3):
        inner = [inner] * 4000
    assert not survives(lambda: as_numbers(read_values(written(tmp_path, pickle.dumps(inner)))), (BadPickle,))
    bomb = zlib.compress(bytes(1 << 28))
    assert not survives(lambda: read_values(written(tmp_path, bomb)), (BadPickle,))
    length = b"\x80\x05\x96" + struct.pack("<Q", 1 << 60)
    assert not survives(lambda: read_values(written(tmp_path, length)), (BadPickle,))


def test_a_list_in_itself_is_no_numbers(tmp_path):
    endless: list = []
    endless.append(endless)
    found = read_values(written(tmp_path, pickle.dumps(endless)))
    assert not survives(lambda: as_numbers(found), (BadPickle,))


def test_an_empty_file_is_refused(tmp_path):
    for content in (b"", b"\x80", b"PK\x03\x04", b"no pickle at all", b"\x1f\x8b\x08"):
        assert not survives(lambda content=content: read_values(written(tmp_path, content)), (BadPickle,))
