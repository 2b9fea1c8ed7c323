# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips on disk, in the layout that processed BEDLAM is kept in, without pickles.

    FOLDER/SPLIT/SEQUENCE/        SPLIT is Training or Validation
        rgb/00000.png             8-bit sRGB (.jpg is read as well)
        depth/00000.npy           float32 (H, W), z in the camera frame in metres; 0 for the sky
        mask/00000.png            8-bit: 0 for no person, else 1 + the person's index
        cam/00000.npz             intrinsics (3, 3) in pixels, pixel centres at whole numbers; pose (4, 4) world from
                                  camera, OpenCV axes; time_s ()
        smpl/00000.npz            for the P people of the sequence, SMPL-X parameters in the CAMERA frame under the
                                  names of the smplx package: global_orient (P, 3), body_pose (P, 21, 3), jaw_pose
                                  (P, 3), leye_pose (P, 3), reye_pose (P, 3), left_hand_pose (P, 15, 3), right_hand_pose
                                  (P, 15, 3), betas (P, 10), expression (P, 10), transl (P, 3); identity (P,), planted
                                  (P, 2)

Frames are in the order of their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from ..contract.body_model import BodyModel, default_body_path
from ..contract.errors import UserError
from ..contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .clips import Clip, make_clip
from .settings import HELD_OUT_SEED, ClipSettings

TRAINING, VALIDATION = "Training", "Validation"

_POSE_PARTS = (
    ("global_orient", slice(0, 1)), ("body_pose", slice(1, 22)), ("jaw_pose", slice(22, 23)),
    ("leye_pose", slice(23, 24)), ("reye_pose", slice(24, 25)), ("left_hand_pose", slice(25, 40)),
    ("right_hand_pose", slice(40, 55)),
)  # fmt: skip


def write_dataset(
    folder: str | Path, seeds: Iterable[int], settings: ClipSettings, device: torch.device | str = "cpu",
    progress: Callable[[str], None] | None = None,
) -> list[Path]:  # fmt: skip
    """Make the clips of `seeds` and write each as a sequence; held-out seeds go to Validation, others to Training.

    Returns the sequences' folders. Raises UserError (`dataset-unwritable`).
    """
    written = []
    for seed in seeds:
        split = VALIDATION if seed >= HELD_OUT_SEED else TRAINING
        sequence = Path(folder) / split / f"{settings.tier}_{seed:08d}"
        write_sequence(sequence, make_clip(seed, settings, device))
        written.append(sequence)
        if progress:
            progress(sequence.name)
    return written


