"""The protocols that a search tries: what is given on each side, how much, in which pattern, how long, what after.

A protocol pulls the same levers as any regimen (`regimen_of`); what it asks of the patient and costs is counted
from its timetable (`burden_of`), so that nothing is booked twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from biflora.knowledge.levers import lever_dose
from biflora.knowledge.protocols import protocol_burden, protocol_setting
from biflora.knowledge.rates import rates as rate_table
from biflora.twin import state as at
from biflora.twin.regimen import (
    Emollient,
    Intervention,
    OralProbiotic,
    Pattern,
    Regimen,
    Timetable,
    TopicalCommensal,
    TopicalFormula,
    TopicalSteroid,
    timetable,
)
from biflora.values import Value

T = TypeVar("T")
After = Literal["none", "weekend", "half_dose"]
Topical = Literal["formula", "strain"]
"""formula: a compounded topical without live cells; strain: a living commensal, in research only."""
DOSES = (0.3, 1.0, 3.0)
PATTERNS: tuple[Pattern, ...] = ("continuous", "pulsed", "weekend", "tapering")
DURATIONS = (4, 8, 12, 26, 52)
AFTERS: tuple[After, ...] = ("none", "weekend", "half_dose")
LAGS = (4, 8)
"""Weeks by which one side may begin before the other."""
TIMES_A_DAY = 2.0
_WEEKENDS_THROUGHOUT = ("weekend", "weekend")
"""Weekends after weekends are one long course of weekends, which is a candidate already."""


class SideCourse(Value):
    """One side's course: dose relative to the reference, pattern, weeks, when it begins, what follows it."""

    dose: float = Field(default=1.0, gt=0.0)
    pattern: Pattern = "continuous"
    weeks: int = Field(default=12, ge=1, le=52)
    from_week: int = Field(default=0, ge=0, le=51)
    after: After = "none"

    def stops_at(self, horizon: int) -> int | None:
        """The week at which nothing more is given; None when something is given to the horizon."""
        end = self.from_week + self.weeks
        return end if end < horizon and self.after == "none" else None


class Protocol(Value):
    """What is given beside emollient; the steroid rule belongs to it."""

    oral: SideCourse | None = None
    topical: SideCourse | None = None
    steroid: Literal["reactive", "proactive"] = "reactive"


STANDARD_CARE = Protocol()


def regimen_of(protocol: Protocol, horizon: int, topical: Topical = "formula") -> Regimen:
    """The protocol as the regimen that the twin simulates."""
    given: list[Intervention] = [Emollient(), TopicalSteroid(rule=protocol.steroid)]
    for side, course in (("oral", protocol.oral), (topical, protocol.topical)):
        if course is None or course.from_week >= horizon:
            continue
        end = course.from_week + course.weeks
        given.append(_given(side, course.dose, course.pattern, course.from_week, min(end, horizon)))
        if end < horizon and course.after == "weekend":
            given.append(_given(side, course.dose, "weekend", end, horizon))
        elif end < horizon and course.after == "half_dose":
            given.append(_given(side, course.dose / 2.0, "continuous", end, horizon))
    return Regimen(label=label(protocol, horizon, topical), interventions=tuple(given))


