# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic clips whose camera is to be followed: three for each seed, one moves, one stands still, one pans."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...contract.errors import UserError
from ...ground_truth import ClipTruth, read_truth, write_truth
from ...synthetic import settings as synthetic_settings
from ...synthetic.clips import make_clip
from ...synthetic.settings import ClipSettings, tier_settings
from ..synthetic_set import NamedBody, truth_of_clip, write_pictures

MOVING = (
    ("room", "orbit"),
    ("street", "dolly"),
    ("room", "drift"),
    ("street", "orbit"),
    ("room", "dolly"),
    ("street", "drift"),
)
"""Tiers and kinds of the moving cameras; a seed begins with the one whose turn it is."""

FRAMES, SIZE = 60, (512, 384)

_TRUTH = "truth.npz"


@dataclass(frozen=True)
class CameraClip:
    """A clip to capture, and what is true of it."""

    name: str
    """Tier, kind of camera and seed."""
    motion: str
    """One of :data:`~engine.contract.messages.CAMERA_MOTIONS`."""
    source: str
    """Folder of pictures."""
    truth: ClipTruth
    """With depth and masks of every pixel."""
    render_s: float | None
    """Seconds that making it took; None for one that was there."""


@dataclass(frozen=True)
class CameraClips:
    """The clips of some seeds, made one after the other when asked for."""

    seeds: range
    body: NamedBody
    frames: int = FRAMES
    size: tuple[int, int] = SIZE
    cache: Path | None = None
    """Folder where clips are kept and looked for; None makes them anew, and removes each before the next."""

    def __len__(self) -> int:
        return 3 * len(self.seeds)

    def clips(self) -> Iterator[CameraClip]:
        """The clips; without a cache a clip's source vanishes when the next one is asked for."""
        for seed in self.seeds:
            tier = ("room", "street")[seed % 2]
            moving = self._moving(seed)
            for motion, (chosen, kind) in (
                ("moving", moving),
                ("still", (tier, "fixed")),
                ("turning", (tier, "pan")),
            ):
                with self._folder(f"{chosen}-{kind}-{seed}", self.settings(chosen, kind)) as folder:
                    yield self._clip(folder, seed, motion, chosen, kind)

    def settings(self, tier: str, kind: str) -> ClipSettings:
        """Of the clips of one tier and kind of camera.

        Without supersampling edges are jagged, and corners on them jump by whole pixels.
        """
        return replace(
            tier_settings(tier).with_camera(kind),
            size=self.size,
            frames=self.frames,
            frame_rate=15.0,
            frame_gap=(1, 1),
            people=(1, 2),
            supersample=3,
        )

    def _moving(self, seed: int) -> tuple[str, str]:
        """Tier and kind: a camera that would come too near to somebody stands still, so the next kind has its turn."""
        for turn in range(len(MOVING)):
            tier, kind = MOVING[(seed + turn) % len(MOVING)]
            small = replace(self.settings(tier, kind), size=(32, 24), supersample=1)
            preview = make_clip(seed, small, body=self.body.model)
            if np.ptp(preview.world_from_camera[:, :3, 3].numpy(), axis=0).max() > 0:
                return tier, kind
        raise ValueError(f"no camera of seed {seed} moves")

    def _clip(self, folder: Path, seed: int, motion: str, tier: str, kind: str) -> CameraClip:
        name, render_s = f"{tier} {kind} {seed}", None
        if not (folder / _TRUTH).is_file():
            started = time.monotonic()
            clip = make_clip(seed, self.settings(tier, kind), body=self.body.model)
            render_s = time.monotonic() - started
            (folder / "pictures").mkdir(parents=True, exist_ok=True)
            write_pictures(clip, folder / "pictures")
            # Last, so that a folder with a truth is whole.
            partial = folder / f"partial-{_TRUTH}"
            write_truth(partial, replace(truth_of_clip(clip, self.body), name=name))
            partial.replace(folder / _TRUTH)
        return CameraClip(name, motion, str(folder / "pictures"), read_truth(folder / _TRUTH), render_s)

    @contextmanager
    def _folder(self, name: str, settings: ClipSettings) -> Iterator[Path]:
        if self.cache is None:
            with tempfile.TemporaryDirectory(prefix="human3r-clip-") as temporary:
                yield Path(temporary)
            return
        folder = self.cache / f"{name}-{_digest(settings, self.body)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                "picture-unwritable",
                "The folder {path} cannot be written: {reason}.",
                "Choose a folder with permission to write.",
                path=folder,
                reason=error.strerror,
            ) from error
        try:
            yield folder
        finally:
            if not (folder / _TRUTH).is_file():
                shutil.rmtree(folder, ignore_errors=True)


def _digest(settings: ClipSettings, body: NamedBody) -> str:
    """Eight digits that change with whatever the clips are made of."""
    digest = hashlib.sha256(f"{settings!r} {body.model.fingerprint}".encode())
    for source in sorted(Path(synthetic_settings.__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:8]
