# SPDX-License-Identifier: GPL-3.0-or-later
"""How the house is built, by the import checker's own graph: rooms, floors, arrows and circles.

python tools/house_figures.py [CHECKOUT]

A room is what lies directly in a program's folder, and an arrow says that one imports another, function-level imports
included. Floors are counted along the longest way down. A circle is a group that can be reached from itself: it stands
on one floor. The same is told of single modules.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
NAME = "human3r_extension"
PROGRAMS = ("human3r_blender", "engine", "weights_downloader")

Graph = Mapping[str, set[str]]
"""What each node imports."""


def main(arguments: list[str]) -> None:
    checkout = Path(arguments[0]).resolve() if arguments else ROOT
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, NAME).symlink_to(checkout, target_is_directory=True)  # a checkout's folder may have any name
        sys.path.insert(0, folder)
        modules = grimp.build_graph(NAME, cache_dir=None)
    for program in PROGRAMS:
        top = f"{NAME}.{program}"
        print(f"{program}: rooms   {figures(rooms(modules, top))}")
        print(f"{program}: modules {figures(inside(modules, modules.find_descendants(top)))}")


def rooms(modules: grimp.ImportGraph, top: str) -> Graph:
    """The graph of what lies directly in a folder."""
    children = modules.find_children(top)
    room_of = {module: room for room in children for module in modules.find_descendants(room) | {room}}
    graph: dict[str, set[str]] = {room: set() for room in children}
    for module, imported in inside(modules, room_of).items():
        graph[room_of[module]] |= {room_of[name] for name in imported} - {room_of[module]}
    return graph


def inside(modules: grimp.ImportGraph, names: Iterable[str]) -> Graph:
    """The graph of some modules, without what they import besides."""
    kept = set(names)
    return {name: modules.find_modules_directly_imported_by(name) & kept for name in kept}


def figures(graph: Graph) -> str:
    arrows = sum(map(len, graph.values()))
    reached = {node: reachable(graph, node) for node in graph}
    circles = {frozenset({node} | {other for other in reached[node] if node in reached[other]}) for node in graph}
    found = sorted(sorted(node.removeprefix(NAME + ".") for node in circle) for circle in circles if len(circle) > 1)
    named = "".join(f"\n    circle: {', '.join(circle)}" for circle in found)
    return f"{len(graph)}, floors {floors(graph, reached)}, arrows {arrows}, circles {len(found)}{named}"


def reachable(graph: Graph, start: str) -> set[str]:
    """Everything below a node."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += graph[node]
    return seen


def floors(graph: Graph, reached: Mapping[str, set[str]]) -> int:
    """How many nodes the longest way down passes; a circle counts as one."""

    @cache
    def height(node: str) -> int:
        circle = {node} | {other for other in reached[node] if node in reached[other]}
        below = {other for member in circle for other in graph[member]} - circle
        return 1 + max(map(height, below), default=0)

    return max(map(height, graph), default=0)


if __name__ == "__main__":
    main(sys.argv[1:])
