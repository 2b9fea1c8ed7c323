# SPDX-License-Identifier: GPL-3.0-or-later
"""People by hand: merge, split, swap, fill, rename, hide, delete."""
