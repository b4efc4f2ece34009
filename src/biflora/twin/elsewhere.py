"""Conditions without a mechanistic model: only what a trial reported, at the week it reported it."""

from __future__ import annotations

import math

from biflora.knowledge.rates import ConditionEffect, condition_effects
from biflora.knowledge.rows import release
from biflora.profile.patient import Condition
from biflora.profile.profile import Profile
from biflora.twin.forecast import ARM_LABELS, ARMS, Arm, Assumption, Course, Difference, Forecast, Observable
from biflora.values import Band

QUANTILES = {"q25": -0.6744898, "q75": 0.6744898, "q10": -1.2815516, "q90": 1.2815516, "q2_5": -1.959964,
             "q97_5": 1.959964}  # fmt: skip


def from_evidence(profile: Profile, seed: int) -> Forecast:
    """A forecast for a condition that the twin does not model: courses only where a trial gave a number."""
    condition = profile.patient.condition
    rows = {row.arm: row for row in condition_effects().values() if row.condition == condition.value}
    name = condition.value.replace("_", " ")
    missing = [f"the twin has no mechanistic model of {name}: nothing here is personal to this patient"]
    missing += [
        f"{ARM_LABELS[arm]}: no trial found with a change that could be shown for {name}"
        for arm in ARMS
        if arm not in rows
    ]
    return Forecast.make(
        "forecast", release=release(), parents=(profile.id,) if profile.id else (), mechanistic=False, seed=seed,
        weeks=(0, max(row.weeks for row in rows.values())) if rows else (),
        observables=tuple({row.instrument: _observable(row) for row in rows.values()}.values()),
        courses=tuple(_course(rows[arm]) for arm in ARMS if arm in rows), differences=_differences(rows),
        not_informed=tuple(missing), assumptions=_assumptions(condition, rows),
    )  # fmt: skip


def _key(row: ConditionEffect) -> str:
    return f"{row.instrument}_change"


def _observable(row: ConditionEffect) -> Observable:
    return Observable(
        key=_key(row), label=f"{row.instrument.upper()}, change from baseline", unit="%", lower_is_better=True
    )


def _normal(mean: float, sd: float, low: float = -100.0) -> Band:
    points = {name: max(mean + z * sd, low) for name, z in QUANTILES.items()}
    return Band(median=max(mean, low), **points)


def _course(row: ConditionEffect) -> Course:
    return Course(
        arm=_arm(row), observable=_key(row), weeks=(0, row.weeks),
        bands=(_normal(0.0, 0.0), _normal(row.change_percent, row.sd_percent)),
    )  # fmt: skip


def _arm(row: ConditionEffect) -> Arm:
    return next(arm for arm in ARMS if arm == row.arm)


def _differences(rows: dict[str, ConditionEffect]) -> tuple[Difference, ...]:
    """Differences of the arms' means with their standard error, half of the trial's patients in each arm."""
    against = rows.get("standard_care")
    found = []
    for arm in ARMS[1:]:
        row = rows.get(arm)
        if row is None or against is None or against.instrument != row.instrument:
            continue
        error = math.sqrt(row.sd_percent**2 / (row.n / 2) + against.sd_percent**2 / (against.n / 2))
        gap = row.change_percent - against.change_percent
        found.append(
            Difference(
                arm=arm,
                against="standard_care",
                observable=_key(row),
                weeks=(0, row.weeks),
                bands=(_normal(0.0, 0.0), _normal(gap, error)),
                probability_better=0.5 * math.erfc(gap / error / math.sqrt(2.0)),
            )
        )
    return tuple(found)


def _assumptions(condition: Condition, rows: dict[str, ConditionEffect]) -> tuple[Assumption, ...]:
    said = [
        Assumption(
            what="a course shows one trial's change as it spread between its patients; a difference is between "
            "the means of its arms and says nothing of one patient",
            status="assumed",
            source="biflora developers",
        )
    ]
    for row in rows.values():
        said.append(Assumption(what=f"{_arm(row)}: {row.note}", status="read", source=row.source))
    return tuple(said)
