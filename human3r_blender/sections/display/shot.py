# SPDX-License-Identifier: GPL-3.0-or-later
"""A quick render of people in their footage: a sun, a floor that only catches shadows, and the footage behind.

The footage is in a world of its own, for the camera alone, at each pixel's place in the frame: so it fits every lens
and shift, and needs no compositor, which is another one in each Blender. Cycles renders, which alone has shadow
catchers. All that was there before is noted on the shot's collection, and comes back when the shot is removed.
"""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

from ....engine.contract.errors import UserError
from ...blender import shading, tags
from ...scene import camera

NAME = "Human3R shot"
SETTINGS: dict[str, Any] = {
    "render.engine": "CYCLES",
    "render.film_transparent": False,
    "view_settings.view_transform": "Standard",  # footage as it is; other transforms are for scene light
    "view_settings.look": "None",
    "view_settings.exposure": 0.0,
    "view_settings.gamma": 1.0,
    "cycles.samples": 64,
    "cycles.use_denoising": True,
}
"""What the shot sets in a scene."""

_BEFORE, _WORLD, _CAMERA, _HIDDEN = (f"human3r_shot_{name}" for name in ("before", "world", "camera", "hidden"))
"""On the shot's collection: what was there before."""
_FLOOR_M = 60.0
_SUN_STRENGTH, _SUN_ANGLE, _SUN_TILT, _SUN_ASIDE = 2.0, math.radians(6), math.radians(40), math.radians(35)
"""The sun stands behind the camera, so much aside, and soft as through thin clouds."""
_AMBIENT = 0.5


