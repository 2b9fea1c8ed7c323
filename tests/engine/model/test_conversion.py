# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion to our own files: the same weights, whole or not at all, whatever the source is or tries."""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import pickle
import resource
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from engine.contract.errors import UserError
from engine.model.checkpoint import load_checkpoint, save_checkpoint
from engine.model.config import RELEASED, Human3RConfig, embedded, released, variant_of
from engine.model.conversion import convert_checkpoint, manifest_path, read_manifest
from engine.model.human3r import Human3R
from engine.model.precision import bears_half
from engine.model.recipe_weights import Recipe, canonical_key
from engine.model.released_checkpoint import infer_config
from tests.engine.golden import recipe_model
from tests.engine.model.test_checkpoint import TINY, TINY_TEXT, Hostile, on_meta, shapes

ARGUMENTS = argparse.Namespace(model=TINY_TEXT)


@pytest.fixture(scope="module")
def tiny() -> Human3R:
    return recipe_model(TINY, Recipe(), for_inference=False)


@pytest.fixture
def source(tiny: Human3R, tmp_path: Path) -> Path:
    path = tmp_path / "human3r_tiny.pth"
    torch.save({"model": tiny.state_dict(), "args": ARGUMENTS}, path)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "weights" / "tiny.safetensors"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("half", [False, True])
