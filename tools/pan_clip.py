# SPDX-License-Identifier: GPL-3.0-or-later
"""A panning camera over real people: a narrower camera that turns inside the footage of a fixed one.

    .environments/engine/bin/python tools/pan_clip.py FIXED.mp4 pan.avi --focal-px 1820 --start 60 --end 206

A camera that only turns sees what a fixed one saw along the same rays, so the result is what a real pan would show, and
its true path is known: it turns evenly from `-turn` to `+turn` degrees with a slight nod, and its focal length is
`--zoom` times the fixed one's for frames of half the size. Lossless (FFV1), so that nothing is compressed twice.
"""

import argparse

import cv2
import numpy as np


def pan_pose(share: float, turn_deg: float) -> np.ndarray:
    """(3, 3) fixed-from-panning rotation at a share of the clip."""
    yaw = np.deg2rad(turn_deg) * (2 * share - 1)
    nod = np.deg2rad(0.6) * np.sin(2 * np.pi * share)
    return cv2.Rodrigues(np.array([0.0, yaw, 0.0]))[0] @ cv2.Rodrigues(np.array([nod, 0.0, 0.0]))[0]


def main() -> None:
    """Write the clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--focal-px", type=float, required=True, help="of the fixed footage; any value near it will do")
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--end", type=int, required=True)
    parser.add_argument("--turn", type=float, default=6.5, help="degrees to each side (%(default)s)")
    parser.add_argument("--zoom", type=float, default=1.4, help="angle of view, narrower by so much (%(default)s)")
    options = parser.parse_args()
    capture = cv2.VideoCapture(options.source)
    width, height = (int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    small = width // 2, height // 2
    fixed = np.array([[options.focal_px, 0, (width - 1) / 2], [0, options.focal_px, (height - 1) / 2], [0, 0, 1]])
    focal = 0.5 * options.zoom * options.focal_px
    own = np.array([[focal, 0, (small[0] - 1) / 2], [0, focal, (small[1] - 1) / 2], [0, 0, 1]])
    writer = cv2.VideoWriter(options.target, cv2.VideoWriter_fourcc(*"FFV1"), capture.get(cv2.CAP_PROP_FPS), small)
    for number in range(options.end):
        found, picture = capture.read()
        if not found:
            break
        if number >= options.start:
            share = (number - options.start) / max(options.end - options.start - 1, 1)
            to_fixed = fixed @ pan_pose(share, options.turn) @ np.linalg.inv(own)
            writer.write(cv2.warpPerspective(picture, to_fixed, small, flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP))
    writer.release()
    print(f"{options.target}: focal length {focal:.1f} px of {small[0]}")


if __name__ == "__main__":
    main()
