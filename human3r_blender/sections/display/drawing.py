# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over all 3D views, and what of it the graphics card keeps from one redraw to the next."""

from __future__ import annotations

from collections.abc import Callable

import bpy
from bpy.app.handlers import persistent


class Drawing:
    """A function that Blender calls whenever it draws a 3D view."""

    def __init__(self, draw: Callable[[], None], moment: str, forget: Callable[[], None] = lambda: None) -> None:
        """`moment` is one of those of Blender's draw handlers; `forget` frees what the graphics card holds."""
        self._draw, self._moment, self._forget = draw, moment, forget
        self._handlers: list[object] = []

    def handlers(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        """What has Blender forget what was drawn when it replaces the data-blocks."""

        @persistent
        def forgotten(*_: object) -> None:
            self._forget()

        return tuple((name, forgotten) for name in ("undo_post", "redo_post", "load_pre"))

    def switch_on(self) -> None:
        if not bpy.app.background:  # where nothing is drawn, the drawing module cannot be loaded
            self._handlers.append(bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", self._moment))

    def switch_off(self) -> None:
        while self._handlers:
            bpy.types.SpaceView3D.draw_handler_remove(self._handlers.pop(), "WINDOW")
        self._forget()
