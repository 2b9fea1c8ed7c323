# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work of operators in slices: Blender's window answers meanwhile, its status bar says what is done, Esc cancels.

An operator that is a `SlicedOperator` writes its work as a generator. A script's call runs it through at once; from a
button it goes on a few milliseconds at a time, while nothing else in the window is answered but Esc. What the generator
yields says what may happen there: None that it may be closed, for all is as it was or whole; `GOES_ON` that it may
not; and a text, that what follows is to be said in the status bar.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, ParamSpec, TypeVar

import bpy
from bpy.app.handlers import persistent

from ...engine.contract.sentences import Sentence
from . import busy
from .operators import say
from .text import translated

BUDGET_S = 0.01
"""Work after which Blender has its turn."""
AT_FIRST_S = 0.12
"""Work before slices begin: what takes no longer is over when the button is let go."""
_EVERY_S = 0.005

P = ParamSpec("P")
T = TypeVar("T")


class _GoesOn:
    """Its one instance is yielded where work may not end."""


GOES_ON = _GoesOn()

Step = str | _GoesOn | None
Slices = Generator[Step, None, T]
"""Work in slices with a result."""


def run_through(slices: Slices[T]) -> T:
    """All of the work at once."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result


class sliceable(Generic[P, T]):
    """Makes a generator of slices a function that does all of the work at once, with the generator as `in_slices`."""

    def __init__(self, in_slices: Callable[P, Slices[T]]) -> None:
        self.in_slices = in_slices
        functools.update_wrapper(self, in_slices)

    def __call__(self, *arguments: P.args, **options: P.kwargs) -> T:
        return run_through(self.in_slices(*arguments, **options))


def to_its_end(steps: Iterator[object]) -> Slices[Any]:
    """Work that may not end before it is whole."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        yield GOES_ON


class Work(Generic[T]):
    """Work that is done bit by bit, and may be asked to end."""

    def __init__(self, slices: Slices[T]) -> None:
        self._slices = slices
        self._may_end, self._must_end = True, False
        self.text = ""
        """What is being done; empty where nobody said."""
        self.has_changed = False
        """Whether anything was changed for good."""
        self.is_cancelled = False
        self.result: T | None = None

    def cancel(self) -> None:
        """Ask for the end: it comes where nothing is left half done."""
        self._must_end = True

    def stop(self) -> None:
        """End at once: what is worked on is about to go away."""
        self._slices.close()
        self.is_cancelled = True

    def go_on(self, budget_s: float) -> bool:
        """Work for about so many seconds; True while more is due. Raises what the work raises."""
        deadline = time.perf_counter() + budget_s
        while not self.is_cancelled:
            if self._must_end and self._may_end:
                self.stop()
                break
            try:
                self._note(next(self._slices))
            except StopIteration as end:
                self.result = end.value
                break
            if time.perf_counter() >= deadline:
                return True
        return False

    def _note(self, step: Step) -> None:
        self._may_end = not isinstance(step, _GoesOn)
        self.has_changed = self.has_changed or not self._may_end
        if isinstance(step, str):
            self.text = step


_at_work: list[Work[Any]] = []
"""The one work that a window waits for."""


class SlicedOperator:
    """What operators with long work inherit besides `bpy.types.Operator`."""

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        """The work; what `execute` returns then. It reports itself, and refuses what raises UserError."""
        raise AssertionError("each operator says what it does")

    def execute(self, context: bpy.types.Context) -> set[str]:
        if self.__dict__.pop("_is_asked", False):  # a dialog or the file browser came before
            return self.begin(context)
        return run_through(self.slices(context))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return self.begin(context)

    def ask_first(self) -> None:
        """Say that a dialog follows, after which the work is to be done in slices."""
        self._is_asked = True

    def begin(self, context: bpy.types.Context) -> set[str]:
        """Begin to work in slices where there is a window; without one, do all of it."""
        if context.window is None or bpy.app.background:
            return run_through(self.slices(context))
        self._work: Work[set[str]] = Work(self.slices(context))
        if not self._work.go_on(AT_FIRST_S):
            return self._work.result or {"CANCELLED"}
        _at_work[:] = [self._work]
        self._timer = context.window_manager.event_timer_add(_EVERY_S, window=context.window)
        context.window.cursor_modal_set("WAIT")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            self._work.cancel()
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}
        try:
            goes_on = self._work.go_on(BUDGET_S)
        except ReferenceError:
            say(self, "ERROR", "Part of what was being worked on was deleted.")
            goes_on = False
        except BaseException:
            self._end(context)
            raise
        if goes_on:
            self._tell(context)
            return {"RUNNING_MODAL"}
        self._end(context)
        return self._outcome()

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes the window, or the file."""
        self._work.stop()
        self._end(context)

    def _outcome(self) -> set[str]:
        if self._work.result is not None:
            return self._work.result
        if not self._work.has_changed:
            say(self, "INFO", "Canceled.")
            return {"CANCELLED"}
        say(self, "WARNING", "Canceled. What was finished before stays; undo takes it back.")
        return {"FINISHED"}

    def _tell(self, context: bpy.types.Context) -> None:
        doing = self._work.text or self.bl_label  # type: ignore[attr-defined]
        context.workspace.status_text_set(translated(Sentence("{doing} (Esc cancels)", doing=doing)))

    def _end(self, context: bpy.types.Context) -> None:
        _at_work.clear()
        context.window_manager.event_timer_remove(self._timer)
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(None)


def is_at_work() -> bool:
    """Whether an operator works in slices."""
    return bool(_at_work)


busy.announce(busy.EDIT, is_at_work)


@persistent
def _stop(*_: object) -> None:
    for work in _at_work:
        work.stop()


HANDLERS = (("undo_pre", _stop), ("redo_pre", _stop), ("load_pre", _stop))
