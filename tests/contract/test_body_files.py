# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing a body: from every form it is published in, and with a clear word for whatever else people choose."""

import io
import os
import pickle
import re
import shutil
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.contract.body_choice import (
    MANNEQUIN,
    body_file,
    choose_body,
    choose_body_of_take,
    warning_about_body,
)
from engine.contract.body_files import install_body
from engine.contract.body_model import VERTEX_COUNT, BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.contract.inert_pickle import MAX_INSTRUCTIONS, as_array, read_items
from engine.contract.messages import PROTOCOL_VERSION, TakeHeader
from engine.contract.settings import CaptureSettings


@pytest.fixture(scope="module")
def mannequin() -> BodyModel:
    return BodyModel.load(default_body_path())


def refusal(source: Path, folder: Path) -> UserError:
    """The error that installing raises; nothing may have been written."""
    target = folder / "data" / "body.npz"
    with pytest.raises(UserError) as caught:
        install_body(source, target)
    assert not target.parent.exists() or not list(target.parent.iterdir())
    assert caught.value.remedy
    return caught.value


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def zipped(path: Path, members: dict[str, bytes | Path]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if isinstance(content, Path):
                archive.write(content, name)
            else:
                archive.writestr(name, content)
    return path


def assert_installed(source: Path, folder: Path, expected: BodyModel, gender: str = "neutral") -> None:
    target = folder / "data" / "SMPLX_NEUTRAL.npz"
    assert install_body(source, target, gender) == target
    body = BodyModel.load(target)
    assert body.fingerprint == expected.fingerprint
    np.testing.assert_array_equal(body.pose_directions, expected.pose_directions)
    np.testing.assert_array_equal(body.weights, expected.weights)
    np.testing.assert_array_equal(body.faces, expected.faces)
    betas = np.linspace(-2, 2, 10)
    np.testing.assert_allclose(body.rest_joints(betas), expected.rest_joints(betas), atol=1e-9)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_from_the_publishers_zip_the_npz_of_the_gender_is_taken(body_sources, tmp_path, mannequin):
    male = io.BytesIO()
    np.savez(male, v_template=np.zeros((6890, 3)), J_regressor=np.eye(24, 6890), f=np.eye(3))  # told from the other
    source = zipped(
        tmp_path / "models_smplx_v1_1.zip",
        {
            "models/smplx/version.txt": b"1.1",
            "models/smplx/SMPLX_NEUTRAL.pkl": b"\x80\x02(never read",
            "models/smplx/SMPLX_MALE.npz": male.getvalue(),
            "models/smplx/SMPLX_NEUTRAL.npz": body_sources.small,
        },
    )
    assert_installed(source, tmp_path, mannequin)
    with pytest.raises(UserError, match="is a SMPL body"):
        install_body(source, tmp_path / "male.npz", "male")
    with pytest.raises(UserError, match=r"SMPLX_FEMALE"):
        install_body(source, tmp_path / "female.npz", "female")
    with pytest.raises(UserError, match="bad-setting"):
        install_body(source, tmp_path / "other.npz", "other")


def test_from_an_npz_and_again_from_the_installed_one(body_sources, tmp_path, mannequin):
    assert_installed(body_sources.npz, tmp_path, mannequin)
    assert_installed(tmp_path / "data" / "SMPLX_NEUTRAL.npz", tmp_path / "again", mannequin)


def test_from_a_python_2_pickle_with_a_sparse_regressor_in_a_zip(body_sources, tmp_path, mannequin):
    assert_installed(zipped(tmp_path / "x.zip", {"smplx/SMPLX_NEUTRAL.pkl": body_sources.pkl}), tmp_path, mannequin)


@pytest.mark.parametrize("protocol", [2, 5])
def test_from_a_python_3_pickle(small_arrays, tmp_path, mannequin, protocol):
    arrays = small_arrays | {
        "v_template": np.asfortranarray(small_arrays["v_template"]),
        "weights": small_arrays["weights"].astype(">f8"),
        "part2num": {"Head": 0},
    }
    assert_installed(written(tmp_path / "b.pkl", pickle.dumps(arrays, protocol)), tmp_path, mannequin)


@pytest.mark.parametrize("kind", ["csc_matrix", "csr_matrix", "csc_array", "csr_array"])
def test_sparse_matrices_of_scipy_itself(small_arrays, tmp_path, kind):
    sparse, dense = pytest.importorskip("scipy.sparse"), small_arrays["J_regressor"]
    items = read_items(written(tmp_path / "b.pkl", pickle.dumps({"a": getattr(sparse, kind)(dense)}, 2)))
    np.testing.assert_array_equal(as_array(items["a"]), dense)


def test_constants_of_chumpy(old_pickle, tmp_path):
    array = np.arange(12.0).reshape(3, 4)
    items = read_items(written(tmp_path / "b.pkl", old_pickle.table({"a": old_pickle.chumpy(array)})))
    np.testing.assert_array_equal(as_array(items["a"]), array)


@pytest.mark.parametrize(
    ("joints", "vertices", "family"), [(24, 6890, "SMPL"), (52, 6890, "SMPL-H"), (16, 778, "MANO"), (5, 5023, "FLAME")]
)
@pytest.mark.parametrize("as_pickle", [False, True])
def test_relatives_are_called_by_their_names(old_pickle, tmp_path, joints, vertices, family, as_pickle):
    arrays = {"v_template": np.zeros((vertices, 3)), "J_regressor": np.eye(joints, vertices), "f": np.eye(3)}
    path = tmp_path / ("model.pkl" if as_pickle else "model.npz")
    if as_pickle:
        path.write_bytes(old_pickle.body(arrays))
    else:
        np.savez(path, **arrays)
    error = refusal(path, tmp_path)
    assert error.code == "body-not-smplx" and f"is a {family} body ({joints} joints, {vertices}" in error.message
    assert "models_smplx_v1_1.zip" in error.remedy and "smpl-x.is.tue.mpg.de" in error.remedy


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ("SMPL_python_v.1.1.0/smpl/models/basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl", "SMPL bodies"),
        ("smplh/neutral/model.npz", "SMPL-H bodies"),
        ("mano_v1_2/models/MANO_LEFT.pkl", "MANO bodies"),
        ("FLAME2020/generic_model.pkl", "FLAME bodies"),
        ("readme.txt", "does not contain SMPLX_NEUTRAL.npz"),
        ("models_lockedhead/smplx/SMPLX_NEUTRAL.npz", "locked head"),
        ("SMPLX_NEUTRAL_2020.npz", "variant of 2020"),
    ],
)
def test_the_other_downloads_are_told_by_what_they_hold(tmp_path, member, says):
    error = refusal(zipped(tmp_path / "download.zip", {member: b"x"}), tmp_path)
    assert error.code == "body-not-smplx" and says in error.message


