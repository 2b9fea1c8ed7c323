# SPDX-License-Identifier: GPL-3.0-or-later
"""Smooths how far away somebody is over time, without lag: what a single picture tells least.

A depth that is measured in every frame wobbles by shares of itself, together with the pose, and for tenths of a second.
People's accelerations are bounded, and sideways they are seen directly: as much as somebody accelerates sideways he may
accelerate in depth. A Kalman smoother (forth and back) weighs both.
"""

from __future__ import annotations

import numpy as np

from ...motion.local_fit import LocalFit

_ERROR_TIME_S = 0.1
"""For so long errors of neighbouring frames are alike."""

_ACCELERATION_TIME_S = 0.2
"""For so long an acceleration lasts."""

_LEAST_ACCELERATION = 1.0
"""m/s2 that anybody is allowed: a walk's."""

_LEAST_LOG_SIGMA = 0.015
_NOISE_HALF_WIDTH_S = 0.35
"""What changes faster than the parabola over this is taken for noise."""

_MOTION_HALF_WIDTH_S = 0.2
_LOCAL_S = 0.5
"""Noise and accelerations are those within this of a frame."""

_NORMAL_MEAN = 0.8
"""Mean distance from the mean of normal numbers, in standard deviations."""

_UNKNOWN_M, _UNKNOWN_M_PER_S = 1e3, 1e2
"""Spreads of depth and speed before anything is seen."""

_ROUNDS = 3
_KERNEL = 2.5
"""Measurements that are off by so many deviations count half."""


def noise_of(time_s: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(T,) deviation of each depth as a measurement of its own: that it wobbles, and that neighbours err alike.

    So many frames within the time of an error together say as much as one.
    """
    log_depth = np.log(depth)
    wobble = np.abs(log_depth - LocalFit(time_s, _NOISE_HALF_WIDTH_S).apply(log_depth))
    sigma = np.maximum(_mean_near(time_s, wobble) / _NORMAL_MEAN, _LEAST_LOG_SIGMA)
    alike = np.exp(-_step(time_s) / _ERROR_TIME_S)
    return sigma * depth * np.sqrt((1 + alike) / (1 - alike))


def accelerations_of(time_s: np.ndarray, sideways: np.ndarray) -> np.ndarray:
    """(T,) how fast somebody may accelerate in depth, m/s2, of his (T,) position sideways, metres."""
    if len(time_s) < 5:
        return np.full(len(time_s), _LEAST_ACCELERATION)
    path = LocalFit(time_s, _MOTION_HALF_WIDTH_S).apply(sideways)
    acceleration = np.gradient(np.gradient(path, time_s), time_s)
    return np.maximum(np.sqrt(_mean_near(time_s, acceleration**2)), _LEAST_ACCELERATION)


def smooth_depth(
    time_s: np.ndarray, depth: np.ndarray, sigma: np.ndarray, acceleration: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(T,) smoothed depths and their deviations.

    `sigma` of the measurements, metres; `acceleration` its spread, `known` the one that is known (gravity in a flight,
    0 elsewhere), m/s2. Movements of constant speed pass unchanged. Outliers lose their pull.
    """
    variance = np.asarray(sigma, dtype=np.float64) ** 2
    density = 2 * _ACCELERATION_TIME_S * np.asarray(acceleration, dtype=np.float64) ** 2
    inflation = np.ones(len(depth))
    for _ in range(_ROUNDS):
        smooth, smooth_variance = _forth_and_back(time_s, depth, variance * inflation, density, known)
        inflation = 1.0 + ((depth - smooth) ** 2 / variance) / _KERNEL**2
    return smooth, np.sqrt(smooth_variance)


def _forth_and_back(
    time_s: np.ndarray, depth: np.ndarray, variance: np.ndarray, density: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Kalman filter and Rauch-Tung-Striebel smoother for place and speed under a white acceleration, in plain numbers.

    Covariances are (place, both, speed).
    """
    steps = np.diff(time_s, prepend=time_s[0]).tolist()
    rates, drives = density.tolist(), np.asarray(known, dtype=np.float64).tolist()
    place, speed = float(depth[0]), 0.0
    a, b, c = _UNKNOWN_M**2, 0.0, _UNKNOWN_M_PER_S**2
    foreseen, filtered = [], []
    for dt, rate, drive, seen, noise in zip(steps, rates, drives, depth.tolist(), variance.tolist(), strict=True):
        place, speed = place + dt * speed + 0.5 * dt * dt * drive, speed + dt * drive
        a, b, c = a + 2 * dt * b + dt * dt * c + rate * dt**3 / 3, b + dt * c + rate * dt * dt / 2, c + rate * dt
        foreseen.append((place, speed, a, b, c))
        gain, gain_speed, off = a / (a + noise), b / (a + noise), seen - place
        place, speed = place + gain * off, speed + gain_speed * off
        a, b, c = a * (1 - gain), b * (1 - gain), c - gain_speed * b
        filtered.append((place, speed, a, b, c))
    return _back(steps, foreseen, filtered)


_State = tuple[float, float, float, float, float]


def _back(steps: list[float], foreseen: list[_State], filtered: list[_State]) -> tuple[np.ndarray, np.ndarray]:
    """Smoothed places and their variances."""
    place, speed, a, b, c = filtered[-1]
    places, variances = [place], [a]
    for now in range(len(filtered) - 2, -1, -1):
        dt, (p, s, fa, fb, fc), (pp, ps, pa, pb, pc) = steps[now + 1], filtered[now], foreseen[now + 1]
        scale = max(pa * pc - pb * pb, 1e-300)
        # filtered covariance . step' . inverse of the foreseen covariance
        k11, k12, k21, k22 = fa + dt * fb, fb, fb + dt * fc, fc
        g11, g12 = (k11 * pc - k12 * pb) / scale, (k12 * pa - k11 * pb) / scale
        g21, g22 = (k21 * pc - k22 * pb) / scale, (k22 * pa - k21 * pb) / scale
        dp, ds, da, db, dc = place - pp, speed - ps, a - pa, b - pb, c - pc
        place, speed = p + g11 * dp + g12 * ds, s + g21 * dp + g22 * ds
        a = fa + g11 * g11 * da + 2 * g11 * g12 * db + g12 * g12 * dc
        b = fb + g11 * g21 * da + (g11 * g22 + g12 * g21) * db + g12 * g22 * dc
        c = fc + g21 * g21 * da + 2 * g21 * g22 * db + g22 * g22 * dc
        places.append(place)
        variances.append(max(a, 0.0))
    return np.array(places[::-1]), np.array(variances[::-1])


def _mean_near(time_s: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(T,) mean of the values within `_LOCAL_S` of each time."""
    first = np.searchsorted(time_s, time_s - _LOCAL_S, side="left")
    last = np.searchsorted(time_s, time_s + _LOCAL_S, side="right")
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return (sums[last] - sums[first]) / (last - first)


def _step(time_s: np.ndarray) -> float:
    """Typical time between frames."""
    return float(np.median(np.diff(time_s))) if len(time_s) > 1 else 1.0
