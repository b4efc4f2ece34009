"""Charts of keeping: the share of the least stable active that is left, and live cells, at three temperatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from biflora.formula.formula import Formula
from biflora.formula.jar import Jar, Portion
from biflora.formula.keeping import (
    Days,
    Spread,
    cells_at_first,
    cells_left,
    days_to_least_share,
    jar_of,
    live_portions,
    live_storage_of,
    rate_of,
    share_left,
    storage_of,
)
from biflora.knowledge.checking import checker_limit
from biflora.knowledge.keeping import StabilityRate, StorageTemperature, storage_temperatures
from biflora.papers.chart import Chart
from biflora.papers.tokens import LIGHT
from biflora.papers.vega import PLOT_WIDTH, draw
from biflora.papers.wording import interval, number

_HEIGHT = 170
_POINTS = 40
_LINE_GAP = 15
"""Pixels between two labels at the lines' ends."""
_LONGEST = 730
"""Days; beyond them a time to 90 % is only said to be longer."""
_DAYS_WITHOUT_DATE = 180
"""How far the axis runs where the rule gives no date: the longest default."""
_BEYOND = 1.15
"""The axis runs a little past the beyond-use date."""
_LEAST_SHARE_SHOWN = 80.0
_DASHES = ([2, 3], [7, 4])
"""Dots for what is colder than the label's storage, dashes for what is warmer; the storage itself is solid."""
_OPACITY, _OPACITY_ELSEWHERE = 0.28, 0.1

Course = Callable[[StorageTemperature, float], Spread]
"""What is left at a temperature after some days."""


class _Panel(NamedTuple):
    title: str
    unit: str
    course: Course
    where: StorageTemperature
    """As the label says; drawn solid."""
    days: float
    beyond_use: int | None
    floor: float
    """The line not to fall below: 90 %, or the least live cells."""
    scale: tuple[float, float]
    digits: int


def keeping_courses(formula: Formula) -> list[Chart]:
    """The least stable active, and each live strain; empty when no rate is known and nothing lives in it."""
    jar = jar_of(formula)
    if jar is None:
        return []
    return [*_actives(jar), *(_live(jar, portion) for portion in live_portions(jar) if portion.percent > 0)]


def _actives(jar: Jar) -> list[Chart]:
    known = [(portion, rate) for portion in jar.portions if (rate := rate_of(portion, jar)) is not None]
    if not known:
        return []
    storage = storage_of(jar)
    where = storage_temperatures()["room" if storage is None else storage.where]
    known.sort(key=lambda each: days_to_least_share(each[1], where.celsius).likely)
    portion, rate = known[0]
    date = None if storage is None else storage.days
    end = _BEYOND * (date or _DAYS_WITHOUT_DATE)

    def course(at: StorageTemperature, days: float) -> Spread:
        left = share_left(rate, at.celsius, days)
        return Spread(100 * left.likely, 100 * left.low, 100 * left.high)

    least = 100 * checker_limit("potency_least_share")
    lowest = min(course(at, end).likely for at in storage_temperatures().values())
    panel = _Panel(
        title=f"{portion.name}, share left",
        unit=f"% of what was put in; line at {least:g} %",
        course=course,
        where=where,
        days=end,
        beyond_use=date,
        floor=least,
        scale=(0.0 if lowest < least / 2 else min(_LEAST_SHARE_SHOWN, lowest - 2), 100.0),
        digits=0,
    )
    days = days_to_least_share(rate, where.celsius)
    title = f"{portion.name} is the first to fall below {least:g} %: {_when(days)} at {where.label}"
    until = "" if date is None else f" The default beyond-use date is day {date}."
    says = (
        f"Bands show the ends of rate and activation energy ({rate.basis}, {rate.verification}); "
        f"this formula itself was not measured.{until}"
    )
    return [
        Chart.make(
            f"keeping-{portion.row.key}",
            title=title,
            sentence=says,
            drawing=draw(_spec(panel)),
            columns=(
                "Active",
                *(f"Days to {least:g} %, {at.label}" for at in storage_temperatures().values()),
                "Basis",
            ),
            rows=tuple(_days_row(each, row) for each, row in known),
        )
    ]


def _live(jar: Jar, portion: Portion) -> Chart:
    storage = live_storage_of(jar)
    where = storage_temperatures()[storage.where]
    days = storage.days or _DAYS_WITHOUT_DATE
    least, start = checker_limit("live_min_log10"), cells_at_first(portion)

    def course(at: StorageTemperature, after: float) -> Spread:
        return cells_left(portion, jar, at.celsius, after)

    last = course(where, days)
    panel = _Panel(
        title="Live cells",
        unit=f"log10 CFU per gram; line at 10^{least:g}",
        course=course,
        where=where,
        days=_BEYOND * days,
        beyond_use=days,
        floor=least,
        scale=(0.0, start + 0.5),
        digits=1,
    )
    enough = "enough are" if last.likely >= least else "too few are"
    weeks = [days * part / 4 for part in range(5)]
    return Chart.make(
        f"keeping-{portion.row.key}",
        title=f"{portion.name}: {enough} alive on day {days} at {where.celsius:g} °C",
        sentence=(
            f"10^{number(start, 1)} cells per gram (assumed) become 10^{number(last.likely, 1)} "
            f"(10^{number(last.low, 1)} to 10^{number(last.high, 1)}) in {days} days at {where.celsius:g} °C; "
            f"10^{least:g} is the least. Count before use."
        ),
        drawing=draw(_spec(panel)),
        columns=("Day", *(f"log10 CFU/g, {at.label}" for at in storage_temperatures().values())),
        rows=tuple(
            (number(day), *(_spread(course(at, day), 1) for at in storage_temperatures().values()))
            for day in weeks
        ),
    )


