# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preferences' buttons do: the engine, the self-test, weights, the body."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ...engine.contract.errors import UserError
from ...engine.contract.sentences import Sentence
from ...engine.installed import locations, registry
from ..blender import busy, child_process
from ..blender.operators import refuse, say
from ..blender.progress import format_bytes
from ..blender.text import characters_in, draw_text, tr
from . import choices, credentials, installation, jobs, probe, self_test_record, tasks
from .background_task import Task

DIALOG_WIDTH = 560
WEIGHTS_FILES = "*.pth;*.safetensors"
BODY_FILES = "*.zip;*.npz;*.pkl"


if TYPE_CHECKING:  # what the operators below have beside their common parts
    from bpy.types import Operator as OperatorParts
else:
    OperatorParts = object


class TaskOperator(OperatorParts):
    """What operators that start a task have in common. None has the option REGISTER, with which Blender would list its
    properties, a password among them, in the Info editor."""

    needs_network = False
    needs_engine = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if busy.is_busy():
            cls.poll_message_set(tr("Something is still running. Wait for it to finish, or cancel it"))
        elif cls.needs_network and not bpy.app.online_access:
            cls.poll_message_set(
                tr("Online access is off. Turn it on in Preferences > System > Network > Allow Online Access")
            )
        elif cls.needs_engine and probe.engine_python() is None:
            cls.poll_message_set(tr("Install the engine first, or choose a Python that has its packages"))
        else:
            return True
        return False

    def begin(self, start: Callable[[], Task], on_end: Callable[[Task], None] | None = None) -> set[str]:
        """Start the task. A failure at once is reported; a later one is shown where the progress was."""

        def ended(task: Task) -> None:
            if on_end is not None:
                on_end(task)
            probe.forget()

        probe.forget()
        try:
            task = tasks.begin(start, ended)
        except UserError as error:
            return refuse(self, error)
        if task.state == "failed" and task.error is not None:
            return refuse(self, task.error)
        return {"FINISHED"}


class EngineAction(TaskOperator):
    """An action of the installer: a dialog says what would happen, and its button is the consent."""

    action = ""

    consented: BoolProperty(options={"HIDDEN", "SKIP_SAVE"}, description="The plan has been read and accepted")

    def make_plan(self) -> installation.InstallPlan:
        settings = choices.read()
        return installation.plan(locations.data_folder(), action=self.action, kind=settings.engine_build)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window.cursor_set("WAIT")
        try:
            self.plan = self.make_plan()
        except UserError as error:
            return refuse(self, error)
        finally:
            context.window.cursor_set("DEFAULT")
        self.consented = True  # by the dialog's button; without it execute is not called
        return context.window_manager.invoke_props_dialog(
            self, width=DIALOG_WIDTH, title=self.bl_label, confirm_text=self.action.capitalize()
        )

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        for line in self.plan.describe():
            draw_text(column, line, characters_in(DIALOG_WIDTH), icon="DOT")
        if self.action != "remove":
            column.separator()
            draw_text(
                column,
                "Nothing outside this folder is changed. You can cancel at any time; what has been downloaded is kept "
                "for the next try.",
                characters_in(DIALOG_WIDTH),
                icon="INFO",
            )

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self.consented:
            say(self, "ERROR", "Nothing was changed: the plan has not been accepted.")
            return {"CANCELLED"}
        try:
            plan = getattr(self, "plan", None) or self.make_plan()
        except UserError as error:
            return refuse(self, error)
        child_process.end_all()  # an engine that still runs would hold its files open
        return self.begin(lambda: jobs.InstallationTask(plan, bpy.app.online_access), _keep_self_test)


class HUMAN3R_OT_install_engine(EngineAction, bpy.types.Operator):
    """Install the engine, the Python packages that run the model. You see what will be downloaded before it starts"""

    bl_idname = "human3r.install_engine"
    bl_label = "Install Engine"
    action = "install"
    needs_network = True


class HUMAN3R_OT_repair_engine(EngineAction, bpy.types.Operator):
    """Reinstall the engine from verified files. Downloads that are intact are reused"""

    bl_idname = "human3r.repair_engine"
    bl_label = "Repair Engine"
    action = "repair"
    needs_network = True


class HUMAN3R_OT_update_engine(EngineAction, bpy.types.Operator):
    """Update the engine to the packages that this version of the add-on was tested with"""

    bl_idname = "human3r.update_engine"
    bl_label = "Update Engine"
    action = "update"
    needs_network = True


