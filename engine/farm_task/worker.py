# SPDX-License-Identifier: GPL-3.0-or-later
"""One task of a farm: clip after clip, with one load of the model."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract.errors import UserError
from ..contract.exit_codes import AGAIN, CANCELLED, DONE, FAILED
from ..contract.messages import TakeHeader
from ..contract.settings import CaptureSettings
from ..farm.places import picture_path
from ..interruption import Interruption
from ..resuming.take_place import Claim, claimed
from .notes import Note, read_note, write_note
from .outcomes import exit_code, explained, is_of_the_footage, is_of_the_worker
from .state import COMPLETE, INTERRUPTED, NOTHING, require_same, state_of
from .telling import Teller

if TYPE_CHECKING:
    from ..capture import CaptureResult
    from ..supply import ModelShelf

_RANK = {DONE: 0, FAILED: 1, AGAIN: 2}
"""Of several clips: what another try may mend counts more than what it will not."""

_NOT_NOTED = ("take-busy", "take-lost")
"""Another process has the take, and its note."""


@dataclass(frozen=True)
class Ready:
    """What loads slowly, once it is there."""

    shelf: ModelShelf
    device: str


class Worker:
    """Does the clips of one task."""

    def __init__(self, options: argparse.Namespace, interruption: Interruption, teller: Teller) -> None:
        self._options, self._interruption, self._teller = options, interruption, teller
        self._ready: Ready | None = None

    def run(self, wanted: Sequence[CaptureSettings]) -> int:
        """Returns the exit code of the task."""
        worst = DONE
        for number, settings in enumerate(wanted):
            self._teller.begin(number, len(wanted), Path(settings.source).name)
            code, goes_on = self._one(settings)
            if not goes_on:
                return code
            worst = max(worst, code, key=_RANK.__getitem__)
        return worst

    def _one(self, settings: CaptureSettings) -> tuple[int, bool]:
        """The exit code of one clip, and whether the next one makes sense."""
        started = time.monotonic()
        try:
            done, note = self._note_of(settings)
        except UserError as error:
            return self._failed(settings, error)
        if note.status == "complete":
            self._teller.end(f"{done}: {note.frames} frames, {note.people} people")
            return DONE, True
        write_note(Path(settings.take), replace(note, seconds=round(time.monotonic() - started, 3)))
        self._teller.end("cancelled: the same task goes on from here")
        return CANCELLED, False

    def _failed(self, settings: CaptureSettings, error: UserError) -> tuple[int, bool]:
        self._teller.fail(error)
        if error.code not in _NOT_NOTED:
            write_note(Path(settings.take), Note("failed", error=error.as_fields()))
        if self._options.keep_going and is_of_the_footage(error):
            return DONE, True
        return exit_code(error), not is_of_the_worker(error)

    def _note_of(self, settings: CaptureSettings) -> tuple[str, Note]:
        """Do what is left to do of one clip; how it stands now, in words too. Raises UserError."""
        started, take = time.monotonic(), Path(settings.take)
        try:
            with claimed(settings) as place:
                state, header = self._begun(settings)
                if state == COMPLETE:
                    return "already complete", _completed(settings, read_note(take))
                result = self._capture(settings, header if state == INTERRUPTED else None, place)
                if result.status != "complete":
                    return "cancelled", Note("cancelled", result.frame_count, result.people_count)
                seconds, device = round(time.monotonic() - started, 3), self._loaded().device
                note = Note("complete", result.frame_count, result.people_count, seconds, device, note=result.note)
                write_note(take, note)
                return "complete", _completed(settings, note)
        except UserError:
            raise
        except Exception as error:
            raise explained(error) from error

    def _begun(self, settings: CaptureSettings) -> tuple[str, TakeHeader | None]:
        """What there is of the take that counts. Raises UserError (``take-of-others``)."""
        state, header = state_of(Path(settings.take))
        if header is not None:
            try:
                require_same(header, settings)
            except UserError:
                if not self._options.overwrite:
                    raise
                return NOTHING, None
        return state, header

    def _loaded(self) -> Ready:
        """Torch and the device. Raises UserError (``device-missing``, ``gpu-missing``), ImportError."""
        if self._ready is None:
            from ..model.weights import choose_device
            from ..supply import ModelShelf

            device = choose_device(self._options.device)
            if self._options.require_gpu and device.type == "cpu":
                raise _no_gpu()
            self._ready = Ready(ModelShelf(), str(device))
        return self._ready

    def _capture(self, settings: CaptureSettings, begun: TakeHeader | None, place: Claim) -> CaptureResult:
        """Begin, or go on with what was begun. Raises UserError."""
        from ..video.footage import open_footage

        open_footage(settings.source, settings.frame_rate).close()  # a wrong path is told before torch loads
        ready = self._loaded()
        from ..capture import run_capture

        hear, stop = self._teller.hear, self._interruption
        if begun is not None:
            try:
                return run_capture(_going_on(begun, settings, ready.device), hear, stop, ready.shelf, True, place)
            except UserError as error:
                if not error.code.startswith("resume-"):
                    raise
                self._teller.end(f"it begins anew: {error.message}")
        return run_capture(settings, hear, stop, ready.shelf, place=place)


def _going_on(begun: TakeHeader, wanted: CaptureSettings, device: str) -> CaptureSettings:
    """The settings that a take was begun with, in this worker's places. Raises UserError (``device-differs``)."""
    if begun.settings.device != device:
        raise UserError(
            "device-differs",
            "The take {take} was begun on the device {before}, and this worker has {now}.",
            "Try again on a worker like the first one, or remove the take to begin it anew.",
            take=wanted.take,
            before=begun.settings.device,
            now=device,
        )
    here = {name: getattr(wanted, name) for name in ("take", "source", "body", "camera_file")}
    return replace(begun.settings, **here)


def _completed(settings: CaptureSettings, note: Note | None) -> Note:
    """The note of a complete take, and its picture: what an end at the last moment did not leave is made now."""
    take = Path(settings.take)
    if note is None or note.status != "complete":
        from .looking import facts_of

        note = facts_of(take)
        write_note(take, note)
    if not picture_path(take).is_file():
        from .picture import draw_picture

        draw_picture(take, settings.source)
    return note


def _no_gpu() -> UserError:
    import torch

    built = torch.version.cuda or torch.version.hip
    reason = "PyTorch finds none that it can use" if built else "its PyTorch was built without support for one"
    return UserError(
        "gpu-missing",
        "The job asks for a GPU, and this worker has none: {reason} (torch {version}).",
        "Let the job run on workers with a GPU and its driver, or write the bundle without that demand.",
        reason=reason,
        version=torch.__version__,
    )
