"""Tempered moves: new virtual patients made like this one when hardly any of the bank is.

Sequential Monte Carlo: the evidence is let in by powers, and between them each patient is moved a little within
the population (preconditioned Crank–Nicolson steps, which leave its normal numbers normal), simulated again,
and kept or not by the likelihood. Nothing of the model is approximated.
Method: Del Moral 2006, J R Stat Soc B 68:411; Cotter 2013, Stat Sci 28:424.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from biflora.twin.bank import Bank
from biflora.twin.bank import courses as every_course
from biflora.twin.calibrated import members
from biflora.twin.evidence import Clue
from biflora.twin.forecast import ARMS
from biflora.twin.observe import OBSERVED
from biflora.twin.population import Latent, Patients, settle
from biflora.twin.weigh import effective_size, enough_patients, log_likelihood, normalised, resampled

Array = NDArray[np.float64]
PARTICLES = 384
SWEEPS = 3
"""Moves of every patient after each power."""
MOST_POWERS = 10
GOOD_RATE = 0.25
"""Share of moves that should be kept; larger or smaller steps are taken to reach it."""
NEW_MEMBER = 0.2
"""Share of moves that also try another population."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Equally likely patients after all the evidence, in the bank's layout."""

    on: NDArray[np.float32]
    off: NDArray[np.float32]
    patients: Patients
    different: int
    """How many of them differ from each other."""
    powers: tuple[float, ...]


def move(held: Bank, clues: Sequence[Clue], weeks: int, seed: int) -> Moved:
    """Patients like this one where the bank holds too few. Same input and seed, same patients."""
    random = np.random.default_rng([seed, 6])
    score = log_likelihood(held.on, clues)
    power = _power(score, 0.0, min(enough_patients(), held.size / 4.0))
    chosen = resampled(normalised(power * score), PARTICLES, random)
    latent, score = held.drawn().some(chosen), score[chosen]
    powers, step = [power], 0.35
    for _ in range(MOST_POWERS):
        for _ in range(SWEEPS):
            latent, score, rate = _sweep(latent, score, clues, power, step, random)
            step = min(max(step * float(np.exp(rate - GOOD_RATE)), 0.03), 0.9)
        if power >= 1.0:
            break
        following = _power(score, power, PARTICLES / 2.0) if len(powers) < MOST_POWERS else 1.0
        chosen = resampled(normalised((following - power) * score), PARTICLES, random)
        latent, score, power = latent.some(chosen), score[chosen], following
        powers.append(power)
    patients = settle(latent, seed)
    on, _ = every_course(patients, weeks, gut_link=True)
    off, _ = every_course(patients, weeks, gut_link=False)
    whole = np.asarray(np.isfinite(on).all(axis=(0, 1, 2)) & np.isfinite(off).all(axis=(0, 1, 2)))
    different = len(np.unique(patients.latent.z[whole, :8], axis=0))
    return Moved(on[..., whole], off[..., whole], patients.some(whole), different, tuple(powers))


def _power(score: Array, reached: float, wanted: float) -> float:
    """The largest power at which the step from `reached` still leaves `wanted` patients' worth of weight."""
    if effective_size(normalised((1.0 - reached) * score)) >= wanted:
        return 1.0
    low, high = reached, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        enough = effective_size(normalised((middle - reached) * score)) >= wanted
        low, high = (middle, high) if enough else (low, middle)
    return max(low, reached + 1e-4)


def _sweep(
    latent: Latent, score: Array, clues: Sequence[Clue], power: float, step: float, random: np.random.Generator
) -> tuple[Latent, Array, float]:
    """One move of every patient, each within a random part of its numbers; the share that was kept."""
    n = len(latent)
    touched = random.random(latent.z.shape, dtype=np.float32) < random.choice((0.1, 0.3, 1.0), size=(n, 1))
    kept_part = np.float32(np.sqrt(1.0 - step**2))
    shaken = kept_part * latent.z + np.float32(step) * random.standard_normal(latent.z.shape, dtype=np.float32)
    elsewhere = random.integers(0, len(members()), n)
    proposed = Latent(
        np.where(touched, shaken, latent.z),
        np.where(random.random(n) < NEW_MEMBER, elsewhere, latent.member),
        latent.keys,
    )
    new = _scored(proposed, clues)
    accepted = np.log(random.random(n)) < power * (new - score)
    z = np.where(accepted[:, None], proposed.z, latent.z)
    member = np.where(accepted, proposed.member, latent.member)
    return replace(latent, z=z, member=member), np.where(accepted, new, score), float(np.mean(accepted))


def _scored(latent: Latent, clues: Sequence[Clue]) -> Array:
    """The likelihood of each of these patients; minus infinity where one could not be simulated."""
    from biflora.twin.arms import timetable_of
    from biflora.twin.cohort import simulate

    # a key marks a patient: the same one may stand several times, so places stand in for keys while settling
    patients = settle(replace(latent, keys=np.arange(len(latent), dtype=np.uint64)), 0)
    place = patients.latent.keys.astype(np.int64)
    patients = replace(patients, latent=replace(patients.latent, keys=latent.keys[place]))
    weeks = max([1, *(int(np.ceil(clue.week)) for clue in clues)])
    wanted = sorted({clue.arm for clue in clues}, key=ARMS.index)
    made, _ = simulate(patients, [timetable_of(arm, weeks) for arm in wanted], weeks)
    values = np.full((len(ARMS), len(OBSERVED), weeks + 1, len(patients)), np.nan, np.float32)
    for arm, course in zip(wanted, made, strict=True):
        values[ARMS.index(arm)] = course.transpose(2, 1, 0)
    found = np.full(len(latent), -np.inf)
    score = log_likelihood(values, clues)
    found[place] = np.where(np.isfinite(score), score, -np.inf)
    return found
