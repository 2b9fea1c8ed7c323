# SPDX-License-Identifier: GPL-3.0-or-later
"""The public networks out of one file, and what they find: people, and the landmarks of their bodies."""
