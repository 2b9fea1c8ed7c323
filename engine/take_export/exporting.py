# SPDX-License-Identifier: GPL-3.0-or-later
"""The way through an export: what was asked for, one thing after the other, each whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from ..camera_pass.clip import Clip, ClipFrame
from ..camera_pass.scaling import Scaling
from ..contract.body_choice import body_file, choose_body_of_take
from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.messages import CameraSummary, Frame, PointMap, TakeHeader, unpack_mask
from ..contract.person_names import numbered_name
from ..contract.ply import write_ply
from ..contract.sentences import Sentence
from ..contract.take import TakeReader
from ..contract.take_export import (
    COLMAP,
    DEPTH,
    FRAME_PLY,
    MASKS,
    NEED_POINT_MAPS,
    PLY,
    PRODUCTS,
    TakeExportSettings,
    frame_name,
    product_path,
)
from ..contract.whole_file import explained_write_errors, whole_file, whole_folder
from ..installed.locations import body_path
from ..video.footage_of_take import settings_with_footage
from .colmap import View, write_model
from .depth import depth_of_footage
from .exr import write_exr
from .masks import patches_of_people, people_of_footage
from .shots import Cloud, Shot, point_maps, read_cloud, read_shots
from .world import World

_OPTIONS = {
    ".jpg": (
        cv2.IMWRITE_JPEG_QUALITY,
        96,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ),
    ".png": (cv2.IMWRITE_PNG_COMPRESSION, 3),
}
"""How images are compressed: JPEG with as many colors as pixels, because splats are trained on them."""

_LARGEST_PX = 32766
"""The longest side that OpenCV resamples to."""

_OWN = {
    COLMAP: r"images|masks|sparse",
    FRAME_PLY: r"frame_\d+\.ply",
    DEPTH: r"frame_\d+\.exr",
    MASKS: r"everyone|person_\d+",
}
"""What lies in the folders that an export writes: they are replaced when they hold nothing else."""

Item = TypeVar("Item")

Tell = Callable[[str, int, int], None]
"""Told what is being done, how many frames of it are done, and of how many."""


@dataclass(frozen=True)
class Request:
    """What an export is asked for."""

    take: Path
    products: Sequence[str]
    """Of :data:`~..contract.take_export.PRODUCTS`."""
    folder: Path
    name: str
    """What files and folders are called."""
    settings: TakeExportSettings
    world: World
    overwrite: bool = False

    def path(self, product: str) -> Path:
        """What a product is written to."""
        return product_path(self.folder, self.name, product)


@dataclass(frozen=True)
class Written:
    """What an export wrote."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...]
    """What the user should know, a sentence each."""


def export_take(request: Request, tell: Tell) -> Written:
    """Write all that was asked for.

    Raises UserError: ``take-unreadable``, ``take-empty``, ``output-exists``, ``output-unwritable``, ``disk-full``,
    ``no-point-maps``, ``no-points``, ``footage-missing`` and the others of open_footage, ``footage-differs``. What is
    wrong with any of it is found before the first file is written, as far as the take tells.
    """
    export = _Export(request, tell)
    for product in request.products:
        export.check(product)
    for product in request.products:
        export.write(product)
    return Written(tuple(map(request.path, request.products)), tuple(export.notes))


