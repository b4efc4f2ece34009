"""What a trial of this size would find: predicted arm means, responders and differences, with intervals.

Uncertainty is of three kinds and all are in the intervals: which population (the calibrated members), which
trial (its effect on all arms and on active ones, as large as past trials differed), which patients (sampling).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.knowledge.rates import calibration_setting
from biflora.knowledge.rates import observables as observable_table
from biflora.knowledge.rows import release
from biflora.twin import state as at
from biflora.twin.bands import bands
from biflora.twin.calibrated import effects, members
from biflora.twin.calibrated import name as population_name
from biflora.twin.observe import PLACE
from biflora.twin.summaries import (
    at_week,
    entry_weights,
    luck_at_entry,
    member_patients,
    noise_of,
    reported,
    run_regimen,
    scores_at_entry,
    weighted_share,
    with_noise,
)
from biflora.twin.trial_spec import Endpoint, TrialSpec
from biflora.values import Band, Record, Value

Array = NDArray[np.float64]
MEMBERS, EACH, DRAWS = 64, 320, 4000
SEVERITY = ("scorad", "easi", "oscorad", "itch_nrs", "poem")
Measure = Literal["mean", "change", "percent_change", "responders_50", "responders_75"]
WIN = 1.96
FARTHEST, LEAST_PATIENTS = 0.5, 6.0
"""A trial is refused when the simulated scores at entry lie further from those asked for (in their SD), or when
fewer patients' worth of the population meet them."""


class ArmPrediction(Value):
    """One figure of one arm as its table would print it."""

    arm: str
    n: int
    observable: str
    week: float
    measure: Measure
    unit: str
    band: Band


class DifferencePrediction(Value):
    """One arm minus the first arm."""

    arm: str
    against: str
    observable: str
    week: float
    measure: Measure
    unit: str
    band: Band
    probability_better: float
    """That the estimate of this trial favours `arm`."""
    probability_shown: float
    """That it favours `arm` by more than 1.96 standard errors of a trial of this size (its predicted power)."""


class TrialPrediction(Record):
    """What the twin predicts of a trial before it is run."""

    label: str
    weeks: int
    population: str
    arms: tuple[ArmPrediction, ...]
    differences: tuple[DifferencePrediction, ...]
    baseline: tuple[tuple[str, float, float], ...]
    """Score at entry as simulated: name, mean, standard deviation. Compare it with what was asked."""
    effective_patients: float
    """How many virtual patients' worth of each population meet the entry scores (median)."""
    assumptions: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class _Simulated:
    """Figures of every population: (member, arm, endpoint, measure) and spreads between patients."""

    value: Array
    spread: Array
    entry: Array
    """(member, score, 2): weighted mean and sd at entry."""
    effective: Array


def predict_trial(
    spec: TrialSpec, *, seed: int = 2026, populations: int = MEMBERS, each: int = EACH
) -> TrialPrediction:
    """Predict the trial. Raises TrialistMust when no population holds patients like those who should enter."""
    chosen = np.linspace(0, len(members()) - 1, min(populations, len(members()))).astype(np.int64)
    simulated = _simulate(spec, chosen, each, seed)
    asked = np.array([(spread.mean, spread.sd) for spread in spec.baseline.values()])
    off = np.abs(np.median(simulated.entry[:, :, 0], axis=0) - asked[:, 0]) / np.maximum(asked[:, 1], 2.0)
    if off.max() > FARTHEST or float(np.median(simulated.effective)) < LEAST_PATIENTS:
        raise TrialistMust(
            "baseline: hardly any virtual patient has these scores at entry; check mean and sd (the twin knows "
            "atopic dermatitis from mild to severe)."
        )
    draws = _Draws(spec, simulated, effects()[chosen], seed)
    told = [
        (arm, point, m)
        for point, endpoint in enumerate(spec.endpoints)
        for m in range(len(_measures(endpoint)))
        for arm in range(len(spec.arms))
    ]
    return TrialPrediction.make(
        "trial-prediction",
        release=release(),
        label=spec.label,
        weeks=spec.weeks,
        population=population_name(),
        arms=tuple(draws.arm(arm, point, m) for arm, point, m in told),
        differences=tuple(draws.difference(arm, point, m) for arm, point, m in told if arm > 0),
        baseline=tuple(
            (key, round(float(np.median(simulated.entry[:, k, 0])), 2),
             round(float(np.median(simulated.entry[:, k, 1])), 2))
            for k, key in enumerate(spec.baseline)
        ),
        effective_patients=round(float(np.median(simulated.effective)), 1),
        assumptions=_assumptions(spec),
        seed=seed,
    )  # fmt: skip


def _measures(point: Endpoint) -> tuple[Measure, ...]:
    if point.observable in SEVERITY:
        return ("mean", "change", "percent_change", "responders_50", "responders_75")
    return ("mean", "change")