def _given(side: str, dose: float, pattern: Pattern, start: int, end: int) -> Intervention:
    if side == "oral":
        cfu = dose * lever_dose("oral_cfu_per_day")
        return OralProbiotic(cfu_per_day=cfu, from_week=start, to_week=end, pattern=pattern)
    if side == "strain":
        cfu = dose * lever_dose("topical_cfu_per_cm2_per_day") / TIMES_A_DAY
        return TopicalCommensal(
            cfu_per_cm2=cfu, times_per_day=TIMES_A_DAY, from_week=start, to_week=end, pattern=pattern
        )  # fmt: skip
    return TopicalFormula(
        anti_staphylococcal=min(dose * protocol_setting("formula_anti_staphylococcal"), 1.0),
        barrier=min(dose * protocol_setting("formula_barrier"), 1.0),
        prebiotic=min(dose * protocol_setting("formula_prebiotic"), 1.0),
        from_week=start, to_week=end, pattern=pattern,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What a protocol asks of the patient, averaged over the weeks of the horizon."""

    points: float
    """Burden in points of severity, per week."""
    usd: float
    """Cost, per week."""
    steroid_weeks: float
    """Expected weeks in which a steroid was due every day."""


def burden_of(protocol: Protocol, scorad: NDArray[np.float64], topical: Topical = "formula") -> Asked:
    """Burden and cost of the protocol for patients whose weekly SCORAD (patient, week) it led to.

    Emollient is left out: every protocol holds it. A steroid counts while it is due by the reactive rule, and on
    its two days a week between flares where it is proactive.
    """
    horizon = scorad.shape[1] - 1
    table = timetable(regimen_of(protocol, horizon, topical), horizon)
    days, points, usd = np.diff(table.edges), 0.0, 0.0
    for lever, doses in _levers(table, topical):
        row = protocol_burden(lever)
        share = float(days @ (doses > 0.0)) / (7.0 * horizon)
        extra = float(days @ np.maximum(doses - 1.0, 0.0)) / (7.0 * horizon)
        points += row.points_per_week * share + row.points_per_extra_dose * extra
        usd += row.usd_per_week * float(days @ doses) / (7.0 * horizon)
    due = float(np.mean(steroid_due(scorad)))
    between = 2.0 / 7.0 if protocol.steroid == "proactive" else 0.0
    steroid = due + (1.0 - due) * between
    row = protocol_burden("steroid")
    return Asked(points + row.points_per_week * steroid, usd + row.usd_per_week * steroid, horizon * due)


def _levers(table: Timetable, topical: Topical) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Each lever's dose in every segment, relative to its reference."""
    yield "oral", table.plan[:, at.USE_ORAL]
    if topical == "strain":
        yield "topical_strain", table.plan[:, at.USE_TOPICAL]
    else:
        reference = protocol_setting("formula_anti_staphylococcal")
        yield "topical_formula", table.plan[:, at.USE_ANTISTAPH] / reference


def steroid_due(scorad: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the reactive rule treats (patient, week), from the score at each week's visit (patient, week + 1).

    Treatment starts above one score and goes on until it has fallen below another, as in the engine.
    """
    start, stop = (rate_table()[key].median for key in ("steroid_start", "steroid_stop"))
    due = np.zeros((scorad.shape[0], scorad.shape[1] - 1), dtype=bool)
    treating = np.zeros(scorad.shape[0], dtype=bool)
    for week in range(due.shape[1]):
        treating = (scorad[:, week] > start) | (treating & (scorad[:, week] > stop))
        due[:, week] = treating
    return due


def first_protocols(horizon: int) -> tuple[Protocol, ...]:
    """The coarse grid: each side and both at the reference dose, every duration and maintenance, orders, rules."""
    found: list[Protocol] = [STANDARD_CARE, Protocol(steroid="proactive")]
    for weeks in durations(horizon):
        for after in AFTERS if weeks < horizon else AFTERS[:1]:
            course = SideCourse(weeks=weeks, after=after)
            found += [Protocol(oral=course), Protocol(topical=course), Protocol(oral=course, topical=course)]
            if after == "none" and weeks in (12, durations(horizon)[-1]):
                found += [
                    Protocol(oral=course, steroid="proactive"), Protocol(topical=course, steroid="proactive"),
                    Protocol(oral=course, topical=course, steroid="proactive"),
                ]  # fmt: skip
    for weeks in durations(horizon)[-3:-1]:
        course = SideCourse(weeks=weeks)
        for lag in (lag for lag in LAGS if lag < horizon):
            later = course.model_copy(update={"from_week": lag})
            found += [Protocol(oral=course, topical=later), Protocol(oral=later, topical=course)]
    return tuple(dict.fromkeys(found))


def durations(horizon: int) -> tuple[int, ...]:
    """Weeks that a course may last; the last one reaches the horizon."""
    return (*(weeks for weeks in DURATIONS if weeks < horizon), horizon)


def neighbours(protocol: Protocol, horizon: int) -> Iterator[Protocol]:
    """Every protocol that differs in one thing: rule, a side more or less, dose, pattern, weeks, order, after."""
    other = "proactive" if protocol.steroid == "reactive" else "reactive"
    yield protocol.model_copy(update={"steroid": other})
    for side, opposite in (("oral", "topical"), ("topical", "oral")):
        course: SideCourse | None = getattr(protocol, side)
        beside: SideCourse | None = getattr(protocol, opposite)
        if course is None:
            yield protocol.model_copy(update={side: beside or SideCourse(weeks=min(12, horizon))})
            continue
        at_once = None if beside is None else beside.model_copy(update={"from_week": 0})
        yield protocol.model_copy(update={side: None, opposite: at_once})
        may_wait = beside is not None and beside.from_week == 0
        for changed in _courses_beside(course, horizon, may_wait=may_wait):
            yield protocol.model_copy(update={side: changed})


def _courses_beside(course: SideCourse, horizon: int, *, may_wait: bool) -> Iterator[SideCourse]:
    def with_(**change: object) -> SideCourse:
        return course.model_copy(update=change)

    for dose in _beside(DOSES, course.dose):
        yield with_(dose=dose)
    for pattern in PATTERNS:
        if pattern != course.pattern and (pattern, course.after) != _WEEKENDS_THROUGHOUT:
            yield with_(pattern=pattern)
    for weeks in _beside(durations(horizon), course.weeks):
        yield with_(weeks=weeks, after=course.after if course.from_week + weeks < horizon else "none")
    if course.from_week + course.weeks < horizon:
        for after in AFTERS:
            if after != course.after and (course.pattern, after) != _WEEKENDS_THROUGHOUT:
                yield with_(after=after)
    for lag in (0, *LAGS) if may_wait else (0,):
        if lag != course.from_week and lag < horizon:
            yield with_(from_week=lag, after=course.after if lag + course.weeks < horizon else "none")


def _beside(values: Iterable[T], value: T) -> tuple[T, ...]:
    """The values next to `value` in their order."""
    listed = list(values)
    if value not in listed:
        return ()
    place = listed.index(value)
    return tuple(listed[p] for p in (place - 1, place + 1) if 0 <= p < len(listed))


def label(protocol: Protocol, horizon: int, topical: Topical = "formula") -> str:
    """The protocol in words, e.g. `oral 1e10 CFU/d for 12 weeks, then weekends; topical strain from week 4`."""
    parts = []
    if protocol.oral is not None:
        cfu = _power_of_ten(protocol.oral.dose * lever_dose("oral_cfu_per_day"))
        parts.append(_course_in_words(f"oral {cfu} CFU/d", protocol.oral, horizon))
    if protocol.topical is not None:
        if topical == "strain":
            cfu = _power_of_ten(protocol.topical.dose * lever_dose("topical_cfu_per_cm2_per_day") / TIMES_A_DAY)
            name = f"topical strain {cfu} CFU/cm² twice a day"
        else:
            name = f"topical at {protocol.topical.dose:g} × its reference strength"
        parts.append(_course_in_words(name, protocol.topical, horizon))
    if not parts:
        parts.append("standard care alone")
    if protocol.steroid == "proactive":
        parts.append("steroid at weekends between flares too")
    return "; ".join(parts)


def _course_in_words(name: str, course: SideCourse, horizon: int) -> str:
    end = course.from_week + course.weeks
    how = {
        "continuous": "", "pulsed": " two weeks on and two off", "weekend": " at weekends",
        "tapering": " tapering by thirds",
    }[course.pattern]  # fmt: skip
    begins = f" from week {course.from_week}" if course.from_week else ""
    lasts = f" for {course.weeks} weeks" if end < horizon else " to the end" if begins else " all the time"
    after = {"none": "", "weekend": ", then weekends", "half_dose": ", then half the dose"}[course.after]
    return f"{name}{how}{begins}{lasts}{after if end < horizon else ''}"


def _power_of_ten(value: float) -> str:
    """`3e9` for 3 000 000 000."""
    mantissa, power = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(power)}"
