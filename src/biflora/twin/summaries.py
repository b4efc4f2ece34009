"""What a trial would report of its arms: virtual patients weighed to those who entered, measured, and averaged.

Everybody is simulated under every regimen; a trial then weighs the same patients so that their *measured* scores
at entry have its mean and spread (regression to the mean comes with that), and reports what its table says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import observables as observable_table
from biflora.knowledge.rates import population_setting
from biflora.twin import state as at
from biflora.twin.observe import OBSERVED, PLACE, TAILS, from_scale, to_scale
from biflora.twin.population import Latent, Patients, flare_level, settle
from biflora.twin.regimen import OralProbiotic, Regimen, timetable
from biflora.twin.trial_spec import Spread

Array = NDArray[np.float64]
RIDGE = 0.02
"""Holds the weights back where the patients hardly reach the trial's entry scores."""
NEWTON_STEPS = 25


@dataclass(frozen=True, slots=True)
class Course:
    """Measured courses of the same patients under one regimen: (patient, week, observable)."""

    regimen: Regimen
    measured: NDArray[np.float32]


def noise_of(n: int, random: np.random.Generator) -> Array:
    """Two measurement errors of each patient and observable, (2, n, observables): at entry and later."""
    scale = np.array([observable_table()[key].noise_sd for key in OBSERVED]) / math.sqrt(TAILS / (TAILS - 2.0))
    return np.asarray(random.standard_t(TAILS, size=(2, n, len(OBSERVED))) * scale)


def with_noise(latent: NDArray[np.float32], key: str, noise: Array) -> Array:
    """`latent` values of one observable as measured with that error."""
    row = observable_table()[key]
    return from_scale(row, to_scale(row, latent.astype(np.float64)) + noise)


def entry_weights(
    scores: Mapping[str, Array],
    baseline: Mapping[str, Spread],
    luck: Sequence[Array] = (),
    entry_flare: float = 0.0,
) -> Array:  # fmt: skip
    """Weights (patient,), sum 1, that give the measured scores the trial's mean and spread (entropy balancing).

    `luck`: standard normal parts of the scores at entry that do not last (flare, measurement error). They are
    given the mean `entry_flare`, in every trial: people enter when they are worse than usual, however mild their
    disease, and regress to their own mean afterwards.
    Method: Hainmueller 2012, Polit Anal 20:25, with a ridge: where the patients cannot reach the trial's scores
    the weights come as near as they may. The distance left is seen in the weighted baseline.
    """
    parts = [np.clip(part, -6.0, 6.0) - entry_flare for part in luck]
    for key, spread in baseline.items():
        z = (scores[key] - spread.mean) / spread.sd
        z = np.clip(z, -6.0, 6.0)
        parts += [z, z**2 - 1.0]
    wanted = np.stack(parts, axis=1)
    tilt = np.zeros(wanted.shape[1])
    for _ in range(NEWTON_STEPS):
        weights = _softmax(wanted @ tilt)
        gradient = weights @ wanted + RIDGE * tilt
        centred = wanted - weights @ wanted
        curve = (centred * weights[:, None]).T @ centred + RIDGE * np.eye(len(tilt))
        step = np.linalg.solve(curve, gradient)
        size = float(np.sqrt(step @ step))
        tilt = tilt - step * min(1.0, 1.0 / max(size, 1e-12))
        if size < 1e-6:
            break
    return _softmax(wanted @ tilt)


def _softmax(values: Array) -> Array:
    raised = np.exp(values - values.max())
    return np.asarray(raised / raised.sum())


def for_age(patients: Patients, age_group: str) -> Patients:
    """The patients as that age group: in infants the gut reaches the skin less (a row of knowledge)."""
    if age_group != "infants":
        return patients
    rates = patients.rates.copy()
    rates[:, at.GUT_REACH] *= population_setting("infant_gut_reach").value
    return Patients(rates, patients.states, patients.latent, patients.seed, patients.tried, patients.failed)


def as_given(patients: Patients, regimen: Regimen) -> Patients:
    """The patients with what the regimen says of its strains: their share that counts as Bifidobacterium."""
    oral = next((item for item in regimen.interventions if isinstance(item, OralProbiotic)), None)
    if oral is None:
        return patients
    rates = patients.rates.copy()
    rates[:, at.PROBIOTIC_SHARE] *= 2.0 * oral.bifidobacterium_share  # the rate holds for a mix of one half
    return Patients(rates, patients.states, patients.latent, patients.seed, patients.tried, patients.failed)


