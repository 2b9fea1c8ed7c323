# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows the network, one concern per file. Stages take settings in the constructor and have ``update``."""
