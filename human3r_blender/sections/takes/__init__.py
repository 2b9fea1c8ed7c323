# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes: those of this file and where they and their footage lie, and the recent ones."""

TITLE, ORDER = "Takes", 0
