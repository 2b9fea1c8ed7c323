# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and shapes of the released architecture, strict loading, and files that mean harm."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import pickle
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.contract.errors import UserError
from engine.model.checkpoint import FORMAT, build_strictly, load_checkpoint, save_checkpoint
from engine.model.config import RELEASED, Human3RConfig, released, small
from engine.model.human3r import Human3R
from engine.model.parameter_groups import PARAMETER_GROUPS, meaning
from engine.model.recipe_weights import Recipe, canonical_key, fill_tensor
from engine.model.released_checkpoint import infer_config, literal_arguments, read_pickle
from tests.engine.golden import config_from_golden_meta, golden_folder, golden_runs, read_meta, recipe_model

TINY = Human3RConfig(
    image_size=64, encoder_width=32, encoder_depth=2, encoder_heads=4, decoder_width=24, decoder_depth=4,
    decoder_heads=3, state_heads=6, state_tokens=12, memory_slots=5, memory_heads=3, prior_width=64, prior_depth=2,
    prior_heads=1, prior_resolution=56, prior_grid=5, dense_width=16, dense_level_widths=(8, 12, 16, 20),
    ray_map_depth=1,
)  # fmt: skip
TINY_TEXT = (
    "ARCroco3DStereo(ARCroco3DStereoConfig(enc_num_heads=4, dec_num_heads=3, state_dec_num_heads=6, "
    "img_size=(64, 64), mhmr_img_res=56, depth_mode=('exp', -inf, inf), head_type='dpt'))"
)


@pytest.fixture(scope="module")
def tiny() -> Human3R:
    return recipe_model(TINY, Recipe(), for_inference=False)


@pytest.fixture
def released_file(tiny: Human3R, tmp_path: Path) -> Path:
    """A file in the released format: pickled, with training arguments, keys with the prefix of data parallelism."""
    path = tmp_path / "checkpoint.pth"
    state = {f"module.{key}": value for key, value in tiny.state_dict().items()}
    torch.save({"model": state, "args": argparse.Namespace(model=TINY_TEXT, lr=1e-4), "epoch": 3}, path)
    return path


