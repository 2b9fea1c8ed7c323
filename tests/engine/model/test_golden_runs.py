# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of the network against what the reference computed on the same weights and pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.contract.rotations import matrix_to_axis_angle
from engine.geometry.cameras import principal_point, weiszfeld_focal
from engine.model.human3r import Human3R
from engine.model.human_head import suppress_neighbours
from engine.model.prediction import StepOptions
from engine.model.recipe_weights import Recipe
from engine.model.rollout import ChunkedRollout, RolloutFrame, RolloutSettings
from engine.model.rope import grid_positions, state_positions
from engine.stages.person_tracking import PersonTracker, log_optimal_transport, token_scores
from tests.engine.golden import Comparison, config_from_golden_meta, golden_runs, read_meta, recipe_model

_SLOW_WIDTH = 512
"""Encoders from this width on take gigabytes and minutes."""


def _runs() -> list:
    found = []
    for path in golden_runs():
        with np.load(path) as data:
            wide = read_meta(data)["config"]["enc_embed_dim"] >= _SLOW_WIDTH
        found.append(pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if wide else []))
    return found or [pytest.param(None, marks=pytest.mark.skip(reason="no golden_*.npz found"))]


class Taps:
    """What passes through the model's modules, recorded by hooks: the product has no code for being looked at."""

    def __init__(self, model: Human3R) -> None:
        self.seen: dict[str, torch.Tensor] = {}
        for name, module in (
            ("enc", model.enc_norm),
            ("dino", model.backbone.encoder),
            ("dec.last", model.dec_norm),
            ("state_new", model.dec_norm_state),
        ):
            module.register_forward_hook(self._output(name))
        for layer, block in enumerate(model.dec_blocks, start=1):
            block.register_forward_hook(self._output(f"dec.{layer}"))
        model.pose_retriever.write_blocks[-1].register_forward_hook(self._output("mem_new"))
        head = model.downstream_head
        head.decpose.register_forward_hook(
            lambda module, inputs, output: self.seen.__setitem__("pose_6d", output.float() + head.init_body_pose)
        )
        model.dec_blocks[0].register_forward_pre_hook(self._input("dec.in"))
        model.dec_blocks_state[0].register_forward_pre_hook(self._input("state_in"))
        model.pose_retriever.write_blocks[0].register_forward_pre_hook(self._input("mem_in"))

    def _output(self, name: str):
        def hook(module, inputs, output):
            self.seen[name] = output[0] if isinstance(output, tuple) else output

        return hook

    def _input(self, name: str):
        def hook(module, inputs):
            self.seen[name] = inputs[0]

        return hook


def _six_numbers(rotations: np.ndarray, like: np.ndarray) -> np.ndarray:
    """(..., 3, 2) the columns that Gram-Schmidt makes these (..., 3, 3) rotations of, as long and as far apart as those
    of `like` (..., 3, 2), which is all that rotations do not tell of them.

    Where the second column is nearly along the first, its direction across is small, and rounding turns the rotation
    by much more than it moves what the network says.
    """
    x, y = rotations[..., 0], rotations[..., 1]
    first, second = like[..., 0], like[..., 1]
    length = np.linalg.norm(first, axis=-1, keepdims=True)
    along = np.sum(first * second, axis=-1, keepdims=True) / length
    across = np.linalg.norm(second - along * first / length, axis=-1, keepdims=True)
    return np.stack((length * x, along * x + across * y), axis=-1)


