# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capture gets its frames and its model from: this process, or others that did the model's part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Protocol

import torch

from .contract.logs import log
from .contract.messages import Message, Status
from .contract.sentences import Sentence
from .contract.settings import CaptureSettings
from .estimate import Model
from .models import load_model, spoken_name
from .video.footage import Footage, open_footage
from .video.reading import FrameReader, PreparedFrame

Sink = Callable[[Message], None]
"""Where messages go besides the take: the wire, or progress lines."""


class ModelShelf:
    """Keeps the model that was used last, so that the next capture with it starts at once."""

    def __init__(self) -> None:
        self._key: tuple[str, str, str] | None = None
        self._kept: Model | None = None

    def get(self, name: str, device: torch.device, precision: str = "float32") -> Model:
        """The model, loaded when it is another than the last time. Raises as `load_model`."""
        if self._kept is None or not self.holds(name, device, precision):
            self._kept = None  # two large models may not fit side by side
            started = time.monotonic()
            self._kept, self._key = load_model(name, device, precision), (name, str(device), precision)
            log.info("the model was loaded in %.1f s, for %s in %s", time.monotonic() - started, device, precision)
        return self._kept

    def holds(self, name: str, device: torch.device, precision: str = "float32") -> bool:
        """Whether `get` would not have to load."""
        return self._kept is not None and self._key == (name, str(device), precision)


class Supply(Protocol):
    """Where a capture has its frames from, and what the model says about them."""

    def footage(self) -> Footage:
        """What is known of the footage. Raises UserError."""

    def model(self, done: int, sink: Sink) -> Model:
        """The model, ready to run; `done` frames are in the take already. Raises UserError."""

    def frames(self, first: int, done: int) -> AbstractContextManager[Iterable[PreparedFrame]]:
        """The frames still to do: from picture `first` of the footage, after the `done` ones."""


class HereSupply:
    """One process does it all: fulfils :class:`Supply`."""

    def __init__(self, settings: CaptureSettings, shelf: ModelShelf) -> None:
        """`settings` are resolved."""
        self._settings, self._shelf = settings, shelf
        self._footage: Footage | None = None

    def footage(self) -> Footage:
        if self._footage is None:
            self._footage = open_footage(self._settings.source, self._settings.frame_rate)
        return self._footage

    def model(self, done: int, sink: Sink) -> Model:
        settings, device = self._settings, torch.device(self._settings.device)
        if not self._shelf.holds(settings.model, device, settings.precision):
            sink(Status.of("loading", Sentence("Loading {model}", model=spoken_name(settings.model))))
        self._model = self._shelf.get(settings.model, device, settings.precision)
        return self._model

    def frames(self, first: int, done: int) -> AbstractContextManager[Iterable[PreparedFrame]]:
        settings, model, footage = self._settings, self._model, self.footage()
        return FrameReader(
            footage,
            model.picture_map(footage.size),
            first,
            settings.end,
            settings.stride,
            model.needs_footage_pixels,
        )
