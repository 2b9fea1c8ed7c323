# SPDX-License-Identifier: GPL-3.0-or-later
"""What is around the people once the camera's path is known: points where it moves, a photograph where it does not."""
