# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands, fingers, heads and faces of people whose bodies are fitted."""
