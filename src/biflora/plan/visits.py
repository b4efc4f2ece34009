"""The follow-up plan: what to measure when, by what the twin would learn, and when to stop, switch or step up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from biflora.knowledge.deciding import SwitchRule, switch_rules
from biflora.knowledge.rates import observables as observable_table
from biflora.plan.considered import FollowUpPlan, Learnt, SwitchPoint
from biflora.plan.draws import Alike
from biflora.plan.plan import Measure
from biflora.profile.patient import Patient
from biflora.twin.forecast import ARM_LABELS, ARMS, Arm
from biflora.twin.linear import covariance, given
from biflora.twin.observe import OBSERVED, PLACE, to_scale
from biflora.values import SourcedNumber

WEEKS = (4, 8)
"""Visits before the last week at which a measurement can still change the course."""
SCORES = ("scorad", "oscorad", "easi", "itch_nrs", "poem")
SHOWN = 4
LEAST_LEARNT = 0.01
"""Part of the variance below which a measurement is not worth naming."""


def follow_up_plan(
    patient: Patient, measures: Sequence[Measure], *, like: Alike | None, observable: str | None,
    proposed: Arm | None, best: Arm | None, smallest: SourcedNumber | None,
) -> FollowUpPlan:  # fmt: skip
    """Visits from the plan's measures; measurements ranked for the arm that is proposed (else the leading one)."""
    weeks = tuple(sorted({measure.week for measure in measures}))
    rules = switch_points(patient, proposed, smallest)
    arm = (
        proposed if proposed not in (None, "standard_care") else best if best != "standard_care" else "combination"
    )
    if like is None or observable is None or proposed is None or arm is None:
        return FollowUpPlan(
            weeks=weeks, rules=rules,
            said="The twin has no model of this condition: visits follow the rows, not what it could learn.",
        )  # fmt: skip
    learns = learnt(like, observable, under=proposed, arm=arm)
    about = f"{ARM_LABELS[arm].lower()} against standard care"
    return FollowUpPlan(weeks=weeks, learns=learns, about=about, said=_said(learns, about), rules=rules)


def learnt(like: Alike, observable: str, *, under: Arm, arm: Arm) -> tuple[Learnt, ...]:
    """What each further measurement under the arm `under` takes of the variance that severity at weeks 4 and 8
    leaves of the difference `arm` − standard care at the last week; the largest first.

    Linear and Gaussian on the virtual patients like this one (as `twin.measure_next`).
    """
    table = observable_table()
    weeks = tuple(week for week in WEEKS if week <= like.weeks)
    last = like.values[:, PLACE[observable], -1].astype(np.float64)
    gap = last[ARMS.index(arm)] - last[ARMS.index("standard_care")]
    course = like.values[ARMS.index(under)]
    keys = [(key, week) for key in OBSERVED for week in weeks]
    columns = [to_scale(table[key], course[PLACE[key], week].astype(np.float64)) for key, week in keys]
    joint = covariance(np.column_stack([gap, *columns]))
    noise = np.diag([0.0, *(table[key].noise_sd ** 2 for key, _ in keys)])
    base = [1 + keys.index((observable, week)) for week in weeks]
    left = float(given(joint, noise, base)[0, 0])
    if left <= 0.0:
        return ()
    found = []
    for place, (key, week) in enumerate(keys):
        if key in SCORES[:3]:
            continue  # the same signs once more
        after = float(given(joint, noise, [*base, 1 + place])[0, 0])
        reduction = round(float(np.clip(1.0 - after / left, 0.0, 1.0)), 4)
        found.append(Learnt(observable=key, label=table[key].label, week=week, reduction=reduction))
    found.sort(key=lambda row: -row.reduction)
    return tuple(row for row in found[:SHOWN] if row.reduction >= LEAST_LEARNT)


def switch_points(patient: Patient, arm: Arm | None, smallest: SourcedNumber | None) -> tuple[SwitchPoint, ...]:
    """The rules of this patient and arm, what may happen any day first, then by week."""
    rows = [row for row in switch_rules().values() if _concerns(row, patient, arm)]
    rows.sort(key=lambda row: (row.week is not None, row.week or 0))
    return tuple(_point(row, smallest) for row in rows)


def _concerns(row: SwitchRule, patient: Patient, arm: Arm | None) -> bool:
    if patient.condition not in row.conditions or patient.sex in row.not_sexes:
        return False
    if row.arms and arm is not None and arm not in row.arms:
        return False
    if row.age_at_least is not None and patient.age_years < row.age_at_least:
        return False
    return row.age_below is None or patient.age_years < row.age_below


def _point(row: SwitchRule, smallest: SourcedNumber | None) -> SwitchPoint:
    words = (
        "not known for this score: ask the patient" if smallest is None else f"{smallest.value:g} {smallest.unit}"
    )
    return SwitchPoint(
        key=row.key, kind=row.kind, week=row.week, when=row.when.replace("{mid}", words), do=row.do,
        patient_words=row.patient_words, who=row.who, source=row.source, verification=row.verification,
    )  # fmt: skip


def _said(learns: Sequence[Learnt], about: str) -> str:
    if not learns:
        return (
            f"Beside the severity score at weeks 4 and 8 no measurement would tell much more about {about}: "
            "score, and measure nothing for its own sake."
        )
    first = learns[0]
    return (
        f"Beside the severity score, {first.label} at week {first.week} would tell most about {about}: it takes "
        f"{first.reduction:.0%} of the variance that the score leaves."
    )