def test_the_locked_head_variant_is_told_by_its_name_or_its_missing_hands(small_arrays, body_sources, tmp_path):
    renamed = tmp_path / "smplx_lockedhead_20230207.npz"
    renamed.symlink_to(body_sources.npz)
    assert "locked head" in refusal(renamed, tmp_path).message
    np.savez(tmp_path / "x.npz", **{k: v for k, v in small_arrays.items() if not k.startswith("hands_comp")})
    error = refusal(tmp_path / "x.npz", tmp_path)
    assert error.code == "body-not-smplx" and "hands_componentsl" in error.message


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("smplx.zip", b"\n<!DOCTYPE html><html>Please log in", "web page"),
        ("smplx.npz", b"<html>", "web page"),
        ("x.npz", b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git-lfs"),
        ("x.tar.gz", b"\x1f\x8b\x08\x00", "an archive, but not a zip"),
        ("x.npz", b"", "empty"),
        ("x.fbx", b"Kaydara FBX Binary", "neither"),
        ("x.pkl", b"\x80\x02}(", "before seeing STOP"),
    ],
)
def test_what_is_no_body_at_all(tmp_path, name, content, says):
    assert says in refusal(written(tmp_path / name, content), tmp_path).message


def test_a_motion_is_no_body(tmp_path):
    np.savez(tmp_path / "walk.npz", poses=np.zeros((5, 165)), trans=np.zeros((5, 3)), betas=np.zeros(10))
    assert "motion" in refusal(tmp_path / "walk.npz", tmp_path).message


def test_a_download_that_was_cut_off(body_sources, tmp_path):
    whole = zipped(tmp_path / "whole.zip", {"models/smplx/SMPLX_NEUTRAL.pkl": bytes(5000)}).read_bytes()
    for name, content in (("cut.zip", whole), ("cut.pkl", body_sources.pkl.read_bytes())):
        for length in (100, len(content) - 1):
            assert refusal(written(tmp_path / name, content[:length]), tmp_path).code == "body-unreadable"


def test_a_zip_with_a_password(body_sources, tmp_path):
    path = zipped(tmp_path / "locked.zip", {"SMPLX_NEUTRAL.npz": b"secret"})
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    assert "password" in refusal(written(path, bytes(content)), tmp_path).message


@pytest.mark.parametrize(
    "name",
    ["../SMPLX_NEUTRAL.npz", "/tmp/SMPLX_NEUTRAL.npz", "C:\\x\\SMPLX_NEUTRAL.npz", "a\\..\\..\\SMPLX_NEUTRAL.npz"],
)
def test_members_with_dishonest_names_are_not_touched(tmp_path, name):
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    assert refusal(zipped(folder / "x.zip", {name: b"x"}), folder).code == "body-not-smplx"
    assert not list(tmp_path.glob("*.npz"))


