# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up translation, registered in a Blender that has languages: what the add-on says comes in it.

The wheels have no languages, so this runs in a Blender program, without a window: `test_windows.py` starts it.
"""

import sys

import bpy

EXTENSION = "bl_ext.user_default.human3r_blender"
LOCALE = "fr_FR"
MADE_UP = "«{}»"


def main():
    from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
    from bl_ext.user_default.human3r_blender.engine.contract.take import TakeReader
    from bl_ext.user_default.human3r_blender.human3r_blender.blender import text

    if LOCALE not in bpy.app.translations.locales:
        print("no languages here")
        return
    try:
        TakeReader("missing.h3r")
        raise AssertionError("a missing take was read")
    except UserError as error:
        said = error
    shown = "Floor found from the {source}"  # any template with a value, as panels draw it
    templates = (said.message.template, said.remedy.template, shown)
    assert said.message.values, "this error was to have a value"
    view = bpy.context.preferences.view
    view.language = LOCALE
    view.use_translate_interface = view.use_translate_tooltips = view.use_translate_reports = True
    bpy.app.translations.register(
        "made up", {LOCALE: {("*", english): MADE_UP.format(english) for english in templates}}
    )
    assert text.tr(shown, source="cameras") == MADE_UP.format(shown.format(source="cameras"))
    assert text.translated(said.message) == MADE_UP.format(said.message)
    try:
        bpy.ops.human3r.import_take(filepath="missing.h3r")
        raise AssertionError("a missing take was imported")
    except RuntimeError as error:
        reported = str(error)
    assert MADE_UP.format(said.remedy) in reported and "«" in reported.split("missing.h3r")[0], reported
    print("seen:", reported.strip())


try:
    main()
except BaseException:
    import traceback

    traceback.print_exc()
    sys.exit(1)
