# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of the model whatever its weights."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from engine.model.attention import CrossAttention, mean_logit
from engine.model.camera_head import camera_pose, metric_confidence, metric_vector
from engine.model.config import Human3RConfig, small
from engine.model.dpt_head import Fusion
from engine.model.human3r import Human3R
from engine.model.human_head import detect_heads
from engine.model.prediction import FramePrediction, SceneState, StepOptions, TeacherPrompts, drop_nonfinite
from engine.model.prior_image import crop_from_square, pad_to_square, position_from_square, position_to_square
from engine.model.recipe_weights import Recipe
from engine.model.rope import rotary_table, rotate
from engine.model.state_update import gated_update, state_gate
from tests.engine.golden import recipe_model

CONFIG = Human3RConfig(
    image_size=96, encoder_width=32, encoder_depth=2, encoder_heads=4, decoder_width=48, decoder_depth=4,
    decoder_heads=3, state_heads=6, state_tokens=12, memory_slots=5, memory_heads=3, prior_width=64, prior_depth=2,
    prior_heads=1, prior_resolution=84, prior_grid=5, dense_width=16, dense_level_widths=(8, 12, 16, 20),
    ray_map_depth=1,
)  # fmt: skip
CROWDED, EMPTY = StepOptions(detection_threshold=0.3), StepOptions(detection_threshold=0.9999)