class HUMAN3R_OT_remove_engine(EngineAction, bpy.types.Operator):
    """Remove the engine and the installer's cache from this computer. Weights, body and takes are kept"""

    bl_idname = "human3r.remove_engine"
    bl_label = "Remove Engine"
    action = "remove"


class HUMAN3R_OT_self_test(TaskOperator, bpy.types.Operator):
    """Run a small model once to check the device, precision, memory and frames per second"""

    bl_idname = "human3r.self_test"
    bl_label = "Run Self-Test"
    needs_engine = True

    def execute(self, context: bpy.types.Context) -> set[str]:
        preferred = choices.read().engine_python
        return self.begin(lambda: jobs.self_test(preferred), _keep_self_test)


class LicensedDownload(TaskOperator):
    """A download whose license is shown, and has to be accepted, before the first byte."""

    needs_network = True
    needs_engine = True

    accept: BoolProperty(
        name="I have read the license and accept it",
        options={"SKIP_SAVE"},
        description="Nothing is downloaded until the license is accepted",
    )

    def item(self) -> registry.Item | None:
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        item = self.item()
        if item is None:
            return {"CANCELLED"}
        title = item.title.partition(":")[0].partition("(")[0].strip()
        return context.window_manager.invoke_props_dialog(
            self, width=DIALOG_WIDTH, title=tr("Get {name}", name=title), confirm_text="Download"
        )

    def draw(self, context: bpy.types.Context) -> None:
        item = self.item()
        if item is None:
            return
        characters = characters_in(DIALOG_WIDTH)
        column = self.layout.column(align=True)
        column.label(text=item.licence.name, icon="TEXT")
        draw_text(column, item.licence.terms, characters, icon="BLANK1")
        row = column.row()
        row.label(text="", icon="BLANK1")
        row.operator("wm.url_open", text="Read the License on the Publisher's Page", icon="URL").url = item.licence.url
        column.separator()
        size = item.size or item.about_bytes
        draw_text(
            column,
            Sentence(
                "Downloads {file} ({size}) to {folder}. An interrupted download resumes where it stopped.",
                file=item.file,
                size=Sentence("about {size}", size=format_bytes(size)) if size else Sentence("size not known yet"),
                folder=locations.data_folder(),
            ),
            characters,
            icon="IMPORT",
        )
        self.draw_choices(column, item)
        self.layout.prop(self, "accept")

    def draw_choices(self, column: bpy.types.UILayout, item: registry.Item) -> None:
        """What else there is to choose or to type."""

    def refusal(self) -> str:
        """Why nothing is downloaded; empty when the license was accepted."""
        return "" if self.accept else "Nothing was downloaded: the license has not been accepted."


class HUMAN3R_OT_get_weights(LicensedDownload, bpy.types.Operator):
    """Download released weights from Hugging Face, for non-commercial use only. The license is shown first"""

    bl_idname = "human3r.get_weights"
    bl_label = "Get Released Weights"
    bl_options = {"INTERNAL"}  # the preferences' rows say which

    name: StringProperty(name="Variant", options={"SKIP_SAVE"}, description="Which variant: 896L, 672L, 672B or 672S")
    half: BoolProperty(
        name="Half precision (half the disk space, slightly less accurate)",
        options={"SKIP_SAVE"},
        description="Store the large matrices with 16 bits per number",
    )

    def item(self) -> registry.Item | None:
        found = registry.find(self.name)
        return found if found is not None and found.kind == "weights" else None

    def draw_choices(self, column: bpy.types.UILayout, item: registry.Item) -> None:
        self.layout.prop(self, "half")

    def execute(self, context: bpy.types.Context) -> set[str]:
        item = self.item()
        refusal = self.refusal() if item else Sentence("There are no weights named {name}.", name=self.name)
        if item is None or refusal:
            say(self, "ERROR", refusal)
            return {"CANCELLED"}
        preferred, half = choices.read().engine_python, self.half  # the operator is gone when the task runs
        return self.begin(lambda: jobs.get(item.name, preferred, item.name, half))