def _simulate(spec: TrialSpec, chosen: NDArray[np.int64], each: int, seed: int) -> _Simulated:
    patients = member_patients(members()[chosen], each, seed)
    noise = noise_of(len(patients), np.random.default_rng([seed, 51]))
    latent = [run_regimen(patients, arm.interventions, spec.weeks, spec.age_group) for arm in spec.arms]
    luck = luck_at_entry(patients, noise)
    scores = scores_at_entry(latent[0], noise, tuple(spec.baseline))
    shape = (len(chosen), len(spec.arms), len(spec.endpoints), 5)
    value, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    entry, effective = np.empty((len(chosen), len(spec.baseline), 2)), np.empty(len(chosen))
    for place in range(len(chosen)):
        which = np.flatnonzero(patients.latent.member == place)
        weights = entry_weights(
            {key: values[which] for key, values in scores.items()}, spec.baseline, [part[which] for part in luck],
            float(patients.rates[which, at.ENTRY_FLARE].mean()),
        )  # fmt: skip
        effective[place] = weighted_share(weights)
        for k, values in enumerate(scores.values()):
            mean = float(weights @ values[which])
            entry[place, k] = mean, math.sqrt(float(weights @ (values[which] - mean) ** 2))
        for arm, course in enumerate(latent):
            for e, point in enumerate(spec.endpoints):
                key, o = point.observable, PLACE[point.observable]
                before = with_noise(at_week(course[which], key, 0.0), key, noise[0, which, o])
                after = with_noise(at_week(course[which], key, point.week), key, noise[1, which, o])
                for m, measure in enumerate(_measures(point)):
                    value[place, arm, e, m], spread[place, arm, e, m] = reported(
                        measure, key, before, after, weights
                    )  # fmt: skip
    return _Simulated(value, spread, entry, effective)


class _Draws:
    """Trials drawn from the prediction: a population, the trial's own effects, its patients."""

    def __init__(self, spec: TrialSpec, simulated: _Simulated, sizes: Array, seed: int) -> None:
        random = np.random.default_rng([seed, 52])
        self.spec, self.simulated = spec, simulated
        self.member = random.integers(0, len(simulated.value), DRAWS)
        own = sizes[self.member] * random.standard_normal((DRAWS, 3))
        self.shared, self.active, self.microbe = own.T
        self.sampling = random.standard_normal((len(spec.arms), len(spec.endpoints), 5, DRAWS))

    def _of(self, arm: int, e: int, m: int) -> tuple[Array, Array]:
        """Estimates (draw,) and their standard errors."""
        point, n = self.spec.endpoints[e], self.spec.arms[arm].n
        measure = _measures(point)[m]
        middle = self.simulated.value[self.member, arm, e, m]
        error = self.simulated.spread[self.member, arm, e, m] / math.sqrt(n)
        differs = self.spec.arms[arm].interventions != self.spec.arms[0].interventions
        row = observable_table()[point.observable]
        if point.observable in SEVERITY and point.week > 0.0:
            factor = np.exp(self.shared + (self.active if differs else 0.0))
            if measure.startswith("responders"):
                share = np.clip(middle / 100.0, 1e-3, 1.0 - 1e-3)
                slope = calibration_setting("responder_slope").value
                logit = np.log(share / (1.0 - share)) - slope * np.log(factor)
                middle = 100.0 / (1.0 + np.exp(-logit))
                error = 100.0 * np.sqrt(middle / 100.0 * (1.0 - middle / 100.0) / n)
            elif measure == "percent_change":
                middle = 100.0 * ((1.0 + middle / 100.0) * factor - 1.0)
            else:
                left = self.simulated.value[self.member, arm, e, 0]  # the mean at that week
                middle = middle + left * (factor - 1.0)
        elif point.week > 0.0 and differs and row.scale != "identity":
            middle = middle * 10.0**self.microbe if measure == "mean" else middle
        elif point.week > 0.0 and differs and point.observable.endswith("log10"):
            middle = middle + self.microbe
        drawn = middle + error * self.sampling[arm, e, m]
        return (np.clip(drawn, 0.0, 100.0) if measure.startswith("responders") else drawn), error

    def arm(self, arm: int, e: int, m: int) -> ArmPrediction:
        drawn, _ = self._of(arm, e, m)
        point, measure = self.spec.endpoints[e], _measures(self.spec.endpoints[e])[m]
        return ArmPrediction(
            arm=self.spec.arms[arm].name, n=self.spec.arms[arm].n, observable=point.observable, week=point.week,
            measure=measure, unit=_unit(point, measure), band=band_of(drawn),
        )  # fmt: skip

    def difference(self, arm: int, e: int, m: int) -> DifferencePrediction:
        here, error = self._of(arm, e, m)
        there, other = self._of(0, e, m)
        gap = here - there
        point, measure = self.spec.endpoints[e], _measures(self.spec.endpoints[e])[m]
        low_is_good = observable_table()[point.observable].lower_is_better
        better = gap > 0 if measure.startswith("responders") else (gap < 0) == low_is_good
        shown = better & (np.abs(gap) > WIN * np.sqrt(error**2 + other**2))
        return DifferencePrediction(
            arm=self.spec.arms[arm].name, against=self.spec.arms[0].name, observable=point.observable,
            week=point.week, measure=measure, unit=_unit(point, measure).replace("%", "percentage points"),
            band=band_of(gap), probability_better=float(np.mean(better)), probability_shown=float(np.mean(shown)),
        )  # fmt: skip


def _unit(point: Endpoint, measure: Measure) -> str:
    return observable_table()[point.observable].unit if measure in ("mean", "change") else "%"


def band_of(drawn: Array) -> Band:
    return bands(drawn[None, :].astype(np.float32))[0]


def _assumptions(spec: TrialSpec) -> tuple[str, ...]:
    said = [
        "Arms differ by a trial effect that all share and one on active arms, as large as past trials differed; "
        "the arms that are given something other than the first one count as active.",
        "Everybody is followed to the end; dropout and rescue outside the named interventions are not simulated.",
        "Oral and topical together have no parameter of their own; no replicated trial of the pair exists.",
    ]
    if spec.age_group == "infants":
        said.append("Below two years the gut is assumed to reach the skin half as strongly.")
    elif spec.age_group in ("children", "adolescents", "mixed"):
        said.append("Age acts through the scores at entry alone; above two years nothing else depends on it.")
    return tuple(said)
