# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the engine's Python: joints of AMASS-style files by the `smplx` package, for the tests inside Blender.

python smplx_joints.py BODY.npz MOTION.npz OUT.npy
"""

import sys

import numpy as np
import smplx
import torch

torch.set_num_threads(1)
body_path, motion_path, out = sys.argv[1:]
motion = {
    name: torch.tensor(values, dtype=torch.float32)
    for name, values in np.load(motion_path).items()
    if values.dtype.kind == "f"
}
poses = motion["poses"].reshape(-1, 55, 3)
count = len(poses)
model = smplx.SMPLX(
    body_path, num_betas=10, num_expression_coeffs=10, use_pca=False, flat_hand_mean=True, use_face_contour=False,
    batch_size=count, ext="npz",
)  # fmt: skip
output = model(
    betas=motion["betas"].expand(count, 10), transl=motion["trans"], expression=torch.zeros(count, 10),
    global_orient=poses[:, 0], body_pose=poses[:, 1:22].reshape(count, -1), jaw_pose=poses[:, 22],
    leye_pose=poses[:, 23], reye_pose=poses[:, 24], left_hand_pose=poses[:, 25:40].reshape(count, -1),
    right_hand_pose=poses[:, 40:55].reshape(count, -1),
)  # fmt: skip
np.save(out, output.joints[:, :55].detach().numpy())
