"""The Forecast: what would happen under each arm, week by week, with intervals, and what is only assumed."""

from __future__ import annotations

from typing import Literal

from biflora.values import Band, Record, SourcedNumber, Value

Arm = Literal["standard_care", "oral", "topical", "combination"]
ARMS: tuple[Arm, ...] = ("standard_care", "oral", "topical", "combination")
ARM_LABELS: dict[Arm, str] = {
    "standard_care": "Standard care",
    "oral": "Oral",
    "topical": "Topical",
    "combination": "Both",
}


class Observable(Value):
    """What the twin forecasts: key, label, unit, range, which direction is good."""

    key: str
    """scorad, easi, s_aureus_log10, commensals_log10, tewl, bifidobacterium, faecal_butyrate."""
    label: str
    unit: str
    lower_is_better: bool
    smallest_important_difference: SourcedNumber | None = None


class Course(Value):
    """One observable under one arm: a band for each week in `weeks`."""

    arm: Arm
    observable: str
    weeks: tuple[int, ...]
    bands: tuple[Band, ...]


class Difference(Value):
    """`arm` minus `against`, week by week, on the same virtual patients."""

    arm: Arm
    against: Arm
    observable: str
    weeks: tuple[int, ...]
    bands: tuple[Band, ...]
    probability_better: float
    """Probability at the last week that `arm` is better than `against`."""
    probability_important: float | None = None
    """Probability at the last week that it is better by the smallest important difference."""


class GoalChance(Value):
    arm: Arm
    goal: str
    """In words, e.g. `SCORAD at least halved at week 12`."""
    observable: str
    probability: float


class Observation(Value):
    """One measurement of one observable at one time, under the arm the patient was on."""

    week: float
    observable: str
    value: float
    arm: Arm = "standard_care"


class Assumption(Value):
    what: str
    status: Literal["assumed", "memory", "read", "measured"]
    source: str = ""


class Forecast(Record):
    """Arms x observables x weeks. `gut_link_off` holds the same with the gut-to-skin link switched off."""

    mechanistic: bool = True
    """False when the condition has no mechanistic model and the courses come from evidence tables."""
    weeks: tuple[int, ...] = ()
    observables: tuple[Observable, ...] = ()
    courses: tuple[Course, ...] = ()
    differences: tuple[Difference, ...] = ()
    courses_gut_link_off: tuple[Course, ...] = ()
    differences_gut_link_off: tuple[Difference, ...] = ()
    goals: tuple[GoalChance, ...] = ()
    bank_size: int = 0
    effective_sample_size: float = 0.0
    failed_trajectories: int = 0
    informed_by: tuple[str, ...] = ()
    not_informed: tuple[str, ...] = ()
    """What the twin would have used and was not given, in words."""
    assumptions: tuple[Assumption, ...] = ()
    seed: int = 0

    def course(self, arm: Arm, observable: str, *, gut_link: bool = True) -> Course | None:
        courses = self.courses if gut_link else self.courses_gut_link_off
        return next((c for c in courses if c.arm == arm and c.observable == observable), None)

    def difference(self, arm: Arm, against: Arm, observable: str, *, gut_link: bool = True) -> Difference | None:
        rows = self.differences if gut_link else self.differences_gut_link_off
        return next((d for d in rows if (d.arm, d.against, d.observable) == (arm, against, observable)), None)
