# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture from the sidebar: its settings, the engine's process, and the session that fills the scene."""