def run_regimen(patients: Patients, regimen: Regimen, weeks: int, age_group: str = "mixed") -> NDArray[np.float32]:
    """Latent observables (patient, week, observable) under one regimen."""
    from biflora.twin.cohort import simulate

    people = as_given(for_age(patients, age_group), regimen)
    values, _ = simulate(people, [timetable(regimen, weeks)], weeks)
    return np.asarray(values[0])


def at_week(latent: NDArray[np.float32], key: str, week: float) -> NDArray[np.float32]:
    """One observable (patient,) at that week, between whole weeks by a straight line."""
    before = min(int(week), latent.shape[1] - 1)
    after = min(before + 1, latent.shape[1] - 1)
    part = np.float32(week - before)
    place = PLACE[key]
    return (1 - part) * latent[:, before, place] + part * latent[:, after, place]


def reported(measure: str, key: str, before: Array, after: Array, weights: Array) -> tuple[float, float]:
    """What a table says of one arm, and the standard deviation between its patients (0 where it has none).

    `before`, `after` (patient,) measured; `weights` sum to 1. Measures are those of knowledge's
    published_outcomes; loads given in percent are of CFU, not of their logarithm.
    """
    if measure == "percent_change":
        return _mean_sd(100.0 * (after / np.maximum(before, 1.0) - 1.0), weights)
    if measure == "percent_of_means":
        if key.endswith("log10"):
            before, after = 10.0**before, 10.0**after
        start, end = float(weights @ before), float(weights @ after)
        _, spread = _mean_sd(100.0 * (after - before) / start, weights)
        return 100.0 * (end / start - 1.0), spread
    if measure in ("change", "log10_ratio", "difference_of_change"):
        return _mean_sd(after - before, weights)
    if measure == "mean":
        return _mean_sd(after, weights)
    if measure in ("responders_50", "responders_75", "improved", "mild"):
        kept = {"responders_50": 0.5, "responders_75": 0.25, "improved": 1.0 - 1e-9}
        if measure == "mild":
            reached = after < population_setting("mild_scorad").value
        else:
            reached = after <= kept[measure] * before
        share = float(weights @ reached)
        return 100.0 * share, 100.0 * math.sqrt(max(share * (1.0 - share), 1e-6))
    raise ValueError(f"no arm summary is defined for the measure {measure}")


def _mean_sd(values: Array, weights: Array) -> tuple[float, float]:
    mean = float(weights @ values)
    return mean, math.sqrt(max(float(weights @ (values - mean) ** 2), 0.0))


def member_patients(members: Array, each: int, seed: int, *, alike: bool = False) -> Patients:
    """`each` patients of every member in `members` (members, rates), in that order, at their first visit.

    `alike`: made of the same normal numbers in every member, so that members differ by their rates alone.
    """
    from biflora.twin.population import draw, rates_of

    member = np.repeat(np.arange(len(members), dtype=np.int64), each)
    latent = draw(len(member), np.random.default_rng([seed, 31]), member)
    if alike:
        same = np.tile(np.arange(each), len(members))
        latent = Latent(latent.z[same], member, latent.keys[same])
    return settle(latent, seed, rates_of(latent, members))


def weighted_share(weights: Array) -> float:
    """Kish's effective number of patients behind a weighted mean."""
    return float(1.0 / np.sum(weights**2))


def luck_at_entry(patients: Patients, noise: Array) -> tuple[Array, Array]:
    """Standard normal parts of the score at entry that do not last: the flare and SCORAD's measurement error."""
    place = PLACE["scorad"]
    error = noise[0, :, place] / observable_table()["scorad"].noise_sd
    return flare_level(patients.rates, patients.latent), error


def scores_at_entry(latent: NDArray[np.float32], noise: Array, keys: Sequence[str]) -> dict[str, Array]:
    """Measured scores (patient,) of the first visit."""
    return {key: with_noise(latent[:, 0, PLACE[key]], key, noise[0, :, PLACE[key]]) for key in keys}
