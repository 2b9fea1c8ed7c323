# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel asks for, kept with the scene: the capture's settings and the import's options as properties."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...engine.contract.declaring import settings_of
from ...engine.contract.errors import UserError
from ...engine.contract.settings import BUILT_IN, CaptureSettings
from ...engine.installed import inventory, registry
from ..blender.paths import absolute
from ..blender.properties import SWITCH, property_of, settings_from, with_settings, with_switches
from ..scene.import_options import ImportOptions
from ..setup import probe
from ..setup.choices import chosen_body
from . import footage_facts
from .take_place import new_take

NO_SETTINGS = ("rna_type", "name")
"""Properties that every group has."""
OF_THE_FOOTAGE = [name for name, item in settings_of(CaptureSettings).items() if item.belongs_to == "footage"]
"""Settings that belong to one video and that presets leave alone."""
OF_THE_MACHINE = [
    "model_source",
    "checkpoint",
    "recipe",
    *(name for name, item in settings_of(CaptureSettings).items() if item.belongs_to == "machine"),
]
"""Settings that the shipped presets leave alone too."""

MODELS = (  # the numbers are what files hold
    (
        "DEFAULT",
        "Best Installed",
        "The best released weights for this machine, or the built-in model if none are installed",
        "",
        0,
    ),
    (
        "EMBEDDED",
        "Built-in (landmarks)",
        "The model that comes with the extension: bodies fitted to landmarks of people, free for commercial use",
        "",
        3,
    ),
    *(
        (item.name, f"Released {item.name}", f"{item.title}. Non-commercial use only", "", 4 + number)
        for number, item in enumerate(item for item in registry.ITEMS if item.kind == "weights")
    ),
    ("CHECKPOINT", "Checkpoint", "Weights from a file of your own", "", 1),
    (
        "RECIPE",
        "Recipe Weights",
        "Random weights, the same every time, to test the whole process: the people will not be right",
        "",
        2,
    ),
)
RECIPES = (
    ("small", "Small", "A small network, fast on any machine"),
    ("672S", "672 S", "The released architecture with ViT-S"),
    ("672B", "672 B", "The released architecture with ViT-B"),
    ("672L", "672 L", "The released architecture with ViT-L"),
    ("896L", "896 L", "The largest released architecture: several gigabytes"),
)
LEFT_TO_THE_PREFERENCES = ("body", "body_path")


def _source_chosen(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    footage_facts.choose(absolute(settings.source))


@with_switches(CaptureSettings, ImportOptions)
@with_settings(ImportOptions, LEFT_TO_THE_PREFERENCES)
@with_settings(CaptureSettings, (*LEFT_TO_THE_PREFERENCES, "model"))
class Human3RSettings(bpy.types.PropertyGroup):
    """Settings of the next capture and of the next import into this scene."""

    source: property_of(CaptureSettings, "source", update=_source_chosen)
    take: property_of(
        CaptureSettings,
        "take",
        description="File to write the take (.h3r) to, from which the scene can be imported again. Leave empty for a "
        "new file beside the .blend file, or beside the footage while that is not saved",
    )
    model_source: EnumProperty(name="Model", items=MODELS, description="Weights that the network uses")
    checkpoint: StringProperty(name="Checkpoint", description="File with weights for the network", subtype="FILE_PATH")
    recipe: EnumProperty(name="Size", items=RECIPES, description="Size of the network with recipe weights")
    follow: BoolProperty(
        name="Follow", default=True, description="Move the playhead to the newest frame during a capture or import"
    )

    def capture_settings(self, again: Path | None = None) -> CaptureSettings:
        """The settings as the engine takes them; `again` is a take that is made anew in its place.

        Raises :class:`UserError` (``bad-setting``, ``take-exists``).
        """
        take = absolute(self.take) if again is None else str(again)
        if again is None and take and Path(take).exists():
            raise UserError(
                "take-exists",
                "The take {take} already exists.",
                "Choose another name under Capture > Settings > Take, or leave it empty for a new file each time.",
                take=take,
            )
        source = absolute(self.source)
        return settings_from(
            self,
            CaptureSettings,
            source=source,
            take=take or str(new_take(source)),
            model=self.model(),
            body=chosen_body(),
        )

    def model(self) -> str:
        """The model as settings take it. Raises :class:`UserError` (``weights-missing``)."""
        if self.model_source == "CHECKPOINT":
            return absolute(self.checkpoint)
        if self.model_source == "RECIPE":
            return f"recipe:{self.recipe}"
        released = self.released_weights()
        if released is not None and not released.installed:
            raise UserError(
                "weights-missing",
                "The released weights {name} are not installed.",
                "Install them in Preferences > Add-ons > Human3R, or choose another model.",
                name=released.item.name,
            )
        return str(released.path) if released is not None else BUILT_IN

    def released_weights(self) -> inventory.Status | None:
        """The released weights that this scene uses, which may be missing; None for another model."""
        item = registry.find(self.model_source)
        if item is not None:
            return inventory.status(item)
        return probe.best_installed() if self.model_source == "DEFAULT" else None

    def import_options(self) -> ImportOptions:
        """The options as the scene builder takes them."""
        return settings_from(self, ImportOptions, body_path=chosen_body())

    def use_defaults(self) -> None:
        """Forget all choices that are neither of one video nor of this machine: where a shipped preset begins."""
        for name in preset_names():
            if name not in OF_THE_MACHINE:
                self.property_unset(name)


def preset_names() -> list[str]:
    """The properties that a preset holds: how to convert, and not what."""
    names = Human3RSettings.bl_rna.properties.keys()
    return [name for name in names if name not in (*NO_SETTINGS, *OF_THE_FOOTAGE) and not name.startswith(SWITCH)]


CLASSES = (Human3RSettings,)
SCENE_PROPERTIES = {"human3r": Human3RSettings}