class HUMAN3R_OT_get_body(LicensedDownload, bpy.types.Operator):
    """Download the SMPL-X body with your account at smpl-x.is.tue.mpg.de, for non-commercial use only"""

    bl_idname = "human3r.get_body"
    bl_label = "Get SMPL-X"

    user: credentials.field(
        "user",
        "User Name",
        "Your user name at smpl-x.is.tue.mpg.de, often your email address. "
        "It is shown below the field as you enter it, and never stored",
    )
    password: credentials.field(
        "password", "Password", "Your password at smpl-x.is.tue.mpg.de. It is sent to that site only, and never stored"
    )

    def item(self) -> registry.Item | None:
        return registry.find("smplx")

    def draw_choices(self, column: bpy.types.UILayout, item: registry.Item) -> None:
        column.separator()
        draw_text(
            column,
            "The publisher requires an account. Your user name and password are sent to that site only, and never "
            "stored.",
            characters_in(DIALOG_WIDTH),
            icon="LOCKED",
        )
        row = column.row()
        row.label(text="", icon="BLANK1")
        row.operator("wm.url_open", text="Register (Free)", icon="URL").url = item.register
        fields = self.layout.column(align=True)
        fields.use_property_split = True
        fields.prop(self, "user")
        fields.prop(self, "password")
        draw_text(
            self.layout.column(),
            Sentence("User name: {name}", name=credentials.user() or Sentence("not entered yet")),
            characters_in(DIALOG_WIDTH),
            icon="USER",
        )

    def cancel(self, context: bpy.types.Context) -> None:
        credentials.clear()

    def execute(self, context: bpy.types.Context) -> set[str]:
        login = credentials.take()
        refusal = self.refusal() or (
            ""
            if all(login)
            else "Enter the user name and password of your account at smpl-x.is.tue.mpg.de, "
            "or download the file in a browser and import it."
        )
        if refusal:
            say(self, "ERROR", refusal)
            return {"CANCELLED"}
        return self.begin(lambda: jobs.get("smplx", choices.read().engine_python, "SMPL-X", login=login))


class HUMAN3R_OT_import_data(TaskOperator, bpy.types.Operator, ImportHelper):
    """Install released weights (.pth) or the SMPL-X body (.zip, .npz, .pkl) from a file. No code in it is run"""

    bl_idname = "human3r.import_data"
    bl_label = "Import from File"
    needs_engine = True

    filter_glob: StringProperty(default=f"{WEIGHTS_FILES};{BODY_FILES}", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        path, preferred = Path(bpy.path.abspath(self.filepath)), choices.read().engine_python
        return self.begin(lambda: jobs.import_file(path, preferred))


class HUMAN3R_OT_remove_data(TaskOperator, bpy.types.Operator):
    """Remove these weights, or the SMPL-X body, from this computer"""

    bl_idname = "human3r.remove_data"
    bl_label = "Remove from This Computer"
    bl_options = {"INTERNAL"}  # the preferences' rows say what

    name: StringProperty(name="What", options={"SKIP_SAVE"}, description="What to remove: a variant's name, or smplx")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=tr("Remove {name}?", name=self.name),
            confirm_text="Remove",
            icon="WARNING",
            message="To use it again, you have to download or import it again.",
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        item = registry.find(self.name)
        if item is None:
            say(self, "ERROR", "There is nothing named {name}.", name=self.name)
            return {"CANCELLED"}
        return self.begin(lambda: jobs.remove(item.name, item.name))


class HUMAN3R_OT_verify_data(TaskOperator, bpy.types.Operator):
    """Read every installed file in full and check that it is undamaged"""

    bl_idname = "human3r.verify_data"
    bl_label = "Verify Files"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.begin(jobs.verify)


def _keep_self_test(task: Task) -> None:
    """Remember how the self-test ended, for the Python that would be used now: its own task, or an installation's."""
    python = probe.engine_python()
    is_verdict = task.result is not None or (task.title == jobs.SELF_TEST and task.state == "failed")
    if python is not None and is_verdict:
        self_test_record.keep(python, task)


CLASSES = (
    HUMAN3R_OT_install_engine,
    HUMAN3R_OT_repair_engine,
    HUMAN3R_OT_update_engine,
    HUMAN3R_OT_remove_engine,
    HUMAN3R_OT_self_test,
    HUMAN3R_OT_get_weights,
    HUMAN3R_OT_get_body,
    HUMAN3R_OT_import_data,
    HUMAN3R_OT_remove_data,
    HUMAN3R_OT_verify_data,
)
