# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons of the section People do: who is who, who stays, what they are called."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from ....engine.contract.errors import UserError
from ....engine.contract.person_names import LONGEST
from ....engine.contract.sentences import Sentence
from ....engine.motion.gaps import LIMIT_S
from ...blender import tags, timing
from ...blender.operators import refuse, say
from ...blender.slices import SlicedOperator, Slices
from ...blender.text import tr
from ...person import blocks, selection
from . import editing

_shown_items: list[tuple[str, str, str, int]] = []
"""Blender does not keep the texts of a menu that is made on the fly; whoever makes it has to."""

_COPIES = 1_000_000
"""Numbers in the menu from here on are those of people whom the user copied, and who have the original's track."""


def _other_people(operator: bpy.types.Operator, context: bpy.types.Context | None) -> list[tuple[str, str, str, int]]:
    """Everybody of the chosen person's take but that person, by track id."""
    chosen = selection.people(context, False) if context is not None else []
    everyone = selection.of_one_take(context, chosen[0]) if chosen else []
    _shown_items[:] = [
        (
            key,
            item.name,
            tr("The other person is {name}", name=item.name),
            item[tags.TRACK] if key.isdigit() else _COPIES + number,
        )
        for number, (key, item) in enumerate(_by_key(everyone).items())
        if item != chosen[0]
    ]
    return _shown_items


def _by_key(everyone: list[bpy.types.Object]) -> dict[str, bpy.types.Object]:
    """People by what the menus' items are called: their track ids, to which copies add their names."""
    people: dict[str, bpy.types.Object] = {}
    for item in everyone:
        track = str(item[tags.TRACK])
        people[track if track not in people else f"{track} {item.name}"] = item
    return people


def limit_property() -> object:
    return FloatProperty(
        name="Longest Gap",
        default=LIMIT_S,
        min=0.01,
        soft_max=5.0,
        unit="TIME_ABSOLUTE",
        subtype="TIME_ABSOLUTE",
        description="Fill gaps of up to this many seconds; longer ones stay as they are",
    )


def everyone_property() -> object:
    return BoolProperty(
        name="All People",
        default=False,
        description="Fill the gaps of all people in the scene, not only of those selected",
    )


class Human3RPeople(bpy.types.PropertyGroup):
    """What the next filling of gaps in this scene does."""

    gap_limit_s: limit_property()
    everyone: everyone_property()


