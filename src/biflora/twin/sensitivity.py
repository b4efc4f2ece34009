"""How each rate moves what would be measured: sensitivities of observables around virtual patients.

One standard deviation of a rate's prior is the unit. Every patient settles anew with each shifted rate, since
where she starts depends on it. Weekly flares are moved too: they are no rates, but nobody knows them ahead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import Rate, population_setting
from biflora.knowledge.rates import observables as observable_table
from biflora.knowledge.rates import rates as rate_table
from biflora.twin.arms import timetable_of
from biflora.twin.cohort import simulate
from biflora.twin.forecast import Arm
from biflora.twin.observe import OBSERVED, to_scale
from biflora.twin.population import FLARES, LIVED_WEEKS, TENTH, Latent, Patients, settle, together
from biflora.twin.state import RATES

Array = NDArray[np.float64]
STEP = 0.5
"""Half a standard deviation to either side: wide enough to cross the switches of the treatment rules."""


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """Expected observables on the scale on which their noise has one size, and how they move."""

    arms: tuple[Arm, ...]
    rates: tuple[str, ...]
    expected: Array
    """(arm, patient, week, observable)."""
    by_rate: Array
    """(rate, arm, patient, week, observable) per prior standard deviation of the rate in one patient."""
    by_flare: Array
    """(flare, arm, patient, week, observable) per standard deviation of one week's flare."""

    @property
    def patients(self) -> int:
        return int(self.expected.shape[1])

    def common(self) -> Array:
        """(rate, arm, week, observable): of the arms' means, per standard deviation of the population's shift."""
        share = population_setting("shared_variance").value
        table = rate_table()
        parts = np.array([_common_part(table[key], share) for key in self.rates])
        return np.asarray(parts[:, None, None, None] * self.by_rate.mean(axis=2))


def sensitivities(patients: Patients, arms: Sequence[Arm], weeks: int) -> Sensitivities:
    """Central differences of every uncertain rate and weekly flare, all simulated together.

    A patient of whom any variant cannot be simulated is left out.
    """
    table = rate_table()
    keys = tuple(key for key in RATES if table[key].distribution != "constant")
    variants: list[Patients] = [patients]
    for key in keys:
        variants += [_with_rate(patients, key, side) for side in (-1.0, 1.0)]
    flares = range(FLARES, FLARES + 1 + LIVED_WEEKS + weeks)
    for place in flares:
        variants += [_with_flare(patients, place, side) for side in (-1.0, 1.0)]
    shown = _expected(together(variants), arms, weeks).reshape(
        len(arms), len(variants), len(patients), weeks + 1, len(OBSERVED)
    )
    shown = shown[:, :, np.isfinite(shown).all(axis=(0, 1, 3, 4))]
    gaps = np.moveaxis(shown[:, 2::2] - shown[:, 1::2], 1, 0)
    units = np.array([_unit(table[key]) for key in keys] + [1.0 / (2.0 * STEP)] * len(flares))
    moved = gaps * units[:, None, None, None, None]
    return Sensitivities(tuple(arms), keys, shown[:, 0], moved[: len(keys)], moved[len(keys) :])


def _unit(row: Rate) -> float:
    """What turns the gap of both variants into one per standard deviation."""
    if row.distribution == "bernoulli":
        return math.sqrt(row.median * (1.0 - row.median))
    return 1.0 / (2.0 * STEP)


def _common_part(row: Rate, share: float) -> float:
    """How far a patient's rate follows the population's shift, in the patient's standard deviations."""
    if row.distribution != "bernoulli":
        return math.sqrt(share)
    from scipy.special import ndtri

    own, common = math.sqrt(1.0 - share), math.sqrt(share)
    cut = float(ndtri(row.median)) / own
    density = math.exp(-0.5 * cut**2) / math.sqrt(2.0 * math.pi)
    return common / own * density / math.sqrt(row.median * (1.0 - row.median))


def _with_rate(patients: Patients, key: str, side: float) -> Patients:
    rates, place, row = patients.rates.copy(), RATES.index(key), rate_table()[key]
    value = rates[:, place]
    match row.distribution:
        case "lognormal":
            rates[:, place] = value * math.exp(side * STEP * math.log(row.spread) / TENTH)
        case "normal":
            rates[:, place] = value + side * STEP * row.spread
        case "logit":
            odds = value / (1.0 - value) * math.exp(side * STEP * row.spread)
            rates[:, place] = odds / (1.0 + odds)
        case "bernoulli":
            rates[:, place] = 0.5 + 0.5 * side
        case "constant":
            pass
    return replace(patients, rates=rates)


def _with_flare(patients: Patients, place: int, side: float) -> Patients:
    z = patients.latent.z.copy()
    z[:, place] += np.float32(side * STEP)
    return replace(patients, latent=replace(patients.latent, z=z))


def _expected(patients: Patients, arms: Sequence[Arm], weeks: int) -> Array:
    """(arm, patient, week, observable) on the scale of the noise; NaN where a patient could not be simulated."""
    held = patients.latent
    # a key marks a patient's missed doses and stands once for every variant: places stand in for it while settling
    marked = Latent(held.z, held.member, np.arange(len(held), dtype=np.uint64))
    settled = settle(marked, patients.seed, patients.rates)
    place = settled.latent.keys.astype(np.int64)
    settled = replace(settled, latent=held.some(place))
    values, _ = simulate(settled, [timetable_of(arm, weeks) for arm in arms], weeks)
    table = observable_table()
    scaled = np.stack(
        [to_scale(table[key], values[..., k].astype(np.float64)) for k, key in enumerate(OBSERVED)], -1
    )
    found = np.full((len(arms), len(held), *scaled.shape[2:]), np.nan)
    found[:, place] = scaled
    return found
