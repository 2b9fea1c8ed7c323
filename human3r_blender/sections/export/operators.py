# SPDX-License-Identifier: GPL-3.0-or-later
"""People to files, and motions from files: what the section Export and the File menu do."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ....engine.contract.errors import UserError
from ...blender import busy
from ...blender.operators import refuse, say
from ...blender.properties import settings_from, with_settings
from ...blender.slices import SlicedOperator, Slices
from ...person import characters, selection
from ...scene.motion_files.importing import import_motion
from ...scene.motion_files.options import MotionOptions
from ...scene.motion_files.reading import SUFFIXES, sources_in
from ...setup import choices, tasks
from ...setup.choices import chosen_body
from . import exporting
from .formats import FORMATS
from .layout import draw_settings
from .motion import clock
from .properties import Human3RExport
from .scene_exporting import SceneExport
from .scene_files.scene_file import Scenery


class HUMAN3R_OT_export(SlicedOperator, bpy.types.Operator):
    """Export people, the camera or the environment to files in the chosen formats, with the motion that is playing,
    over the scene's frame range. The scene does not change"""

    bl_idname = "human3r.export"
    bl_label = "Export Human3R People"
    bl_options = {"REGISTER"}

    filepath: StringProperty(
        name="File",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
        description="Folder and name of the files. Each format adds its extension, and the person's name to files that "
        "hold one person",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene.human3r_export.scene_files and busy.nothing_runs(cls):
            return True
        if characters.characters_in(context.scene):
            return busy.nothing_runs(cls)
        return selection.may_edit_people(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            blend = Path(bpy.data.filepath)
            self.filepath = str(blend.with_suffix("")) if bpy.data.filepath else "people"
        self.ask_first()
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        draw_settings(self.layout, context, context.scene.human3r_export)

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        """Export, and report what there is to say."""
        settings, path = context.scene.human3r_export, Path(bpy.path.abspath(self.filepath)).absolute()
        stem = path.stem if path.suffix.lower().lstrip(".") in FORMATS else path.name
        try:
            if not stem or path.is_dir():
                raise UserError("bad-setting", "The files have no name.", "Enter a file name, not only a folder.")
            done = yield from self.export(context, settings, path.parent, stem)
        except UserError as error:
            return refuse(self, error)
        for note in done.notes:
            say(self, "WARNING", note)
        if len(done.files) == 1:
            say(self, "INFO", "Exported {name} to {folder}.", name=done.files[0].name, folder=path.parent)
        elif done.files:
            say(self, "INFO", "Exported {count} files to {folder}.", count=len(done.files), folder=path.parent)
        return {"FINISHED"}

    def export(
        self, context: bpy.types.Context, settings: Human3RExport, folder: Path, stem: str
    ) -> Slices[exporting.Exported]:
        """Write everything but what the engine writes, which begins. Raises UserError."""
        people, cast = settings.chosen(context)
        others = SceneExport(
            settings.chosen_scene_files(),
            folder,
            stem,
            settings.take_settings(),
            settings.overwrite,
            choices.chosen().engine_python,
        )
        scenery = Scenery.of(context, clock(context.scene, settings.chosen_rate()))
        others.check(scenery)
        done = exporting.Exported((), ())
        # Whoever exports a camera or an environment may have left a format of people's turned on.
        if people or cast or not others.names:
            if not settings.everyone:
                selection.refuse_none([*people, *cast])
            if settings.formats or not others.names:
                chosen = settings.settings()
                done = yield from exporting.export.in_slices(context.scene, people, folder, stem, chosen, cast)
        written = others.write_here(scenery)
        if not others.by_engine:
            return exporting.Exported((*done.files, *written), done.notes)
        task = tasks.begin(lambda: others.start_engine(scenery))
        if task.error is not None:
            raise task.error
        # In a window the sidebar shows how far it is, and how it ends; without one it is over.
        notes = [*done.notes, *getattr(task, "notes", ())] if bpy.app.background else done.notes
        by_engine = map(others.path, others.by_engine) if bpy.app.background else ()
        return exporting.Exported((*done.files, *written, *by_engine), tuple(notes))


@with_settings(MotionOptions)
class HUMAN3R_OT_import_motion(SlicedOperator, bpy.types.Operator, ImportHelper):
    """Import motions as people: files with SMPL-X, SMPL-H or SMPL poses, such as AMASS's (.npz), and results of GVHMR,
    WHAM, 4D-Humans, TRAM, PromptHMR and Human3R (.pt, .pkl, .npy)"""

    bl_idname = "human3r.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".npz"
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN"})
    files: CollectionProperty(
        type=bpy.types.OperatorFileListElement,
        description="Names of the files to import, where there are several",
        options={"HIDDEN", "SKIP_SAVE"},
    )
    directory: StringProperty(
        subtype="DIR_PATH", description="Folder of the files to import", options={"HIDDEN", "SKIP_SAVE"}
    )
    set_scene_timing: BoolProperty(
        name="Set Scene Timing",
        default=False,
        description="Set the scene's frame rate and frame range to those of the motion. Otherwise the motion is "
        "resampled to the scene's frame rate and keeps its true speed",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return busy.nothing_runs(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filter_glob = ";".join(f"*{ending}" for ending in SUFFIXES)
        self.ask_first()
        return ImportHelper.invoke(self, context, event)

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        done = []
        for path in self.paths():
            done.append((yield from self.import_one(context, path)))
        return {"FINISHED"} if any(done) else {"CANCELLED"}

    def paths(self) -> list[Path]:
        """The files that were chosen; those in a folder that was."""
        named = [Path(bpy.path.abspath(self.directory)) / item.name for item in self.files if item.name]
        paths = named or [Path(bpy.path.abspath(self.filepath))]
        return [inside for path in paths for inside in ((path.is_dir() and sources_in(path)) or [path])]

    def import_one(self, context: bpy.types.Context, path: Path) -> Slices[bool]:
        """Import a file, and report what there is to say."""
        try:
            options = settings_from(self, MotionOptions)
            made = yield from import_motion.in_slices(
                path, context.scene, chosen_body(), self.set_scene_timing, options
            )
        except UserError as error:
            refuse(self, error)
            return False
        for note in made.notes:
            say(self, "WARNING", note)
        say(self, "INFO", "Imported {name}.", name=made.root.name)
        return True


CLASSES = (HUMAN3R_OT_export, HUMAN3R_OT_import_motion)
