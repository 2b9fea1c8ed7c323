# SPDX-License-Identifier: GPL-3.0-or-later
"""No label of the sidebar is cut off at the sidebar's default width, measured in Blender's interface font.

The default sidebar is 280 pixels wide, of which its tabs leave 250 to the panels and their margins 226 to what is in
them. What of that is left for a text was measured in Blender 4.3, with texts that grow letter by letter.
"""

import ast
import inspect
import sys
from collections.abc import Iterator

import blf
import bpy
import pytest

FONT, POINTS = 0, 11  # Blender's own font, and the size of the interface's widgets
ROW = 250 - 24
SPLIT_NAME, SPLIT_CHECKBOX, SPLIT_VALUE = 87, 105, 113  # where names stand in a column of their own
EXPANDED_VALUE = 0.6 * ROW
HEADING = ROW - 20
BUTTON_MARGIN, ICON = 4, 20
BUTTON_PADDING = 30  # what Blender itself wants to have beside a text
DRAWING = ("operator", "operator_menu_enum", "prop", "label", "popover")
STARTED = "00"
"""Stands for what a text gets only while it is drawn."""


def width(text: str) -> float:
    blf.size(FONT, POINTS)
    return blf.dimensions(FONT, text)[0]


def sidebar_panels() -> list[type]:
    return [panel for panel in bpy.types.Panel.__subclasses__() if getattr(panel, "bl_category", "") == "Human3R"]


def scene_settings() -> list[bpy.types.PropertyGroup]:
    scene = bpy.context.scene
    return [getattr(scene, name) for name in dir(scene) if name.startswith("human3r")]


def named_properties() -> list[tuple[str, bpy.types.Property]]:
    """What a person can set: a property that keeps its own identifier for a name is never drawn."""
    return [
        (settings.bl_rna.identifier, item)
        for settings in scene_settings()
        for item in settings.bl_rna.properties
        if item.identifier not in ("rna_type", "name") and item.name != item.identifier
    ]


class Rows(ast.NodeVisitor):
    """Collects the calls that draw something, each row of buttons in a list of its own."""

    def __init__(self) -> None:
        self.rows: list[list[ast.Call]] = []
        self._of_variable: dict[str, list[ast.Call]] = {}

    def visit_Assign(self, node: ast.Assign) -> None:
        made = node.value.func.attr if isinstance(node.value, ast.Call) and hasattr(node.value.func, "attr") else ""
        for target in node.targets:
            if isinstance(target, ast.Name) and made not in DRAWING:
                self._of_variable.pop(target.id, None)
                if made == "row":
                    self._of_variable[target.id] = []
                    self.rows.append(self._of_variable[target.id])
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in DRAWING:
            variable = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            if variable in self._of_variable:
                self._of_variable[variable].append(node)
            else:
                self.rows.append([node])
        self.generic_visit(node)


def texts(node: ast.expr) -> list[str]:
    """What an expression may say, as far as the source shows it."""
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else STARTED for part in node.values)]
    if isinstance(node, ast.Call):  # a look-up of the translation
        return [text for argument in node.args for text in texts(argument)]
    return [node.value] if isinstance(node, ast.Constant) else []


def shown(call: ast.Call) -> tuple[str, bool]:
    """The longest text that a call draws, and whether an icon stands before it."""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if "text" in keywords:
        found = texts(keywords["text"])
    elif call.func.attr == "prop":
        found = [item.name for _, item in named_properties() if item.identifier == texts(call.args[1])[0]]
    else:
        found = [getattr(bpy.ops.human3r, texts(call.args[0])[0].partition(".")[2]).get_rna_type().name]
    return max(found, key=width, default=""), "icon" in keywords


def button_rows() -> Iterator[list[tuple[str, bool]]]:
    """Rows of buttons and labels as the panels' sources write them; names that stand in their own column left out."""
    for module in sorted({panel.__module__ for panel in sidebar_panels()}):
        visitor = Rows()
        visitor.visit(ast.parse(inspect.getsource(sys.modules[module])))
        for row in visitor.rows:
            drawn = [shown(call) for call in row if call.func.attr != "prop" or len(row) > 1]
            if any(text for text, _ in drawn):
                yield drawn