class _Export:
    """One export."""

    def __init__(self, request: Request, tell: Tell) -> None:
        self.notes: list[str] = []
        self._request, self._tell = request, tell
        with TakeReader(request.take) as reader:
            self._header: TakeHeader = reader.header
        self._shots, unusable = read_shots(request.take, request.settings.every)
        if unusable:
            self.notes.append(
                Sentence("Frames whose camera has impossible numbers were left out: {count}.", count=unusable)
            )

    def check(self, product: str) -> None:
        """Raises UserError for what would stop a product."""
        path = self._request.path(product)
        if max(self._header.footage_size) > _LARGEST_PX:
            raise UserError(
                "take-unreadable",
                "The take says that its footage has {size} pixels.",
                "Capture the footage again.",
                size=" x ".join(map(str, self._header.footage_size)),
            )
        if path.exists():
            _refuse_to_replace(path, product, self._request.overwrite)
        if product in NEED_POINT_MAPS and next(point_maps(self._request.take, self._shots), None) is None:
            raise UserError(
                "no-point-maps",
                "The take has no point maps, which {product} is made from.",
                "Capture the footage again with Point Maps turned on (--point-maps).",
                product=Sentence(PRODUCTS[product][0]),
            )
        if product == PLY and not len(self._cloud):
            raise UserError(
                "no-points",
                "The take has no scene points.",
                "Capture the footage again with scene points; a camera that does not move may have a backdrop instead.",
            )
        if product == COLMAP:
            settings_with_footage(self._header, self._request.settings.footage)

    def write(self, product: str) -> None:
        """Write a product, whole or not at all. Raises UserError."""
        path = self._request.path(product)
        explained = explained_write_errors(Sentence("{path} cannot be written", path=path), "output-unwritable")
        with explained, (whole_file if product == PLY else whole_folder)(path) as written:
            {
                COLMAP: self._colmap,
                PLY: self._ply,
                FRAME_PLY: self._frame_ply,
                DEPTH: self._depth,
                MASKS: self._masks,
            }[product](written)

    def _ply(self, path: Path) -> None:
        cloud = self._cloud
        write_ply(path, cloud.position, cloud.color, cloud.confidence)

    def _frame_ply(self, folder: Path) -> None:
        world = self._request.world
        for shot, found, known in self._point_maps("Writing point clouds"):
            pose = shot.world_from_camera
            points = found.point_camera[known].astype(np.float64) @ pose[:3, :3].T + pose[:3, 3]
            path = folder / f"{frame_name(shot.source_frame)}.ply"
            write_ply(path, world.points(points), found.color[known], found.confidence[known])

    def _depth(self, folder: Path) -> None:
        for shot, found, known in self._point_maps("Writing depth"):
            depth = self._request.world.scale * depth_of_footage(found, known, self._header.footage_size)
            # Blender, OpenCV and others show the channel Y as gray; compositors look for depth in Z.
            path = folder / f"{frame_name(shot.source_frame)}.exr"
            write_exr(path, {"Y": depth, "Z": depth}, "Depth along the camera's axis in meters, 0 where unknown")

    def _masks(self, folder: Path) -> None:
        """Everyone's in `everyone`, and each person's in a folder of their own, black where they were not found."""
        clip, size, sharing = self._clip, self._header.footage_size, 0
        for frame in self._counted(self._wanted(clip.frames()), "Writing masks"):
            everyone = unpack_mask(frame)
            shown, are_sharing = patches_of_people(frame, clip.joints(frame))
            sharing += are_sharing
            masks = {"everyone": everyone}
            for track in self._around(frame.index):
                person = numbered_name(track).lower().replace(" ", "_")
                masks[person] = shown.get(track, np.zeros_like(everyone))
            for label, mask in masks.items():
                path = folder / label / f"{frame_name(frame.source_frame)}.png"
                _write_image(path, people_of_footage(mask, frame, size))
        if sharing:
            self.notes.append(
                Sentence(
                    "Frames in which people touch or cover each other, so that the mask of each shows them together: "
                    "{count}.",
                    count=sharing,
                )
            )

    def _around(self, index: int) -> list[int]:
        """The people who were found in this frame, or both before and after it."""
        return [track for track, seen in self._seen.items() if seen[0] <= index <= seen[-1]]

    def _colmap(self, folder: Path) -> None:
        """Images, masks that leave people out, and the model."""
        size, views = self._header.footage_size, list[View]()
        at_full_size = Scaling(size, size)
        for number, (shot, image) in enumerate(self._pictures(), 1):
            name = f"{frame_name(shot.source_frame)}.{self._request.settings.images}"
            _write_image(folder / "images" / name, image.rgb[..., ::-1])
            people = at_full_size.people(image.frame, self._clip.joints(image.frame))
            _write_image(folder / "masks" / f"{name}.png", np.where(people, 0, 255).astype(np.uint8))
            pose = self._request.world.camera(shot.world_from_camera)
            views.append(View(name, shot.focal_px, shot.principal_point_px, pose))
            self._tell("Writing the COLMAP model", number, len(self._shots))
        self._refuse_no_images(views)
        model = folder / "sparse" / "0"
        model.mkdir(parents=True)
        write_model(model, views, self._cloud, size, self._request.settings.colmap_format)
        self._note_what_trainers_lack()

    def _refuse_no_images(self, views: Sequence[View]) -> None:
        if not views:
            raise UserError(
                "footage-differs",
                "None of the take's frames is in its footage.",
                "Give the footage that the take was made from: --footage VIDEO.",
            )
        if len(views) < len(self._shots):
            self.notes.append(
                Sentence("Frames that the footage lacks were left out: {count}.", count=len(self._shots) - len(views))
            )

    def _note_what_trainers_lack(self) -> None:
        """A splat needs a camera that moves, and points to begin with."""
        with TakeReader(self._request.take) as reader:
            motions = [message.motion for message in reader if isinstance(message, CameraSummary)]
        if motions and motions[-1] != "moving":
            self.notes.append(Sentence("The camera does not move from its place: a splat of it has no depth."))
        if not len(self._cloud):
            self.notes.append(Sentence("The take has no scene points, so the COLMAP model has none."))

    def _pictures(self) -> Iterator[tuple[Shot, ClipFrame]]:
        wanted = {shot.index: shot for shot in self._shots}
        for image in self._clip.pictures():
            if image.frame.index in wanted:
                yield wanted[image.frame.index], image

    def _point_maps(self, doing: str) -> Iterator[tuple[Shot, PointMap, np.ndarray]]:
        return self._counted(point_maps(self._request.take, self._shots), doing)

    def _wanted(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        wanted = {shot.index for shot in self._shots}
        return (frame for frame in frames if frame.index in wanted)

    def _counted(self, items: Iterator[Item], doing: str) -> Iterator[Item]:
        for number, item in enumerate(items, 1):
            yield item
            self._tell(doing, number, len(self._shots))

    @cached_property
    def _seen(self) -> dict[int, list[int]]:
        """By track id the indices of the frames that show the person."""
        tracks = sorted({track for shot in self._shots for track in shot.tracks})
        return {track: [shot.index for shot in self._shots if track in shot.tracks] for track in tracks}

    @cached_property
    def _cloud(self) -> Cloud:
        """The scene points in the exported world."""
        cloud = read_cloud(self._request.take)
        return replace(cloud, position=self._request.world.points(cloud.position))

    @cached_property
    def _clip(self) -> Clip:
        settings = self._header.settings
        body = BodyModel.load(body_file(choose_body_of_take(self._header, body_path())))
        source = self._request.settings.footage or settings.source
        return Clip(self._request.take, replace(settings, source=source), body, settled=True)


def _refuse_to_replace(path: Path, product: str, overwrite: bool) -> None:
    """Raises UserError (``output-exists``) where something is in the way that nobody wants replaced."""
    inside = [item.name for item in path.iterdir()] if path.is_dir() else []
    others = sorted(name for name in inside if not re.fullmatch(_OWN.get(product, ""), name))
    if not overwrite:
        raise UserError(
            "output-exists", "{path} already exists.", "Choose another name, or replace it with --overwrite.", path=path
        )
    if others:
        raise UserError(
            "output-exists",
            "{path} holds other things too: {others}.",
            "Move them elsewhere, or choose another name.",
            path=path,
            others=", ".join(others[:3]),
        )


def _write_image(path: Path, image: np.ndarray) -> None:
    """Write (H, W) gray or (H, W, 3) blue, green, red; folders that are missing are made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    good, data = cv2.imencode(path.suffix, np.ascontiguousarray(image), _OPTIONS[path.suffix])
    if not good:
        raise OSError(f"{path.name} could not be encoded")
    path.write_bytes(data.tobytes())