@pytest.fixture(scope="module")
def model() -> Human3R:
    return recipe_model(CONFIG, Recipe(theta=0.0), for_inference=False)


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    """Smooth random pictures in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(*shape[:-2], shape[-2] // 8, shape[-1] // 8, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=shape[-2:], mode="bilinear").clamp(-1, 1)


def test_rotary_logits_depend_on_relative_positions_only() -> None:
    generator = torch.Generator().manual_seed(1)
    query, key = torch.randn(2, 1, 2, 7, 24, generator=generator, dtype=torch.float64)
    positions = torch.randint(-1, 20, (1, 7, 2), generator=generator)

    def logits(offset: int) -> torch.Tensor:
        table = rotary_table(positions + offset, 24).double()
        return rotate(query, table) @ rotate(key, table).transpose(-1, -2)

    torch.testing.assert_close(logits(0), logits(13), rtol=0, atol=1e-5)
    assert (logits(0) - query @ key.transpose(-1, -2)).abs().max() > 0.1


def test_rotary_turns_rows_and_columns_apart_and_keeps_lengths() -> None:
    x = torch.randn(1, 1, 2, 16, generator=torch.Generator().manual_seed(2))
    turned = rotate(x, rotary_table(torch.tensor([[[0, 0], [0, -1]]]), 16))
    assert torch.equal(turned[..., 0, :], x[..., 0, :])
    assert torch.equal(turned[..., 1, :8], x[..., 1, :8]) and not torch.allclose(turned[..., 1, 8:], x[..., 1, 8:])
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))


@pytest.mark.parametrize("masked", [False, True])
def test_the_mean_logit_equals_the_mean_of_an_explicit_attention_matrix(masked: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    query, key = torch.randn(2, 3, 5, 8, generator=generator), torch.randn(2, 3, 9, 8, generator=generator)
    mask = torch.rand(2, 9, generator=generator) > 0.3 if masked else None
    matrix = query @ key.transpose(-1, -2) / math.sqrt(8)
    weight = torch.ones(2, 9) if mask is None else mask.float()
    expected = (matrix * weight[:, None, None]).sum(-1).mean(1) / weight.sum(1, keepdim=True)
    torch.testing.assert_close(mean_logit(query, key, mask), expected)


def test_asking_for_the_mean_logit_does_not_change_the_attention() -> None:
    torch.manual_seed(4)
    attention = CrossAttention(24, 3)
    x, y = torch.randn(2, 5, 24), torch.randn(2, 7, 24)
    plain, nothing = attention(x, y)
    asked, logit = attention(x, y, want_mean_logit=True)
    assert nothing is None and logit.shape == (2, 5)
    assert torch.equal(plain, asked)


def test_the_gate_blends_between_old_and_new() -> None:
    old, new = torch.zeros(1, 4, 3), torch.ones(1, 4, 3)
    gate = state_gate([torch.tensor([[-50.0, 0.0, 1.0, 50.0]]), torch.tensor([[-50.0, 0.0, -1.0, 50.0]])])
    torch.testing.assert_close(gated_update(old, new, gate)[0, :, 0], torch.tensor([0.0, 0.5, 0.5, 1.0]))


def test_a_1x1_convolution_commutes_with_interpolation() -> None:
    """Why the fusion may convolve before it enlarges."""
    torch.manual_seed(5)
    fusion = Fusion(6, with_unit1=False).double()
    level = torch.randn(1, 6, 4, 5, dtype=torch.float64)
    enlarged = torch.nn.functional.interpolate(
        fusion.resConfUnit2(level), scale_factor=2, mode="bilinear", align_corners=True
    )
    torch.testing.assert_close(fusion(level, None), fusion.out_conv(enlarged))


def test_lengths_stay_finite_and_small_ones_exact() -> None:
    torch.testing.assert_close(
        metric_vector(torch.tensor([1e-5, 0.0, 0.0])), torch.tensor([1e-5, 0, 0]), rtol=1e-4, atol=0
    )
    for value in (1e3, 1e30):
        assert metric_vector(torch.tensor([value, -value, value])).isfinite().all()
        assert metric_confidence(torch.tensor(value)).isfinite()
        assert camera_pose(torch.full((7,), value))[:3].isfinite().all()
    zero = torch.zeros(3, requires_grad=True)
    metric_vector(zero).sum().backward()
    assert zero.grad.isfinite().all()


def test_equal_neighbours_are_both_found_in_row_major_order() -> None:
    scores = torch.full((1, 5, 5), 0.1)
    scores[0, 3, 1] = scores[0, 1, 1] = scores[0, 1, 2] = 0.8
    scores[0, 3, 2] = 0.7
    assert detect_heads(scores, 0.3).tolist() == [[0, 1, 1], [0, 1, 2], [0, 3, 1]]
    assert not len(detect_heads(scores, 0.9))


@pytest.mark.parametrize("size", [(64, 96), (96, 64), (80, 80), (288, 512)])
def test_positions_return_from_the_square(size: tuple[int, int]) -> None:
    position = torch.tensor([[0.0, 0.0], [size[1] - 1, size[0] - 1], [17.25, 30.5]])
    back = position_from_square(position_to_square(position, 140, *size), 140, *size)
    torch.testing.assert_close(back, position, rtol=0, atol=1e-3)


@pytest.mark.parametrize("size", [(64, 96), (96, 64), (80, 80)])
def test_the_square_returns_the_picture(size: tuple[int, int]) -> None:
    image = pictures(1, 1, *size)
    square = pad_to_square(image, 448)
    assert square.shape == (1, 1, 448, 448) and square.min() >= -1
    back = crop_from_square(square[:, 0], *size)
    # Every pixel comes back from at most one pixel beside itself; the outermost may come from the padding.
    highest = torch.nn.functional.max_pool2d(image, 3, 1, 1)[:, 0]
    lowest = -torch.nn.functional.max_pool2d(-image, 3, 1, 1)[:, 0]
    inside = ((back <= highest + 1e-6) & (back >= lowest - 1e-6))[:, 1:-1, 1:-1]
    assert inside.all()


@pytest.mark.parametrize("size", [(64, 96), (96, 64), (96, 96), (16, 96), (48, 80)])
@pytest.mark.parametrize("options", [CROWDED, EMPTY], ids=["people", "nobody"])
def test_shapes_for_every_format(model: Human3R, size: tuple[int, int], options: StepOptions) -> None:
    prediction, state = model.step(pictures(1, 3, *size), model.initial_state(), options)
    prediction, state = model.step(pictures(1, 3, *size, seed=1), state, options)
    assert prediction.points_self.shape == (1, *size, 3)
    assert prediction.confidence.shape == prediction.mask.shape == (1, *size)
    assert prediction.mask_square.shape == (1, 84, 84) and prediction.scores.shape == (1, 6, 6)
    assert prediction.camera_pose.shape == (1, 7) and prediction.gate.shape == (1, 12)
    people = prediction.people
    count = len(people)
    assert (count > 0) is (options is CROWDED)
    assert people.rotations.shape == (count, 53, 3, 3) and people.token.shape == (count, 48)
    assert people.betas.shape == people.expression.shape == (count, 10) and people.head_point.shape == (count, 3)
    assert (people.head_px >= 0).all() and (people.head_px[:, 0] < size[1]).all()
    assert (people.head_px[:, 1] < size[0]).all()
    assert (prediction.confidence >= 1).all() and ((prediction.mask > 0) & (prediction.mask < 1)).all()
    torch.testing.assert_close(prediction.camera_pose[:, 3:].norm(dim=-1), torch.ones(1))
    identity = people.rotations @ people.rotations.transpose(-1, -2)
    torch.testing.assert_close(identity, torch.eye(3).expand_as(identity), rtol=0, atol=1e-5)
    assert not state.is_first and state.tokens.shape == (1, 12, 48) and state.memory.shape == (1, 5, 96)


def assert_same(batched: FramePrediction, singles: list[FramePrediction]) -> None:
    """A batch says the same as its pictures alone, people included."""
    for name in ("points_self", "confidence", "camera_pose", "mask", "scores", "gate"):
        alone = torch.cat([getattr(single, name) for single in singles])
        torch.testing.assert_close(getattr(batched, name), alone, rtol=1e-4, atol=1e-5)
    assert batched.people.batch_index.tolist() == [i for i, s in enumerate(singles) for _ in range(len(s.people))]
    for name in ("prior_patch", "image_patch", "token", "betas", "rotations", "head_point", "head_px", "score"):
        alone = torch.cat([getattr(single.people, name) for single in singles])
        torch.testing.assert_close(getattr(batched.people, name), alone, rtol=1e-4, atol=1e-5)


def test_a_batch_of_two_equals_two_singles(model: Human3R) -> None:
    """Also where one picture has more people than the other, over several frames."""
    videos = [pictures(3, 3, 64, 96, seed=seed) for seed in (7, 11)]
    state, states = model.initial_state(2), [model.initial_state() for _ in videos]
    uneven = False
    for frame in range(3):
        singles = []
        for index, video in enumerate(videos):
            prediction, states[index] = model.step(video[frame : frame + 1], states[index])
            singles.append(prediction)
        batched, state = model.step(torch.stack([video[frame] for video in videos]), state)
        assert_same(batched, singles)
        torch.testing.assert_close(state.tokens, torch.cat([s.tokens for s in states]), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(state.memory, torch.cat([s.memory for s in states]), rtol=1e-4, atol=1e-5)
        uneven |= len(singles[0].people) != len(singles[1].people)
    assert uneven, "the pictures were chosen to have different numbers of people"


def test_teaching_the_detected_heads_changes_nothing(model: Human3R) -> None:
    """The one step that training and streaming share: prompts at the same patches give the same people."""
    image = pictures(1, 3, 64, 96, seed=7)
    detected, _ = model.step(image, model.initial_state())
    people = detected.people
    inside = people.select(((people.prior_patch + 0.5) * 14 / 84 * 96 - torch.tensor([16, 0]) > 0).all(dim=1))
    center = ((inside.prior_patch.flip(-1) + 0.5) * 14) * (96 / 84) - torch.tensor([0, 16])
    same_patch = (center.flip(-1) / 16).floor().long() == inside.image_patch
    keep = same_patch.all(dim=1) & (center >= 0).all(dim=1) & (center[:, 1] < 64)
    assert keep.sum() >= 1
    taught, _ = model.step(
        image,
        model.initial_state(),
        teacher=TeacherPrompts(center[keep][None], torch.ones(1, int(keep.sum()), dtype=torch.bool)),
    )
    torch.testing.assert_close(taught.people.prompt, inside.prompt[keep])
    torch.testing.assert_close(taught.people.score, inside.score[keep])
    assert torch.equal(taught.people.image_patch, inside.image_patch[keep])


def test_padded_teacher_prompts_are_masked_tokens_and_give_no_people(model: Human3R) -> None:
    image = pictures(2, 3, 64, 96, seed=9)
    head_px = torch.tensor([[[40.0, 20.0], [0.0, 0.0]], [[70.0, 50.0], [5.0, 60.0]]])
    valid = torch.tensor([[True, False], [True, True]])
    prediction, _ = model.step(image, model.initial_state(2), teacher=TeacherPrompts(head_px, valid))
    assert prediction.people.batch_index.tolist() == [0, 1, 1]
    assert prediction.people.image_patch.tolist() == [[1, 2], [3, 4], [3, 0]]
    other = TeacherPrompts(head_px + torch.tensor([[[0.0], [9.0]], [[0.0], [0.0]]]), valid)
    again, _ = model.step(image, model.initial_state(2), teacher=other)
    assert torch.equal(prediction.people.betas, again.people.betas), "what stands in the padding must not matter"


def test_training_reaches_every_parameter_that_it_should() -> None:
    """Gradients from two frames with all heads; what stays without is exactly what checkpoints hold for nothing."""
    model = recipe_model(CONFIG, Recipe(theta=0.0), for_inference=False).train().requires_grad_(True)
    state, loss = model.initial_state(2), torch.zeros(())
    teacher = TeacherPrompts(torch.full((2, 2, 2), 30.0), torch.tensor([[True, False], [True, True]]))
    for seed in (1, 2):
        prediction, state = model.step(pictures(2, 3, 64, 96, seed=seed), state, StepOptions(False, 0.3, True), teacher)
        tensors = [*vars(prediction).values(), *vars(prediction.people).values()]
        loss = loss + sum(t.sum() for t in tensors if isinstance(t, torch.Tensor) and t.is_floating_point())
    loss.backward()
    without = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    unused = ("masked_img_token", "masked_ray_map_token", "mhmr_masked_img_token", "backbone.encoder.mask_token")
    assert without == {
        name
        for name, _ in model.named_parameters()
        if "ray_map" in name or name in unused or "refinenet4.resConfUnit1" in name
    }


def test_the_inference_model_says_the_same_with_less(model: Human3R) -> None:
    lean = recipe_model(CONFIG, Recipe(theta=0.0), for_inference=True)
    assert set(lean.state_dict()) < set(model.state_dict())
    image = pictures(1, 3, 64, 96)
    whole, less = model.step(image, model.initial_state())[0], lean.step(image, lean.initial_state())[0]
    assert torch.equal(whole.points_self, less.points_self)
    assert torch.equal(whole.people.rotations, less.people.rotations)


def test_without_ttt3r_the_state_is_replaced(model: Human3R) -> None:
    image = pictures(1, 3, 64, 96)
    _, state = model.step(image, model.initial_state())
    _, gated = model.step(image, state, StepOptions(ttt3r=True))
    prediction, replaced = model.step(image, state, StepOptions(ttt3r=False))
    gate = prediction.gate[..., None]
    torch.testing.assert_close(gated.tokens, gate * replaced.tokens + (1 - gate) * state.tokens)
    assert torch.equal(gated.memory, replaced.memory)


def test_what_is_not_finite_is_dropped(model: Human3R) -> None:
    prediction, _ = model.step(pictures(1, 3, 64, 96), model.initial_state())
    people = prediction.people
    assert len(people) >= 2
    betas, points = people.betas.clone(), prediction.points_self.clone()
    betas[1, 3], points[0, 5, 6, 2] = torch.nan, torch.inf
    cleaned = drop_nonfinite(replace(prediction, people=replace(people, betas=betas), points_self=points))
    assert torch.equal(cleaned.people.score, torch.cat((people.score[:1], people.score[2:])))
    assert cleaned.points_self.isfinite().all()
    assert cleaned.confidence[0, 5, 6] == 0 and (cleaned.confidence == 0).sum() == 1
    untouched = drop_nonfinite(prediction)
    assert torch.equal(untouched.points_self, prediction.points_self) and len(untouched.people) == len(people)


def test_bfloat16_autocast_stays_close(model: Human3R) -> None:
    image = pictures(1, 3, 64, 96)
    exact, _ = model.step(image, model.initial_state(), EMPTY)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough, state = model.step(image, model.initial_state(), EMPTY)
        rough, _ = model.step(image, state, CROWDED)
        rough, _ = model.step(image, model.initial_state(), EMPTY)
    assert rough.points_self.dtype == rough.camera_pose.dtype == torch.float32
    assert (rough.points_self - exact.points_self).norm() < 0.1 * exact.points_self.norm()


def test_the_small_model_is_small_and_steps() -> None:
    model = recipe_model(small(), Recipe(), for_inference=True)
    assert 3e6 < sum(parameter.numel() for parameter in model.parameters()) < 15e6
    prediction, _ = model.step(pictures(1, 3, 96, 128), model.initial_state())
    assert prediction.points_self.shape == (1, 96, 128, 3)


def test_states_are_values(model: Human3R) -> None:
    """A step never changes the state that it was given."""
    state = model.initial_state()
    copy = SceneState(state.tokens.clone(), state.memory.clone(), state.is_first)
    model.step(pictures(1, 3, 64, 96), state)
    assert torch.equal(state.tokens, copy.tokens) and torch.equal(state.memory, copy.memory)