def test_a_symbolic_link_in_a_zip_is_not_followed(body_sources, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("SMPLX_NEUTRAL.npz")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(body_sources.npz))
    assert refusal(tmp_path / "x.zip", tmp_path).code == "body-not-smplx"


def test_nothing_but_the_wanted_member_is_unpacked(body_sources, tmp_path, mannequin):
    bomb = zipfile.ZipInfo("models/smplx/SMPLX_MALE.npz")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(body_sources.small, "models/smplx/SMPLX_NEUTRAL.npz")
        archive.writestr(bomb, bytes(5_000_000))
    assert_installed(tmp_path / "x.zip", tmp_path, mannequin)


def test_a_member_that_claims_or_is_too_much_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("SMPLX_NEUTRAL.npz", bytes(1 << 20))
    honest = (tmp_path / "bomb.zip").read_bytes()
    for claimed in (3 << 30, 1000):  # more than allowed; less than there is
        forged = honest.replace(struct.pack("<I", 1 << 20), struct.pack("<I", claimed))
        assert refusal(written(tmp_path / "forged.zip", forged), tmp_path).code == "body-unreadable"


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments, state) if state is not None else (function, arguments)

    def __reduce__(self):
        return self.call


def hostile_pickles(sentinel: str) -> dict[str, bytes]:
    """Programs that would write the sentinel if their instructions were obeyed."""
    write = f"__import__('pathlib').Path({sentinel!r}).touch()"
    objects = np.empty(1, dtype=object)
    objects[0] = Calls(eval, write)
    built = np.zeros(3)
    state = b"cbuiltins\neval\n(" + b"V" + write.encode() + b"\ntR"
    text = write.encode()
    return {
        "system": pickle.dumps({"v_template": Calls(os.system, f"touch {sentinel}")}),
        "eval": pickle.dumps({"v_template": Calls(eval, write)}),
        "exec with protocol 0": pickle.dumps({"v_template": Calls(exec, write)}, 0),
        "in a key": b"\x80\x02}(cbuiltins\neval\n(V" + text + b"\ntRK\x01u.",
        "object array": pickle.dumps({"v_template": objects}),
        "state of an array": pickle.dumps({"v_template": built}, 2).replace(b"K\x01K\x03\x85", state + b"\x85", 1),
        "getattr": pickle.dumps(Calls(getattr, Calls(__import__, "os"), "system")),
        "stack global": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c" + bytes([len(text)]) + text + b"\x85R.",
        "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x12ndarray.__reduce__\x93.",
        "numpy's own eval": b"\x80\x02cnumpy.testing\nrundocs\n(V" + text + b"\ntR.",
        "inst": b"(V" + text + b"\nibuiltins\neval\n.",
        "obj": b"(cbuiltins\neval\nV" + text + b"\no.",
        "newobj": b"\x80\x02cos\nsystem\nX\x05\x00\x00\x00touch\x85\x81.",
        "extension": b"\x80\x02\x82\x01.",
        "persistent id": b"Pos.system\n.",
        "chumpy that is none": b"\x80\x02cchumpy.ch.os\nsystem;\n.",
        "a whole body with a call behind it": b"\x80\x02}(U\x01aK\x01ucos\nsystem\n(Vtrue\ntR.",
    }


@pytest.mark.parametrize("kind", list(hostile_pickles("x")))
def test_hostile_pickles_are_refused_and_nothing_runs(tmp_path, kind):
    sentinel = tmp_path / "it-ran"
    error = refusal(written(tmp_path / "b.pkl", hostile_pickles(str(sentinel))[kind]), tmp_path)
    assert error.code == "body-unsafe" and "Nothing in it was executed" in error.message
    assert not sentinel.exists()


def test_the_hostile_pickles_are_really_hostile(tmp_path):
    sentinel = tmp_path / "it-ran"
    for kind in ("system", "eval", "object array", "stack global", "inst", "obj"):
        pickle.loads(hostile_pickles(str(sentinel))[kind])
        assert sentinel.exists(), kind
        sentinel.unlink()


BOMBS = {
    "eight-byte length": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60),
    "byte array": b"\x80\x05\x96" + struct.pack("<Q", 1 << 60),
    "frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 60),
    "memo index": b"\x80\x02]r\xff\xff\xff\x7f.",
    "long": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "nested marks": b"\x80\x02" + b"(" * 40_000 + b".",
    "nested tuples": b"\x80\x02)" + b"\x85" * 40_000 + b".",
    "doubling key": b"\x80\x02})" + b"2\x86" * 60 + b"K\x01s.",
}


