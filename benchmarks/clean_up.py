# SPDX-License-Identifier: GPL-3.0-or-later
"""What the clean-up does to synthetic motion with realistic noise: sliding, jitter, errors of position, claps, seconds.

    python -m benchmarks.clean_up [--strength 0.75]        in the engine's environment

The motions, the noise and the figures are those of tests/engine/motion, which asserts their bounds.
"""

import argparse
import time

import numpy as np

from engine.motion.body_motion import BodyMotion
from engine.motion.causal import CausalSmoother
from engine.motion.clean_up import CleanUpSettings, clean_up
from tests.engine.motion import people

UNITS = {"sliding": "mm a frame", "jitter": "10 m/s3"}


def live(motion: BodyMotion, strength: float) -> BodyMotion:
    """The version of a motion that is shown while it arrives."""
    smoother = CausalSmoother(strength)
    frames = [smoother.update(*row) for row in zip(motion.time_s, motion.rotations, motion.pelvis, strict=True)]
    rotations, pelvis = (np.stack(values) for values in zip(*frames, strict=True))
    return BodyMotion.make(motion.time_s, rotations, pelvis, motion.rest_joints)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strength", type=float, default=CleanUpSettings.strength)
    strength = parser.parse_args().strength
    settings, truths = CleanUpSettings(strength), people.walkers()
    for noise in (people.noisy, people.noisy_from_head):
        noisy = [noise(motion, seed) for seed, motion in enumerate(truths)]
        started = time.process_time()
        cleaned = [clean_up(motion, people.UP, settings).motion for motion in noisy]
        seconds = time.process_time() - started
        rows = [
            people.mean_figures(motions, truths)
            for motions in (noisy, [live(motion, strength) for motion in noisy], cleaned)
        ]
        print(f"{noise.__name__}, {seconds / sum(map(len, noisy)) * 1000:.2f} s for 1,000 frames of a person")
        for name in rows[0]:
            raw, arriving, clean = (row[name] for row in rows)
            what = f"{name}, {UNITS.get(name, 'mm')}"
            print(
                f"  {what:20} raw {raw:6.1f}   live {arriving:6.1f}   clean {clean:6.1f}   "
                f"({100 * (clean / raw - 1):+.0f} %)"
            )
    change = people.mean_figures([clean_up(motion, people.UP, settings).motion for motion in truths], truths)
    print(f"a true motion changes by {change['world']:.1f} mm")
    for rate in (24.0, 30.0, 60.0):
        claps = [people.noisy(people.clapper(rate), seed) for seed in range(4)]
        kept = [
            people.clap_reach(clean_up(motion, people.UP, settings).motion) / people.clap_reach(motion)
            for motion in claps
        ]
        print(f"of a 5 Hz clap at {rate:.0f} frames a second {100 * np.mean(kept):.1f} % is kept")
    for hz in (2.0, 5.0):
        wave = people.waver(30.0, hz)
        change = people.swing_of(live(wave, strength), hz) / people.swing_of(wave, hz)
        lag_ms = -1000 * np.angle(change) / (2 * np.pi * hz)
        print(f"live, a wave of {hz:.0f} Hz lags by {lag_ms:.0f} ms and keeps {100 * abs(change):.0f} %")


if __name__ == "__main__":
    main()
