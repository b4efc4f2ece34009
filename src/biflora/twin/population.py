"""The population: how rates vary between patients and between possible populations, and a patient's first visit.

Part of each rate's spread is ignorance of the population's median and moves everybody at once; the rest differs
between patients. A *member* is one possible population (one set of medians); the calibrated members ship with
biflora (`calibrated.py`). A patient is a function of standard normal numbers (`Latent`), so that the same
patient can be drawn again, and moved a little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import FACTORS, Rate, population_setting
from biflora.knowledge.rates import rates as rate_table
from biflora.twin import state as at
from biflora.twin.calibrated import members
from biflora.twin.regimen import Timetable
from biflora.twin.state import RATES, STATES

Array = NDArray[np.float64]
Normals = NDArray[np.float32]
Places = NDArray[np.int64]
SETTLING_WEEKS = 20
"""Weeks without flares in which a drawn patient settles."""
LIVED_WEEKS = 8
"""Weeks with flares before the first visit, so that some arrive in a flare (regression to the mean)."""
AHEAD_WEEKS = 52
"""Weeks of flares that a patient carries with her."""
TENTH = 1.6448536269514722
"""Normal quantile of the 90 % range's upper end."""
OWN = len(FACTORS)
FLARES = OWN + len(RATES)
LATENT = FLARES + 1 + LIVED_WEEKS + AHEAD_WEEKS
"""Standard normal numbers that make a patient: common factors, own part of each rate, weekly flares."""


@dataclass(frozen=True, slots=True)
class Latent:
    """What a patient is made of."""

    z: Normals
    """(n, LATENT) standard normal."""
    member: Places
    """(n,) whose population each is of."""
    keys: NDArray[np.uint64]
    """(n,) each patient's own number, for missed doses."""

    def __len__(self) -> int:
        return int(self.z.shape[0])

    def some(self, index: Places | NDArray[np.bool_]) -> Latent:
        return Latent(self.z[index], self.member[index], self.keys[index])


@dataclass(frozen=True, slots=True)
class Patients:
    """Virtual patients at their first visit."""

    rates: Array
    """(n, rates), in the order of `state.RATES`."""
    states: Array
    """(n, states) at week 0."""
    latent: Latent
    seed: int
    tried: int = 0
    """How many were drawn to find these."""
    failed: int = 0
    """How many of the drawn could not be simulated."""

    def __len__(self) -> int:
        return int(self.rates.shape[0])

    def some(self, index: Places | NDArray[np.bool_]) -> Patients:
        return replace(
            self, rates=self.rates[index], states=self.states[index], latent=self.latent.some(index)
        )  # fmt: skip

    def drive(self, weeks: int) -> Array:
        """Drive of tone by flares (n, weeks) after the first visit; its mean is 1."""
        return flares(self.rates, self.latent, LIVED_WEEKS + weeks)[:, LIVED_WEEKS:]

    def meeting_other_weeks(self, random: np.random.Generator) -> Patients:
        """The same patients with other flares and missed doses ahead of them."""
        z = self.latent.z.copy()
        z[:, FLARES + 1 + LIVED_WEEKS :] = random.standard_normal((len(self), AHEAD_WEEKS), dtype=np.float32)
        return replace(self, latent=Latent(z, self.latent.member, new_keys(len(self), random)))


def together(parts: list[Patients]) -> Patients:
    """Several groups as one; tried and failed are added up."""
    return Patients(
        np.concatenate([p.rates for p in parts]),
        np.concatenate([p.states for p in parts]),
        Latent(
            np.concatenate([p.latent.z for p in parts]),
            np.concatenate([p.latent.member for p in parts]),
            np.concatenate([p.latent.keys for p in parts]),
        ),
        parts[0].seed, sum(p.tried for p in parts), sum(p.failed for p in parts),
    )  # fmt: skip


def draw(n: int, random: np.random.Generator, member: Places | None = None) -> Latent:
    """`n` patients, spread evenly over the members, or each of the named one."""
    if member is None:
        member = np.arange(n, dtype=np.int64) % len(members())
    return Latent(random.standard_normal((n, LATENT), dtype=np.float32), member, new_keys(n, random))


def new_keys(n: int, random: np.random.Generator) -> NDArray[np.uint64]:
    return random.integers(0, 2**63, size=n, dtype=np.uint64)


