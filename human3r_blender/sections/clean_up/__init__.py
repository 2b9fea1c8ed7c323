# SPDX-License-Identifier: GPL-3.0-or-later
"""Less jitter, feet that stay, and the raw motion beside it to compare."""

TITLE, ORDER = "Motion", 3
