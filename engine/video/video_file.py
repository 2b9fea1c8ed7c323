# SPDX-License-Identifier: GPL-3.0-or-later
"""A video file, through PyAV: decoded in order, at the times of its pictures, shown as players show it."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition

from ..contract.errors import UserError
from ..contract.sentences import Sentence
from .pictures import SEQUENCE_RATE, Footage, Picture, Wanted, every
from .showing import Showing

MISSING_S = 1.0
MISSING_SHARE = 0.1
"""A video that ends so much earlier than it announces has lost something: so many seconds where the announcement is
of its pictures alone, such a share in any case."""

_SAMPLED = 240
"""Packets that tell the rate."""
_FREQUENT_RATES = (10, 12, 12.5, 15, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)
_NEAR_RATE = 0.06
"""Share by which times that jitter may make a rate look another."""
_MOST_RATE = 1000.0
_CODEC = re.compile(r"Video: (\w+)(?: \((\w+))?")


class VideoFile(Footage):
    """With `frame_rate` the container's times are set aside and pictures come at that rate."""

    def __init__(self, path: Path, frame_rate: float | None = None) -> None:
        """Raises UserError (``footage-unreadable``)."""
        self._path, self._name, self._rate_given = path, path.name, frame_rate is not None
        self._lost = self._resized = 0
        with self._opened() as container:
            stream = _video_stream(container, path)
            announced = stream.average_rate or stream.guessed_rate
            self._duration_s, self._is_its_own = _duration(container, stream)
            counted, pixel_aspect = stream.frames, float(stream.sample_aspect_ratio or 1)
            may_hide = "mov" in container.format.name.split(",")
        self._showing = self._first_showing(pixel_aspect)
        self.size = self._showing.size
        self._own_rate = self._rate(float(announced or 0))
        self.frame_rate = frame_rate or self._own_rate
        if counted and not may_hide:  # FFmpeg shortens the duration of a file that was cut off, and not this
            self._duration_s = max(self._duration_s, counted / self._own_rate)
        self.frame_count = self._count(counted)

    def pictures(
        self, start: int = 0, end: int | None = None, stride: int = 1, wanted: Wanted = every
    ) -> Iterator[Picture]:
        # Pictures before the start are decoded and dropped: seeking is not exact in every container.
        self._lost = self._resized = 0
        first_s: float | None = None
        time_s, index, place = 0.0, -1, -1
        for index, frame in self._numbered():
            if end is not None and index >= end:
                index = end - 1
                break
            if frame.time is not None:
                first_s = frame.time if first_s is None else first_s
            time_s = self._time(index, None if frame.time is None else frame.time - (first_s or 0.0), time_s)
            if index >= start and (index - start) % stride == 0:
                self._resized += not self._showing.fits(frame)
                place += 1
                if not wanted(place):
                    continue
                yield Picture(index, time_s, self._showing.picture(frame))
        wanted_more = (end is None or index + 1 < end) and not self._rate_given
        self.problem = self._describe_problem(time_s if wanted_more and self._ended_early(time_s) else None)

    def _opened(self) -> InputContainer:
        try:
            return av.open(str(self._path), metadata_errors="replace")
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise _unreadable(self._path) from error

    def _first_showing(self, pixel_aspect: float) -> Showing:
        for _, frame in self._numbered():
            return Showing.of(frame, pixel_aspect)
        raise _unreadable(self._path)

    def _numbered(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Pictures with their numbers, those of damaged ones passed over."""
        index, failures = -1, 0
        waiting: list[int] = []  # times of the packets whose pictures have not come yet, in order
        with self._opened() as container:
            stream = _video_stream(container, self._path)
            stream.thread_type = "AUTO"
            for packet in _packets(container, stream):
                if packet.pts is not None and not packet.is_discard:
                    bisect.insort(waiting, packet.pts)
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    failures += 1
                    continue
                for frame in frames:
                    before = bisect.bisect_left(waiting, frame.pts) if frame.pts is not None else 0
                    lost = min(before, failures)  # some packets hold no picture without being damaged
                    del waiting[: before + 1]
                    failures, self._lost, index = failures - lost, self._lost + lost, index + lost + 1
                    yield index, frame

    def _rate(self, announced: float) -> float:
        """Frames per second: as announced where the times agree, else as they say. Browsers announce 1000."""
        with self._opened() as container:
            stream = _video_stream(container, self._path)
            packets = itertools.islice(_packets(container, stream), _SAMPLED)
            stamps = sorted(packet.pts for packet in packets if packet.pts is not None and not packet.is_discard)
            steps = np.diff(stamps) * float(stream.time_base or 0)
        steps = steps[steps > 0]
        if not len(steps):
            return announced if 0 < announced <= _MOST_RATE else SEQUENCE_RATE
        measured = float(1.0 / np.median(steps))
        if 0 < announced <= _MOST_RATE and 0.5 < announced * float(steps.mean()) < 2.0:
            return announced
        nearest = min(_FREQUENT_RATES, key=lambda rate: abs(rate / measured - 1))
        return float(nearest) if abs(nearest / measured - 1) < _NEAR_RATE else measured

    def _count(self, counted: int) -> int | None:
        """How many pictures there are; where an edit list hides some, how many it shows."""
        shown = round(self._duration_s * self.frame_rate) if self._duration_s and not self._rate_given else 0
        if counted and shown and self._is_its_own and counted > 1.05 * shown + 1:
            return shown
        return counted or shown or None

    def _ended_early(self, time_s: float) -> bool:
        """Whether more is missing after the last picture's time than it is shown for itself."""
        missing_s = self._duration_s - time_s - 2.0 / self.frame_rate
        if missing_s <= 0:
            return False
        return missing_s > MISSING_SHARE * self._duration_s or (self._is_its_own and missing_s > MISSING_S)

    def _describe_problem(self, ended_early_at_s: float | None) -> str | None:
        parts = []
        if self._lost:
            parts.append(Sentence("{name}: damaged frames were left out ({count}).", name=self._name, count=self._lost))
        if self._resized:
            said = "{name}: frames of another size were fitted into that of the first ({count})."
            parts.append(Sentence(said, name=self._name, count=self._resized))
        if ended_early_at_s is not None:
            said = "{name} ends early, at {time} s of {duration} s. The file is cut off or damaged there."
            parts.append(
                Sentence(said, name=self._name, time=f"{ended_early_at_s:.1f}", duration=f"{self._duration_s:.1f}")
            )
        return " ".join(parts) or None

    def _time(self, index: int, stamp_s: float | None, previous_s: float) -> float:
        """The container's time where it goes forward; some old containers (AVI) have none for some pictures."""
        if index == 0:
            return 0.0
        if self._rate_given:
            return index / self.frame_rate
        return stamp_s if stamp_s is not None and stamp_s > previous_s else previous_s + 1.0 / self.frame_rate


def _packets(container: InputContainer, stream: av.VideoStream) -> Iterator[av.Packet]:
    """A stream's packets as far as the container can be read."""
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.error.FFmpegError):
            return


