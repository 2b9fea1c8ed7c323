# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a capture is, and durations and sizes in words: what the panel draws and the command line prints."""

from __future__ import annotations

import collections
from dataclasses import dataclass, field

from ...engine.contract.sentences import Sentence

RECENT_FRAMES = 32


@dataclass
class Progress:
    """Counts, recent rate and time left of a run."""

    phase: str = "starting"
    """``starting``, ``loading``, ``opening``, ``running``, ``finishing``, and at the end ``complete``, ``incomplete``
    (a take that was not closed), ``cancelled`` or ``failed``."""
    text: str = ""
    """What is being done, in words."""
    frames_done: int = 0
    frames_total: int | None = None
    """None where the footage does not tell."""
    share: float | None = None
    """0..1 of what is being done where no frames tell it."""
    _arrivals: collections.deque[float] = field(default_factory=lambda: collections.deque(maxlen=RECENT_FRAMES))

    @property
    def is_over(self) -> bool:
        return self.phase in ("complete", "incomplete", "cancelled", "failed")

    def tell(self, phase: str, text: str, share: float | None = None) -> None:
        """What is being done from now on."""
        self.phase, self.text, self.share = phase, text, share

    def frame_arrived(self, now_s: float | None) -> None:
        """Count one frame that arrived at ``now_s`` on a steady clock; None for one that says nothing of the pace."""
        self.frames_done += 1
        if now_s is not None:
            self._arrivals.append(now_s)

    @property
    def rate(self) -> float | None:
        """Frames per second over the last :data:`RECENT_FRAMES` frames; None before the second frame."""
        if len(self._arrivals) < 2 or self._arrivals[-1] <= self._arrivals[0]:
            return None
        return (len(self._arrivals) - 1) / (self._arrivals[-1] - self._arrivals[0])

    @property
    def seconds_left(self) -> float | None:
        if self.frames_total is None or self.rate is None:
            return None
        return max(0, self.frames_total - self.frames_done) / self.rate

    @property
    def fraction(self) -> float:
        """0..1 of the frames, or of what comes after them; 0 while the length is unknown."""
        if self.share is not None:
            return min(1.0, max(0.0, self.share))
        return min(1.0, self.frames_done / self.frames_total) if self.frames_total else 0.0

    def parts(self) -> list[Sentence]:
        """Frames, rate and time left in words, as far as they are known: ``12 of 596 frames``, ``1.6 per second``."""
        if self.frames_total is None:
            parts = [Sentence("{done} frames", done=self.frames_done)]
        else:
            parts = [Sentence("{done} of {total} frames", done=self.frames_done, total=self.frames_total)]
        if self.rate is not None:
            per_second, each = f"{self.rate:.1f}", f"{1 / self.rate:.1f}"
            fast = self.rate >= 1
            parts.append(
                Sentence("{rate} per second", rate=per_second) if fast else Sentence("{time} s each", time=each)
            )
        if self.seconds_left is not None and not self.is_over:
            parts.append(Sentence("{time} left", time=format_duration(self.seconds_left)))
        return parts

    def describe(self) -> str:
        """All parts in one line."""
        return ", ".join(self.parts())


def format_duration(seconds: float) -> str:
    """``8 s``, ``6 min 5 s``, ``2 h 3 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def format_bytes(count: float) -> str:
    """``812 bytes``, ``3.4 MB``, ``4.7 GB``: decimal units, as disks and browsers count."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} bytes"
