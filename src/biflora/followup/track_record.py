"""The track record: what was measured at each visit beside the forecast that was made before it."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Literal

from biflora.followup.outcome import Outcome
from biflora.twin.forecast import Arm, Course, Forecast
from biflora.values import Band, Value

SEVERITY = ("scorad", "easi")
"""Instruments that stand for severity, the preferred one first; one of them judges each visit."""
NOMINAL = 0.8
"""Share of visits that an honest 80 % interval holds."""
TAIL = 0.05
"""A count that honest intervals would give more rarely than this speaks against them."""
NONE_TESTED = "No forecast of this patient has been tested by a visit yet."

FellIn = Literal["50 %", "80 %", "95 %", "outside"]


class Tested(Value):
    """One measurement against the newest forecast that was made before its visit, under the arm taken."""

    week: float
    weeks_ahead: float
    """Weeks since the last visit that this forecast had learnt from, or since the start."""
    arm: Arm
    observable: str
    label: str
    unit: str
    forecast_id: str
    forecast: Band
    observed: float
    fell_in: FellIn
    """The narrowest interval that holds the measurement."""
    absolute_error: float
    """Distance of the measurement from the forecast median, in the observable's unit."""


class TrackRecord(Value):
    """All visits of one patient that had a forecast before them."""

    rows: tuple[Tested, ...] = ()
    visits: int = 0
    """Visits whose severity was measured and forecast."""
    inside_50: int = 0
    inside_80: int = 0
    inside_95: int = 0
    expected_80: float = 0.0
    median_absolute_error: float | None = None
    """Of severity, in its points; only where all visits were scored by one instrument."""
    sentence: str = NONE_TESTED


def track_record(forecasts: Sequence[Forecast], outcomes: Sequence[Outcome]) -> TrackRecord:
    """Each visit against the forecast that it was recorded against, which is named among its parents.

    That one was kept before the visit was, so it has learnt from earlier visits only. A visit without such a
    forecast, or in a week that it does not reach, is left out.
    """
    by_id = {forecast.id: forecast for forecast in forecasts}
    week_of = {outcome.id: outcome.week for outcome in outcomes}
    rows: list[Tested] = []
    judged: list[Tested] = []
    for outcome in sorted(outcomes, key=lambda o: o.week):
        before = next((by_id[parent] for parent in outcome.parent_ids if parent in by_id), None)
        if before is None:
            continue
        learnt_until = max((week_of[parent] for parent in before.parent_ids if parent in week_of), default=0.0)
        tested = _tested(before, outcome, learnt_until)
        rows.extend(tested)
        severity = [row for key in SEVERITY for row in tested if row.observable == key]
        judged.extend(severity[:1])
    return _counted(tuple(rows), judged)


def band_at(course: Course, week: float) -> Band | None:
    """The forecast of that week, interpolated between weeks; None outside the weeks that were forecast."""
    if not course.weeks or not course.weeks[0] <= week <= course.weeks[-1]:
        return None
    after = next(place for place, w in enumerate(course.weeks) if w >= week)
    if course.weeks[after] == week:
        return course.bands[after]
    first, span = course.weeks[after - 1], course.weeks[after] - course.weeks[after - 1]
    part = (week - first) / span
    low, high = course.bands[after - 1].model_dump(), course.bands[after].model_dump()
    return Band.model_validate({name: low[name] * (1 - part) + high[name] * part for name in low})


def fell_in(band: Band, value: float) -> FellIn:
    """The narrowest of the three intervals that holds the value; its limits belong to it."""
    if band.q25 <= value <= band.q75:
        return "50 %"
    if band.q10 <= value <= band.q90:
        return "80 %"
    return "95 %" if band.q2_5 <= value <= band.q97_5 else "outside"


def measured(outcome: Outcome) -> dict[str, float]:
    """What one visit measured, by the twin's observables; the scores first."""
    values = {score.instrument: score.value for score in outcome.scores}
    if outcome.s_aureus_log10_copies_per_cm2 is not None:
        values["s_aureus_log10"] = outcome.s_aureus_log10_copies_per_cm2
    if outcome.tewl_g_per_m2_h is not None:
        values["tewl"] = outcome.tewl_g_per_m2_h
    return values


def _tested(before: Forecast, outcome: Outcome, learnt_until: float) -> list[Tested]:
    about = {observable.key: observable for observable in before.observables}
    rows = []
    for key, value in measured(outcome).items():
        course = next((c for c in before.courses if (c.arm, c.observable) == (outcome.arm, key)), None)
        band = None if course is None else band_at(course, outcome.week)
        if course is None or band is None:
            continue
        rows.append(
            Tested(
                week=outcome.week, weeks_ahead=outcome.week - learnt_until, arm=course.arm, observable=key,
                label=about[key].label if key in about else key, unit=about[key].unit if key in about else "",
                forecast_id=before.id, forecast=band, observed=value, fell_in=fell_in(band, value),
                absolute_error=abs(value - band.median),
            )
        )  # fmt: skip
    return rows


def _counted(rows: tuple[Tested, ...], judged: Sequence[Tested]) -> TrackRecord:
    if not judged:
        return TrackRecord(rows=rows)
    inside = {
        width: sum(row.fell_in in holding for row in judged)
        for width, holding in (("50", ("50 %",)), ("80", ("50 %", "80 %")), ("95", ("50 %", "80 %", "95 %")))
    }
    errors = sorted(row.absolute_error for row in judged)
    middle = len(errors) // 2
    return TrackRecord(
        rows=rows, visits=len(judged), inside_50=inside["50"], inside_80=inside["80"], inside_95=inside["95"],
        expected_80=NOMINAL * len(judged),
        median_absolute_error=None
        if len({row.observable for row in judged}) > 1
        else (errors[middle] + errors[-middle - 1]) / 2,
        sentence=in_words(inside["80"], len(judged)),
    )  # fmt: skip


def in_words(inside: int, visits: int) -> str:
    """How many visits fell inside, how many are expected, and whether that can be told from honest intervals."""
    if visits == 0:
        return NONE_TESTED
    fell = f"{inside} of {visits} visit{'s' if visits > 1 else ''} fell inside the 80 % interval that was forecast"
    expected = f"about {NOMINAL * visits:.1f} of {visits} are expected"
    return f"{fell} before {'them' if visits > 1 else 'it'}; {expected}; {_reading(inside, visits)}."


def _reading(inside: int, visits: int) -> str:
    """By the binomial tails of honest intervals."""
    if _chance(range(inside + 1), visits) < TAIL:
        return "fewer than honest intervals would hold: read this patient's intervals as too narrow"
    if _chance(range(inside, visits + 1), visits) < TAIL:
        return "more than honest intervals would hold: this patient's intervals are wider than they need be"
    if NOMINAL**visits >= TAIL:  # not even a full count would tell
        return "too few to judge"
    return "as many as honest intervals hold"


def _chance(counts: range, visits: int) -> float:
    """Probability that an honest 80 % interval holds one of these counts of the visits."""
    return sum(comb(visits, k) * NOMINAL**k * (1 - NOMINAL) ** (visits - k) for k in counts)
