# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel asks for, kept with the scene: the capture's settings and the import's options as properties."""

import time
from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ...engine.contract.arguments import field_docs
from ...engine.contract.errors import UserError
from ...engine.contract.settings import CAMERAS, DEVICES, PRECISIONS, CaptureSettings
from ...engine.installed import inventory, registry
from ..blender.data_folder import ADDON_ID
from ..blender.paths import absolute
from ..scene.builder import GROUNDS, ImportOptions
from ..setup import probe
from ..setup.choices import chosen_body

CAPTURE = CaptureSettings(source="-", take="-")  # for its defaults
IMPORT = ImportOptions()
TEXTS = field_docs(CaptureSettings) | field_docs(ImportOptions)

MODELS = (  # the numbers are what files hold
    (
        "DEFAULT",
        "Best Installed",
        "The released weights that suit this machine, or the embedded model without them",
        "",
        0,
    ),
    (
        "EMBEDDED",
        "Embedded",
        "The small model in the extension itself: trained on synthetic clips, for trying out",
        "",
        3,
    ),
    *(
        (item.name, f"Released {item.name}", f"{item.title}. Non-commercial use only", "", 4 + number)
        for number, item in enumerate(item for item in registry.ITEMS if item.kind == "weights")
    ),
    ("CHECKPOINT", "Checkpoint", "Weights from a file", "", 1),
    (
        "RECIPE",
        "Recipe Weights",
        "Deterministic random weights, to try the whole path: the people will not be right",
        "",
        2,
    ),
)
RECIPES = (
    ("small", "Small", "A small network, quick on any machine"),
    ("672S", "672 S", "The released architecture with ViT-S"),
    ("672B", "672 B", "The released architecture with ViT-B"),
    ("672L", "672 L", "The released architecture with ViT-L"),
    ("896L", "896 L", "The largest released architecture: several gigabytes"),
)
DEVICE_TEXTS = {
    "auto": ("Automatic", "The fastest that is there: CUDA, then Metal, then the processor"),
    "cpu": ("Processor", "Runs everywhere, and slowly"),
    "cuda": ("CUDA", "An NVIDIA GPU, or an AMD GPU with a ROCm build of torch"),
    "mps": ("Metal", "The GPU of a Mac with Apple silicon"),
}
PRECISION_TEXTS = {
    "float32": "Full precision, on every device",
    "bfloat16": "Half the memory; coarser numbers",
    "float16": "Half the memory; numbers finer than bfloat16's, of a smaller range",
}
CAMERA_TEXTS = {
    "auto": ("Automatic", "Tracked for the embedded model, the network's own for all others"),
    "network": ("Network", "The motion that the model predicts"),
    "tracked": ("Tracked", "Corners of the place followed from picture to picture; people are left out"),
}
GROUND_TEXTS = {
    "auto": (
        "Found by Itself",
        "The take stands upright, its floor at height 0, as its points, cameras and people tell",
    ),
    "off": ("Left Alone", "The first camera is level, at the scene's origin"),
}


