"""What a plan weighs beside the arms: cost, certainty, what to measure first, visits, rules, the oral side."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from biflora.knowledge.deciding import SwitchKind
from biflora.twin.forecast import Arm
from biflora.values import Value

Worth = Literal["would not change the choice", "could change the choice", "worth measuring first"]
Importance = Literal["important", "possibly important", "not important", "not known"]


class FlagAnswer(Value):
    """What was found when a red flag was followed up: who looked, when, and what stood there."""

    flag: str
    """Key of the red flag."""
    found: str = Field(min_length=3, max_length=500)
    by: str = Field(min_length=1)
    at: datetime


class Decided(Value):
    """What a clinician decided on a plan, as papers tell it; the record itself is the clinic's."""

    arm: Arm
    by: str
    at: datetime
    note: str = ""
    answers: tuple[FlagAnswer, ...] = ()


class CostRange(Value):
    """What something costs, USD; assumed wherever no price list was read."""

    low: float
    high: float
    text: str = ""
    source: str = ""
    verification: str = ""


class Judgement(Value):
    """How sure the evidence of an arm is, in GRADE's words, with the reasons."""

    certainty: Literal["high", "moderate", "low", "very low", "no trial found", "not judged"] = "not judged"
    because: tuple[str, ...] = ()
    source: str = ""
    verification: str = ""


class Separation(Value):
    """The arms that the forecast cannot tell apart, why, and what would tell them apart."""

    arms: tuple[Arm, ...]
    because: tuple[str, ...] = ()
    would_separate: tuple[str, ...] = ()


class MeasurementWorth(Value):
    """What one more measurement would do to the choice before it is made."""

    key: str
    label: str
    probability_choice_changes: float
    """Expected share of results after which the plan would propose another arm."""
    other_choices: tuple[tuple[Arm, float], ...] = ()
    """Which arms those results would propose."""
    probability_leader_changes: float = 0.0
    """Expected share of results after which another arm has the largest expected net benefit, clear or not."""
    expected_gain: float
    """Expected value of sample information: points of severity, net of burdens."""
    cost: CostRange
    burden: str = ""
    burden_points: float = 0.0
    days: int = 0
    worth: Worth
    words: str
    source: str = ""
    verification: str = ""


class WorthMeasuring(Value):
    """Whether to measure before deciding; `said` is the answer in a sentence or two."""

    said: str
    observable: str = ""
    """Key of the severity observable that gains are counted in."""
    virtual_patients: int = 0
    measurements: tuple[MeasurementWorth, ...] = ()
    """The most useful first."""
    assumptions: tuple[str, ...] = ()


class Learnt(Value):
    """One measurement at a later visit, and how much it narrows what the arm does for this patient."""

    observable: str
    label: str
    week: int
    reduction: float
    """Part of the variance left by the severity score that it takes away, 0-1."""


class SwitchPoint(Value):
    """When to stop, switch or step up, and who does it."""

    key: str
    kind: SwitchKind
    week: int | None = None
    when: str
    do: str
    patient_words: str = ""
    who: str
    source: str
    verification: str


class FollowUpPlan(Value):
    """Visits, what to measure there by what the twin would learn, and the rules."""

    weeks: tuple[int, ...] = ()
    learns: tuple[Learnt, ...] = ()
    about: str = ""
    """Which difference the measurements would narrow."""
    said: str = ""
    rules: tuple[SwitchPoint, ...] = ()


class OralLine(Value):
    """One line on taking an oral strain."""

    topic: str
    text: str
    because: str
    applies_now: bool
    """True when it meets something in this patient's treatments or circumstances."""
    source: str
    verification: str


class GutPrompt(Value):
    """A sign to ask and examine for; never a diagnosis."""

    key: str
    sign: str
    ask: str
    then: str
    because: str
    source: str
    verification: str
