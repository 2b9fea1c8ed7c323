# SPDX-License-Identifier: GPL-3.0-or-later
"""People by hand: merge, split, swap, fill, rename, hide, delete. `editing.py` is where to begin."""

TITLE, ORDER = "People", 1
