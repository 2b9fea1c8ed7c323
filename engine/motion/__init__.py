# SPDX-License-Identifier: GPL-3.0-or-later
"""Arithmetic on a person's motion that both programs use: clean-up, contacts, gaps, the floor. Numpy alone."""
