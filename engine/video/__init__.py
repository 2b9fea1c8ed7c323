# SPDX-License-Identifier: GPL-3.0-or-later
"""From a video file to the network's pictures: `footage` opens and decodes, `reading` does it ahead of the model in a
thread, `picture` scales and crops a picture and knows the way back from the network's pixels to the footage's."""