def of(scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """The collection of a scene's shot; None without one."""
    below = scene.collection.children_recursive
    return next((home for home in below if tags.text(home, tags.ROLE) == tags.SHOT), None)


def set_up(scene: bpy.types.Scene, root: bpy.types.Object) -> bool:
    """Make a scene ready to be rendered with a take's people in their footage, in place of a shot that there is.

    Returns whether there is footage to show. Raises UserError (``no-camera``, ``no-cycles``), and changes nothing.
    """
    item = tags.find(root[tags.TAKE], tags.CAMERA)
    if item is None:
        raise UserError("no-camera", "This take has no camera in the scene.", "Import it again with Camera on.")
    if not hasattr(scene, "cycles"):
        raise UserError(
            "no-cycles",
            "The render engine Cycles is switched off.",
            "Switch on Cycles Render Engine in Preferences > Add-ons.",
        )
    remove(scene)
    clip = _footage(item, root, scene)
    home = bpy.data.collections.new(NAME)
    home[tags.ROLE] = tags.SHOT
    scene.collection.children.link(home)
    _note(home, scene, root)
    for path, value in SETTINGS.items():
        _put(scene, path, value)
    scene.cycles.use_denoising = _can_denoise()
    scene.camera, scene.world = item, _world(clip)
    home.objects.link(_sun(item))
    home.objects.link(_floor(root))
    for thing in _covering(root[tags.TAKE]).values():
        thing.hide_render = True
    return clip is not None


def remove(scene: bpy.types.Scene) -> None:
    """Remove a scene's shot, if it has one, and bring back what was there before."""
    home = of(scene)
    if home is None:
        return
    for path, value in home[_BEFORE].to_dict().items():
        _put(scene, path, value)
    for name, hidden in home[_HIDDEN].to_dict().items():
        if name in bpy.data.objects:
            bpy.data.objects[name].hide_render = bool(hidden)
    own, scene.world = scene.world, home.get(_WORLD)
    if isinstance(home.get(_CAMERA), bpy.types.Object):
        scene.camera = home[_CAMERA]
    data = [item.data for item in home.objects]
    bpy.data.batch_remove([*home.objects, home])
    bpy.data.batch_remove([block for block in data if not block.users])
    if own is not None and tags.text(own, tags.ROLE) == tags.SHOT and not own.users:
        _remove_world(own)


def _remove_world(own: bpy.types.World) -> None:
    images = [node.image for node in own.node_tree.nodes if node.type == "TEX_IMAGE" and node.image is not None]
    bpy.data.worlds.remove(own)
    bpy.data.batch_remove([image for image in images if not image.users])


def _can_denoise() -> bool:
    """Whether this Blender was built with a denoiser; in those that were not, rendering with it fails."""
    try:
        import _cycles
    except ImportError:
        return False
    return bool(_cycles.with_openimagedenoise)


def _note(home: bpy.types.Collection, scene: bpy.types.Scene, root: bpy.types.Object) -> None:
    home[_BEFORE] = {path: _get(scene, path) for path in SETTINGS}
    home[_HIDDEN] = {item.name: item.hide_render for item in _covering(root[tags.TAKE]).values()}
    for name, block in ((_WORLD, scene.world), (_CAMERA, scene.camera)):
        if block is not None:
            home[name] = block


def _get(scene: bpy.types.Scene, path: str) -> Any:
    owner, name = path.split(".")
    return getattr(getattr(scene, owner), name)


def _put(scene: bpy.types.Scene, path: str, value: Any) -> None:
    owner, name = path.split(".")
    # A color management of the user's own may lack this transform, and an engine be switched off by now.
    with suppress(TypeError, AttributeError):
        setattr(getattr(scene, owner), name, value)


def _covering(take_id: str) -> dict[str, bpy.types.Object]:
    """A take's points and its backdrop, which would cover the footage, by their roles."""
    found = {role: tags.find(take_id, role) for role in (tags.POINTS, tags.BACKDROP)}
    return {role: item for role, item in found.items() if item is not None}


def _footage(item: bpy.types.Object, root: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.MovieClip | None:
    """The footage behind a take's camera, which is put there if it can be found; None else."""
    size = scene.render.resolution_x, scene.render.resolution_y
    if not item.data.background_images:
        camera.show_footage(item, tags.text(root, tags.SOURCE), size)
    return next((shown.clip for shown in item.data.background_images if shown.clip is not None), None)


def _world(clip: bpy.types.MovieClip | None) -> bpy.types.World:
    """Even light for the scene, and footage for the camera."""
    world = bpy.data.worlds.new(NAME)
    world[tags.ROLE] = tags.SHOT
    if bpy.app.version < (5, 0):  # since then every world has nodes, and setting this warns
        world.use_nodes = True
    tree = world.node_tree
    tree.nodes.clear()
    window, picture, behind, around, rays, mixed, output = (
        tree.nodes.new(f"ShaderNode{kind}")
        for kind in ("TexCoord", "TexImage", "Background", "Background", "LightPath", "MixShader", "OutputWorld")
    )
    around.inputs["Color"].default_value, around.inputs["Strength"].default_value = (1.0, 1.0, 1.0, 1.0), _AMBIENT
    behind.inputs["Color"].default_value = (0.2, 0.2, 0.2, 1.0)
    for source, target in (
        (window.outputs["Window"], picture.inputs["Vector"]),
        (rays.outputs["Is Camera Ray"], mixed.inputs[0]),
        (around.outputs["Background"], mixed.inputs[1]),
        (behind.outputs["Background"], mixed.inputs[2]),
        (mixed.outputs["Shader"], output.inputs["Surface"]),
    ):
        tree.links.new(source, target)
    if clip is not None:
        tree.links.new(picture.outputs["Color"], behind.inputs["Color"])
        _show(picture, clip)
    shading.lay_out(window, picture, behind, around, rays, mixed, output)
    return world


def _show(picture: bpy.types.ShaderNodeTexImage, clip: bpy.types.MovieClip) -> None:
    """Have a texture show the footage as the camera's background does, frame by frame."""
    image = picture.image = bpy.data.images.load(clip.filepath, check_existing=True)
    picture.extension, user = "EXTEND", picture.image_user
    user.frame_start, user.frame_duration = clip.frame_start, max(clip.frame_duration, 1)
    user.use_auto_refresh = True
    if clip.source == "SEQUENCE":
        image.source = "SEQUENCE"
        digits = Path(clip.filepath).stem
        number = digits[len(digits.rstrip("0123456789")) :]
        user.frame_offset = int(number or 1) - 1


def _sun(item: bpy.types.Object) -> bpy.types.Object:
    data = bpy.data.lights.new(f"{NAME} sun", "SUN")
    data.energy, data.angle = _SUN_STRENGTH, _SUN_ANGLE
    sun = bpy.data.objects.new(data.name, data)
    ahead = item.matrix_world.to_quaternion() @ Vector((0.0, 0.0, -1.0))
    sun.rotation_euler = (_SUN_TILT, 0.0, math.atan2(-ahead.x, ahead.y) + _SUN_ASIDE)
    sun.location = (0.0, 0.0, 4.0)
    return sun


def _floor(root: bpy.types.Object) -> bpy.types.Object:
    """A wide square at height 0, where people stand, that shows nothing but shadows."""
    half = _FLOOR_M / 2
    mesh = bpy.data.meshes.new(f"{NAME} floor")
    mesh.from_pydata([(-half, -half, 0), (half, -half, 0), (half, half, 0), (-half, half, 0)], [], [(0, 1, 2, 3)])
    floor = bpy.data.objects.new(mesh.name, mesh)
    floor.location = (*root.matrix_world.translation[:2], 0.0)
    floor.is_shadow_catcher, floor.display_type, floor.hide_select = True, "WIRE", True
    return floor