def rates_of(latent: Latent, medians: Array | None = None) -> Array:
    """The rates (n, rates) of these patients. `medians` (members, rates) replaces the population's members."""
    table = rate_table()
    shift = (members() if medians is None else medians)[latent.member]
    share = population_setting("shared_variance").value
    own_part, common_part = math.sqrt(1.0 - share), math.sqrt(share)
    drawn = np.empty((len(latent), len(RATES)))
    apart = own_part * _from_normal(table["unlikeness"], common_part * shift[:, at.UNLIKENESS])
    for place, key in enumerate(RATES):
        row = table[key]
        own = latent.z[:, OWN + place].astype(np.float64)
        if row.factor is not None:
            factor = latent.z[:, FACTORS.index(row.factor)]
            own = row.loading * factor + math.sqrt(1.0 - row.loading**2) * own
        drawn[:, place] = _from_normal(row, apart * own + common_part * shift[:, place])
    return drawn


def _from_normal(row: Rate, z: Array) -> Array:
    match row.distribution:
        case "lognormal":
            return row.median * np.exp(z * math.log(row.spread) / TENTH)
        case "normal":
            return row.median + row.spread * z
        case "logit":
            return np.asarray(1.0 / (1.0 + np.exp(-(math.log(row.median / (1.0 - row.median)) + row.spread * z))))
        case "bernoulli":
            return np.asarray(z < NormalDist().inv_cdf(row.median), dtype=np.float64)
        case "constant":
            return np.full_like(z, row.median)


def flares(rates: Array, latent: Latent, weeks: int) -> Array:
    """Drive of tone (n, weeks) from the first lived week on: weekly Ornstein–Uhlenbeck steps, mean 1."""
    memory = np.exp(-7.0 / rates[:, at.FLARE_DAYS])
    sd = rates[:, at.FLARE_SD]
    step = sd * np.sqrt(1.0 - memory**2)
    level = sd * latent.z[:, FLARES]
    out = np.empty((len(latent), weeks))
    for week in range(weeks):
        out[:, week] = np.exp(level - 0.5 * sd**2)
        level = memory * level + step * latent.z[:, FLARES + 1 + week]
    return out


def flare_level(rates: Array, latent: Latent) -> Array:
    """How far each patient's drive lies above her own mean at the first visit, in her sd (patient,)."""
    memory = np.exp(-7.0 / rates[:, at.FLARE_DAYS])
    level = latent.z[:, FLARES].astype(np.float64)
    for week in range(LIVED_WEEKS):
        level = memory * level + np.sqrt(1.0 - memory**2) * latent.z[:, FLARES + 1 + week]
    return np.asarray(level)


def start_states(rates: Array) -> Array:
    """A plausible first guess of every state, from which a patient settles."""
    y = np.zeros((rates.shape[0], len(STATES)))
    y[:, at.S_AUREUS_LN] = rates[:, at.S_AUREUS_CAPACITY] - 1.0
    y[:, at.CONS_LN] = rates[:, at.STAPHYLOCOCCUS_CAPACITY] - 1.0
    y[:, at.BARRIER] = 0.5
    y[:, at.TONE] = 2.0
    y[:, at.REGULATION] = 1.2
    y[:, at.MEMORY] = 2.0
    y[:, at.BIFIDO] = 0.8 * rates[:, at.BIFIDO_CAPACITY]
    y[:, at.POOL] = 1.0
    y[:, at.PRODUCERS] = 1.0
    y[:, at.BUTYRATE] = 10.0
    return y


def settle(latent: Latent, seed: int, rates: Array | None = None) -> Patients:
    """These patients at their first visit, after weeks under usual emollient and no other treatment.

    A patient whose trajectory failed is left out; `failed` counts them.
    """
    from biflora.twin.engine import run

    rates = rates_of(latent) if rates is None else rates
    weeks = SETTLING_WEEKS + LIVED_WEEKS
    plan = np.zeros((weeks, len(at.LEVERS)))
    plan[:, at.USE_EMOLLIENT] = rate_table()["usual_emollient"].median
    table = Timetable(7.0 * np.arange(weeks + 1, dtype=np.float64), plan)
    drive = np.ones((len(latent), weeks))
    drive[:, SETTLING_WEEKS:] = flares(rates, latent, LIVED_WEEKS)
    ends, _, _, status = run(
        start_states(rates), rates, latent.keys, table, drive, started=-7.0 * (weeks + 1), perfect=True,
        want_seen=False,
    )  # fmt: skip
    good = np.flatnonzero(status == 0)
    return Patients(rates, ends, latent, seed, tried=len(latent), failed=len(latent) - good.size).some(good)


def at_first_visit(n: int, seed: int, member: Places | None = None) -> Patients:
    """Draw `n` patients and bring them to their first visit.

    Nobody is selected here; see `cohort.virtual_patients` for entry limits.
    """
    return settle(draw(n, np.random.default_rng([seed, 1]), member), seed)