def test_a_converted_file_holds_what_inference_needs_and_nothing_else(
    tiny: Human3R, source: Path, target: Path, half: bool
) -> None:
    manifest = convert_checkpoint(source, target, half=half)
    original = tiny.state_dict()
    with safe_open(target, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    assert set(tensors) == set(shapes(on_meta(TINY, for_inference=True)))
    for key, value in tensors.items():
        assert value.dtype == (torch.float16 if half and bears_half(key, value) else torch.float32), key
        assert torch.equal(value, original[key].to(value.dtype)), key
    assert sorted(file.name for file in target.parent.iterdir()) == ["tiny.json", "tiny.safetensors"]
    assert read_manifest(target) == manifest
    assert (manifest.source_name, manifest.source_bytes) == (source.name, source.stat().st_size)
    assert (manifest.source_sha256, manifest.sha256) == (sha256(source), sha256(target))
    assert (manifest.variant, manifest.precision, manifest.tensors, manifest.bytes) == (
        "custom",
        "float16" if half else "float32",
        len(tensors),
        target.stat().st_size,
    )


def test_a_converted_file_loads_as_its_source_does(source: Path, target: Path) -> None:
    convert_checkpoint(source, target)
    converted, straight = load_checkpoint(target), load_checkpoint(source)
    assert converted.config == straight.config == TINY
    for key, value in straight.state_dict().items():
        assert torch.equal(converted.state_dict()[key], value), key


def test_half_precision_keeps_norms_tokens_and_heads() -> None:
    state = on_meta(released("896L"), for_inference=True).state_dict()
    halved = {key for key, tensor in state.items() if bears_half(key, tensor)}
    numbers = {key: tensor.numel() for key, tensor in state.items()}
    assert sum(numbers[key] for key in halved) > 0.85 * sum(numbers.values()), "else it would save little"
    for part in ("norm", "token", "pos_embed", "gamma", "bias", "downstream_head", "pose_retriever.mem"):
        assert not [key for key in halved if part in key.removeprefix("pose_retriever.masked")], part


def test_our_own_files_and_released_names_in_safetensors_convert_too(
    tiny: Human3R, tmp_path: Path, target: Path
) -> None:
    save_checkpoint(tiny, tmp_path / "all.safetensors")
    convert_checkpoint(tmp_path / "all.safetensors", target)
    assert load_checkpoint(target).config == TINY
    convert_checkpoint(target, target.with_name("again.safetensors"), half=True)
    assert load_checkpoint(target.with_name("again.safetensors")).config == TINY
    # sizes that no file name and no argument tells, as far as they are the released ones
    default_heads = replace(
        TINY,
        encoder_width=64,
        encoder_heads=16,
        decoder_width=192,
        decoder_heads=12,
        state_heads=16,
        memory_heads=12,
        image_size=512,
    )
    model = recipe_model(default_heads, Recipe(), for_inference=False)
    unmarked = {key: value for key, value in model.state_dict().items() if canonical_key(key) == key}
    save_file(
        unmarked | {key: value.clone() for key, value in model.state_dict().items() if key not in unmarked},
        tmp_path / "other_56S.safetensors",
    )
    with pytest.raises(UserError, match="does not say at which resolution"):
        convert_checkpoint(tmp_path / "other_56S.safetensors", target)
    (tmp_path / "other_56S.safetensors").rename(tmp_path / "other_056S.safetensors")
    convert_checkpoint(tmp_path / "other_056S.safetensors", target)
    assert load_checkpoint(target).config == default_heads


@pytest.mark.parametrize("variant", RELEASED)
def test_every_variant_is_recognised(variant: str) -> None:
    tensors = on_meta(released(variant)).state_dict()
    assert variant_of(infer_config(tensors, "", f"human3r_{variant}.pth")) == variant
    assert variant_of(infer_config(tensors, f"Model(mhmr_img_res={variant[:3]})", "model.pth")) == variant
    if variant.endswith("L"):  # their tensors are the same; only the resolution differs
        with pytest.raises(UserError) as error:
            infer_config(tensors, "", "model.pth")
        assert error.value.code == "checkpoint-unknown-size" and "672L or 896L" in error.value.message
    else:
        assert variant_of(infer_config(tensors, "", "model.pth")) == variant


def test_other_sizes_are_no_variant() -> None:
    assert variant_of(TINY) is None and variant_of(embedded()) is None and variant_of(Human3RConfig()) == "896L"


class Nested:
    """Hides a call in the state that an allowed class receives."""

    def __init__(self, harm: object) -> None:
        self.harm = harm

    def __reduce__(self):
        return argparse.Namespace, (), {"model": [{"deep": (self.harm,)}]}


class Getter:
    """Reaches for a function through builtins."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self):
        return eval, (f"__import__('os').system('touch {self.witness}')",)


@pytest.mark.parametrize("kind", ["value", "nested", "eval", "key", "old format"])
def test_a_hostile_file_runs_nothing_and_leaves_nothing(tiny: Human3R, tmp_path: Path, target: Path, kind: str) -> None:
    path, witness = tmp_path / "hostile_896L.pth", tmp_path / "witness"
    harm = Hostile(witness)
    content: dict[object, object] = {"model": tiny.state_dict(), "args": ARGUMENTS}
    if kind == "nested":
        content["args"] = Nested(harm)
    elif kind == "eval":
        content["args"] = Getter(witness)
    elif kind == "key":
        content[_HashableHostile(witness)] = 1
    else:
        content["model"] = OrderedDict(tiny.state_dict(), extra=harm)
    torch.save(content, path, _use_new_zipfile_serialization=kind != "old format")
    with pytest.raises(UserError) as error:
        convert_checkpoint(path, target)
    assert error.value.code == "checkpoint-unsafe"
    assert not witness.exists() and not target.parent.exists()


class _HashableHostile(Hostile):
    __hash__ = object.__hash__


def rewritten(source: Path, change: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """A copy of a zip with some members replaced or added."""
    path = source.with_name("rewritten_896L.pth")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", compression) as new:
        top = old.namelist()[0].split("/")[0]
        for name in old.namelist():
            if name.removeprefix(f"{top}/") not in change:
                new.writestr(name, old.read(name))
        for name, data in change.items():
            new.writestr(f"{top}/{name}", data)
    return path


@pytest.mark.filterwarnings("ignore:'torch.load' received a zip file that looks like")
@pytest.mark.parametrize("trick", ["torchscript", "traversal", "compressed", "cut storage", "plain zip"])
def test_zip_tricks_end_in_an_explanation_or_in_the_right_weights(
    tiny: Human3R, source: Path, target: Path, trick: str
) -> None:
    if trick == "torchscript":
        path = rewritten(source, {"constants.pkl": pickle.dumps(()), "code/__torch__.py": b"import os"})
    elif trick == "traversal":
        path = rewritten(source, {"../../escaped": b"outside"})
    elif trick == "compressed":
        path = rewritten(source, {}, zipfile.ZIP_DEFLATED)
    elif trick == "cut storage":
        path = rewritten(source, {"data/0": b"\0\0"})
    else:
        path = source.with_name("plain_896L.pth")
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("readme.txt", "nothing")
    before = sorted(source.parent.parent.iterdir())
    try:
        convert_checkpoint(path, target)
    except UserError as error:
        assert error.code in ("checkpoint-unreadable", "checkpoint-unsafe", "checkpoint-mismatch"), error
        assert not target.exists()
    else:
        original = tiny.state_dict()
        assert all(torch.equal(value, original[key]) for key, value in load_checkpoint(target).state_dict().items())
    assert sorted(source.parent.parent.iterdir()) == before


def test_views_that_repeat_a_number_for_ever_are_refused(tiny: Human3R, tmp_path: Path, target: Path) -> None:
    state = {key: value.new_zeros(1).expand(value.shape) for key, value in tiny.state_dict().items()}
    path = tmp_path / "human3r_tiny.pth"
    torch.save({"model": state, "args": ARGUMENTS}, path)
    with pytest.raises(UserError) as error:
        convert_checkpoint(path, target)
    assert error.value.code == "checkpoint-unsafe"
    assert not target.parent.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a zip", b"\x80\x02}q\x00.", pickle.dumps({"model": 3})])
def test_what_is_no_checkpoint_is_explained(tmp_path: Path, target: Path, content: bytes) -> None:
    path = tmp_path / "human3r_896L.pth"
    path.write_bytes(content)
    with pytest.raises(UserError):
        convert_checkpoint(path, target)
    assert not target.parent.exists()


def test_a_cut_at_any_place_is_explained(source: Path, target: Path) -> None:
    whole = source.read_bytes()
    for length in torch.randint(0, len(whole), (12,), generator=torch.Generator().manual_seed(4)).tolist():
        source.write_bytes(whole[:length])
        with pytest.raises(UserError):
            convert_checkpoint(source, target)
    assert not target.parent.exists()


def test_progress_ends_at_the_total_and_may_cancel(source: Path, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    convert_checkpoint(source, target, progress=lambda done, total: seen.append((done, total)))
    manifest = read_manifest(target)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {seen[-1][0]} == {source.stat().st_size + target.stat().st_size}

    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        if done > total // 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        convert_checkpoint(source, target, half=True, progress=cancel)
    assert len(list(target.parent.iterdir())) == 2 and read_manifest(target) == manifest, "the earlier one stays"


def test_a_disk_that_fills_up_leaves_the_earlier_conversion(source: Path, target: Path) -> None:
    convert_checkpoint(source, target)
    manifest, before = read_manifest(target), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (target.stat().st_size // 2, before[1]))
    try:
        with pytest.raises(UserError) as error:
            convert_checkpoint(source, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.code == "disk-full"
    assert len(list(target.parent.iterdir())) == 2 and read_manifest(target) == manifest


def test_a_conversion_without_its_manifest_or_of_another_size_does_not_count(source: Path, target: Path) -> None:
    convert_checkpoint(source, target)
    os.truncate(target, target.stat().st_size - 1)
    assert read_manifest(target) is None
    convert_checkpoint(source, target)
    assert read_manifest(target) is not None
    for text in ("", "[]", '{"variant": "896L"}'):
        manifest_path(target).write_text(text)
        assert read_manifest(target) is None
    manifest_path(target).unlink()
    assert read_manifest(target) is None


def test_only_a_safetensors_name_is_written(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        convert_checkpoint(source, tmp_path / "weights.pth")
    assert error.value.code == "checkpoint-unwritable"


def test_the_source_may_be_a_link_with_the_released_name(source: Path, target: Path) -> None:
    blob = source.with_name("1c5d89077d")  # as the hub's cache keeps it
    source.rename(blob)
    source.symlink_to(blob)
    assert convert_checkpoint(source, target).source_name == source.name
    assert io.BytesIO(target.read_bytes()).read(8)


def test_what_nothing_uses_may_be_missing_which_the_manifest_says(tiny: Human3R, tmp_path: Path, target: Path) -> None:
    state = {key: value for key, value in tiny.state_dict().items() if not key.startswith("downstream_head.dpt_rgb.")}
    source = tmp_path / "checkpoint.pth"
    torch.save({"model": state, "args": argparse.Namespace(model=TINY_TEXT)}, source)
    manifest = convert_checkpoint(source, target)
    assert "missing" in manifest.note and "dpt_rgb" in manifest.note
    assert read_manifest(target) == manifest
    assert load_checkpoint(target).config == TINY
