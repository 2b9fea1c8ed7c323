# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the engine's Python: vertices by the `smplx` package, for the tests inside Blender.

    python smplx_reference.py FOLDER BODY.npz...

For the n-th body, FOLDER/n.npz holds the parameters; the vertices go to FOLDER/n.npy.
"""

import sys
from pathlib import Path

import numpy as np
import smplx
import torch

torch.set_num_threads(1)
folder = Path(sys.argv[1])
for number, body_path in enumerate(sys.argv[2:]):
    given = {name: torch.tensor(values) for name, values in np.load(folder / f"{number}.npz").items()}
    pose = given["pose"]
    count = len(pose)
    model = smplx.SMPLX(
        body_path, num_betas=10, num_expression_coeffs=10, use_pca=False, flat_hand_mean=True, use_face_contour=False,
        batch_size=count, ext="npz",
    )  # fmt: skip
    output = model(
        betas=given["betas"].expand(count, 10), expression=given["expression"], transl=given["translation"],
        global_orient=pose[:, 0], body_pose=pose[:, 1:22].reshape(count, -1), jaw_pose=pose[:, 22],
        leye_pose=pose[:, 23], reye_pose=pose[:, 24], left_hand_pose=pose[:, 25:40].reshape(count, -1),
        right_hand_pose=pose[:, 40:55].reshape(count, -1),
    )  # fmt: skip
    np.save(folder / f"{number}.npy", output.vertices.detach().numpy())
