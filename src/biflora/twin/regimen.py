"""Regimens: what is given to a patient, from when to when, in which pattern; and the timetable the engine runs.

    Regimen(label="both", interventions=(Emollient(), TopicalSteroid(rule="reactive"), OralProbiotic(), ...))

Doses are relative to the reference of each lever (a row of `levers.csv`), so that rates per patient say what
one reference dose does. Nothing here knows of combinations: each intervention pulls its own lever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from biflora.knowledge.levers import lever_dose
from biflora.twin import state as at
from biflora.values import Value

Pattern = Literal["continuous", "weekend", "pulsed", "tapering"]
"""weekend: days 6 and 7 of each week; pulsed: two weeks on, two off; tapering: each third of the time one dose
level less (1, 2/3, 1/3)."""
LONGEST_WEEKS = 52.0


class Course(Value):
    """From when to when, in weeks, and in which pattern; `to_week` absent: until the end."""

    from_week: float = Field(default=0.0, ge=0.0, le=LONGEST_WEEKS)
    to_week: float | None = Field(default=None, gt=0.0, le=LONGEST_WEEKS)
    pattern: Pattern = "continuous"

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Course:
        if self.to_week is not None and self.to_week <= self.from_week:
            raise ValueError("to_week must lie after from_week")
        return self


class Emollient(Course):
    name: Literal["emollient"] = "emollient"


class Vehicle(Course):
    """The base of a topical without its active: acts as an emollient does."""

    name: Literal["vehicle"] = "vehicle"


class Placebo(Course):
    """Nothing that acts; the placebo response belongs to every arm."""

    name: Literal["placebo"] = "placebo"


class _Calming(Course):
    rule: Literal["reactive", "proactive", "daily"] = "reactive"
    """reactive: only while the score asks for it; proactive: two days a week between flares as well."""
    potency: Literal["mild", "moderate", "potent"] = "moderate"


class TopicalSteroid(_Calming):
    name: Literal["topical_steroid"] = "topical_steroid"


class CalcineurinInhibitor(_Calming):
    name: Literal["calcineurin_inhibitor"] = "calcineurin_inhibitor"


class OralProbiotic(Course):
    name: Literal["oral_probiotic"] = "oral_probiotic"
    cfu_per_day: float = Field(default=1e10, gt=0.0, le=1e13)
    survival: float | None = Field(default=None, gt=0.0, le=1.0)
    """Share that reaches the gut alive; absent: as in the population."""
    bifidobacterium_share: float = Field(default=0.5, ge=0.0, le=1.0)
    """Part of the mix that a sequencer counts as Bifidobacterium."""


class Fibre(Course):
    name: Literal["fibre"] = "fibre"
    grams_per_day: float = Field(default=10.0, gt=0.0, le=60.0)


class TopicalCommensal(Course):
    name: Literal["topical_commensal"] = "topical_commensal"
    cfu_per_cm2: float = Field(default=1e6, gt=0.0, le=1e10)
    times_per_day: float = Field(default=2.0, gt=0.0, le=6.0)
    susceptible: bool | None = None
    """Whether the patient's S. aureus is killed by the strain; absent: as in the population."""


class TopicalFormula(Course):
    """A compounded topical by what it does, each 0 (not) to 1 (the strongest known without a drug)."""

    name: Literal["topical_formula"] = "topical_formula"
    anti_staphylococcal: float = Field(default=0.0, ge=0.0, le=1.0)
    barrier: float = Field(default=0.0, ge=0.0, le=1.0)
    anti_inflammatory: float = Field(default=0.0, ge=0.0, le=1.0)
    prebiotic: float = Field(default=0.0, ge=0.0, le=1.0)


class AntisepticWash(Course):
    name: Literal["antiseptic_wash"] = "antiseptic_wash"
    times_per_week: float = Field(default=2.0, gt=0.0, le=14.0)


class Antibiotic(Course):
    """An antibiotic by mouth or on the skin: kills S. aureus and commensals alike."""

    name: Literal["antibiotic"] = "antibiotic"


class Type2Blockade(Course):
    """A reference arm: an antibody against the IL-4 receptor, at its licensed dose."""

    name: Literal["type_2_blockade"] = "type_2_blockade"


Intervention = Annotated[
    Emollient | Vehicle | Placebo | TopicalSteroid | CalcineurinInhibitor | OralProbiotic | Fibre
    | TopicalCommensal | TopicalFormula | AntisepticWash | Antibiotic | Type2Blockade,
    Field(discriminator="name"),
]  # fmt: skip
INTERVENTIONS: tuple[str, ...] = (
    "emollient", "vehicle", "placebo", "topical_steroid", "calcineurin_inhibitor", "oral_probiotic", "fibre",
    "topical_commensal", "topical_formula", "antiseptic_wash", "antibiotic", "type_2_blockade",
)  # fmt: skip


class Regimen(Value):
    """Everything one arm is given."""

    label: str = ""
    interventions: tuple[Intervention, ...] = ()


