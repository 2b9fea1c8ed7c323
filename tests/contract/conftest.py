# SPDX-License-Identifier: GPL-3.0-or-later
"""Body files in the published forms, made from the mannequin: the real ones may not be had."""

import struct
from types import SimpleNamespace

import numpy as np
import pytest

from engine.contract.body_model import default_body_path


@pytest.fixture(scope="session")
def released_arrays() -> dict[str, np.ndarray]:
    """The mannequin as SMPL-X v1.1 is laid out: 400 directions, unsigned kinematic tree, float64."""
    with np.load(default_body_path()) as archive:
        arrays = {name: archive[name] for name in archive.files if name not in ("generator", "licence")}
    directions = np.zeros((*arrays["shapedirs"].shape[:2], 400))
    directions[..., :10] = arrays["shapedirs"][..., :10]
    directions[..., 300:310] = arrays["shapedirs"][..., 10:]
    tree = arrays["kintree_table"].copy()
    tree[0, 0] = 2**32 - 1
    doubles = {name: arrays[name].astype(np.float64) for name in ("v_template", "J_regressor", "weights")}
    return (
        arrays
        | doubles
        | {"shapedirs": directions, "kintree_table": tree.astype(np.uint32), "f": arrays["f"].astype(np.uint32)}
    )


@pytest.fixture(scope="session")
def small_arrays(released_arrays) -> dict[str, np.ndarray]:
    """The same with 20 directions, as SMPL-X v1.0 is laid out: quicker to write and to read."""
    used = [*range(10), *range(300, 310)]
    return released_arrays | {"shapedirs": np.ascontiguousarray(released_arrays["shapedirs"][..., used], np.float32)}


class OldPickle:
    """Writes what Python 2 wrote with protocol 2, instruction by instruction, without the libraries it names."""

    @staticmethod
    def text(value: str) -> bytes:
        return b"U" + bytes([len(value)]) + value.encode()

    @classmethod
    def array(cls, array: np.ndarray) -> bytes:
        shape = b"(" + b"".join(b"J" + struct.pack("<i", side) for side in array.shape) + b"t"
        code = array.dtype.str[1:]
        dtype = (
            b"cnumpy\ndtype\n"
            + cls.text(code)
            + b"K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xff"
            + b"J\xff\xff\xff\xffK\x00tb"
        )
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes(order="C")
        return (
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
            + shape
            + dtype
            + b"\x89T"
            + struct.pack("<i", len(raw))
            + raw
            + b"tb"
        )

    @classmethod
    def chumpy(cls, array: np.ndarray) -> bytes:
        return b"cchumpy.ch\nCh\n)\x81}(" + cls.text("x") + cls.array(array) + b"ub"

    @classmethod
    def sparse(cls, dense: np.ndarray) -> bytes:
        """A scipy.sparse.csc_matrix of a dense one."""
        columns, rows = np.nonzero(dense.T)
        starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=dense.shape[1]))]).astype(np.int32)
        height, width = dense.shape
        entries = (
            cls.text("_shape")
            + b"(M"
            + struct.pack("<H", height)
            + b"M"
            + struct.pack("<H", width)
            + b"t"
            + cls.text("maxprint")
            + b"K2"
            + cls.text("data")
            + cls.array(dense[rows, columns])
            + cls.text("indices")
            + cls.array(rows.astype(np.int32))
            + cls.text("indptr")
            + cls.array(starts)
        )
        return b"cscipy.sparse.csc\ncsc_matrix\n)\x81}(" + entries + b"ub"

    @classmethod
    def table(cls, entries: dict[str, bytes]) -> bytes:
        return b"\x80\x02}(" + b"".join(cls.text(name) + entry for name, entry in entries.items()) + b"u."

    @classmethod
    def body(cls, arrays: dict[str, np.ndarray]) -> bytes:
        """A body file with a sparse regressor, and the keys beside the arrays that the published ones have."""
        entries = {
            name: cls.sparse(array) if name == "J_regressor" else cls.array(array) for name, array in arrays.items()
        }
        extra = {
            "part2num": b"}(U\x04HeadK\x00U\x03JawK\x01u",
            "joint2num": b"}(U\x06PelvisK\x00u",
            "bs_type": cls.text("lrotmin"),
            "dynamic_lmk_faces_idx": cls.array(np.zeros((79, 17), np.int64)),
        }
        return cls.table(entries | extra)


@pytest.fixture(scope="session")
def old_pickle() -> type[OldPickle]:
    return OldPickle


@pytest.fixture(scope="session")
def body_sources(released_arrays, small_arrays, tmp_path_factory) -> SimpleNamespace:
    """Loose files, each a whole body: `npz` as released, and `small` (npz) and `pkl` (Python 2) with 20 directions."""
    folder = tmp_path_factory.mktemp("bodies")
    np.savez(folder / "SMPLX_NEUTRAL.npz", **released_arrays)
    np.savez(folder / "small.npz", **small_arrays)
    (folder / "SMPLX_NEUTRAL.pkl").write_bytes(OldPickle.body(small_arrays))
    return SimpleNamespace(
        npz=folder / "SMPLX_NEUTRAL.npz", small=folder / "small.npz", pkl=folder / "SMPLX_NEUTRAL.pkl"
    )
