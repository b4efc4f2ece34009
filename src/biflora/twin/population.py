"""The population: how rates vary together between patients, and where a patient stands before any study."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import FACTORS, Rate
from biflora.knowledge.rates import rates as rate_table
from biflora.twin import state as at
from biflora.twin.state import RATES, STATES

Array = NDArray[np.float64]
SETTLING_WEEKS = 20
"""Weeks without flares in which a drawn patient settles."""
LIVED_WEEKS = 8
"""Weeks with flares before the first visit, so that some arrive in a flare (regression to the mean)."""
TENTH = 1.6448536269514722
"""Normal quantile of the 90 % range's upper end."""


@dataclass(frozen=True, slots=True)
class Patients:
    """Virtual patients at their first visit."""

    rates: Array
    """(n, rates), in the order of `state.RATES`."""
    states: Array
    """(n, states) at week 0."""
    flare: Array
    """(n,) ln of the drive by flares at week 0."""
    seed: int
    tried: int = 0
    """How many were drawn to find these."""
    failed: int = 0
    """How many of the drawn could not be simulated."""

    def __len__(self) -> int:
        return int(self.rates.shape[0])

    def some(self, index: NDArray[np.int64]) -> Patients:
        return Patients(
            self.rates[index], self.states[index], self.flare[index], self.seed, self.tried, self.failed
        )


def draw_rates(n: int, random: np.random.Generator) -> Array:
    """Draw `n` patients' rates: four common factors (barrier, immune, skin microbes, gut) and the rest apart."""
    table = rate_table()
    factors = {name: random.standard_normal(n) for name in FACTORS}
    drawn = np.empty((n, len(RATES)))
    for place, key in enumerate(RATES):
        row = table[key]
        own = random.standard_normal(n)
        z = own if row.factor is None else (
            row.loading * factors[row.factor] + math.sqrt(1.0 - row.loading**2) * own
        )  # fmt: skip
        drawn[:, place] = _from_normal(row, z, random.random(n))
    return drawn


def _from_normal(row: Rate, z: Array, uniform: Array) -> Array:
    match row.distribution:
        case "lognormal":
            return row.median * np.exp(z * math.log(row.spread) / TENTH)
        case "normal":
            return row.median + row.spread * z
        case "logit":
            return np.asarray(1.0 / (1.0 + np.exp(-(math.log(row.median / (1.0 - row.median)) + row.spread * z))))
        case "bernoulli":
            return (uniform < row.median).astype(np.float64)
        case "constant":
            return np.full_like(z, row.median)


def start_states(rates: Array) -> Array:
    """A plausible first guess of every state, from which a patient settles."""
    y = np.zeros((rates.shape[0], len(STATES)))
    y[:, at.S_AUREUS_LN] = rates[:, at.S_AUREUS_CAPACITY] - 1.0
    y[:, at.CONS_LN] = rates[:, at.STAPHYLOCOCCUS_CAPACITY] - 1.0
    y[:, at.BARRIER] = 0.5
    y[:, at.TONE] = 2.0
    y[:, at.REGULATION] = 1.2
    y[:, at.BIFIDO] = 0.8 * rates[:, at.BIFIDO_CAPACITY]
    y[:, at.POOL] = 1.0
    y[:, at.PRODUCERS] = 1.0
    y[:, at.BUTYRATE] = 10.0
    return y


def flares(rates: Array, weeks: int, start: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """Drive of tone by flares (n, weeks) with mean 1, and ln of its last: weekly Ornstein–Uhlenbeck steps."""
    memory = np.exp(-7.0 / rates[:, at.FLARE_DAYS])
    sd = rates[:, at.FLARE_SD]
    level, out = start.copy(), np.empty((rates.shape[0], weeks))
    for week in range(weeks):
        out[:, week] = np.exp(level - 0.5 * sd**2)
        level = memory * level + sd * np.sqrt(1.0 - memory**2) * random.standard_normal(level.shape[0])
    return out, level


def at_first_visit(n: int, seed: int) -> Patients:
    """Draw `n` patients and let them settle and live under usual emollient and no other treatment.

    Nobody is selected here; see `cohort.virtual_patients` for entry limits.
    """
    from biflora.twin.engine import run

    random = np.random.default_rng([seed, 1])
    drawn = draw_rates(n, random)
    weeks = SETTLING_WEEKS + LIVED_WEEKS
    uses = np.zeros((n, weeks, 4))
    uses[:, :, at.USE_EMOLLIENT] = drawn[:, [at.USUAL_EMOLLIENT]]
    lived, last = flares(
        drawn, LIVED_WEEKS, drawn[:, at.FLARE_SD] * random.standard_normal(n), random
    )  # fmt: skip
    drive = np.concatenate([np.ones((n, SETTLING_WEEKS)), lived], axis=1)
    ends, _, _, status = run(
        start_states(drawn), drawn, uses, drive, started=-7.0 * (weeks + 1), want_seen=False
    )  # fmt: skip
    good = np.flatnonzero(status == 0)
    patients = Patients(drawn, ends, last, seed, tried=n, failed=n - good.size)
    return patients.some(good)
