# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's motion on a character's rig. `retargeting.py` is where to begin."""

TITLE, ORDER = "Retarget", 5
