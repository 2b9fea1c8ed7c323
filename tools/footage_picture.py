# SPDX-License-Identifier: GPL-3.0-or-later
"""Write one picture of a video, counted from 0, as a PNG: ``python tools/footage_picture.py VIDEO INDEX OUT.png``."""

import sys

import cv2

video = cv2.VideoCapture(sys.argv[1])
for _ in range(int(sys.argv[2])):
    video.grab()
found, picture = video.read()
if not found or not cv2.imwrite(sys.argv[3], picture):
    sys.exit(f"{sys.argv[1]} has no picture {sys.argv[2]}, or {sys.argv[3]} cannot be written.")
