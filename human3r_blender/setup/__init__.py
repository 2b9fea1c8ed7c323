# SPDX-License-Identifier: GPL-3.0-or-later
"""The preferences page: what is installed, what is missing, and the one next step."""
