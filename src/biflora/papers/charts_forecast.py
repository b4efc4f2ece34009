"""Charts of the forecast: a fan for each arm, differences to standard care, outcomes against the forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from biflora.errors import ClinicianMust
from biflora.followup.outcome import Outcome
from biflora.followup.track_record import band_at, measured
from biflora.papers.chart import Chart
from biflora.papers.tokens import ARM_TOKEN, LIGHT
from biflora.papers.vega import PLOT_WIDTH, draw
from biflora.papers.wording import band, chance, digits_for, interval, number, signed
from biflora.twin.forecast import ARM_LABELS, ARMS, Arm, Course, Difference, Forecast, Observable, Observation
from biflora.values import Band

VISIT_WEEKS = (0.0, 4.0, 8.0, 12.0)
_HEIGHT = 150
_BANDS = (("q2_5", "q97_5", 0.18), ("q10", "q90", 0.24), ("q25", "q75", 0.34))
"""Limits and opacity of the 95, 80 and 50 % bands; laid over each other they darken towards the median."""


def forecast_fans(
    forecast: Forecast,
    observable: str,
    *,
    observed: Sequence[Observation] = (),
    visits: Sequence[float] = VISIT_WEEKS,
    arms: Sequence[Arm] = ARMS,
) -> list[Chart]:
    """One panel for each arm on one common scale: median, 50/80/95 % bands, observed points, visits.

    Empty when the forecast holds no course of that observable. Raises ClinicianMust for an unknown observable.
    """
    about = _observable(forecast, observable)
    courses = [c for c in (forecast.course(arm, observable) for arm in arms) if c is not None and c.bands]
    points = [o for o in observed if o.observable == observable]
    if not courses:
        return []
    scale = _scale([b for c in courses for b in c.bands], [o.value for o in points])
    return [
        _fan(about, course, scale, [o for o in points if o.arm == course.arm or o.week <= 0], visits)
        for course in courses
    ]


def difference_fans(forecast: Forecast, observable: str) -> list[Chart]:
    """One panel for each arm: its difference to standard care, and dashed the same with the gut link off."""
    about = _observable(forecast, observable)
    pairs = []
    for arm in ARMS:
        full = forecast.difference(arm, "standard_care", observable)
        if arm != "standard_care" and full is not None and full.bands:
            pairs.append((full, forecast.difference(arm, "standard_care", observable, gut_link=False)))
    if not pairs:
        return []
    rows = [b for full, off in pairs for b in (*full.bands, *(off.bands if off else ()))]
    scale = _scale(rows, [0.0])
    return [_difference(about, full, off, scale) for full, off in pairs]


def outcome_course(
    forecast: Forecast, outcomes: Sequence[Outcome], *, observable: str = "scorad", arm: Arm | None = None
) -> Chart:
    """What was measured against what was forecast, for the arm that the patient is on.

    `forecast` is the one made before the outcomes. Raises ClinicianMust when it holds no course of that arm.
    """
    about = _observable(forecast, observable)
    given = [a for o in outcomes for a in ARMS if a == o.arm]
    on_arm: Arm = arm or (given[-1] if given else "standard_care")
    course = forecast.course(on_arm, observable)
    if course is None or not course.bands:
        raise ClinicianMust(f"The forecast holds no course of {about.label} under {ARM_LABELS[on_arm]}.")
    points = [
        Observation(week=o.week, observable=observable, value=value, arm=on_arm)
        for o in outcomes
        if (value := measured(o).get(observable)) is not None
    ]
    inside = [p for p in points if _inside_80(course, p)]
    scale = _scale(course.bands, [p.value for p in points])
    digits = digits_for(scale[1] - scale[0])
    says = (
        f"{len(inside)} of {len(points)} measurements lay inside the 80 % band of the forecast made at the start."
        if points
        else "No measurement has been entered yet; the band is the forecast."
    )
    drawing = draw(_fan_spec(about, course, scale, points, [p.week for p in points]))
    rows = tuple(
        (
            f"week {number(p.week)}",
            number(p.value, digits),
            _limits_at(course, p.week, digits),
            "yes" if p in inside else "no",
        )
        for p in points
    )
    return Chart.make(
        f"course-{observable}",
        title=f"{about.label} under {ARM_LABELS[on_arm].lower()}: measured against forecast",
        sentence=says,
        drawing=drawing,
        columns=("When", f"Measured ({about.unit})", "Forecast, 80 % interval", "Inside"),
        rows=rows,
    )


def _fan(
    about: Observable,
    course: Course,
    scale: tuple[float, float],
    observed: Sequence[Observation],
    visits: Sequence[float],
) -> Chart:
    digits = digits_for(scale[1] - scale[0])
    last = course.bands[-1]
    label = ARM_LABELS[course.arm]
    says = f"{label}: {about.label} {band(last, digits)} {about.unit} at week {course.weeks[-1]}."
    if observed:
        says += f" {len(observed)} measured, drawn as points."
    return Chart.make(
        f"fan-{about.key}-{course.arm}",
        title=f"{about.label}, {label.lower()}",
        sentence=says,
        drawing=draw(_fan_spec(about, course, scale, observed, visits)),
        columns=("Week", "Median", "50 % interval", "80 % interval", "95 % interval"),
        rows=_band_rows(course.weeks, course.bands, digits),
    )


def _fan_spec(
    about: Observable,
    course: Course,
    scale: tuple[float, float],
    observed: Sequence[Observation],
    visits: Sequence[float],
) -> dict[str, Any]:
    colour = LIGHT[ARM_TOKEN[course.arm]]
    digits = digits_for(scale[1] - scale[0])
    weeks = (min(course.weeks), max(course.weeks))
    last = course.bands[-1]
    layers = [
        *_band_layers(course.weeks, course.bands, colour),
        *_end_labels(weeks[1], last, colour, digits, scale),
    ]
    layers.append(
        {
            "data": {"values": [{"week": w} for w in visits if weeks[0] <= w <= weeks[1]]},
            "mark": {"type": "rule", "color": LIGHT["quiet"], "y": _HEIGHT, "y2": _HEIGHT - 7, "strokeWidth": 1.5},
            "encoding": {"x": {"field": "week", "type": "quantitative"}},
        }
    )
    if about.smallest_important_difference is not None:
        layers.extend(_bracket(about, course, scale))
    if observed:
        layers.append(
            {
                "data": {"values": [{"week": o.week, "value": o.value} for o in observed]},
                "mark": {"type": "point", "filled": True, "color": LIGHT["ink"], "size": 44, "opacity": 1},
                "encoding": _xy("value"),
            }
        )
    return _panel(layers, weeks, scale, title=ARM_LABELS[course.arm], colour=colour, unit=about.unit)


def _difference(about: Observable, full: Difference, off: Difference | None, scale: tuple[float, float]) -> Chart:
    colour = LIGHT[ARM_TOKEN[full.arm]]
    digits = digits_for(scale[1] - scale[0])
    weeks = (min(full.weeks), max(full.weeks))
    last = full.bands[-1]
    label = ARM_LABELS[full.arm]
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": [{"week": weeks[0], "end": weeks[1], "zero": 0}]},
            "mark": {"type": "rule", "color": LIGHT["ink"], "strokeWidth": 1.5},
            "encoding": {**_xy("zero"), "x2": {"field": "end"}},
        },
        *_band_layers(full.weeks, full.bands, colour),
    ]
    if off is not None and off.bands:
        values = [{"week": w, "value": b.median} for w, b in zip(off.weeks, off.bands, strict=True)]
        layers.append(
            {
                "data": {"values": values},
                "mark": {"type": "line", "color": LIGHT["ink"], "strokeWidth": 2, "strokeDash": [5, 4]},
                "encoding": _xy("value"),
            }
        )
    layers.extend(_end_labels(weeks[1], last, colour, digits, scale, with_sign=True))
    better = "lower" if about.lower_is_better else "higher"
    says = (
        f"{label} minus standard care at week {full.weeks[-1]}: {signed(last.median, digits)} {about.unit} "
        f"(80 % interval {interval(last.q10, last.q90, digits)}; {better} is better); "
        f"better in {chance(full.probability_better)} of the simulated patients like this one."
    )
    if off is not None and off.bands:
        end = off.bands[-1]
        says += (
            f" With the gut link switched off (dashed): {signed(end.median, digits)} "
            f"({interval(end.q10, end.q90, digits)})."
        )
    rows = tuple(
        (
            number(week),
            signed(b.median, digits),
            interval(b.q10, b.q90, digits),
            interval(b.q2_5, b.q97_5, digits),
            signed(o.median, digits) if o is not None else "not simulated",
        )
        for week, b, o in _paired(full, off)
    )
    return Chart.make(
        f"difference-{about.key}-{full.arm}",
        title=f"{about.label}, {label.lower()} minus standard care",
        sentence=says,
        drawing=draw(
            _panel(layers, weeks, scale, title=f"{label} − standard care", colour=colour, unit=about.unit)
        ),
        columns=("Week", "Median", "80 % interval", "95 % interval", "Median, gut link off"),
        rows=rows,
    )


def _paired(full: Difference, off: Difference | None) -> Iterable[tuple[int, Band, Band | None]]:
    without = dict(zip(off.weeks, off.bands, strict=True)) if off is not None else {}
    for week, row in zip(full.weeks, full.bands, strict=True):
        yield week, row, without.get(week)


def _band_layers(weeks: Sequence[int], bands: Sequence[Band], colour: str) -> list[dict[str, Any]]:
    values = [{"week": w, **b.model_dump()} for w, b in zip(weeks, bands, strict=True)]
    areas = [
        {
            "data": {"values": values},
            "mark": {"type": "area", "color": colour, "opacity": opacity, "line": False},
            "encoding": {**_xy(low), "y2": {"field": high}},
        }
        for low, high, opacity in _BANDS
    ]
    line = {
        "data": {"values": values},
        "mark": {"type": "line", "color": colour, "strokeWidth": 2.5},
        "encoding": _xy("median"),
    }
    return [*areas, line]


def _end_labels(
    week: float, last: Band, colour: str, digits: int, scale: tuple[float, float], *, with_sign: bool = False
) -> list[dict[str, Any]]:
    """At the line's end the median in bold and its 80 % interval's limits, kept apart by at least a line."""
    say = signed if with_sign else number
    gap = (scale[1] - scale[0]) * 16 / _HEIGHT
    rows = [
        (last.median, say(last.median, digits), 15, 700),
        (max(last.q90, last.median + gap), say(last.q90, digits), 13, 400),
        (min(last.q10, last.median - gap), say(last.q10, digits), 13, 400),
    ]
    return [
        {
            "data": {"values": [{"week": week, "at": at, "text": text}]},
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "middle",
                "dx": 6,
                "color": colour,
                "fontSize": size,
                "fontWeight": weight,
            },
            "encoding": {**_xy("at"), "text": {"field": "text"}},
        }
        for at, text, size, weight in rows
    ]


def _bracket(about: Observable, course: Course, scale: tuple[float, float]) -> list[dict[str, Any]]:
    """The smallest important difference as a bracket that starts at today's median, to the side of the good."""
    smallest = about.smallest_important_difference
    if smallest is None:
        return []
    today = course.bands[0].median
    good = today - smallest.value if about.lower_is_better else today + smallest.value
    start, end = sorted((today, good))
    if start < scale[0] or end > scale[1]:
        start, end = scale[0], scale[0] + smallest.value
    below = about.lower_is_better
    mark = {"type": "rule", "color": LIGHT["ink"], "strokeWidth": 1.5}
    x = (max(course.weeks) - min(course.weeks)) * 0.03 + min(course.weeks)
    cap = (max(course.weeks) - min(course.weeks)) * 0.02
    corners = [
        {"x": x, "x2": x, "y": start, "y2": end},
        {"x": x, "x2": x + cap, "y": start, "y2": start},
        {"x": x, "x2": x + cap, "y": end, "y2": end},
    ]
    return [
        {
            "data": {"values": corners},
            "mark": mark,
            "encoding": {**_xy("y", x="x"), "x2": {"field": "x2"}, "y2": {"field": "y2"}},
        },
        {
            "data": {"values": [{"x": x, "y": start if below else end, "text": number(smallest.value, 1)}]},
            "mark": {"type": "text", "align": "left", "dy": 13 if below else -6, "color": LIGHT["ink"]},
            "encoding": {**_xy("y", x="x"), "text": {"field": "text"}},
        },
    ]


