# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the add-on's command line in Blender's Python module: ``python tools/run_in_module.py convert VIDEO ...``.

``--online-mode`` before the command allows the network, as it does for Blender itself.

The checkout is imported as a package, as Blender itself imports an installed extension; nothing is installed and no
add-on is enabled.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def import_extension(name: str = "human3r_extension"):
    """The checkout as a package called ``name``."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package


if __name__ == "__main__":
    extension = import_extension()
    command_line = importlib.import_module(extension.__name__ + ".human3r_blender.batch.command_line")
    arguments = sys.argv[1:]
    if arguments[:1] == ["--online-mode"]:
        import bpy

        bpy.context.preferences.system.use_online_access = True
        arguments = arguments[1:]
    sys.exit(command_line.main(arguments))
