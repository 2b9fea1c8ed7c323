# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardstick: the paper's metrics, measured on takes with ground truth and shown beside the published figures.

One file per task holds pure functions over arrays (`local_body`, `global_motion`, `camera_trajectory`, `depth`,
`detection`, `tracking`). `ground_truth` says what is known of a clip, `measuring` measures a take against it,
`figures` holds and pools what came out, `report` prints it.
"""
