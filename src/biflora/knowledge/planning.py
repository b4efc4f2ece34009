"""What the plan room knows beside strains and trials: needs, limits, burdens, diet, care, visits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

from pydantic import Field

from biflora.knowledge.rows import Row, read_table


class NeedRule(Row):
    """When a signal of the profile lies in [at_least, below), the topical should do this."""

    conditions: tuple[str, ...]
    signal: str
    """A key of biflora.plan.signals.SIGNALS, which says in words what each is."""
    at_least: float | None = None
    below: float | None = None
    when_unknown: Literal["yes", "no"] = "no"
    """`yes`: the rule holds when the signal was not measured or not resolved."""
    effect: str
    """A value of biflora.plan.plan.Effect."""
    weight: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)
    because: str
    """Sentence; `{value}` is the signal's value."""


class PlanLimit(Row):
    """One threshold or factor of the plan's rules."""

    value: float
    unit: str
    note: str = ""


class ArmBurden(Row):
    """What an arm asks of the patient, in points of a severity scale of 100."""

    arm: str
    points: float = Field(ge=0)
    text: str


class BodySurface(Row):
    age_years: float
    body_surface_m2: float = Field(gt=0)


class Advice(Row):
    """A line of diet or care."""

    conditions: tuple[str, ...]
    text: str
    because: str
    evidence: str = ""
    not_when: tuple[str, ...] = ()
    """immunosuppressed, pregnant, central_line, severe_illness, milk_allergy."""
    age_at_least: float | None = None
    age_below: float | None = None
    patient_words: str = ""
    """The same for the patient, in words that a 12-year-old reads; empty: left to the clinician to say."""
    gives_effects: tuple[str, ...] = ()
    """Effects (values of biflora.plan.plan.Effect) that this care already gives with a prescription active."""


class MeasureRule(Row):
    conditions: tuple[str, ...]
    what: str
    week: int = Field(ge=0)
    because: str
    when: Literal[
        "always",
        "severity_missing",
        "skin_missing",
        "gut_missing",
        "s_aureus_unresolved",
        "tewl_missing",
        "oral",
    ]


def need_rules() -> Mapping[str, NeedRule]:
    return read_table("need_rules", NeedRule)


def plan_limit(key: str) -> PlanLimit:
    """The row of that key; a missing one is a programming error and raises KeyError."""
    rows: Mapping[str, PlanLimit] = read_table("plan_limits", PlanLimit)
    return rows[key]


def arm_burdens() -> Mapping[str, ArmBurden]:
    """By arm."""
    return {row.arm: row for row in read_table("arm_burdens", ArmBurden).values()}


def body_surface_m2(age_years: float) -> float:
    """Median body surface by age, interpolated between the table's rows; adults take the last row."""
    table: Mapping[str, BodySurface] = read_table("body_surface", BodySurface)
    rows = sorted(table.values(), key=lambda row: row.age_years)
    for younger, older in pairwise(rows):
        if age_years < older.age_years:
            part = (age_years - younger.age_years) / (older.age_years - younger.age_years)
            return younger.body_surface_m2 + part * (older.body_surface_m2 - younger.body_surface_m2)
    return rows[-1].body_surface_m2


def diet_advice() -> Mapping[str, Advice]:
    return read_table("diet_advice", Advice)


def care_steps() -> Mapping[str, Advice]:
    return read_table("care_steps", Advice)


def measures() -> Mapping[str, MeasureRule]:
    return read_table("measures", MeasureRule)


TABLES: dict[str, type[Row]] = {
    "need_rules": NeedRule,
    "plan_limits": PlanLimit,
    "arm_burdens": ArmBurden,
    "body_surface": BodySurface,
    "diet_advice": Advice,
    "care_steps": Advice,
    "measures": MeasureRule,
}
