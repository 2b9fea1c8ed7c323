# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a synthetic clip as a video with its ground truth, several as a picture to look at, or many as a dataset.

python -m engine.synthetic clip.mp4 --tier studio --seed 1000000 --frames 96 --size 640x480 --truth clip_truth.npz
python -m engine.synthetic sheet.jpg --tier street --clips 4 --frames 5 --gap 12 --size 192x144
python -m engine.synthetic FOLDER --tier room --seed 0 --clips 100 --frames 16 --size 224x160
"""

from __future__ import annotations

from .. import import_path  # noqa: F401 - before any other import

# isort: split
import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from ..contract.errors import UserError
from ..contract.exit_codes import DONE, FAILED
from ..ground_truth import write_truth
from .clips import Clip, make_clip, make_clips
from .dataset import write_dataset
from .settings import CAMERAS, HELD_OUT_SEED, TIERS, ClipSettings, tier_settings
from .truth import clip_truth

_VIDEO_ENDINGS = (".mp4", ".m4v", ".mov")
_PICTURE_ENDINGS = (".jpg", ".png")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        ending = Path(options.out).suffix.lower()
        seeds = range(options.seed, options.seed + options.clips)
        if ending in _VIDEO_ENDINGS:
            clip = make_clip(options.seed, settings, options.device)
            write_video(options.out, clip, settings.frame_rate / settings.frame_gap[0])
            if options.truth:
                rate = settings.frame_rate / settings.frame_gap[0]
                write_truth(options.truth, clip_truth(clip, f"{settings.tier}-{options.seed}", rate, options.maps))
        elif ending in _PICTURE_ENDINGS:
            write_sheet(options.out, make_clips(seeds, settings, options.device))
        else:
            write_dataset(options.out, seeds, settings, options.device, print)
    except UserError as error:
        print(error, file=sys.stderr)
        return FAILED
    return DONE


def write_video(path: str | Path, clip: Clip, frame_rate: float) -> None:
    """Write a clip's pictures as MPEG-4, which every OpenCV wheel can. Raises UserError (`video-unwritable`)."""
    frames, height, width, _ = clip.rgb.shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), frame_rate, (width, height))
    if not writer.isOpened():
        raise UserError("video-unwritable",
                  "The video {path} cannot be written.",
                  "Choose an existing folder with permission to write, and a name ending in .mp4.",
                  path=path)  # fmt: skip
    for frame in range(frames):
        writer.write(clip.rgb[frame].cpu().numpy()[..., ::-1].copy())
    writer.release()


def write_sheet(path: str | Path, clips: Clip) -> None:
    """Write a batch of clips as one picture, a row for each. Raises UserError (`picture-unwritable`)."""
    rows = clips.rgb.cpu().numpy().transpose(0, 2, 1, 3, 4)
    sheet = rows.reshape(rows.shape[0] * rows.shape[1], -1, 3)
    if not cv2.imwrite(str(path), sheet[..., ::-1]):
        remedy = "Choose an existing folder with permission to write."
        raise UserError("picture-unwritable", "The image {path} cannot be written.", remedy, path=path)


def _settings(options: argparse.Namespace) -> ClipSettings:
    settings = tier_settings(options.tier)
    gap = (options.gap, options.gap) if options.gap else settings.frame_gap
    settings = replace(settings, size=options.size, frames=options.frames, frame_rate=options.rate, frame_gap=gap,
                       supersample=options.supersample)  # fmt: skip
    if options.people is not None:
        settings = replace(settings, people=(options.people, options.people))
    if options.camera:
        settings = settings.with_camera(options.camera)
    return settings


def _size(text: str) -> tuple[int, int]:
    width, height = text.lower().split("x")
    return int(width), int(height)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.synthetic", description="Synthetic clips with ground truth.",
        epilog=f"Seeds from {HELD_OUT_SEED} on are held out: training never draws them.",
    )  # fmt: skip
    parser.add_argument("out", help="a video (.mp4), an image (.jpg, .png), or a folder for a dataset")
    parser.add_argument("--seed", type=int, default=HELD_OUT_SEED, help="seed of the clip, or of the first one")
    parser.add_argument("--tier", choices=sorted(TIERS), default="studio")
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--size", type=_size, default=(640, 480), metavar="WIDTHxHEIGHT")
    parser.add_argument("--rate", type=float, default=24.0, help="frames per second")
    parser.add_argument("--gap", type=int, default=0, help="frame step (default: as the tier says)")
    parser.add_argument("--people", type=int, help="how many people (default: as the tier says)")
    parser.add_argument("--camera", choices=CAMERAS, help="how the camera moves (default: as the tier says)")
    parser.add_argument("--supersample", type=int, default=3, help="rays per pixel along each side, an odd number")
    parser.add_argument("--truth", help="also write the ground truth (.npz) of a video")
    parser.add_argument(
        "--maps", type=int, default=0, help="also write depth and masks of every n-th pixel to the ground truth"
    )
    parser.add_argument("--clips", type=int, default=1, help="number of clips in an image or a dataset")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
