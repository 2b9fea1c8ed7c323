# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure functions against what the reference gave for the same inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from engine.geometry.cameras import focal_from_field_of_view, weiszfeld_focal
from engine.geometry.rigid import matrix_from_pose
from engine.geometry.rotations import rotation_from_6d
from engine.model.camera_head import camera_pose, metric_confidence, metric_vector
from engine.model.human_head import squeezed_sigmoid, suppress_neighbours
from engine.model.prior_image import crop_from_square, image_patch, pad_to_square, position_from_square
from engine.model.rollout import PoseChain
from engine.model.rope import rotary_table, rotate, state_grid_width
from engine.stages.person_tracking import log_optimal_transport, token_scores
from tests.engine.golden import Comparison, golden_folder


@pytest.fixture(scope="module")
def reference() -> np.lib.npyio.NpzFile:
    path = golden_folder() / "reference_functions.npz"
    if not path.is_file():
        pytest.skip("reference_functions.npz is not there")
    return np.load(path)


def close(actual: object, golden: np.ndarray) -> None:
    comparison = Comparison()
    comparison.close("value", actual, golden)
    comparison.finish()


def numbers(reference: np.lib.npyio.NpzFile, prefix: str) -> list[str]:
    found = sorted({name.split(".")[1] for name in reference.files if name.startswith(prefix + ".")})
    assert found
    return found


@pytest.mark.parametrize(
    ("name", "given", "wanted", "function"),
    [
        ("points", "depth.in", "depth.exp", metric_vector),
        ("confidence", "conf.in", "conf.exp1", metric_confidence),
        ("poses", "pose.in", "pose.out", camera_pose),
        ("pose matrices", "pose.in", "pose.c2w", lambda raw: matrix_from_pose(camera_pose(raw))),
        ("scores", "score.in", "score.out", squeezed_sigmoid),
        ("rotations", "rot6d.in", "rot6d.main", lambda raw: rotation_from_6d(raw.unflatten(-1, (53, 3, 2)))),
        ("suppression", "nms.in", "nms.out", lambda scores: suppress_neighbours(scores[:, 0])[:, None]),
        ("axis-angle", "rotvec.in", "rotvec.out", lambda matrices: matrix_to_axis_angle(matrices.numpy())),
    ],
)
def test_elementwise(
    reference: np.lib.npyio.NpzFile, name: str, given: str, wanted: str, function: Callable[[torch.Tensor], object]
) -> None:
    close(function(torch.from_numpy(reference[given])), reference[wanted])


def test_a_zero_vector_stays_zero(reference: np.lib.npyio.NpzFile) -> None:
    close(metric_vector(torch.zeros(1, 3)), reference["depth.zero"])


def test_axis_angles_turn_back_into_the_reference_rotations(reference: np.lib.npyio.NpzFile) -> None:
    close(axis_angle_to_matrix(reference["rotvec.out"]), reference["rotvec.in"])


def test_optimal_transport(reference: np.lib.npyio.NpzFile) -> None:
    for number in numbers(reference, "ot"):
        golden = {name: reference[f"ot.{number}.{name}"][0] for name in ("last_tok", "cur_tok", "neg_dist", "out")}
        close(token_scores(golden["last_tok"], golden["cur_tok"]), golden["neg_dist"])
        close(log_optimal_transport(golden["neg_dist"]), golden["out"])


def test_padding_to_the_square(reference: np.lib.npyio.NpzFile) -> None:
    for number in numbers(reference, "pad"):
        height, width, resolution = (int(size) for size in reference[f"pad.{number}.HWR"])
        if f"pad.{number}.in" in reference:
            padded = pad_to_square(torch.from_numpy(reference[f"pad.{number}.in"]), resolution)
            close(padded, reference[f"pad.{number}.out"])
        else:
            rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
            padded = pad_to_square(((0.05 * rows).sin() * (0.03 * columns).cos())[None, None], resolution)
            close(padded[..., ::16, ::16], reference[f"pad.{number}.out_s16"])
            content = padded[0, 0] != -1
            assert [int(content.any(1).sum()), int(content.any(0).sum())] == reference[
                f"pad.{number}.content_rows_cols"
            ].tolist()


def test_cropping_from_the_square(reference: np.lib.npyio.NpzFile) -> None:
    for number in numbers(reference, "pad"):
        height, width, resolution = (int(size) for size in reference[f"pad.{number}.HWR"])
        index = torch.arange(resolution**2).reshape(1, resolution, resolution)
        golden = reference[f"pad.{number}.unpad_index"][0, 0]
        step = height // len(golden)  # the large ones are stored thinned
        assert np.array_equal(crop_from_square(index, height, width)[0, ::step, ::step], golden), number


def test_positions_from_the_square(reference: np.lib.npyio.NpzFile) -> None:
    for number in numbers(reference, "pad"):
        height, width, resolution = (int(size) for size in reference[f"pad.{number}.HWR"])
        given = torch.from_numpy(reference[f"pad.{number}.uv_in"])
        position = position_from_square(given, resolution, height, width)
        close(position, reference[f"pad.{number}.uv_out"])
        assert image_patch(position).flip(-1).tolist() == reference[f"pad.{number}.uv_patch16"].tolist()


def test_rotary_embedding(reference: np.lib.npyio.NpzFile) -> None:
    for width in numbers(reference, "rope"):
        positions = torch.from_numpy(reference[f"rope.{width}.pos_yx"])
        assert positions.min() == -1
        table = rotary_table(positions, int(width))
        close(rotate(torch.from_numpy(reference[f"rope.{width}.in"]), table), reference[f"rope.{width}.out"])


def test_state_grid(reference: np.lib.npyio.NpzFile) -> None:
    assert [[count, state_grid_width(count)] for count, _ in reference["state_pos_width"].tolist()] == reference[
        "state_pos_width"
    ].tolist()


def test_focal_lengths(reference: np.lib.npyio.NpzFile) -> None:
    for number in numbers(reference, "focal"):
        points, center = reference[f"focal.{number}.pts"][0], reference[f"focal.{number}.pp"][0]
        focal = weiszfeld_focal(torch.from_numpy(points), (int(center[0]), int(center[1])))
        close(focal[None], reference[f"focal.{number}.weiszfeld"])


def test_a_focal_length_from_a_field_of_view(reference: np.lib.npyio.NpzFile) -> None:
    for size in (896, 140):
        assert focal_from_field_of_view(60, size) == pytest.approx(reference[f"Kmhmr.{size}"][0, 0, 0], rel=1e-6)


def test_chunks_are_chained_by_their_poses(reference: np.lib.npyio.NpzFile) -> None:
    chain, world = PoseChain(), []
    for pose, last_of_chunk in zip(reference["align.poses"], reference["align.reset"], strict=True):
        chain = chain.advance(pose)
        world.append(chain.pose)
        if last_of_chunk:
            chain = chain.start_chunk()
    close(np.stack(world), reference["align.out"])


def test_a_chunk_per_frame_accumulates_all_motions(reference: np.lib.npyio.NpzFile) -> None:
    chain, world = PoseChain(), []
    for motion in reference["cumprod.in"]:
        chain = chain.advance(motion)
        world.append(chain.pose)
        chain = chain.start_chunk()
    close(np.stack(world), reference["cumprod.out"])