@dataclass(frozen=True, slots=True)
class Timetable:
    """What the engine runs: segments of constant plan, cut at every change and at every week."""

    edges: NDArray[np.float64]
    """(segments + 1,) days."""
    plan: NDArray[np.float64]
    """(segments, levers): dose of each lever of `state.LEVERS`, before adherence."""

    @property
    def weeks(self) -> int:
        return round(float(self.edges[-1]) / 7.0)


def timetable(regimen: Regimen, weeks: int) -> Timetable:
    """The plan of `weeks` weeks. Changes fall on whole days."""
    spans = [(item, *_span(item, weeks)) for item in regimen.interventions]
    cuts = {7.0 * week for week in range(weeks + 1)}
    for item, start, end in spans:
        cuts |= {start, end}
        if item.pattern == "weekend" or (isinstance(item, _Calming) and item.rule == "proactive"):
            cuts |= {7.0 * week + 5.0 for week in range(weeks)}
        if item.pattern == "tapering":
            cuts |= {float(round(start + (end - start) * part / 3.0)) for part in (1, 2)}
        if item.pattern == "pulsed":
            cuts |= {start + 14.0 * k for k in range(int((end - start) // 14.0) + 1)}
    edges = np.array(sorted(day for day in cuts if 0.0 <= day <= 7.0 * weeks))
    plan = np.zeros((len(edges) - 1, len(at.LEVERS)))
    for item, start, end in spans:
        for place, day in enumerate(edges[:-1]):
            if start <= day < end:
                _pull(plan[place], item, day, start, end)
    return Timetable(edges, plan)


def joined(regimens: Sequence[Regimen]) -> Timetable:
    """One regimen a week, in turn: what a patient who changed arms was given."""
    weeks = len(regimens)
    whole = {regimen: timetable(regimen, weeks) for regimen in dict.fromkeys(regimens)}
    edges, plans = [np.zeros(1)], []
    for week, regimen in enumerate(regimens):
        part = whole[regimen]
        here = (part.edges[:-1] >= 7.0 * week) & (part.edges[:-1] < 7.0 * (week + 1))
        edges.append(part.edges[1:][here])
        plans.append(part.plan[here])
    return Timetable(np.concatenate(edges), np.concatenate(plans))


def _span(item: Course, weeks: int) -> tuple[float, float]:
    end = 7.0 * weeks if item.to_week is None else min(round(7.0 * item.to_week), 7.0 * weeks)
    return float(round(7.0 * item.from_week)), float(end)


def _strength(item: Course, day: float, start: float, end: float) -> float:
    match item.pattern:
        case "continuous":
            return 1.0
        case "weekend":
            return 1.0 if day % 7.0 >= 5.0 else 0.0
        case "pulsed":
            return 1.0 if int((day - start) // 14.0) % 2 == 0 else 0.0
        case "tapering":
            return 1.0 - min(int(3.0 * (day - start) / (end - start) + 1e-9), 2) / 3.0


def _pull(row: NDArray[np.float64], item: Course, day: float, start: float, end: float) -> None:
    """Add what one intervention does in one segment to the plan's row."""
    part = _strength(item, day, start, end)
    match item:
        case Emollient() | Vehicle():
            row[at.USE_EMOLLIENT] = max(row[at.USE_EMOLLIENT], part)
        case TopicalSteroid() | CalcineurinInhibitor():
            _calm(row, item, part, day)
        case OralProbiotic():
            survival = 1.0 if item.survival is None else item.survival / lever_dose("oral_survival")
            row[at.USE_ORAL] += part * survival * item.cfu_per_day / lever_dose("oral_cfu_per_day")
        case Fibre():
            row[at.USE_FIBRE] += part * item.grams_per_day / lever_dose("fibre_g_per_day")
        case TopicalCommensal():
            dose = item.cfu_per_cm2 * item.times_per_day
            row[at.USE_TOPICAL] += part * dose / lever_dose("topical_cfu_per_cm2_per_day")
        case TopicalFormula():
            row[at.USE_ANTISTAPH] += part * item.anti_staphylococcal
            row[at.USE_LIPIDS] += part * item.barrier
            row[at.USE_CALM] += part * item.anti_inflammatory
            row[at.USE_PREBIOTIC] += part * item.prebiotic
            row[at.USE_EMOLLIENT] = max(row[at.USE_EMOLLIENT], part)
        case AntisepticWash():
            row[at.USE_WASH] += part * item.times_per_week / lever_dose("washes_per_week")
        case Antibiotic():
            row[at.USE_WASH] += part * lever_dose("antibiotic_in_washes")
        case Type2Blockade():
            row[at.USE_BLOCKADE] = max(row[at.USE_BLOCKADE], part)
        case _:
            pass


def _calm(row: NDArray[np.float64], item: TopicalSteroid | CalcineurinInhibitor, part: float, day: float) -> None:
    kind = "steroid" if isinstance(item, TopicalSteroid) else "calcineurin"
    dose = part * lever_dose(f"{kind}_{item.potency}")
    row[at.USE_STEROID] = max(row[at.USE_STEROID], dose)
    if item.rule == "daily" or (item.rule == "proactive" and day % 7.0 >= 5.0):
        row[at.STEROID_BETWEEN] = max(row[at.STEROID_BETWEEN], dose)
