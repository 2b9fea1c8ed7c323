# SPDX-License-Identifier: GPL-3.0-or-later
"""Imported first by every program here: nothing is executed that happens to lie in the current folder.

`python -m` looks for modules in the current folder before anywhere else, and so does an empty entry of PYTHONPATH: a
``torch.py`` or ``json.py`` beside somebody's footage would be run in place of the real one. Only modules that Python
has loaded anyhow are used here, for any other could be the one to keep out. What Python itself loads for `-m`
(``contextlib``, ``collections``), and this package's own name, are settled earlier: `python -P -m engine` keeps those
out as well.
"""

import os
import sys


def put_own_folder_last() -> None:
    """The folder that this package lies in counts after Python's and the environment's, the current one not at all."""
    own = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib is not loaded yet
    try:
        foreign = os.path.realpath(os.getcwd())  # noqa: PTH109
    except OSError:  # it was deleted, and with it all that could be found there
        foreign = own
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) not in (foreign, own)] + [own]


put_own_folder_last()
