"""What deciding needs beside benefit: certainty, cost, the worth of a measurement, when to stop or switch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from biflora.knowledge.rows import Row, read_table

Certainty = Literal["high", "moderate", "low", "very low"]
SwitchKind = Literal["stop", "switch", "check", "step up", "step down"]


class CandidateMeasurement(Row):
    """A test that could be made before deciding."""

    label: str
    patient_label: str
    """The same in plain words, to follow "One more test could help:"."""
    observables: tuple[str, ...]
    """What it tells the twin: keys of observables, or `s_aureus_to_commensals`."""
    missing: tuple[str, ...]
    """Words of `plan.measures.missing_parts`; one of them must hold for it to be worth asking."""
    usd_low: float = Field(ge=0)
    usd_high: float = Field(ge=0)
    burden_points: float = Field(ge=0)
    """What it asks of the patient, points of severity (of 100)."""
    burden: str
    days: int = Field(ge=0)
    """Usual days until the result."""


class ArmCost(Row):
    """What an arm costs in a month, USD."""

    arm: str
    usd_low: float = Field(ge=0)
    usd_high: float = Field(ge=0)
    text: str


class ArmCertainty(Row):
    """How sure the evidence of an arm in a condition is, in GRADE's words, and why."""

    condition: str
    arm: str
    certainty: Certainty
    reasons: tuple[str, ...]


class SwitchRule(Row):
    """When to stop, switch or step up."""

    conditions: tuple[str, ...]
    arms: tuple[str, ...] = ()
    """Arms it belongs to; empty: all."""
    not_sexes: tuple[str, ...] = ()
    age_at_least: float | None = None
    age_below: float | None = None
    kind: SwitchKind
    week: int | None = None
    """Week from which it is asked; None: any day."""
    important_differences: float | None = None
    """Change of severity in smallest important differences that raises it: 1 a rise by one, -1 no fall by one."""
    when: str
    """Sentence part; `{mid}` is the smallest important difference in words."""
    do: str
    patient_words: str = ""
    """The same for the patient, as a sentence without a full stop; empty: not for the patient to judge."""
    who: str


def candidate_measurements() -> Mapping[str, CandidateMeasurement]:
    return read_table("candidate_measurements", CandidateMeasurement)


def arm_costs() -> Mapping[str, ArmCost]:
    """By arm."""
    return {row.arm: row for row in read_table("arm_costs", ArmCost).values()}


def arm_certainty(condition: str, arm: str) -> ArmCertainty | None:
    """None where nobody judged it, as where no trial was found."""
    rows: Mapping[str, ArmCertainty] = read_table("arm_certainty", ArmCertainty)
    return next((row for row in rows.values() if (row.condition, row.arm) == (condition, arm)), None)


def switch_rules() -> Mapping[str, SwitchRule]:
    return read_table("switch_rules", SwitchRule)


TABLES: dict[str, type[Row]] = {
    "candidate_measurements": CandidateMeasurement,
    "arm_costs": ArmCost,
    "arm_certainty": ArmCertainty,
    "switch_rules": SwitchRule,
}