def write_sequence(folder: str | Path, clip: Clip) -> None:
    """Write one clip (not a batch). Raises UserError (`dataset-unwritable`)."""
    folder = Path(folder)
    clip = clip.to("cpu")
    people = clip.present.numpy()
    numbers = np.concatenate([[0], np.cumsum(people)]).astype(np.uint8)
    pose = matrix_to_axis_angle(clip.rotations.double().numpy()).astype(np.float32)
    focal, (cx, cy) = float(clip.focal_px), clip.principal_point_px.tolist()
    intrinsics = np.array([[focal, 0, cx], [0, focal, cy], [0, 0, 1]], dtype=np.float32)
    try:
        for kind in ("rgb", "depth", "mask", "cam", "smpl"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        for frame in range(len(clip.rgb)):
            name = f"{frame:05d}"
            _write_image(folder / "rgb" / f"{name}.png", clip.rgb[frame].numpy()[..., ::-1])
            _write_image(folder / "mask" / f"{name}.png", numbers[clip.instance[frame].numpy()])
            np.save(folder / "depth" / f"{name}.npy", clip.depth[frame].numpy())
            np.savez(folder / "cam" / f"{name}.npz", intrinsics=intrinsics,
                     pose=clip.world_from_camera[frame].numpy(), time_s=clip.time_s[frame].numpy())  # fmt: skip
            parts = {key: pose[frame, people][:, part] for key, part in _POSE_PARTS}
            parts = {key: value[:, 0] if value.shape[1] == 1 else value for key, value in parts.items()}
            np.savez(
                folder / "smpl" / f"{name}.npz", **parts, betas=clip.betas.numpy()[people],
                expression=clip.expression[frame].numpy()[people], transl=clip.translation[frame].numpy()[people],
                identity=clip.identity.numpy()[people], planted=clip.planted[frame].numpy()[people],
            )  # fmt: skip
    except OSError as error:
        raise UserError("dataset-unwritable",
                  "{folder} cannot be written: {reason}.",
                  "Choose a folder with space left and permission to write.",
                  folder=folder,
                  reason=error.strerror or error) from error  # fmt: skip


def sequences(folder: str | Path, split: str) -> list[Path]:
    """The sequences of a split, by name. Raises UserError (`dataset-missing`)."""
    base = Path(folder) / split
    found = sorted(path for path in base.iterdir() if (path / "cam").is_dir()) if base.is_dir() else []
    if not found:
        raise UserError("dataset-missing",
                  "There are no sequences in {base}.",
                  "Choose a folder with {training} and {validation} in it.",
                  base=base,
                  training=TRAINING,
                  validation=VALIDATION)  # fmt: skip
    return found


def frame_count(folder: str | Path) -> int:
    """How many frames a sequence has."""
    return len(list((Path(folder) / "cam").glob("*.npz")))


def read_sequence(folder: str | Path, body: BodyModel | None = None, picked: Sequence[int] | None = None) -> Clip:
    """Read a sequence, or only the frames with the numbers `picked`, counted from 0 in the order of their names.

    `body` (the mannequin unless given) poses the joints. Raises UserError (`dataset-damaged`).
    """
    folder = Path(folder)
    body = body or BodyModel.load(default_body_path())
    try:
        paths = sorted((folder / "cam").glob("*.npz"))
        numbers = range(len(paths)) if picked is None else picked
        frames = [_read_frame(folder, paths[number].stem, body) for number in numbers]
        if not frames:
            raise ValueError("it has no frames")
        names = frames[0].keys()
        stacked = {key: torch.as_tensor(np.stack([frame[key] for frame in frames])) for key in names}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UserError("dataset-damaged",
                  "The sequence {folder} cannot be read: {error}.",
                  "Write it again, or remove it.",
                  folder=folder,
                  error=error) from error  # fmt: skip
    people = stacked["betas"].shape[1]
    counts = [(stacked["instance"] == person + 1).sum((1, 2)) for person in range(people)]
    none = torch.zeros(len(frames), 0, dtype=torch.int64)
    return Clip(
        seed=torch.tensor(-1), present=torch.ones(people, dtype=torch.bool), identity=stacked.pop("identity")[0],
        betas=stacked.pop("betas")[0], focal_px=stacked.pop("focal_px")[0],
        principal_point_px=stacked.pop("principal_point_px")[0], part=None, canonical=None,
        visible_px=torch.stack(counts, dim=-1) if counts else none, **stacked,
    )  # fmt: skip


def _read_frame(folder: Path, name: str, body: BodyModel) -> dict[str, np.ndarray]:
    """The arrays of `Clip` for one frame."""
    picture = next(
        (path for path in (folder / "rgb" / f"{name}{ending}" for ending in (".png", ".jpg")) if path.is_file()), None
    )
    if picture is None:
        raise ValueError(f"rgb/{name} is missing")
    with np.load(folder / "cam" / f"{name}.npz", allow_pickle=False) as camera:
        pose, intrinsics, time = (camera[key].astype(np.float32) for key in ("pose", "intrinsics", "time_s"))
    with np.load(folder / "smpl" / f"{name}.npz", allow_pickle=False) as archive:
        smpl = {key: archive[key] for key in archive.files}
    parts = [smpl[key].reshape(len(smpl["transl"]), -1, 3) for key, _ in _POSE_PARTS]
    rotations = axis_angle_to_matrix(np.concatenate(parts, axis=1))
    joints = body.posed_joints(rotations, smpl["betas"], smpl["expression"], smpl["transl"])
    pelvis = body.rest_joints(smpl["betas"], smpl["expression"])[:, 0]
    turn, where = pose[:3, :3].astype(np.float64), pose[:3, 3].astype(np.float64)
    focal, centre = intrinsics[0, 0], intrinsics[:2, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = focal * joints[..., :2] / joints[..., 2:] + centre
    return {
        "rgb": np.ascontiguousarray(_read_image(picture, cv2.IMREAD_COLOR)[..., ::-1]),
        "depth": np.load(folder / "depth" / f"{name}.npy", allow_pickle=False).astype(np.float32),
        "instance": _read_image(folder / "mask" / f"{name}.png", cv2.IMREAD_GRAYSCALE),
        "time_s": time, "focal_px": focal, "principal_point_px": centre, "world_from_camera": pose,
        "identity": smpl["identity"], "betas": smpl["betas"], "expression": smpl["expression"],
        "rotations": rotations.astype(np.float32), "translation": smpl["transl"],
        "root_world": (turn @ rotations[:, 0]).astype(np.float32),
        "translation_world": ((smpl["transl"] + pelvis) @ turn.T + where - pelvis).astype(np.float32),
        "joints": joints.astype(np.float32),
        "joints_px": np.where(joints[..., 2:] > 0.01, seen, np.nan).astype(np.float32), "planted": smpl["planted"],
    }  # fmt: skip


def _write_image(path: Path, image: np.ndarray) -> None:
    good, data = cv2.imencode(path.suffix, image)
    if not good:
        raise OSError(f"{path.name} cannot be encoded")
    path.write_bytes(data.tobytes())


def _read_image(path: Path, mode: int) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), dtype=np.uint8), mode)
    if image is None:
        raise ValueError(f"{path.name} is not an image")
    return image
