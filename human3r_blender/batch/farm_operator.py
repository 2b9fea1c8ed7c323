# SPDX-License-Identifier: GPL-3.0-or-later
"""*Send to Farm*: clips that are chosen in the file browser become a job for a render farm."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ...engine.contract.declaring import settings_of
from ...engine.contract.errors import UserError
from ...engine.contract.settings import CaptureSettings
from ...engine.farm.arguments import described
from ...engine.farm.bundle import write_bundle
from ...engine.farm.clips import clips_of, grouped
from ...engine.farm.job import Job, make_job
from ...engine.farm.settings import FORMATS, FarmSettings
from ...engine.farm.words import words_of_settings
from ..blender.operators import refuse, say
from ..blender.paths import absolute
from ..blender.properties import settings_from
from ..capture.properties import Human3RSettings
from ..setup.choices import chosen_body

_HELP = {name: item.help for name, item in settings_of(FarmSettings).items()}


class HUMAN3R_OT_send_to_farm(bpy.types.Operator, ImportHelper):
    """Write a job for a render farm: the chosen videos become takes, with the settings of this scene"""

    bl_idname = "human3r.send_to_farm"
    bl_label = "Send to Farm"
    bl_options = {"REGISTER"}

    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    directory: StringProperty(
        name="Folder", description="Folder of the videos", subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"}
    )
    files: CollectionProperty(
        name="Videos",
        description="Names of the chosen videos; without any, all of the folder",
        type=bpy.types.OperatorFileListElement,
        options={"HIDDEN", "SKIP_SAVE"},
    )
    bundle: StringProperty(
        name="Bundle", description="Folder for the job; empty for a new one beside the videos", subtype="DIR_PATH"
    )
    format: EnumProperty(
        name="Format", description=_HELP["format"], items=[(name, *texts) for name, texts in FORMATS.items()]
    )
    scene: BoolProperty(name="Make Scenes", description=_HELP["scene"])
    output: StringProperty(name="Output", description=_HELP["output"], subtype="DIR_PATH")
    engine: StringProperty(name="Engine", description=_HELP["engine"], subtype="FILE_PATH")
    gpu: BoolProperty(name="Require GPU", description=_HELP["gpu"], default=True)
    overwrite: BoolProperty(name="Overwrite", description="Replace a bundle that is there already")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            job, bundle = self._job(context), self._bundle()
            write_bundle(job, bundle, self.overwrite)
        except UserError as error:
            return refuse(self, error)
        for line in described(job, bundle).splitlines():
            say(self, "INFO", "{line}", line=line)
        return {"FINISHED"}

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split, self.layout.use_property_decorate = True, False
        for name in ("format", "scene", "gpu", "engine", "output", "bundle", "overwrite"):
            self.layout.prop(self, name)

    def _bundle(self) -> Path:
        """Where the job goes."""
        return Path(absolute(self.bundle)) if self.bundle else Path(self.directory) / "human3r-farm"

    def _settings(self) -> FarmSettings:
        """What was chosen of the job. Raises UserError."""
        output, engine = absolute(self.output), absolute(self.engine)
        return FarmSettings(format=self.format, scene=self.scene, output=output, engine=engine, gpu=self.gpu)

    def _job(self, context: bpy.types.Context) -> Job:
        """The job of the chosen files, or of all videos of the folder where none is chosen. Raises UserError."""
        chosen = [str(Path(self.directory) / file.name) for file in self.files if file.name]
        settings, properties = self._settings(), context.scene.human3r
        captures, files = words_of_settings(_captures(properties), ("source", "take"))
        scenes: list[str] = []
        if settings.scene:
            scenes, _ = words_of_settings(properties.import_options(), ("body_path",))
        tasks = grouped(clips_of(chosen or [self.directory]), settings.clips_per_task)
        return make_job(tasks, self._bundle(), settings, captures, scenes, files)


def _captures(properties: Human3RSettings) -> CaptureSettings:
    """The scene's settings without those that belong to its footage, or to this machine. Raises UserError."""
    declared = settings_of(CaptureSettings)
    others = {name: item.default for name, item in declared.items() if item.belongs_to}
    others |= {"source": "clip", "take": "take", "model": _model(properties), "body": chosen_body()}
    return settings_from(properties, CaptureSettings, **others)


def _model(properties: Human3RSettings) -> str:
    """The model; what is the best here is the best of each worker there, and released weights go by their names."""
    if properties.model_source == "DEFAULT":
        return "default"
    released = properties.released_weights()
    return released.item.name if released is not None else properties.model()


def _draw_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(HUMAN3R_OT_send_to_farm.bl_idname, text="Human3R Job for a Farm")


CLASSES = (HUMAN3R_OT_send_to_farm,)
MENU_ENTRIES = (("TOPBAR_MT_file_export", _draw_menu),)