class Human3RSettings(bpy.types.PropertyGroup):
    """Settings of the next capture and of the next import into this scene."""

    source: StringProperty(name="Video", description=TEXTS["source"])  # its button opens choose_video
    take: StringProperty(
        name="Take",
        subtype="FILE_PATH",
        description="Where the take (.h3r) is written, from which the scene can be imported again. Empty: a new file "
        "in the extension's folder for user files",
    )

    model_source: EnumProperty(name="Model", items=MODELS, description="Which weights the network uses")
    checkpoint: StringProperty(name="Checkpoint", description="File with the network's weights", subtype="FILE_PATH")
    recipe: EnumProperty(name="Size", items=RECIPES, description="Which size of the network gets recipe weights")
    device: EnumProperty(
        name="Device",
        description="What the network runs on",
        items=[(name, *DEVICE_TEXTS[name]) for name in DEVICES],
        default=CAPTURE.device,
    )
    precision: EnumProperty(
        name="Precision",
        description="Number format of the network's arithmetic",
        items=[(name, name, PRECISION_TEXTS[name]) for name in PRECISIONS],
        default=CAPTURE.precision,
    )

    start: IntProperty(name="Start", description=TEXTS["start"], default=CAPTURE.start, min=0)
    end: IntProperty(
        name="End",
        description="The picture to stop before, counted from 0; 0 for the end of the footage",
        default=0,
        min=0,
    )
    stride: IntProperty(name="Frame Step", description=TEXTS["stride"], default=CAPTURE.stride, min=1)
    frame_rate: FloatProperty(
        name="Frame Rate",
        default=0.0,
        min=0.0,
        max=1000.0,
        precision=3,
        description="Frames per second of an image sequence, or to override a video's own rate; 0: as the footage says",
    )
    reset_interval: IntProperty(
        name="Reset Interval", description=TEXTS["reset_interval"], default=CAPTURE.reset_interval, min=0
    )
    camera: EnumProperty(
        name="Camera Motion",
        description=TEXTS["camera"],
        default=CAPTURE.camera,
        items=[(name, *CAMERA_TEXTS[name]) for name in CAMERAS],
    )
    ttt3r: BoolProperty(name="TTT3R Gate", description=TEXTS["ttt3r"], default=CAPTURE.ttt3r)
    detection_threshold: FloatProperty(
        name="Min Detection",
        description=TEXTS["detection_threshold"],
        default=CAPTURE.detection_threshold,
        min=0.01,
        max=0.99,
        subtype="FACTOR",
    )
    track_memory: IntProperty(
        name="Track Memory", description=TEXTS["track_memory"], default=CAPTURE.track_memory, min=1
    )
    point_confidence: FloatProperty(
        name="Min Confidence",
        description=TEXTS["point_confidence"],
        default=CAPTURE.point_confidence,
        min=1.0,
        soft_max=20.0,
        precision=3,
    )
    voxel_size: FloatProperty(
        name="Voxel Size",
        description=TEXTS["voxel_size"],
        default=CAPTURE.voxel_size,
        min=0.0,
        max=10.0,
        precision=3,
        subtype="DISTANCE",
        unit="LENGTH",
    )
    max_points: IntProperty(name="Max Points", description=TEXTS["max_points"], default=CAPTURE.max_points, min=1)
    point_maps: BoolProperty(name="Keep Point Maps", description=TEXTS["point_maps"], default=CAPTURE.point_maps)

    import_people: BoolProperty(name="People", description=TEXTS["import_people"], default=IMPORT.import_people)
    import_camera: BoolProperty(name="Camera", description=TEXTS["import_camera"], default=IMPORT.import_camera)
    import_points: BoolProperty(name="Points", description=TEXTS["import_points"], default=IMPORT.import_points)
    show_footage: BoolProperty(name="Show Footage", description=TEXTS["show_footage"], default=IMPORT.show_footage)
    set_scene_timing: BoolProperty(
        name="Set Scene Timing", description=TEXTS["set_scene_timing"], default=IMPORT.set_scene_timing
    )
    pose_correctives: BoolProperty(
        name="Pose Correctives", description=TEXTS["pose_correctives"], default=IMPORT.pose_correctives
    )
    ground: EnumProperty(
        name="Floor",
        description=TEXTS["ground"],
        default=IMPORT.ground,
        items=[(name, *GROUND_TEXTS[name]) for name in GROUNDS],
    )
    clean: FloatProperty(
        name="Clean Up", description=TEXTS["clean"], default=IMPORT.clean, min=0.0, max=1.0, subtype="FACTOR"
    )
    absence_s: FloatProperty(
        name="Hide After",
        description=TEXTS["absence_s"],
        default=IMPORT.absence_s,
        min=0.0,
        soft_max=10.0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )
    follow: BoolProperty(
        name="Follow", default=True, description="Move the playhead to the newest frame while the run goes on"
    )

    def capture_settings(self) -> CaptureSettings:
        """The settings as the engine takes them. Raises :class:`UserError` (``bad-setting``, ``take-exists``)."""
        take = absolute(self.take)
        if take and Path(take).exists():
            raise UserError(
                "take-exists",
                f"The take {take} exists already.",
                "Choose another name in the field Take, or empty it for a new file each time.",
            )
        same = (
            "device",
            "precision",
            "start",
            "stride",
            "reset_interval",
            "camera",
            "ttt3r",
            "detection_threshold",
            "track_memory",
            "point_confidence",
            "voxel_size",
            "max_points",
            "point_maps",
        )
        source = absolute(self.source)
        return CaptureSettings(
            source=source,
            take=take or str(default_take(source)),
            model=self.model(),
            body=chosen_body(),
            end=self.end or None,
            frame_rate=self.frame_rate or None,
            **{name: getattr(self, name) for name in same},
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
                f"The released weights {released.item.name} are not installed.",
                "Get them in Preferences > Add-ons > Human3R, or choose another model.",
            )
        return str(released.path) if released is not None else "default"

    def released_weights(self) -> inventory.Status | None:
        """The released weights that this scene uses, which may be missing; None for another model."""
        item = registry.find(self.model_source)
        if item is not None:
            return inventory.status(item)
        return probe.best_installed() if self.model_source == "DEFAULT" else None

    def import_options(self) -> ImportOptions:
        """The options as the scene builder takes them."""
        same = (
            "import_people",
            "import_camera",
            "import_points",
            "show_footage",
            "set_scene_timing",
            "pose_correctives",
            "ground",
            "absence_s",
            "clean",
        )
        return ImportOptions(body_path=chosen_body(), **{name: getattr(self, name) for name in same})


def default_take(source: str) -> Path:
    """A new file in the folder that Blender keeps for what an extension writes."""
    folder = bpy.utils.extension_path_user(ADDON_ID, path="takes", create=True)
    stem = Path(source).stem.translate(str.maketrans("%#", "__")) or "take"
    return Path(folder) / f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}.h3r"


CLASSES = (Human3RSettings,)
SCENE_PROPERTIES = {"human3r": Human3RSettings}
