# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about characters' rigs: the places of a figure, the presets that name their bones, how a rig's bones
are found, and what carries them. People's own bones get their names for other programs from the same presets."""