def _when(days: Days) -> str:
    if days.latest is None:
        return f"not before day {number(days.soonest)}, no loss was shown"
    return f"after about {_whole(days.likely)} days ({_whole(days.soonest)} to {_whole(days.latest)})"


def _whole(days: float) -> str:
    """One digit behind the point below ten days, none above; two years are the end of what any rate can tell."""
    return f"over {_LONGEST}" if days > _LONGEST else number(days, 1 if days < 10 else 0)


def _days_row(portion: Portion, rate: StabilityRate) -> tuple[str, ...]:
    cells = []
    for at in storage_temperatures().values():
        days = days_to_least_share(rate, at.celsius)
        if days.latest is None:
            cells.append(f"{_whole(days.soonest)} or more, no loss was shown")
        else:
            cells.append(f"{_whole(days.likely)} ({_whole(days.soonest)} to {_whole(days.latest)})")
    return (portion.name, *cells, f"{rate.basis}, {rate.verification}")


def _spread(value: Spread, digits: int) -> str:
    return f"{number(value.likely, digits)} ({interval(value.low, value.high, digits)})"


def _spec(panel: _Panel) -> dict[str, Any]:
    colour = LIGHT["skin"]
    layers: list[dict[str, Any]] = [_axes(panel)]
    ends = []
    for at in storage_temperatures().values():
        here = at.key == panel.where.key
        days = [panel.days * step / _POINTS for step in range(_POINTS + 1)]
        values = [{"day": day, **_shown(panel, panel.course(at, day))} for day in days]
        area = {
            "type": "area",
            "color": colour,
            "opacity": _OPACITY if here else _OPACITY_ELSEWHERE,
            "line": False,
        }
        line: dict[str, Any] = {"type": "line", "color": colour, "strokeWidth": 2.5}
        if not here:
            line["strokeDash"] = _DASHES[at.celsius > panel.where.celsius]
        layers.append(
            {"data": {"values": values}, "mark": area, "encoding": {**_xy("low"), "y2": {"field": "high"}}}
        )
        inside = [value for value in values if value["inside"]]
        layers.append({"data": {"values": inside}, "mark": line, "encoding": _xy("likely")})
        last = panel.course(at, panel.days).likely
        ends.append((last, f"{at.celsius:g} °C: {number(last, panel.digits) if last > 0 else 'none'}"))
    layers.append(_floor(panel))
    layers += _end_labels(panel, ends, colour)
    if panel.beyond_use is not None:
        layers.append(_beyond_use(panel.beyond_use))
    return {
        "width": PLOT_WIDTH,
        "height": _HEIGHT,
        "title": {"text": panel.title, "subtitle": panel.unit, "subtitleColor": LIGHT["quiet"]},
        "layer": layers,
    }


def _shown(panel: _Panel, value: Spread) -> dict[str, float | bool]:
    """A point cut at the axis's ends; its line stops where it leaves the panel."""
    low, high = panel.scale
    cut = [min(max(each, low), high) for each in value]
    return {"likely": cut[0], "low": cut[1], "high": cut[2], "inside": value.likely >= low}


def _axes(panel: _Panel) -> dict[str, Any]:
    title = "day" if panel.beyond_use is None else f"day; use until day {panel.beyond_use} (mark)"
    return {
        "data": {"values": [{"day": 0, "low": panel.scale[0]}]},
        "mark": {"type": "point", "opacity": 0, "color": LIGHT["paper"]},
        "encoding": {
            "x": {
                "field": "day",
                "type": "quantitative",
                "scale": {"domain": [0, panel.days], "nice": False},
                "axis": {"tickCount": 5, "grid": False, "title": title},
            },
            "y": {
                "field": "low",
                "type": "quantitative",
                "scale": {"domain": list(panel.scale), "nice": False, "zero": False},
                "axis": {"tickCount": 4, "title": None, "domain": False, "ticks": False},
            },
        },
    }


def _floor(panel: _Panel) -> dict[str, Any]:
    return {
        "data": {"values": [{"day": 0, "end": panel.days, "floor": panel.floor}]},
        "mark": {"type": "rule", "color": LIGHT["ink"], "strokeWidth": 1.5},
        "encoding": {**_xy("floor"), "x2": {"field": "end"}},
    }


def _beyond_use(day: int) -> dict[str, Any]:
    return {
        "data": {"values": [{"day": day}]},
        "mark": {"type": "rule", "color": LIGHT["ink"], "y": _HEIGHT, "y2": _HEIGHT - 9, "strokeWidth": 2.5},
        "encoding": {"x": {"field": "day", "type": "quantitative"}},
    }


def _end_labels(panel: _Panel, ends: Sequence[tuple[float, str]], colour: str) -> list[dict[str, Any]]:
    """What is left at each temperature, at the lines' ends, kept apart by a line of text."""
    gap = (panel.scale[1] - panel.scale[0]) * _LINE_GAP / _HEIGHT
    ends = sorted(ends)
    placed: list[dict[str, Any]] = []
    for rank, (at, text) in enumerate(ends):
        bottom = placed[-1]["at"] + gap if placed else panel.scale[0] + gap / 2
        ceiling = panel.scale[1] - gap * (len(ends) - 1 - rank)
        placed.append({"day": panel.days, "at": min(max(at, bottom), ceiling), "text": text})
    return [
        {
            "data": {"values": placed},
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "middle",
                "dx": 6,
                "color": colour,
                "clip": False,
            },
            "encoding": {**_xy("at"), "text": {"field": "text"}},
        }
    ]


def _xy(y: str) -> dict[str, Any]:
    return {"x": {"field": "day", "type": "quantitative"}, "y": {"field": y, "type": "quantitative"}}
