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
    """A key of knowledge's `observables`: scorad, easi, itch_nrs, tewl, s_aureus_log10, ..."""
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


class Dots(Value):
    """Twenty equally likely outcomes at the last week, from lowest to highest: the 1/40, 3/40 ... quantiles."""

    arm: Arm
    observable: str
    week: int
    values: tuple[float, ...]


class BestChance(Value):
    """Probability that this arm has the best value of the observable at the last week, drawn jointly."""

    arm: Arm
    observable: str
    probability: float


class Structure(Value):
    """The same patient by another structure of the model: what it says of severity at the last week."""

    key: str
    label: str
    what: str
    """One sentence: how it differs."""
    weight: float
    """Its stacking weight; those of the single structures sum to 1, and the stack of them all has 1."""
    observable: str
    bands: tuple[tuple[Arm, Band], ...]
    differences: tuple[tuple[Arm, Band], ...] = ()
    """Arm minus standard care."""
    best: Arm | None = None
    """Arm with the best median; None when the structure gives every arm the same course."""


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
    dots: tuple[Dots, ...] = ()
    best_chances: tuple[BestChance, ...] = ()
    structures: tuple[Structure, ...] = ()
    """The same patient by other structures of the model, the twin itself first."""
    ranking_flips: tuple[str, ...] = ()
    """In words, where another structure puts another arm first."""
    bank_size: int = 0
    effective_sample_size: float = 0.0
    failed_trajectories: int = 0
    informed_by: tuple[str, ...] = ()
    not_informed: tuple[str, ...] = ()
    """What the twin would have used and was not given, in words."""
    assumptions: tuple[Assumption, ...] = ()
    population: str = ""
    """Name of the calibrated population that the bank was drawn from."""
    seed: int = 0

    def course(self, arm: Arm, observable: str, *, gut_link: bool = True) -> Course | None:
        courses = self.courses if gut_link else self.courses_gut_link_off
        return next((c for c in courses if c.arm == arm and c.observable == observable), None)

    def difference(self, arm: Arm, against: Arm, observable: str, *, gut_link: bool = True) -> Difference | None:
        rows = self.differences if gut_link else self.differences_gut_link_off
        return next((d for d in rows if (d.arm, d.against, d.observable) == (arm, against, observable)), None)