def shapes(model: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


def on_meta(config: Human3RConfig, for_inference: bool = False) -> Human3R:
    with torch.device("meta"):
        return Human3R(config, for_inference)


def manifest(name: str) -> list[dict]:
    path = golden_folder() / name
    if not path.is_file():
        pytest.skip(f"{name} is not there")
    content = json.loads(path.read_text())
    return content["keys"] if isinstance(content, dict) else content


def test_the_released_architecture_has_exactly_the_manifests_names_and_shapes() -> None:
    entries = manifest("human3r_full_manifest.json")
    assert shapes(on_meta(released("896L"))) == {entry["key"]: tuple(entry["shape"]) for entry in entries}


def test_the_small_twin_has_exactly_the_manifests_names_and_shapes() -> None:
    metas = [read_meta(np.load(path)) for path in golden_runs()]
    tiny_meta = next((meta for meta in metas if meta["name"].startswith("tinyA")), None)
    if tiny_meta is None:
        pytest.skip("no golden run of the small twin")
    entries = manifest("human3r_tinyA_manifest.json")
    assert shapes(on_meta(config_from_golden_meta(tiny_meta))) == {
        entry["key"]: tuple(entry["shape"]) for entry in entries
    }


def test_inference_holds_exactly_what_it_uses() -> None:
    entries = manifest("human3r_full_manifest.json")
    used = {entry["key"] for entry in entries if entry["use"] != "unused" and "alias_of" not in entry}
    assert set(shapes(on_meta(released("896L"), for_inference=True))) == used


@pytest.mark.parametrize("variant", RELEASED)
def test_every_variant_is_recognised_by_its_shapes(variant: str) -> None:
    config = released(variant)
    assert infer_config(on_meta(config).state_dict(), "", f"human3r_{variant}.pth") == config


def test_every_name_has_a_meaning_and_every_meaning_a_name() -> None:
    names = list(shapes(on_meta(released("896L"))))
    assert all(meaning(name) != "unknown" for name in names)
    assert all(any(name.startswith(prefix) for name in names) for prefix in PARAMETER_GROUPS)


def test_recipe_weights_have_the_check_values() -> None:
    path = golden_folder() / "weight_check.json"
    if not path.is_file():
        pytest.skip("weight_check.json is not there")
    groups = json.loads(path.read_text())
    for group, checks in groups.items():
        numbers = dict(part.split("=") for part in group.split() if "=" in part)
        recipe = Recipe(float(numbers["theta"]), float(numbers["cls_gain"]), float(numbers["dec_gain"]))
        for key, check in checks.items():
            values = np.empty(check["shape"], np.float32)
            fill_tensor(key, values, recipe)
            assert values.ravel()[:3].tolist() == pytest.approx(check["first3"], rel=1e-6), key
            assert float(values.sum(dtype=np.float64)) == pytest.approx(check["sum64"], rel=1e-6, abs=1e-5), key


@pytest.mark.parametrize("for_inference", [True, False])
def test_a_released_file_loads_to_the_same_weights(tiny: Human3R, released_file: Path, for_inference: bool) -> None:
    model = load_checkpoint(released_file, for_inference=for_inference)
    assert model.config == TINY and not model.training
    original = tiny.state_dict()
    loaded = model.state_dict()
    assert (set(loaded) == set(original)) is not for_inference
    for key, value in loaded.items():
        assert torch.equal(value, original[key]), key


def test_an_old_tar_less_pickle_loads_too(tiny: Human3R, tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({"model": tiny.state_dict(), "args": {"model": TINY_TEXT}}, path, _use_new_zipfile_serialization=False)
    assert load_checkpoint(path).config == TINY


def test_training_arguments_may_be_an_omegaconf_object_without_omegaconf() -> None:
    """The file beside this test: torch.save({"model": ..., "args": OmegaConf.create(...)}) with omegaconf 2.4."""
    assert importlib.util.find_spec("omegaconf") is None, "the point is to read it without"
    tensors, expression = read_pickle(Path(__file__).with_name("omegaconf_arguments.pth"))
    assert list(tensors) == ["enc_norm.bias"]
    assert literal_arguments(expression) == {"enc_num_heads": 4, "dec_num_heads": 3, "mhmr_img_res": 56}


def test_one_report_names_everything_that_does_not_fit(tiny: Human3R, tmp_path: Path) -> None:
    state = dict(tiny.state_dict())
    del state["enc_norm.bias"], state["pose_retriever.mem"]
    state["downstream_head.dpt_rgb.surprise"] = torch.zeros(1)
    state["dec_norm.weight"] = torch.zeros(7)
    path = tmp_path / "broken.pth"
    torch.save({"model": state, "args": argparse.Namespace(model=TINY_TEXT)}, path)
    with pytest.raises(UserError) as error:
        load_checkpoint(path)
    assert error.value.code == "checkpoint-mismatch"
    for part in (
        "2 missing",
        "enc_norm.bias",
        "pose_retriever.mem (pose memory",
        "1 unexpected",
        "surprise",
        "1 with the wrong shape",
        "dec_norm.weight (7,) instead of (24,)",
    ):
        assert part in error.value.message


UNUSED = [
    "downstream_head.dpt_cross.head.0.bias",
    "masked_img_token",
    "downstream_head.dpt_self.scratch.layer_rn.0.weight",
]


@pytest.mark.parametrize("key", UNUSED)
def test_what_inference_does_not_use_may_be_missing_which_is_noted(tiny: Human3R, key: str, caplog) -> None:
    state = dict(tiny.state_dict())
    del state[key]
    whole = build_strictly(TINY, dict(tiny.state_dict()), "file")
    assert not caplog.records
    loaded = build_strictly(TINY, state | {"somebody.elses": torch.zeros(2)}, "file")
    for name, value in whole.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    (record,) = caplog.records
    assert "1 missing" in record.message and key in record.message and "1 unexpected: somebody.elses" in record.message
    with pytest.raises(UserError, match="1 missing"):
        build_strictly(TINY, state, "file", for_inference=False)


def test_the_wrong_shape_of_what_is_not_used_is_no_error(tiny: Human3R, caplog) -> None:
    build_strictly(TINY, dict(tiny.state_dict()) | {"masked_img_token": torch.zeros(5)}, "file")
    assert "1 with the wrong shape" in caplog.text


def test_a_model_without_a_checkpoints_tensors_is_reported_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "human3r_896L.pth"
    torch.save({"model": {"backbone.layer.weight": torch.zeros(3)}}, path)
    with pytest.raises(UserError, match=r"missing: pose_token \(pose token of the first frame\).* more\. 1 unexpected"):
        load_checkpoint(path)


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self):
        return os.system, (f"touch {self.witness}",)


@pytest.mark.parametrize("where", ["args", "model", "plain pickle"])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_hostile_pickle_is_refused_and_does_nothing(tiny: Human3R, tmp_path: Path, where: str) -> None:
    path, witness = tmp_path / "hostile_896L.pth", tmp_path / "witness"
    if where == "plain pickle":
        path.write_bytes(pickle.dumps(Hostile(witness)))
    else:
        torch.save({"model": tiny.state_dict(), "args": None} | {where: Hostile(witness)}, path)
    with pytest.raises(UserError) as error:
        load_checkpoint(path)
    assert error.value.code == "checkpoint-unsafe"
    assert not witness.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", b"PK\x03\x04 half a zip file"])
@pytest.mark.parametrize("name", ["damaged_896L.pth", "damaged.safetensors"])
def test_a_damaged_file_is_reported(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        load_checkpoint(path)
    assert error.value.code in ("checkpoint-unreadable", "checkpoint-unsafe")
    assert error.value.remedy


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        load_checkpoint(tmp_path / "nothing.pth")
    assert error.value.code == "checkpoint-missing"


def test_a_truncated_released_file_is_reported(released_file: Path) -> None:
    released_file.write_bytes(released_file.read_bytes()[:-5000])
    with pytest.raises(UserError) as error:
        load_checkpoint(released_file)
    assert error.value.code == "checkpoint-unreadable"


def test_a_file_that_does_not_tell_its_resolution_needs_its_released_name(tiny: Human3R, tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    torch.save({"model": tiny.state_dict()}, path)
    with pytest.raises(UserError) as error:
        load_checkpoint(path)
    assert error.value.code == "checkpoint-unknown-size"


def test_constructor_expressions_are_parsed_and_never_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    text = f"Model(a=3, b=(1, 'x'), c=__import__('os').system('touch {witness}'), d=-inf, e=Inner(f=[2]))"
    assert literal_arguments(text) == {"a": 3, "b": (1, "x"), "f": [2]}
    assert not witness.exists()
    assert literal_arguments("not python (") == {}
    assert literal_arguments("(" * 50_000) == {}


@pytest.mark.parametrize(
    "text",
    [
        "M(dec_num_heads='twelve', mhmr_img_res=56)",
        "M(dec_num_heads=5, mhmr_img_res=56)",
        "M(mhmr_img_res=57)",
        "M(enc_num_heads=0, mhmr_img_res=56)",
    ],
)
def test_impossible_sizes_in_a_file_are_reported(tiny: Human3R, text: str) -> None:
    with pytest.raises(UserError) as error:
        infer_config(tiny.state_dict(), text, "file.pth")
    assert error.value.code == "bad-model-config"


@pytest.mark.parametrize("for_inference", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_our_own_format_round_trips(tmp_path: Path, for_inference: bool, dtype: torch.dtype) -> None:
    path = tmp_path / "model.safetensors"
    model = recipe_model(TINY, Recipe(), for_inference)
    save_checkpoint(model, path, dtype)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
    loaded = load_checkpoint(path, for_inference=for_inference)
    assert loaded.config == TINY
    assert shapes(loaded) == shapes(model)
    original = model.state_dict()
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, original[key].to(dtype).float()), key


def test_a_training_file_serves_inference_but_not_the_other_way_round(tiny: Human3R, tmp_path: Path) -> None:
    save_checkpoint(tiny, tmp_path / "all.safetensors")
    assert load_checkpoint(tmp_path / "all.safetensors").for_inference
    save_checkpoint(recipe_model(TINY, Recipe(), for_inference=True), tmp_path / "part.safetensors")
    with pytest.raises(UserError) as error:
        load_checkpoint(tmp_path / "part.safetensors", for_inference=False)
    assert error.value.code == "checkpoint-inference-only"


def test_our_own_format_is_strict_too(tiny: Human3R, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tensors = {key: value for key, value in tiny.state_dict().items() if canonical_key(key) == key}
    del tensors["dec_norm.bias"]
    save_file(tensors, path, {"format": FORMAT, "config": TINY.to_json(), "contents": "all"})
    with pytest.raises(UserError, match=r"1 missing: dec_norm\.bias"):
        load_checkpoint(path)
    save_file(tensors, path)
    with pytest.raises(UserError, match="not a Human3R checkpoint that this version can read"):
        load_checkpoint(path)


def test_saving_where_nothing_can_be_written_is_reported_and_leaves_nothing(tiny: Human3R, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as error:
        save_checkpoint(tiny, tmp_path / "file" / "model.safetensors")
    assert error.value.code == "checkpoint-unwritable"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, before[1]))
    try:
        with pytest.raises(UserError) as error:
            save_checkpoint(tiny, tmp_path / "model.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.code == "disk-full"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_configurations_are_checked_and_round_trip() -> None:
    for config in (small(), released("672S"), TINY):
        assert Human3RConfig.from_json(config.to_json()) == config
    for wrong in (
        {"state_heads": 7},
        {"prior_resolution": 100},
        {"decoder_depth": 3},
        {"encoder_depth": 10**6},
        {"dense_level_widths": (1, 2, 3)},
        {"encoder_width": 2.5},
        {"encoder_heads": True},
    ):
        with pytest.raises(UserError):
            replace(small(), **wrong)
    for text in ("", "{}", "[1]", '{"unknown": 1}', "null"):
        with pytest.raises(UserError):
            Human3RConfig.from_json(text)
    with pytest.raises(UserError):
        released("1024XL")
