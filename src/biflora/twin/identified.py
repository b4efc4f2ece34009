"""What a design can teach, as values: rates, named questions, and what to measure next."""

from __future__ import annotations

from typing import Literal

from biflora.twin.forecast import Arm, Assumption
from biflora.values import Record, Value

Verdict = Literal["not informed", "hinted at", "informed", "only as a lump"]
"""Of a prior variance, data take away less than a tenth; less than half; half or more; of a group of rates, half
or more of one combination, but not of each rate."""
A_TENTH, A_HALF = 0.1, 0.5


class RateLearnt(Value):
    rate: str
    symbol: str
    meaning: str
    shrinkage: float
    """Part of the prior variance that the data take away, 0 to 1."""


class QuestionAnswered(Value):
    key: str
    question: str
    shrinkage: float
    """Of the quantity asked for; of a group of rates: of its least informed rate."""
    together: float | None = None
    """Of a group of rates: of its best-informed combination."""
    verdict: Verdict


class DesignLearnt(Value):
    """What one design teaches: one patient under one arm, a trial, or the published trials together."""

    key: str
    label: str
    arms: tuple[Arm, ...]
    directions: int
    """Directions of the rates' space that the data inform better than the prior does (median over patients)."""
    of_rates: int
    half_learnt: int
    """Rates of which the data take away half the prior variance or more."""
    rates: tuple[RateLearnt, ...]
    """Every rate, best informed first."""
    questions: tuple[QuestionAnswered, ...]

    def question(self, key: str) -> QuestionAnswered:
        return next(q for q in self.questions if q.key == key)


class NextMeasurement(Value):
    """One measurement added to the design, and what it does to the difference both − standard care."""

    observable: str
    label: str
    week: int
    reduction: float
    """Part of the variance left by the design that this measurement takes away."""
    sd_before: float
    sd_after: float
    """Points of SCORAD."""


class WhatNext(Value):
    who: Literal["patient", "trial"]
    under: tuple[Arm, ...]
    week: int
    """Of the difference both − standard care."""
    sd_prior: float
    sd_design: float
    ranked: tuple[NextMeasurement, ...]


class Identified(Record):
    """Which directions a visit schedule and a set of measurements can inform."""

    weeks: tuple[int, ...]
    measures: tuple[str, ...]
    arms: tuple[Arm, ...]
    n_per_arm: int
    patients: int
    """Virtual patients around whom the sensitivities were taken."""
    designs: tuple[DesignLearnt, ...]
    gut_to_skin: str
    """The answer to whether any design here informs the gut's reach into the skin, from the numbers."""
    next: tuple[WhatNext, ...]
    assumptions: tuple[Assumption, ...] = ()
    population: str = ""
    seed: int = 0

    def design(self, key: str) -> DesignLearnt:
        return next(d for d in self.designs if d.key == key)


def verdict(shrinkage: float, together: float | None = None) -> Verdict:
    if shrinkage >= A_HALF:
        return "informed"
    if together is not None and together >= A_HALF:
        return "only as a lump"
    if max(shrinkage, together or 0.0) >= A_TENTH:
        return "hinted at"
    return "not informed"
