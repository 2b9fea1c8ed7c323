# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about characters' rigs: the places of a figure, the presets that name their bones, and how a rig's bones
are found. The names that people's own bones get for other programs come from the same presets."""
