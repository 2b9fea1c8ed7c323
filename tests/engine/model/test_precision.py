# SPDX-License-Identifier: GPL-3.0-or-later
"""What half precision costs on a clip that training never saw, and that nothing asks a device for float64."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.contract.settings import BUILT_IN
from engine.model.config import small
from engine.model.human3r import Human3R
from engine.model.precision import DTYPES, bears_half, let_products_be_short, product_type
from engine.model.prediction import StepOptions, drop_nonfinite
from engine.model.recipe_weights import Recipe, fill_with_recipe
from engine.model.weights import load_named_model
from engine.models import resolved_precision
from engine.stages.intrinsics import IntrinsicsEstimator
from engine.synthetic.clips import make_clip
from engine.synthetic.settings import HELD_OUT_SEED, tier_settings
from tools.precision_figures import BOUNDS, deviations

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """(T, 3, H, W) in [-1, 1]."""
    clip = make_clip(HELD_OUT_SEED, replace(tier_settings("studio"), frames=3))
    return clip.rgb.permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_stays_within_what_the_documents_state(
    pictures: torch.Tensor, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.model.precision._processor_computes", lambda dtype: True)
    figures = deviations("small", precision, pictures, CPU)
    assert figures.people > 0 and figures.same_people
    for name, bound in BOUNDS[precision].items():
        assert 0 < getattr(figures, name) <= bound, (name, getattr(figures, name), bound)


def test_float32_deviates_from_itself_by_nothing(pictures: torch.Tensor) -> None:
    figures = deviations("small", "float32", pictures[:2], CPU)
    assert (figures.joints_mm, figures.depth_percent, figures.camera_mm) == (0, 0, 0)


@pytest.mark.parametrize("precision", DTYPES)
def test_what_bears_it_is_held_in_half_and_nothing_else(precision: str) -> None:
    for key, tensor in load_named_model("recipe:small", CPU, precision).model.state_dict().items():
        expected = DTYPES[precision] if bears_half(key, tensor) else torch.float32
        assert tensor.dtype == expected, key


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_state_gate_and_all_that_becomes_a_number_in_the_scene_are_float32(
    pictures: torch.Tensor, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.model.precision._processor_computes", lambda dtype: True)
    model = load_named_model("small", CPU, next(name for name, kind in DTYPES.items() if kind == dtype)).model
    with torch.inference_mode(), torch.autocast("cpu", dtype=dtype):
        prediction, state = model.step(pictures[:1], model.initial_state(), StepOptions())
        prediction, state = model.step(pictures[1:2], state, StepOptions())
    people = vars(prediction.people)
    for name, value in {**vars(prediction), **people, **vars(state)}.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            assert value.dtype == torch.float32, name


def test_activations_beyond_the_range_of_float16_come_out_finite() -> None:
    """The largest residual values of such networks are in the thousands; sums that float16 could not hold must not be
    taken in it."""
    model = Human3R(small(), for_inference=True)
    fill_with_recipe(model, Recipe())
    with torch.no_grad():
        model.enc_blocks[0].mlp.fc2.bias += 60_000
        model.enc_blocks[1].mlp.fc2.bias += 60_000
        model.backbone.encoder.blocks[0].ls2.gamma *= 40_000
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.float16):
        prediction, state = model.step(torch.zeros(1, 3, 96, 128), model.initial_state(), StepOptions())
    for value in (prediction.points_self, prediction.camera_pose, prediction.scores, state.tokens, state.memory):
        assert value.isfinite().all()


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_weights_are_widened_where_products_in_half_are_slow(
    pictures: torch.Tensor, monkeypatch, precision: str
) -> None:
    """Then the network computes what it does in float32 with rounded weights, to the bit, and keeps them rounded."""
    monkeypatch.setattr("engine.model.precision._processor_computes", lambda dtype: False)
    assert product_type(precision, CPU) is None
    model, rounded = load_named_model("small", CPU, precision).model, load_named_model("small", CPU).model
    for (key, held), value in zip(model.state_dict().items(), rounded.state_dict().values(), strict=True):
        value.copy_(value.to(held.dtype))
        assert held.dtype == (DTYPES[precision] if bears_half(key, held) else value.dtype), key
    with torch.inference_mode():
        ours, _ = model.step(pictures[:1], model.initial_state(), StepOptions())
        theirs, _ = rounded.step(pictures[:1], rounded.initial_state(), StepOptions())
    assert torch.equal(ours.points_self, theirs.points_self) and torch.equal(ours.scores, theirs.scores)


@pytest.mark.parametrize(
    "device, capability, expected",
    [("cpu", None, "float32"), ("mps", None, "float32"), ("cuda", (8, 0), "bfloat16"), ("cuda", (7, 5), "float16")],
)
def test_automatic_is_half_precision_where_it_is_faster(
    monkeypatch: pytest.MonkeyPatch, device: str, capability: tuple[int, int] | None, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert resolved_precision("auto", "896L", torch.device(device)) == expected
    assert resolved_precision("auto", BUILT_IN, torch.device(device)) == "float32"
    for chosen in DTYPES:
        assert resolved_precision(chosen, "896L", torch.device(device)) == chosen


@pytest.mark.parametrize("precision", DTYPES)
def test_products_on_cuda_are_short_unless_exact_ones_are_asked_for(precision: str) -> None:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        let_products_be_short(precision, torch.device("cuda"))
        assert torch.backends.cuda.matmul.allow_tf32 is torch.backends.cudnn.allow_tf32 is (precision != "exact")
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


class NoFloat64(TorchDispatchMode):
    """Fails where an operation makes a tensor that Metal cannot hold."""

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):  # type: ignore[no-untyped-def]
        result = function(*arguments, **(keywords or {}))
        for value in tree_leaves(result):
            assert not (isinstance(value, torch.Tensor) and value.dtype == torch.float64), f"{function} makes float64"
        return result


@pytest.mark.parametrize("name", ["recipe:small", "small"])
def test_no_device_is_asked_for_float64(name: str) -> None:
    model = load_named_model(name, CPU).model
    estimator = IntrinsicsEstimator()
    with torch.inference_mode(), NoFloat64():
        state = model.initial_state()
        for _ in range(2):  # the first picture has no memory to read
            prediction, state = model.step(torch.zeros(1, 3, 96, 128), state, StepOptions(detection_threshold=1e-6))
            prediction = drop_nonfinite(prediction)
            estimator.update(prediction.points_self[0])
    assert len(prediction.people) > 0, "the people's path is walked as well"


def test_the_check_for_float64_can_fail() -> None:
    with pytest.raises(AssertionError, match="makes float64"), NoFloat64():
        torch.ones(2).double()