@pytest.mark.parametrize("kind", list(BOMBS))
def test_pickle_bombs_neither_hang_nor_allocate(tmp_path, kind):
    tracemalloc.start()
    try:
        assert refusal(written(tmp_path / "b.pkl", BOMBS[kind]), tmp_path).code in ("body-unreadable", "body-not-smplx")
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


def test_a_pickle_of_endless_instructions_is_not_followed_for_ever(tmp_path):
    path = written(tmp_path / "b.pkl", b"\x80\x02(" + b"N0" * (MAX_INSTRUCTIONS // 2) + b".")
    assert f"more than {MAX_INSTRUCTIONS} instructions" in refusal(path, tmp_path).message


def test_arrays_that_claim_too_much_are_refused_before_they_are_made(small_arrays, old_pickle, tmp_path):
    entries = old_pickle.body({"v_template": np.zeros((3, 3)), "J_regressor": np.eye(5, 7)})
    side = struct.pack("<i", 3)
    grown = entries.replace(b"J" + side + b"J" + side, b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f", 1)
    matrix = entries.replace(b"(M\x05\x00M\x07\x00t", b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft", 1)
    assert entries not in (grown, matrix)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 57,)})
    tracemalloc.start()
    try:
        for content in (grown, matrix):
            assert refusal(written(tmp_path / "b.pkl", content), tmp_path).code == "body-unreadable"
        claims = zipped(tmp_path / "b.npz", {"v_template.npy": header.getvalue(), "f.npy": b""})
        assert refusal(claims, tmp_path).code == "body-unreadable"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("name", "value"), [("f", VERTEX_COUNT), ("v_template", np.nan), ("weights", np.inf)])
def test_numbers_that_would_harm_blender_are_refused(small_arrays, name, value):
    damaged = small_arrays[name].copy()
    damaged[0, 0] = value
    with pytest.raises(UserError, match=rf"{name} has impossible values"):
        BodyModel.from_arrays(small_arrays | {name: damaged}, "x")


def test_a_failure_leaves_the_installed_body(body_sources, tmp_path):
    target = tmp_path / "body.npz"
    target.write_bytes(b"the one before")
    with pytest.raises(UserError):
        install_body(written(tmp_path / "x.zip", b"PK\x03\x04"), target)
    assert target.read_bytes() == b"the one before"


def header(body: str, setting: str, fingerprint: str = "") -> TakeHeader:
    settings = CaptureSettings(source="a", take="b", body=setting)
    return TakeHeader(PROTOCOL_VERSION, "test", (4, 3), 25.0, None, "m", body, settings, fingerprint)


def test_an_empty_setting_means_the_installed_body_or_else_the_mannequin(tmp_path):
    installed = tmp_path / "SMPLX_NEUTRAL.npz"
    assert choose_body("", installed) == MANNEQUIN
    installed.touch()
    assert choose_body("", installed) == str(installed)
    assert choose_body(MANNEQUIN, installed) == MANNEQUIN and choose_body("mine.npz", installed) == "mine.npz"
    assert body_file(MANNEQUIN) == body_file("") == default_body_path() and body_file("mine.npz") == Path("mine.npz")
    assert choose_body_of_take(header(MANNEQUIN, ""), installed) == MANNEQUIN
    assert choose_body_of_take(header("SMPLX_NEUTRAL.npz", ""), installed) == str(installed)
    assert choose_body_of_take(header("gone.npz", str(tmp_path / "gone.npz")), installed) == str(installed)


def test_a_body_on_another_computer_is_not_looked_for(tmp_path, monkeypatch):
    """Asked for by a take from elsewhere. A file with that very name shows whether it was."""
    monkeypatch.chdir(tmp_path)
    asked = "\\\\host\\share\\body.npz"
    shutil.copy(default_body_path(), asked)
    installed = tmp_path / "none.npz"
    assert choose_body_of_take(header("body.npz", asked), installed) == MANNEQUIN
    assert choose_body_of_take(header("body.npz", asked), installed, is_foreign=False) == asked


def test_another_body_than_the_takes_is_told(mannequin):
    own = mannequin.fingerprint
    assert re.fullmatch(r"[0-9a-f]{8}", own)
    assert warning_about_body(header(MANNEQUIN, "", own), MANNEQUIN, mannequin) == ""
    assert warning_about_body(header(MANNEQUIN, ""), "", mannequin) == ""
    assert warning_about_body(header("renamed.npz", "", own), "mine.npz", mannequin) == ""
    told = warning_about_body(header("SMPLX_NEUTRAL.npz", "", "12345678"), MANNEQUIN, mannequin)
    assert "SMPLX_NEUTRAL.npz" in told and "mannequin" in told
    assert warning_about_body(header("SMPLX_NEUTRAL.npz", ""), MANNEQUIN, mannequin)
