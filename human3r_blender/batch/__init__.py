# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: the same path without a window."""
