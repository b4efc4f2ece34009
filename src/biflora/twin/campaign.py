"""The campaign behind the calibration: every published trial simulated in many possible populations.

One campaign serves the calibration and the leave-one-trial-out validation: whatever is left out, the simulated
arms stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.published import (
    PublishedOutcome,
    PublishedTrial,
    arms_of,
    published_outcomes,
    published_trials,
)
from biflora.twin import state as at
from biflora.twin.calibrated import prior_members
from biflora.twin.observe import PLACE
from biflora.twin.population import Patients
from biflora.twin.regimen import OralProbiotic, Regimen
from biflora.twin.summaries import (
    at_week,
    entry_weights,
    luck_at_entry,
    member_patients,
    noise_of,
    reported,
    run_regimen,
    scores_at_entry,
    with_noise,
)
from biflora.twin.trial_spec import baseline_of, regimen_of

Array = NDArray[np.float64]
EACH = 320
"""Patients of each possible population."""
AT_ONCE = 25
"""Populations simulated together. They are made of the same patients but for their rates, so that they differ by
these alone; the next ones are made of others, whose luck the emulator takes out as a constant."""
SIMULATED = ("percent_change", "percent_of_means", "change", "mean", "difference_of_change", "log10_ratio",
             "responders_50", "responders_75", "improved", "mild", "sign")  # fmt: skip
OBSERVABLES = ("scorad", "easi", "itch_nrs", "poem", "tewl", "s_aureus_log10", "commensals_log10",
               "faecal_butyrate")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Campaign:
    """Simulated figures of every published outcome in every population of the design."""

    design: Array
    """(population, rates): where each lies on the standard normal scales."""
    outcomes: tuple[str, ...]
    """Keys of published_outcomes."""
    values: Array
    """(population, outcome): the figure as the trial's table would say it, for endless arms; a difference for
    `sign` and `difference_of_change`."""
    spreads: Array
    """(population, outcome): standard deviation between patients (of a difference: of both arms, pooled)."""
    effective: Array
    """(population, outcome): how many patients' worth stands behind the figure."""
    failed: int


def usable_outcomes() -> tuple[PublishedOutcome, ...]:
    """Outcomes that can be simulated, of usable trials, in the table's order."""
    trials = published_trials()
    return tuple(
        row
        for row in published_outcomes().values()
        if trials[row.trial].usable and row.measure in SIMULATED and row.observable in OBSERVABLES
        and row.trial != "solo-continue-2019"  # re-randomised responders only: no arm of ours
    )  # fmt: skip


def run_campaign(
    populations: int, seed: int, on_progress: Callable[[float], None] = lambda share: None
) -> Campaign:
    """Simulate all usable trials in `populations` populations drawn from the prior."""
    design = prior_members(populations, seed)
    outcomes = usable_outcomes()
    values = np.empty((populations, len(outcomes)))
    spreads, effective = np.empty_like(values), np.empty_like(values)
    failed = 0
    for start in range(0, populations, AT_ONCE):
        here = design[start : start + AT_ONCE]
        patients = member_patients(here, EACH, seed + start, alike=True)
        failed += patients.failed
        simulated = _Simulated(patients, outcomes, np.random.default_rng([seed, 32, start]))
        for place in range(len(here)):
            row = simulated.of_member(place)
            values[start + place], spreads[start + place], effective[start + place] = row
        on_progress(min(1.0, (start + AT_ONCE) / populations))
    return Campaign(design, tuple(row.key for row in outcomes), values, spreads, effective, failed)


class _Simulated:
    """The same patients under every regimen of the trials, seen trial by trial and population by population."""

    def __init__(
        self, patients: Patients, outcomes: Sequence[PublishedOutcome], random: np.random.Generator
    ) -> None:
        self.patients, self.outcomes = patients, outcomes
        # the same patient has the same measurement errors in every population; who could not be simulated has none
        place = {key: i for i, key in enumerate(np.unique(patients.latent.keys).tolist())}
        same = np.array([place[key] for key in patients.latent.keys.tolist()])
        self.noise = noise_of(len(place), random)[:, same]
        self.trials = {row.trial: published_trials()[row.trial] for row in outcomes}
        self.arms = {arm.key: arm for trial in self.trials for arm in arms_of(trial)}
        self.latent: dict[tuple[Regimen, str], NDArray[np.float32]] = {}
        for (regimen, age), weeks in self._needed().items():
            self.latent[regimen, age] = run_regimen(patients, regimen, weeks, age)
        self.entry = next(iter(self.latent.values()))
        self.luck = luck_at_entry(patients, self.noise)

    def _needed(self) -> dict[tuple[Regimen, str], int]:
        """The distinct regimens and how far each is needed; age groups that do not matter are one."""
        wanted: dict[tuple[Regimen, str], int] = {}
        for row in self.outcomes:
            for arm in filter(None, (row.arm, row.against)):
                place = self._place(arm)
                wanted[place] = max(wanted.get(place, 1), int(-(-row.week // 1)))
        return wanted

    def _place(self, arm: str) -> tuple[Regimen, str]:
        row = self.arms[arm]
        infants = self.trials[row.trial].age_group == "infants"
        regimen = regimen_of(row.interventions)
        # what a sequencer counts as Bifidobacterium moves no figure here: strains that differ in it are one
        same = [i.model_copy(update={"bifidobacterium_share": 0.5}) if isinstance(i, OralProbiotic) else i
                for i in regimen.interventions]  # fmt: skip
        return Regimen(interventions=tuple(same)), "infants" if infants else "mixed"

    def of_member(self, place: int) -> tuple[Array, Array, Array]:
        """Value, spread and effective number of every outcome in one population."""
        which = np.flatnonzero(self.patients.latent.member == place)
        weights = {key: self._weights(trial, which) for key, trial in self.trials.items()}
        found = [self._figure(row, which, weights[row.trial]) for row in self.outcomes]
        worth = [1.0 / float(np.sum(weights[row.trial] ** 2)) for row in self.outcomes]
        return np.array([v for v, _ in found]), np.array([s for _, s in found]), np.array(worth)

    def _weights(self, trial: PublishedTrial, which: NDArray[np.int64]) -> Array:
        baseline = baseline_of(trial)
        scores = scores_at_entry(self.entry[which], self.noise[:, which], tuple(baseline))
        flare = float(self.patients.rates[which, at.ENTRY_FLARE].mean())
        return entry_weights(scores, baseline, [part[which] for part in self.luck], flare)

    def _figure(self, row: PublishedOutcome, which: NDArray[np.int64], weights: Array) -> tuple[float, float]:
        measure = "difference_of_change" if row.measure == "sign" else row.measure
        value, spread = reported(measure, row.observable, *self._seen(row.arm, row, which), weights)
        if row.against is None:
            return value, spread
        other, apart = reported(measure, row.observable, *self._seen(row.against, row, which), weights)
        return value - other, float(np.sqrt(0.5 * (spread**2 + apart**2)))

    def _seen(self, arm: str, row: PublishedOutcome, which: NDArray[np.int64]) -> tuple[Array, Array]:
        """Measured before and after (patient,) under that arm."""
        latent = self.latent[self._place(arm)][which]
        place = PLACE[row.observable]
        before = with_noise(at_week(latent, row.observable, 0.0), row.observable, self.noise[0, which, place])
        if row.week == 0.0:
            return before, before
        after = with_noise(at_week(latent, row.observable, row.week), row.observable, self.noise[1, which, place])
        return before, after