class View:
    """Compares one pass with its part of the golden file: whatever that holds, and in the end it must all be done."""

    def __init__(self, data: np.lib.npyio.NpzFile, index: int, comparison: Comparison, done: set[str]) -> None:
        self.data, self.prefix, self.comparison, self.done = data, f"v{index:02d}.", comparison, done

    def close(self, name: str, value: object) -> None:
        key = self.prefix + name
        if key in self.data:
            self.done.add(key)
            self.comparison.close(key, value, self.data[key])

    def rotations(self, name: str, value: torch.Tensor, raw: torch.Tensor) -> None:
        """(1, n, 53, 3, 3) rotations, through the (n, 53, 3, 2) numbers that they were made of."""
        key = self.prefix + name
        if key in self.data and value.shape == self.data[key].shape:
            self.done.add(key)
            columns = np.asarray(raw[None], np.float64)
            self.comparison.close(key, columns, _six_numbers(np.asarray(self.data[key], np.float64), columns))
            np.testing.assert_allclose(_six_numbers(value.double().numpy(), columns), columns, atol=1e-5)

    def equal(self, name: str, value: object) -> None:
        key = self.prefix + name
        if key in self.data:
            self.done.add(key)
            self.comparison.equal(key, value, self.data[key])

    def stats(self, name: str, value: torch.Tensor) -> None:
        value = value.double()
        self.close(f"{name}.ms", torch.stack((value.mean(), value.std(correction=0))))


