# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the floor is, where the take faces, how large it is."""

TITLE, ORDER = "Floor & Scale", 4