def _panel(
    layers: list[dict[str, Any]],
    weeks: tuple[float, float],
    scale: tuple[float, float],
    *,
    title: str,
    colour: str,
    unit: str,
) -> dict[str, Any]:
    x_axis = {"values": list(range(int(weeks[0]), int(weeks[1]) + 1, 4)), "grid": False, "title": "week"}
    y_axis = {"tickCount": 4, "title": None, "domain": False, "ticks": False}
    axes = {
        "data": {"values": [{"week": weeks[0], "low": scale[0]}]},
        "mark": {"type": "point", "opacity": 0, "color": LIGHT["paper"]},
        "encoding": {
            "x": {
                "field": "week",
                "type": "quantitative",
                "scale": {"domain": list(weeks), "nice": False},
                "axis": x_axis,
            },
            "y": {
                "field": "low",
                "type": "quantitative",
                "scale": {"domain": list(scale), "nice": False, "zero": False},
                "axis": y_axis,
            },
        },
    }
    return {
        "width": PLOT_WIDTH,
        "height": _HEIGHT,
        "title": {"text": title, "color": colour, "subtitle": unit, "subtitleColor": LIGHT["quiet"]},
        "layer": [axes, *layers],
    }


def _xy(y: str, *, x: str = "week") -> dict[str, Any]:
    return {"x": {"field": x, "type": "quantitative"}, "y": {"field": y, "type": "quantitative"}}


