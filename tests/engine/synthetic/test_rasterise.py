# SPDX-License-Identifier: GPL-3.0-or-later
"""The rasteriser: exact pixels, exact depth, no gaps between neighbours, nearest first, backs left out."""

import torch

from engine.synthetic.rasterise import rasterise

SIZE, CENTRE, FOCAL = (40, 30), (20.0, 15.0), 25.0


def _draw(vertices: torch.Tensor, faces: list, pictures: int = 1, picture: tuple = (0,)):
    meshes = vertices if vertices.dim() == 3 else vertices[None]
    focal = torch.full((len(meshes),), FOCAL)
    return rasterise(meshes, torch.tensor(faces), torch.tensor(picture), focal, CENTRE, SIZE, pictures)


def _square(depth: float, half: float = 0.4) -> torch.Tensor:
    """Corners counter-clockwise as the camera sees them (y is down)."""
    return torch.tensor([[-half, -half, depth], [-half, half, depth], [half, half, depth], [half, -half, depth]])


QUAD = [[0, 1, 2], [0, 2, 3]]


def test_covers_exactly_the_pixel_centres_inside():
    fragments = _draw(_square(1.0), QUAD)
    image = torch.zeros(SIZE[1], SIZE[0])
    image.view(-1)[fragments.pixel] = fragments.depth
    # 0.4 m at 1 m with focal 25 is 10 pixels to each side, ends included.
    expected = torch.zeros_like(image)
    expected[5:26, 10:31] = 1.0
    torch.testing.assert_close(image, expected)


def test_depth_is_that_of_the_slanted_plane():
    vertices = torch.tensor([[-1.0, -0.6, 1.2], [-1.0, 0.6, 1.2], [1.5, 0.6, 3.0], [1.5, -0.6, 3.0]])
    fragments = _draw(vertices, QUAD)
    row, column = fragments.pixel // SIZE[0], fragments.pixel % SIZE[0]
    # The plane z = 1.2 + 0.72 (x + 1) met by the ray x = z (u - cx) / f.
    slope = (column - CENTRE[0]) / FOCAL
    torch.testing.assert_close(fragments.depth, 1.92 / (1.0 - 0.72 * slope), atol=1e-4, rtol=0)
    points = fragments.interpolate(vertices[None])
    torch.testing.assert_close(points[:, 0], fragments.depth * slope, atol=1e-4, rtol=0)
    torch.testing.assert_close(points[:, 1], fragments.depth * (row - CENTRE[1]) / FOCAL, atol=1e-4, rtol=0)


def test_a_fine_mesh_has_no_holes():
    generator = torch.Generator().manual_seed(0)
    count = 60
    grid = torch.stack(
        torch.meshgrid(torch.linspace(-0.5, 0.5, count), torch.linspace(-0.5, 0.5, count), indexing="ij"), -1
    )
    inner = torch.zeros(count, count, 1)
    inner[1:-1, 1:-1] = 1.0
    grid = grid + inner * 0.004 * torch.randn(count, count, 2, generator=generator)
    vertices = torch.cat([grid, torch.ones(count, count, 1)], -1).reshape(-1, 3)
    corner = (torch.arange(count - 1)[:, None] * count + torch.arange(count - 1)).flatten()
    # Seen with y down, going down first and then right is counter-clockwise.
    faces = torch.cat(
        [
            torch.stack([corner, corner + 1, corner + count + 1], -1),
            torch.stack([corner, corner + count + 1, corner + count], -1),
        ]
    )
    fragments = _draw(vertices, faces.tolist())
    covered = torch.zeros(SIZE[1], SIZE[0], dtype=torch.bool)
    covered.view(-1)[fragments.pixel] = True
    assert covered[3:28, 8:33].all() and covered.sum() == 25 * 25


def test_the_nearest_wins_and_meshes_go_to_their_pictures():
    vertices = torch.stack([_square(2.0), _square(1.5), _square(1.0)])
    fragments = _draw(vertices, QUAD, pictures=2, picture=(0, 0, 1))
    first = fragments.pixel < SIZE[0] * SIZE[1]
    middle = fragments.pixel == 15 * SIZE[0] + 20
    assert fragments.mesh[middle].tolist() == [1] and fragments.depth[middle].item() == 1.5
    assert set(fragments.mesh[~first].tolist()) == {2}


def test_backs_and_what_is_behind_the_camera_are_not_drawn():
    assert len(_draw(_square(1.0), [[2, 1, 0], [3, 2, 0]]).pixel) == 0
    assert len(_draw(_square(-1.0), QUAD).pixel) == 0
    assert len(_draw(_square(1.0) + torch.tensor([9.0, 0.0, 0.0]), QUAD).pixel) == 0
