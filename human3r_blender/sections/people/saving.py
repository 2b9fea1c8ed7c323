# SPDX-License-Identifier: GPL-3.0-or-later
"""*Save to Take*: what was done to the people by hand is done to the take as well, by the engine, in the background."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
from bpy.props import BoolProperty

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.contract.take import resume_path
from ....engine.contract.whole_file import explained_write_errors, replace_file
from ...blender import busy, tags
from ...blender.operators import refuse, say
from ...blender.text import tr
from ...capture import recent_takes
from ...scene import take_places, takes
from ...setup import choices, jobs, tasks
from ...setup.background_task import Task
from . import edit_record
from .edit_record import Recorded


class HUMAN3R_OT_save_to_take(bpy.types.Operator):
    """Merge, split, swap, rename, delete and hide people in the take as in the scene, so that they are the same when it
    is imported again. A new take is written, and is the scene's from then on"""

    bl_idname = "human3r.save_to_take"
    bl_label = "Save to Take"
    bl_options = {"REGISTER"}

    replace: BoolProperty(
        name="Replace the Take",
        default=False,
        options={"SKIP_SAVE"},
        description="Put the edited take in the place of the one that the scene was made from. Otherwise it is a file "
        "beside it, whose name ends in -edited",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not busy.nothing_runs(cls):
            return False
        if busy.is_busy(busy.TASK):
            cls.poll_message_set(tr("Something is being installed, downloaded or exported"))
            return False
        root = takes.root_of(context)
        if root is None or not tags.text(root, tags.EDITS):
            cls.poll_message_set(tr("Nothing was done to the people of this take"))
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        root = takes.root_of(context)
        assert root is not None, "poll asked"
        try:
            saving = Saving(root, self.replace)
            task = tasks.begin(saving.start, saving.finish)
            if task.error is not None:
                raise task.error
        except UserError as error:
            return refuse(self, error)
        if bpy.app.background:  # else the sidebar shows it
            say(self, "INFO", "Saved to {name}.", name=saving.place.name)
        return {"FINISHED"}


class Saving:
    """One saving, from the check to what becomes of the scene."""

    def __init__(self, root: bpy.types.Object, replaces: bool) -> None:
        """Raises UserError: ``no-take``, ``edits-damaged``, ``no-edits``, ``take-interrupted``."""
        self._uid, self._replaces = root.session_uid, replaces
        self._edits, self._take = edit_record.read(root), _take_of(root)
        if not self._edits:
            raise UserError("no-edits", "Nothing was done to the people.", "Merge, split or rename people first.")
        if replaces and resume_path(self._take).is_file():
            raise UserError(
                "take-interrupted",
                "The take {name} is interrupted, and could not be resumed any more.",
                "Resume it first, or save beside it.",
                name=self._take.name,
            )
        self._written = _free_name(self._take)

    @property
    def place(self) -> Path:
        """Where the edited take is in the end."""
        return self._take if self._replaces else self._written

    def start(self) -> Task:
        """Let the engine write the take. Raises UserError."""
        arguments = [str(self._take), str(self._written), *edit_record.arguments_of(self._edits)]
        return jobs.edit_take(arguments, choices.chosen().engine_python)

    def finish(self, task: Task) -> None:
        """The engine has ended: if all went well, the new take is the scene's."""
        if task.state != "done":
            return
        try:
            if self._replaces:
                with explained_write_errors(
                    Sentence("{name} cannot be replaced", name=self._take.name), "take-unwritable"
                ):
                    replace_file(self._written, self._take)
        except UserError as error:
            task.error, task.state = error, "failed"
            return
        root = next((item for item in bpy.data.objects if item.session_uid == self._uid), None)
        if root is not None and _begins(root, self._edits):
            edit_record.write(root, edit_record.read(root)[len(self._edits) :])
            take_places.note(root, tags.TAKE_FILE, self.place)
            bpy.ops.ed.undo_push(message="Save to Take")
        self._note_recent(root, task)

    def _note_recent(self, root: bpy.types.Object | None, task: Task) -> None:
        people = (task.result or {}).get("people")
        footage = take_places.footage(root) if root is not None else None
        frames = len(tags.numbers(root, tags.PICTURES)) if root is not None else 0
        count = len(people) if isinstance(people, list) else 0
        recent_takes.note(self.place, footage.name if footage is not None else "", frames, count)


def _begins(root: bpy.types.Object, edits: list[Recorded]) -> bool:
    """Whether a root's record still begins with what was saved: it does not where the user has undone some of it."""
    try:
        return edit_record.read(root)[: len(edits)] == edits
    except UserError:
        return False


def _take_of(root: bpy.types.Object) -> Path:
    """The take that a root was made from. Raises UserError (``no-take``)."""
    take = take_places.take_file(root, os.path.exists)
    if take is None or not take.is_file():
        raise UserError(
            "no-take",
            "The take of {name} is not there any more.",
            "Put it beside the .blend file, or import it again.",
            name=root.name,
        )
    return take


def _free_name(take: Path) -> Path:
    """A name for the edited take that nobody has: NAME-edited.h3r, NAME-edited-2.h3r and so on."""
    stem = take.stem if take.stem.endswith("-edited") else f"{take.stem}-edited"
    tries = (take.with_name(f"{stem}{'' if number == 1 else f'-{number}'}.h3r") for number in range(1, 10_000))
    return next(path for path in tries if not path.exists())


CLASSES = (HUMAN3R_OT_save_to_take,)