def _video_stream(container: InputContainer, path: Path) -> av.VideoStream:
    """The stream that players show. Raises UserError (``footage-unreadable``): there is none, or nothing reads it."""
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not videos:
        raise _sound_alone(path) if container.streams.audio else _unreadable(path)
    stream = max(videos, key=lambda stream: bool(stream.disposition & Disposition.default))
    if stream.codec_context is None:
        raise UserError(
            "footage-unreadable",
            "{path} has video in the format {codec}, which cannot be decoded.",
            "Convert it to MP4 (H.264) with another program.",
            path=path,
            codec=_name_of_codec(path),
        )
    return stream


def _name_of_codec(path: Path) -> str:
    """What FFmpeg says about a stream that it has no decoder for."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as said:
            av.open(str(path)).close()
    finally:
        av.logging.set_level(level)
    found = _CODEC.search(" ".join(text for _, _, text in said))
    return "?" if found is None else found[2] or found[1]


def _duration(container: InputContainer, stream: av.VideoStream) -> tuple[float, bool]:
    """Seconds that a video announces (0: it does not), and whether that is of its pictures alone."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base), True
    late_s = float((stream.start_time or 0) * (stream.time_base or 0))
    tagged = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if tagged:
        hours, minutes, seconds = tagged.groups()
        return max(0.0, 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds) - late_s), True
    late_s -= float(Fraction(container.start_time or 0, av.time_base))
    return max(0.0, float(Fraction(container.duration or 0, av.time_base)) - late_s), False


def _sound_alone(path: Path) -> UserError:
    return UserError(
        "footage-unreadable",
        "{path} is sound without video; an image in it is its cover.",
        "Choose a video file.",
        path=path,
    )


def _unreadable(path: Path) -> UserError:
    return UserError(
        "footage-unreadable",
        "{path} cannot be read as a video. It is damaged, or its format is not supported.",
        "Check whether another program plays it, or convert it to MP4 (H.264).",
        path=path,
    )
