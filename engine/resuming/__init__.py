# SPDX-License-Identifier: GPL-3.0-or-later
"""What an interrupted capture goes on from: the resume file, and stages' states read from it with suspicion."""