class _PeopleOperator(bpy.types.Operator):
    """What they share: some people are chosen; errors become reports."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not selection.may_edit_people(cls, context):
            return False
        if not selection.people(context, False):
            cls.poll_message_set(tr("Select a person: the armature, the mesh, or the name in the People section"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        _leave_modes(context)
        try:
            said = self.work(context, selection.people(context, False))
        except UserError as error:
            return refuse(self, error)
        return _tell(self, context, said)

    def work(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Sentence:
        """Do it and say what was done. Raises UserError."""
        raise AssertionError("each operator says what it does")


class _LongPeopleOperator(SlicedOperator, _PeopleOperator):
    """The same for work that takes long."""

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        _leave_modes(context)
        try:
            said = yield from self.work_in_slices(context, selection.people(context, False))
        except UserError as error:
            return refuse(self, error)
        return _tell(self, context, said)

    def work_in_slices(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Slices[Sentence]:
        """As `work`."""
        raise AssertionError("each operator says what it does")


def _leave_modes(context: bpy.types.Context) -> None:
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def _tell(operator: bpy.types.Operator, context: bpy.types.Context, said: Sentence) -> set[str]:
    # Curves that were written in bulk are evaluated when the frame is set.
    context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
    say(operator, "INFO", said)
    return {"FINISHED"}


class _WithOther(_LongPeopleOperator):
    """What needs a second person: named from a menu, or selected as well."""

    def others(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> list[bpy.types.Object]:
        """Who is meant beside the active person. Raises UserError (``nobody-selected``, ``nobody-else``)."""
        selection.refuse_unfit(chosen)
        found = chosen[1:]
        if self.properties.is_property_set("other"):
            others = _by_key(selection.of_one_take(context, chosen[0]))
            found = [others[self.other]] if self.other in others else []
        if not found:
            raise UserError(
                "nobody-else",
                "Only {name} is selected.",
                "Shift-click the other person to select both, or choose that person from the menu.",
                name=chosen[0].name,
            )
        selection.refuse_unfit(found)
        return found

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.properties.is_property_set("other") or len(selection.people(context, False)) > 1:
            return self.begin(context)
        self.ask_first()
        return context.window_manager.invoke_props_dialog(self)


class HUMAN3R_OT_merge_people(_WithOther):
    """Combine several people into the active one, whose keys are kept in frames that show more than one of them. The
    Actions of the others stay in the file; the clean Action is remade"""

    bl_idname = "human3r.merge_people"
    bl_label = "Merge People"

    other: EnumProperty(
        name="With", description="Person to combine with the active one", items=_other_people, options={"SKIP_SAVE"}
    )

    def work_in_slices(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Slices[Sentence]:
        others = self.others(context, chosen)
        names = selection.names(others)
        yield from editing.merge.in_slices(chosen[0], others, timing.rate_for(context.scene, None))
        return Sentence("{names}: merged into {person}.", names=names, person=chosen[0].name)


class HUMAN3R_OT_split_people(_LongPeopleOperator):
    """Move all keys from this frame on to a new person, for a track that jumped from one person to another. The clean
    Action is remade"""

    bl_idname = "human3r.split_people"
    bl_label = "Split People at Current Frame"

    def work_in_slices(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Slices[Sentence]:
        selection.refuse_unfit(chosen)
        rate, frame, made = timing.rate_for(context.scene, None), context.scene.frame_current_final, []
        for item in chosen:
            made.append((yield from editing.split.in_slices(item, frame, rate)))
        return Sentence(
            "{names}: the motion from frame {frame} on now belongs to {made}.",
            names=selection.names(chosen),
            frame=f"{frame:g}",
            made=selection.names(made),
        )


class HUMAN3R_OT_swap_people(_WithOther):
    """Exchange the motion of two people from this frame on, for tracks that switched when the two met. Names stay with
    the motion before this frame; clean Actions are remade"""

    bl_idname = "human3r.swap_people"
    bl_label = "Swap People from Current Frame On"

    other: EnumProperty(
        name="With", description="Person to swap with the active one", items=_other_people, options={"SKIP_SAVE"}
    )

    def work_in_slices(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Slices[Sentence]:
        others = self.others(context, chosen)
        if len(others) > 1:
            raise UserError("too-many", "{count} people are selected.", "Select two people.", count=len(others) + 1)
        frame = context.scene.frame_current_final
        yield from editing.swap.in_slices(chosen[0], others[0], frame, timing.rate_for(context.scene, None))
        return Sentence(
            "{first} and {second}: swapped from frame {frame} on.",
            first=chosen[0].name,
            second=others[0].name,
            frame=f"{frame:g}",
        )


class HUMAN3R_OT_rename_person(_PeopleOperator):
    """Rename the active person: the armature, and with it the mesh, the collection, the Actions and the rest"""

    bl_idname = "human3r.rename_person"
    bl_label = "Rename Person"

    name: StringProperty(name="Name", description="New name of the person", maxlen=LONGEST, options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.name = selection.people(context, False)[0].name
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.activate_init = True  # so that one can type at once
        self.layout.prop(self, "name")

    def work(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Sentence:
        selection.refuse_unfit(chosen)
        before = chosen[0].name
        return Sentence("{before} is now called {name}.", before=before, name=blocks.rename(chosen[0], self.name))


class HUMAN3R_OT_delete_people(_PeopleOperator):
    """Remove people from the scene. Their raw Actions stay in the file"""

    bl_idname = "human3r.delete_people"
    bl_label = "Delete People"

    def work(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Sentence:
        selection.refuse_unfit(chosen)
        names = selection.names(chosen)
        for item in chosen:
            blocks.remove(item, "deleted")
        return Sentence("{names}: deleted.", names=names)


class HUMAN3R_OT_hide_people(_PeopleOperator):
    """Hide people in the viewport and in renders, or show them again. Nothing is deleted"""

    bl_idname = "human3r.hide_people"
    bl_label = "Hide People"

    hide: BoolProperty(name="Hide", description="Hide the people; when off, show them again", default=True)
    person: StringProperty(
        name="Person",
        description="Name of the person to hide; empty for the selected people",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return selection.may_edit_people(cls, context)

    def work(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Sentence:
        if self.person:
            chosen = [item for item in selection.people(context, True) if item.name == self.person]
        selection.refuse_unfit(chosen)
        for item in chosen:
            blocks.set_hidden(item, self.hide)
        return Sentence("{names}: hidden." if self.hide else "{names}: shown.", names=selection.names(chosen))


class HUMAN3R_OT_show_people(_PeopleOperator):
    """Show all people who were hidden with the eye button in the list or with Hide People"""

    bl_idname = "human3r.show_people"
    bl_label = "Show All People"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any(blocks.is_hidden(item) for item in selection.people(context, True)):
            cls.poll_message_set(tr("No people are hidden"))
            return False
        return True

    def work(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Sentence:
        hidden = [item for item in selection.people(context, True) if blocks.is_hidden(item)]
        selection.refuse_unfit(hidden)
        for item in hidden:
            blocks.set_hidden(item, False)
        return Sentence("{names}: shown.", names=selection.names(hidden))


class HUMAN3R_OT_fill_gaps(_LongPeopleOperator):
    """Add keys where a person was not found, with smooth curves that match the speed of the motion on both sides of the
    gap. The clean Action is remade"""

    bl_idname = "human3r.fill_gaps"
    bl_label = "Fill Gaps in Motion"

    limit_s: limit_property()
    everyone: everyone_property()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return selection.may_edit_people(cls, context)

    def work_in_slices(self, context: bpy.types.Context, chosen: list[bpy.types.Object]) -> Slices[Sentence]:
        chosen = selection.people(context, True) if self.everyone else chosen
        selection.refuse_unfit(chosen)
        rate, count = timing.rate_for(context.scene, None), 0
        for item in chosen:
            yield Sentence("Filling gaps of {name}", name=item.name)
            count += yield from editing.fill_gaps.in_slices(item, self.limit_s, rate)
        return Sentence("{names}: frames filled: {count}.", names=selection.names(chosen), count=count)


CLASSES = (
    Human3RPeople,
    HUMAN3R_OT_merge_people,
    HUMAN3R_OT_split_people,
    HUMAN3R_OT_swap_people,
    HUMAN3R_OT_rename_person,
    HUMAN3R_OT_delete_people,
    HUMAN3R_OT_hide_people,
    HUMAN3R_OT_show_people,
    HUMAN3R_OT_fill_gaps,
)
SCENE_PROPERTIES = {"human3r_people": Human3RPeople}
