# SPDX-License-Identifier: GPL-3.0-or-later
"""What the drawing of scene points in Solid view costs: for each redraw, and once after the points have changed.

In a Blender window, with the extension switched on (`python3 build.py blender --python benchmarks/point_drawing.py`):

    blender --python benchmarks/point_drawing.py -- --points 56000

Prints, for a view that shows all points, milliseconds: a redraw with and without them (on the clock), what the add-on
does in a redraw, and making them anew (processor time of Blender's main thread). Without a graphics card, most of a
redraw is the card's work done by the processor. Prints, and asserts nothing.
"""

import argparse
import sys
import time

import bpy
import numpy as np

RADIUS_M = 0.02


def addon(name):
    return next(module for path, module in sys.modules.items() if path.endswith(f".human3r_blender.{name}"))


def make_cloud(count):
    """A room of points, as a take brings it."""
    rng = np.random.default_rng(0)
    position = rng.uniform([-4, -4, 0], [4, 4, 3], (count, 3)).astype(np.float32)
    wall = rng.integers(0, 3, count)
    position[np.arange(count), wall] = np.where(wall == 2, 0.0, 4.0)
    color = np.append(rng.uniform(0, 1, (count, 3)), np.ones((count, 1)), axis=1).astype(np.float32)
    points = addon("scene.point_cloud")
    root = bpy.data.objects.new("root", None)
    bpy.context.scene.collection.objects.link(root)
    item = points.create("benchmark", root, bpy.context.scene.collection, RADIUS_M, 1.0)
    for _ in points.fill(lambda: item, [position], [color], [np.full(count, 2.0, np.float32)]):
        pass


def redraws(times):
    """Milliseconds for each."""
    started = time.perf_counter()
    for _ in range(times):
        bpy.ops.wm.redraw_timer(type="DRAW_WIN", iterations=1)
    return 1000 * (time.perf_counter() - started) / times


def draw_once(drawing):
    """Milliseconds that one more drawing takes Blender's main thread."""
    started = time.thread_time()
    drawing.draw()
    return 1000 * (time.thread_time() - started)


def measure(times):
    display, drawing = bpy.context.scene.human3r_display, addon("sections.display.solid_points")
    own: list[float] = []
    handler = bpy.types.SpaceView3D.draw_handler_add(lambda: own.append(draw_once(drawing)), (), "WINDOW", "POST_VIEW")
    for shown in (False, True):
        own.clear()
        display.color_points = shown
        redraws(2)
        print(f"a redraw {'with' if shown else 'without'} the dots: {redraws(times):.1f} ms")
    bpy.types.SpaceView3D.draw_handler_remove(handler, "WINDOW")
    print(f"of that, finding and sending them: {sum(own) / max(len(own), 1):.2f} ms")
    item = drawing.clouds(bpy.context, None)[0]
    spent = []
    for _ in range(times):
        drawing.forget()
        started = time.thread_time()
        points = drawing.shown_points(item, bpy.context.evaluated_depsgraph_get())
        read = time.thread_time()
        drawing._on_the_card(points, drawing.changes.revision(item))
        spent.append((read - started, time.thread_time() - read))
    reading, making = 1000 * np.median(spent, axis=0)
    count = len(points.position)
    print(f"making {count} dots anew: {reading:.1f} ms to read them, {making:.1f} ms to bring them to the card")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=56_000)
    parser.add_argument("--times", type=int, default=20)
    chosen = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])
    make_cloud(chosen.points)

    def later():
        window = bpy.context.window_manager.windows[0]
        area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
        region = next(region for region in area.regions if region.type == "WINDOW")
        with bpy.context.temp_override(window=window, area=area, region=region):
            bpy.ops.view3d.view_all()
            measure(chosen.times)
        sys.stdout.flush()
        bpy.ops.wm.quit_blender()

    bpy.app.timers.register(later, first_interval=3.0)


main()
