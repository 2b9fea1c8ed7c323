# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refined place does to takes of synthetic clips: as captured, cleaned up without it, and with it; and seconds.

    python -m benchmarks.refine --model small --tier studio --seeds 1000300:1000305        in the engine's environment
    python -m benchmarks.refine --speed

Up is what the take tells (its final floor, or its people and cameras). Clips of the built-in model need to be large,
--size 512x384, because its networks know pictures of real people.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.capture import ModelShelf, run_capture
from engine.contract.messages import CameraSummary, Frame
from engine.contract.settings import CaptureSettings
from engine.contract.take import SettledTakeReader
from engine.evaluation.figures import TaskFigures
from engine.evaluation.measuring import measure
from engine.evaluation.synthetic_set import NamedBody, SyntheticSet
from engine.ground_truth import ClipTruth
from engine.interruption import Interruption
from engine.motion.body_motion import BodyMotion, joined
from engine.motion.clean_up import CleanUpSettings, clean_up
from engine.motion.ground_of_take import ground_of_frames
from engine.motion.people_of_take import PersonOfTake, people_of_take, person_in_frame
from engine.motion.refine import refine
from engine.synthetic.settings import TIERS, tier_settings
from tests.engine.motion import people as walkers

KEYS = ("w_mpjpe_mm", "wa_mpjpe_mm", "rte_percent", "head_m", "mpjpe_mm", "pa_mpjpe_mm", "foot_sliding_mm", "jitter")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small")
    parser.add_argument("--tier", default="studio", choices=TIERS)
    parser.add_argument("--seeds", default="950000:950003", help="A:B; from 1000000 on they are held out")
    parser.add_argument("--size", default="128x96")
    parser.add_argument("--frames", type=int, default=75)
    parser.add_argument("--speed", action="store_true", help="time 5 people of 10,000 frames instead")
    options = parser.parse_args()
    if options.speed:
        print_speed()
    else:
        print_figures(options)


def print_figures(options: argparse.Namespace) -> None:
    """Each figure, pooled over all clips, and as a share of that of the take."""
    first, last = map(int, options.seeds.split(":"))
    width, height = map(int, options.size.split("x"))
    kind = replace(tier_settings(options.tier), frames=options.frames, size=(width, height))
    body = NamedBody.load()
    pooled: dict[str, TaskFigures] = {}
    for frames, up, truth in captured(SyntheticSet(range(first, last), kind, body), options.model):
        people = people_of_take(frames, body.model)
        versions = {"as captured": frames}
        for name, settings in (("clean", CleanUpSettings(refine=False)), ("refined", CleanUpSettings())):
            motions = [clean_up(one.motion, up, settings, one.cameras[:, :3, 3]).motion for one in people]
            versions[name] = rebuilt(frames, people, motions, body)
        for name, version in versions.items():
            pooled[name] = pooled.get(name, TaskFigures()) + measure(version, truth, body.model)
    raw = pooled["as captured"].values()
    for key in KEYS:
        values = {name: figures.values()[key] for name, figures in pooled.items()}
        print(
            f"{key:16}", "   ".join(f"{name} {value:8.3f} ({value / raw[key]:.3f})" for name, value in values.items())
        )


def captured(clips: SyntheticSet, model: str) -> Iterator[tuple[list[Frame], np.ndarray, ClipTruth]]:
    """Frames and up of a take of each clip, with the truth."""
    shelf, stop = ModelShelf(), Interruption()
    with tempfile.TemporaryDirectory() as folder:
        take = str(Path(folder) / "clip.h3r")
        for clip in clips.clips():
            rate = clip.truth.frame_rate
            settings = CaptureSettings(
                clip.source, take, model=model, body="mannequin", frame_rate=rate, voxel_size=0.0, max_points=1
            )
            run_capture(settings, lambda _: None, stop, shelf)
            with SettledTakeReader(take) as reader:
                messages = list(reader)
            frames = [message for message in messages if isinstance(message, Frame)]
            floors = [item.up for item in messages if isinstance(item, CameraSummary) and item.floor_known]
            body = NamedBody.load().model
            up = floors[-1] if floors else ground_of_frames(frames, np.zeros((0, 3)), body).up
            yield frames, up, clip.truth


def rebuilt(frames: list[Frame], people: list[PersonOfTake], motions: list[BodyMotion], body: NamedBody) -> list[Frame]:
    """The frames with people in other motions."""
    rows: list[dict[int, object]] = [{} for _ in frames]
    for person, motion in zip(people, motions, strict=True):
        for row, place in enumerate(person.places.tolist()):
            camera, expression = frames[place].world_from_camera, person.expression[row]
            rows[place][person.track_id] = person_in_frame(
                person.track_id, motion, row, person.betas, expression, camera, body.model
            )
    names = ("pose_axis_angle", "betas", "expression", "translation", "head_point")
    made = []
    for frame, found in zip(frames, rows, strict=True):
        order = [found[int(track)] for track in frame.track_id]
        arrays = {name: np.stack([getattr(one, name) for one in order]).astype(np.float32) for name in names if order}
        made.append(replace(frame, **arrays))
    return made


def print_speed() -> None:
    """Seconds of processor time for 5 people of 10,000 and of 20,000 frames."""
    walker = walkers.noisy(walkers.walkers()[0], 1)
    for count in (10_000, 20_000):
        parts = [replace(walker, time_s=walker.time_s + 6.0 * number) for number in range(-(-count // len(walker)))]
        long = joined(parts).part(slice(0, count))
        camera, started = np.tile([0.0, -1.5, -5.0], (count, 1)), time.process_time()
        for _ in range(5):
            refine(long, camera, walkers.UP)
        print(f"refining 5 people of {count} frames: {time.process_time() - started:.1f} s")


if __name__ == "__main__":
    main()