def too_long(row: list[tuple[str, bool]]) -> list[str]:
    """Texts of one row for which there is no room: buttons share a row as their texts are long."""
    wanted = [width(text) + BUTTON_PADDING for text, _ in row if text]
    free = ROW - ICON * (len(row) - len(wanted))
    return [
        text
        for text, icon in row
        if text and width(text) + BUTTON_MARGIN + ICON * icon > free * (width(text) + BUTTON_PADDING) / sum(wanted)
    ]


def test_the_font_is_blenders():
    """The measure itself: a text whose width was read off a picture of Blender's window."""
    assert width("Lorem ipsum do") == pytest.approx(86, abs=2)


def test_headings_fit():
    panels = sidebar_panels()
    assert len(panels) > 10
    assert [panel.bl_label for panel in panels if width(panel.bl_label) > HEADING] == []


def test_names_of_settings_fit():
    assert len(named_properties()) > 40
    assert [
        f"{group}.{item.identifier}: {item.name}"
        for group, item in named_properties()
        if width(item.name) > (SPLIT_CHECKBOX if item.type == "BOOLEAN" else SPLIT_NAME)
    ] == []


def test_chosen_values_fit():
    assert [
        f"{group}.{item.identifier}: {value.name}"
        for group, item in named_properties()
        if item.type == "ENUM"
        for value in item.enum_items
        if width(value.name) > SPLIT_VALUE
    ] == []


def test_buttons_and_labels_fit():
    rows = list(button_rows())
    assert len(rows) > 30, "the panels' sources are no longer read"
    assert any(len(row) > 1 for row in rows)
    assert [text for row in rows for text in too_long(row)] == []


def test_values_beside_each_other_fit():
    """What is drawn with all its values at once: the formats in three columns, and what is chosen by one of a row."""
    versions = sys.modules["bl_ext.user_default.human3r_blender.human3r_blender.sections.clean_up.operators"].VERSIONS
    assert too_long([(label, False) for _, label, _ in versions]) == []
    formats = bpy.context.scene.human3r_export.bl_rna.properties["formats"].enum_items
    assert [item.name for item in formats if width(item.name) + BUTTON_MARGIN > ROW / 3] == []
    scene_files = bpy.context.scene.human3r_export.bl_rna.properties["scene_files"].enum_items
    assert [item.name for item in scene_files if width(item.name) + BUTTON_MARGIN > ROW / 2] == []
    controls = bpy.context.scene.human3r_retarget.bl_rna.properties["controls"].enum_items
    assert sum(width(item.name) + BUTTON_PADDING for item in controls) <= EXPANDED_VALUE


CHINESE = "地板是从人们的脚和场景中的点找到的请仔细看一看"


@pytest.mark.parametrize("across", [135, 160, 220, 280, 400])
@pytest.mark.parametrize("said", [
    "Feet of 12 people stand on it for 1034.2 s, 12.3 cm off", "WWW MMMMM WWW is 1.80 m tall",
    "Not sure: nobody stands on it, and no scene points lie on it", CHINESE, "W" * 60,
    "Scale from the heights of Wilhelmina-Mackenzie-WWWWWWWWWWWWWWWW, Bob",
])  # fmt: skip
def test_wrapped_texts_fit_a_sidebar_of_any_width(across: int, said: str):
    text = sys.modules["bl_ext.user_default.human3r_blender.human3r_blender.blender.text"]
    lines = text.wrapped(said, max(text.FEWEST_CHARACTERS, text.characters_in(across)))
    free = across - (280 - ROW) - BUTTON_MARGIN
    assert [line for line in lines if width(line) > free] == []
    assert "".join(lines).replace(" ", "") == said.replace(" ", "")
    assert len(lines) <= 2 + width(said) / free * 2  # no line for every word


def test_what_is_put_together_is_wrapped_in_floor_and_scale():
    """A label beside an icon cannot be: its text has to be short enough as it stands."""
    panel = bpy.types.HUMAN3R_PT_ground
    labels = [node for node in ast.walk(ast.parse(inspect.getsource(sys.modules[panel.__module__])))
              if isinstance(node, ast.Attribute) and node.attr == "label"]  # fmt: skip
    assert labels == []