def _compare_network(
    view: View, seen: dict[str, torch.Tensor], frame: RolloutFrame, model: Human3R, downsample: int
) -> None:
    prediction, people = frame.prediction, frame.prediction.people
    depth = len(model.dec_blocks)
    for name in ("enc", "dino"):
        view.stats(name, seen[name])
        view.close(f"{name}.tok4", seen[name][0, :4])
        view.close(f"{name}.tok_last", seen[name][0, -1:])
    count = seen["enc"].shape[1]
    stream = [seen["enc"], *(seen[f"dec.{layer}"] for layer in range(1, depth)), seen["dec.last"]]
    view.close("dec.ms", [[float(s.double().mean()), float(s.double().std(correction=0))] for s in stream])
    view.close("dec.mid_tok3", torch.stack([seen[f"dec.{layer}"][0, :3] for layer in (depth // 2, depth * 3 // 4)]))
    view.close("dec.last.pose_img4", seen["dec.last"][0, :5])
    view.close("pose_token_in", seen["dec.in"][:, :1])
    for name, first in (("state_in", 4), ("state_new", 4), ("mem_in", 2), ("mem_new", 2)):
        view.stats(name, seen[name])
        view.close(f"{name}.tok{first}", seen[name][0, :first])
    view.close("raw_scores", prediction.scores[0])
    view.close("smpl_scores", suppress_neighbours(prediction.scores)[..., None])
    view.close("msk", prediction.mask_square[:, ::downsample, ::downsample, None])
    view.stats("msk", prediction.mask_square)
    for name, value in (("pts3d_in_self_view", prediction.points_self), ("conf_self", prediction.confidence)):
        view.close(name, value[:, ::downsample, ::downsample])
        view.stats(name, value)
    view.close("camera_pose", prediction.camera_pose)
    view.close("ttt3r_gate_raw", prediction.gate[0])
    view.equal("n_humans", len(people))
    view.equal("det_hw", people.prior_patch)
    view.equal("prompt_pos_yx", people.image_patch[None])
    for name, value in (
        ("smpl_loc", people.head_square_px[None]), ("fused_prompt", people.prompt[None]),
        ("dec.last.humans", seen["dec.last"][0, 1 + count:]), ("smpl_shape", people.betas[None]),
        ("smpl_transl", people.head_point[None]),
        ("smpl_expression", people.expression[None]),
    ):  # fmt: skip
        view.close(name, value)
    view.rotations("smpl_rotmat", people.rotations[None], seen["pose_6d"].unflatten(-1, (-1, 3, 2)))


def _compare_tracking(view: View, tracker: PersonTracker, tokens: np.ndarray) -> None:
    bank = tracker.export_state()["tokens"]
    if len(bank) and len(tokens):
        scores = token_scores(bank, tokens)
        view.close("track.neg_dist", scores)
        view.close("track.log_assign", log_optimal_transport(scores))
    view.equal("smpl_id", tracker.update(tokens)[None])


@pytest.mark.parametrize("path", _runs())
def test_a_golden_run_is_reproduced(path: Path) -> None:
    data = np.load(path)
    meta = read_meta(data)
    model = recipe_model(config_from_golden_meta(meta), Recipe(meta["theta"], meta["cls_gain"], meta["dec_gain"]))
    taps, comparison, done = Taps(model), Comparison(), {"meta_json", "frames_rgb"}
    rollout = ChunkedRollout(model, RolloutSettings(meta["reset_interval"], StepOptions(ttt3r=meta["use_ttt3r"])))
    tracker, interval = PersonTracker(), meta["reset_interval"]
    frames = torch.from_numpy(data["frames_rgb"]).permute(0, 3, 1, 2).float() / 255 * 2 - 1
    initial = model.initial_state()
    passes: list[RolloutFrame] = []

    def run(frame: RolloutFrame) -> None:
        view = View(data, len(passes), comparison, done)
        passes.append(frame)
        last_of_chunk = frame.emitted and (frame.index + 1) % interval == 0
        view.equal("frame_idx", frame.index)
        view.equal("reset", last_of_chunk)
        _compare_network(view, taps.seen, frame, model, meta["downsample"])
        after = rollout.export_state()
        view.stats("state_after", torch.as_tensor(after.get("tokens", initial.tokens)))
        view.close("state_after.tok4", after.get("tokens", initial.tokens)[0, :4])
        view.stats("mem_after", torch.as_tensor(after.get("memory", initial.memory)))
        view.close("mem_after.tok2", after.get("memory", initial.memory)[0, :2])
        _compare_tracking(view, tracker, frame.prediction.people.token.numpy())

    views = len(meta["view_order"])
    for image in frames:
        for frame in rollout.finish_chunk():
            run(frame)
        for frame in rollout.push(image):
            run(frame)
    if len(passes) < views:  # the golden file includes the replay that a clip's end would skip
        for frame in rollout.finish_chunk():
            run(frame)
    assert len(passes) == views

    def close(name: str, value: object) -> None:
        done.add(name)
        comparison.close(name, value, data[name])

    rows, columns = (size // 16 for size in frames.shape[-2:])
    comparison.equal("enc_pos_yx", grid_positions(rows, columns), data["enc_pos_yx"])
    comparison.equal("state_pos_yx", state_positions(model.config.state_tokens), data["state_pos_yx"])
    kept = [index for index, frame in enumerate(passes) if frame.emitted]
    comparison.equal("post.kept_views", kept, data["post.kept_views"])
    done |= {"enc_pos_yx", "state_pos_yx", "post.kept_views"}
    close("init_state.tok4", initial.tokens[0, :4])
    emitted = [passes[index] for index in kept]
    poses = np.stack([frame.world_from_camera for frame in emitted])
    close("post.R", poses[:, :3, :3])
    close("post.t", poses[:, :3, 3])
    center = principal_point(*frames.shape[-2:])
    close("post.pp", np.tile(center, (len(emitted), 1)))
    points = [frame.prediction.points_self[0] for frame in emitted]
    focals = np.array([float(weiszfeld_focal(p, center)) for p in points])
    # Random maps have no pinhole, their sums nearly cancel: the size is right, the digits are noise.
    np.testing.assert_allclose(focals, data["post.focal_unclipped"], rtol=0.02, atol=0.02)
    np.testing.assert_allclose(np.maximum(focals, 0), data["post.focal"], rtol=0.02, atol=0.02)
    done |= {"post.focal_unclipped", "post.focal"}
    motions = [torch.as_tensor(pose).float() for pose in poses]
    world = [p[::8, ::8] @ motion[:3, :3].T + motion[:3, 3] for motion, p in zip(motions, points, strict=True)]
    close("post.pts_world_s8", torch.stack(world))
    stride = frames.shape[-1] // data["post.msk_unpad_s4"].shape[-1]
    close("post.msk_unpad_s4", torch.stack([frame.prediction.mask[0, ::stride, ::stride] for frame in emitted]))
    for number, frame in enumerate(emitted):
        name = f"post.rotvec.{number:02d}"
        if name in data:
            close(name, matrix_to_axis_angle(frame.prediction.people.rotations.numpy()))
    comparison.finish()
    assert not set(data.files) - done, "not compared"
