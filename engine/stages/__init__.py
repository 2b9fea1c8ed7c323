# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows the network, one concern per file. Every stage takes its settings in the constructor and has ``update``."""
