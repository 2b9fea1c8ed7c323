# SPDX-License-Identifier: GPL-3.0-or-later
"""The footage's focal length, and the floor that people stand on."""