def _band_rows(weeks: Sequence[int], bands: Sequence[Band], digits: int) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            number(week),
            number(b.median, digits),
            interval(b.q25, b.q75, digits),
            interval(b.q10, b.q90, digits),
            interval(b.q2_5, b.q97_5, digits),
        )
        for week, b in zip(weeks, bands, strict=True)
    )


def _scale(bands: Sequence[Band], others: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest value that must be visible, with a little air."""
    low = min([b.q2_5 for b in bands] + list(others))
    high = max([b.q97_5 for b in bands] + list(others))
    air = (high - low) * 0.04 or 1.0
    return (0.0 if 0 <= low < (high - low) * 0.15 else low - air, high + air)


def _observable(forecast: Forecast, key: str) -> Observable:
    found = next((o for o in forecast.observables if o.key == key), None)
    if found is None:
        known = ", ".join(o.key for o in forecast.observables) or "none"
        raise ClinicianMust(f"This forecast holds no observable '{key}'; it holds: {known}.")
    return found


def _at(course: Course, week: float) -> Band:
    """The forecast of that week; of the last one for a later visit."""
    return band_at(course, week) or course.bands[-1]


def _inside_80(course: Course, point: Observation) -> bool:
    at = _at(course, point.week)
    return at.q10 <= point.value <= at.q90


def _limits_at(course: Course, week: float, digits: int) -> str:
    at = _at(course, week)
    return interval(at.q10, at.q90, digits)
