# SPDX-License-Identifier: GPL-3.0-or-later
"""How a take is looked at: colors, names over heads, the camera's view with its footage."""

TITLE, ORDER = "Display", 2
