# SPDX-License-Identifier: GPL-3.0-or-later
"""A report on this installation, to send to somebody."""
