"""Conditions without a mechanistic model: what trials reported, when they reported it, nothing personal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from biflora.knowledge.rates import ConditionEffect, condition_effects
from biflora.knowledge.rows import release
from biflora.profile.patient import Condition
from biflora.profile.profile import Profile
from biflora.twin.forecast import ARM_LABELS, ARMS, Arm, Assumption, Course, Difference, Forecast, Observable
from biflora.twin.pooled import PooledEffect, pooled_effects
from biflora.values import Band

QUANTILES = {"q25": 0.25, "q75": 0.75, "q10": 0.10, "q90": 0.90, "q2_5": 0.025, "q97_5": 0.975}
STANDARDISED = "severity_standardised"
"""Key of the observable that holds pooled differences of all trials of a condition."""
USUAL_WEEKS = 12


def from_evidence(profile: Profile, seed: int) -> Forecast:
    """A forecast for a condition that the twin does not model.

    Courses stand only where a trial gave a change with its spread; differences also where trials could be pooled
    on one scale. Every trial that was found is named, those without effect too.
    """
    condition = profile.patient.condition
    rows = {row.arm: row for row in condition_effects().values() if row.condition == condition.value}
    pooled = {effect.arm: effect for effect in pooled_effects(condition.value)}
    counted = [effect for effect in pooled.values() if effect.effect is not None and effect.arm != "standard_care"]
    weeks = [row.weeks for row in rows.values()] + [_weeks(effect) for effect in counted]
    observables = tuple({row.instrument: _observable(row) for row in rows.values()}.values())
    return Forecast.make(
        "forecast", release=release(), parents=(profile.id,) if profile.id else (), mechanistic=False, seed=seed,
        weeks=(0, max(weeks)) if weeks else (),
        observables=(*observables, *((_STANDARDISED,) if counted else ())),
        courses=tuple(_course(rows[arm]) for arm in ARMS if arm in rows),
        differences=(*_differences(rows, pooled), *(_pooled_difference(effect) for effect in counted)),
        informed_by=tuple(_informed(counted)), not_informed=_missing(condition, rows, pooled),
        assumptions=_assumptions(rows, tuple(pooled.values())),
    )  # fmt: skip


_STANDARDISED = Observable(
    key=STANDARDISED, label="Difference in severity, all trials on one scale", unit="SD", lower_is_better=True
)


def _weeks(effect: PooledEffect) -> int:
    return math.ceil(effect.weeks) if effect.weeks is not None else USUAL_WEEKS


def _missing(
    condition: Condition, rows: dict[str, ConditionEffect], pooled: dict[Arm, PooledEffect]
) -> tuple[str, ...]:
    name = condition.value.replace("_", " ")
    said = [f"the twin has no mechanistic model of {name}: nothing here is personal to this patient"]
    for arm in ARMS:
        effect = pooled.get(arm)
        if effect is None and arm not in rows:
            said.append(f"{ARM_LABELS[arm]}: no trial found with a change that could be shown for {name}")
        elif effect is not None and effect.effect is None and arm not in rows:
            said.append(f"{ARM_LABELS[arm]}, {name}: {effect.words[:1].lower()}{effect.words[1:].rstrip('.')}")
    return tuple(said)


def _key(row: ConditionEffect) -> str:
    return f"{row.instrument}_change"


def _observable(row: ConditionEffect) -> Observable:
    return Observable(key=_key(row), label=row.label, unit=row.unit, lower_is_better=True)


def _band(mean: float, scale: float, *, degrees: int | None = None, floor: float = -math.inf) -> Band:
    """A normal or t distribution as its limits; `floor` is the best that can be."""
    points = {name: max(mean + _quantile(part, degrees) * scale, floor) for name, part in QUANTILES.items()}
    return Band(median=max(mean, floor), **points)


def _quantile(probability: float, degrees: int | None) -> float:
    from scipy.special import ndtri, stdtrit

    return float(ndtri(probability) if degrees is None else stdtrit(degrees, probability))


def _below_zero(mean: float, scale: float, degrees: int | None = None) -> float:
    from scipy.special import ndtr, stdtr

    return float(ndtr(-mean / scale) if degrees is None else stdtr(degrees, -mean / scale))


def _floor(row: ConditionEffect) -> float:
    """A score in percent cannot fall by more than all of it."""
    return -100.0 if row.unit == "%" else -math.inf


def _course(row: ConditionEffect) -> Course:
    return Course(
        arm=_arm(row), observable=_key(row), weeks=(0, row.weeks),
        bands=(_band(0.0, 0.0), _band(row.change, row.sd, floor=_floor(row))),
    )  # fmt: skip


def _arm(row: ConditionEffect) -> Arm:
    return next(arm for arm in ARMS if arm == row.arm)


def _differences(rows: dict[str, ConditionEffect], pooled: dict[Arm, PooledEffect]) -> tuple[Difference, ...]:
    """Differences between the means of one trial's arms, with their standard error.

    None where several trials count: one of them alone would say more than they do together.
    """
    against = rows.get("standard_care")
    found = []
    for arm in ARMS[1:]:
        row = rows.get(arm)
        if row is None or against is None or against.instrument != row.instrument:
            continue
        if (effect := pooled.get(arm)) is not None and len(effect.trials) > 1:
            continue
        error = math.sqrt(row.sd**2 / row.n + against.sd**2 / against.n)
        gap = row.change - against.change
        found.append(
            Difference(
                arm=arm,
                against="standard_care",
                observable=_key(row),
                weeks=(0, row.weeks),
                bands=(_band(0.0, 0.0), _band(gap, error)),
                probability_better=_below_zero(gap, error),
            )
        )
    return tuple(found)


def _pooled_difference(effect: PooledEffect) -> Difference:
    """The mean over trials and its interval; what a next trial may find is wider and stands in the words."""
    mean, error = effect.effect or 0.0, effect.error or 0.0
    return Difference(
        arm=effect.arm, against="standard_care", observable=STANDARDISED, weeks=(0, _weeks(effect)),
        bands=(_band(0.0, 0.0), _band(mean, error, degrees=effect.degrees)),
        probability_better=_below_zero(mean, error, effect.degrees),
    )  # fmt: skip


def _informed(counted: Sequence[PooledEffect]) -> list[str]:
    return [
        f"{ARM_LABELS[effect.arm]}: {trial.trial} {trial.year}, n = {trial.n}, {trial.outcome} against "
        f"{trial.against}: {trial.effect:.2f} SD ({trial.low:.2f} to {trial.high:.2f}); {trial.how}"
        for effect in counted
        for trial in effect.trials
    ] + [f"{ARM_LABELS[effect.arm]}: {effect.from_review}, a review" for effect in counted if effect.from_review]


def _assumptions(rows: dict[str, ConditionEffect], pooled: Sequence[PooledEffect]) -> tuple[Assumption, ...]:
    ours = "biflora developers"
    said = []
    if rows:
        said.append(
            Assumption(
                what="a course shows one trial's change as it spread between its patients; a difference is "
                "between the means of its arms and says nothing of one patient",
                status="assumed",
                source=ours,
            )
        )
    for row in rows.values():
        said.append(Assumption(what=f"{_arm(row)}: {row.note}", status="read", source=row.source))
    for effect in pooled:
        name = ARM_LABELS[effect.arm]
        said.append(Assumption(what=f"{name}: {effect.words}", status="read", source="condition_trials.csv"))
        if effect.not_positive:
            names = ", ".join(effect.not_positive)
            said.append(
                Assumption(what=f"{name}: no difference was found by {names}", status="read", source="the same")
            )
        said += [
            Assumption(what=f"{name}, not counted: {text}", status="read", source="the same")
            for text in effect.not_counted
        ]
        said += [
            Assumption(what=f"{name}, published: {text}", status="read", source="the same")
            for text in effect.published
        ]
    if any(effect.trials for effect in pooled):
        said.append(
            Assumption(
                what="trials of different strains, outcomes and weeks are taken as estimates of one kind of "
                "effect, and a placebo beside usual care as standard care",
                status="assumed",
                source=ours,
            )
        )
    return tuple(said)
