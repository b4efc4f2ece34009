"""Twenty equally likely outcomes of each arm, stacked on one score axis, and the same in words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from biflora.knowledge.instruments import band_of, instruments
from biflora.papers.chart import Chart
from biflora.papers.tokens import ARM_TOKEN, var
from biflora.papers.wording import DASH, chance, digits_for, number, short
from biflora.twin.forecast import ARM_LABELS, ARMS, Dots, Forecast, GoalChance, Observable

GOAL_WORD = "halved"
"""A goal of a forecast whose words hold this is drawn: half of the score at the start, or lower."""
HALF = 0.5

SPREAD = ("Lowest", "Median", "Highest")

_WIDTH, _LEFT, _RIGHT = 320.0, 10.0, 310.0
_DIAMETERS = (10.0, 9.0, 8.0, 7.0, 6.0)
_TALLEST = 6
"""Dots above each other, at most, before smaller dots (and with them narrower bins) are taken."""
_LABEL, _GAP, _HEAD = 19.0, 8.0, 38.0
"""Heights in pixels: an arm's name, the space under its dots, goal and severity bands above all."""
_HALO = f'stroke="{var("paper")}" stroke-width="3" paint-order="stroke"'
"""So that a line behind a word does not strike it through."""
_BAND = re.compile(r"(.+?)<=?([\d.]+)")


@dataclass(frozen=True)
class Outlook:
    """What the twenty dots of one arm say."""

    dots: Dots
    start: float | None
    """Score that the goal is a part of."""
    goal: float | None
    """Score at or below which a dot is filled; None where the forecast names no such goal."""
    reached: int
    middle: float
    """A round score near the median."""
    below: int
    """Dots below `middle`."""
    sentence: str


def outlooks(forecast: Forecast, observable: str, *, start: float | None = None) -> list[Outlook]:
    """One for each arm that has dots, in the house's order; empty for a forecast without dots.

    `start`: the score that was measured at the start; the forecast's first median where it is None.
    """
    about = next((o for o in forecast.observables if o.key == observable), None)
    given = [d for arm in ARMS for d in forecast.dots if (d.arm, d.observable) == (arm, observable) and d.values]
    if about is None or not given:
        return []
    digits = digits_for(max(d.values[-1] for d in given) - min(d.values[0] for d in given))
    return [_outlook(forecast, about, dots, start, digits) for dots in given]


def outcome_dots(forecast: Forecast, observable: str, *, start: float | None = None) -> list[Chart]:
    """One chart with a row of stacked dots for each arm on one axis; empty for a forecast without dots."""
    rows = outlooks(forecast, observable, start=start)
    if not rows:
        return []
    about = next(o for o in forecast.observables if o.key == observable)
    week = rows[0].dots.week
    goal = rows[0].goal
    begun = rows[0].start
    said = " ".join((*(row.sentence for row in rows), meaning(goal, begun)))
    return [
        Chart.make(
            f"outcome-dots-{observable}",
            title=f"{about.label} at week {week}: 20 equally likely outcomes under each arm",
            sentence=said,
            drawing=_drawing(about, rows, begun),
            columns=("Arm", "At the goal", "Chance, each from its own start", *SPREAD, *_names(about)),
            rows=tuple(_row(forecast, about, row) for row in rows),
        )
    ]


def drawn_goals(forecast: Forecast, observable: str) -> tuple[GoalChance, ...]:
    """The goals that `outcome_dots` draws, so that no other picture counts the same goal in another way."""
    given = any(d.observable == observable and d.values for d in forecast.dots)
    return tuple(g for g in forecast.goals if given and _is_drawn(g, observable))


def severity_limits(observable: str) -> list[tuple[str, float]]:
    """Names and upper limits of the instrument's severity bands, rising; empty where none are known."""
    instrument = instruments().get(observable)
    found = [_BAND.fullmatch(text) for text in instrument.bands] if instrument is not None else []
    return [(band[1], float(band[2])) for band in found if band is not None]


def _is_drawn(goal: GoalChance, observable: str) -> bool:
    return goal.observable == observable and GOAL_WORD in goal.goal


def _start(forecast: Forecast, about: Observable, start: float | None) -> float | None:
    if start is not None:
        return start
    course = next((c for c in forecast.courses if c.observable == about.key and c.bands), None)
    return None if course is None else course.bands[0].median


def _outlook(forecast: Forecast, about: Observable, dots: Dots, start: float | None, digits: int) -> Outlook:
    begun = _start(forecast, about, start)
    drawn = about.lower_is_better and any(_is_drawn(g, about.key) for g in forecast.goals)
    goal = HALF * begun if begun is not None and drawn else None
    half = len(dots.values) // 2
    middle = round((dots.values[half - 1] + dots.values[half]) / 2, digits)
    below = sum(value < middle for value in dots.values)
    reached = 0 if goal is None else sum(value <= goal for value in dots.values)
    under = f"at week {dots.week} under {ARM_LABELS[dots.arm].lower() if dots.arm != 'combination' else 'both'}"
    count = len(dots.values)
    if goal is None or begun is None:
        says = f"{below} of {count} patients like this one end below {number(middle, digits)} {under}."
    else:
        says = (
            f"In {reached} of {count} patients like this one {about.label} is at least halved {under}; "
            f"{below} of {count} end below {number(middle, digits)}."
        )
    return Outlook(dots=dots, start=begun, goal=goal, reached=reached, middle=middle, below=below, sentence=says)


def meaning(goal: float | None, begun: float | None) -> str:
    """What a dot is, and which goal is meant."""
    if goal is None or begun is None:
        return "Each dot is one of 20 equally likely outcomes."
    return (
        f"Halved: {short(goal)} or lower, from {short(begun)}. Each dot is one of 20 equally likely outcomes, "
        "filled where that goal is reached."
    )


def _names(about: Observable) -> tuple[str, ...]:
    return tuple(name.capitalize() for name, _ in severity_limits(about.key))


def _row(forecast: Forecast, about: Observable, row: Outlook) -> tuple[str, ...]:
    values = row.dots.values
    count = len(values)
    goal = next((g for g in drawn_goals(forecast, about.key) if g.arm == row.dots.arm), None)
    digits = digits_for(values[-1] - values[0])
    uppers = severity_limits(about.key)
    instrument = instruments().get(about.key)
    held = Counter(band_of(instrument, value) for value in values) if instrument is not None else Counter()
    return (
        ARM_LABELS[row.dots.arm],
        DASH if row.goal is None else f"{row.reached} of {count}",
        DASH if goal is None else chance(goal.probability),
        number(values[0], digits),
        number((values[count // 2 - 1] + values[count // 2]) / 2, digits),
        number(values[-1], digits),
        *(f"{held[name]} of {count}" for name, _ in uppers),
    )


def _drawing(about: Observable, rows: Sequence[Outlook], begun: float | None) -> str:
    """Bands of severity above, a row of dots for each arm, the axis below; the goal as a dashed line."""
    goal = rows[0].goal
    low, high, step = _scale([v for row in rows for v in row.dots.values], goal)
    per_point = (_RIGHT - _LEFT) / (high - low)

    def x(value: float) -> float:
        return _LEFT + (value - low) * per_point

    edge = low if goal is None else goal
    diameter, stacks = _stacked(rows, edge, per_point)
    parts, y = [], _HEAD
    for row, stack in zip(rows, stacks, strict=True):
        y += _LABEL + max(stack.values()) * diameter
        parts.append(_row_of_dots(row, stack, diameter, x(edge), y))
        y += _GAP
    head = _severity_strip(about.key, low, high, x, y)
    if goal is not None and begun is not None:
        head += _goal_line(goal, begun, x(goal), y)
    axis = _axis(f"{about.label} at week {rows[0].dots.week} ({about.unit})", low, high, step, x, y)
    return f'<svg viewBox="0 0 {_WIDTH:.0f} {y + 40:.0f}">{head}{"".join(parts)}{axis}</svg>'


def _scale(values: Sequence[float], goal: float | None) -> tuple[float, float, float]:
    """Ends and step of a round axis that holds all values."""
    held = [*values, *(() if goal is None else (goal,))]
    low, high = min(held), max(held)
    raw = max(high - low, 1e-6) / 6
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= raw)
    first = math.floor(low / step) * step
    last = math.ceil(high / step) * step
    return first, last if last > first else first + step, step


def _stacked(rows: Sequence[Outlook], edge: float, per_point: float) -> tuple[float, list[Counter[int]]]:
    """The diameter taken, and for each arm how many dots stand in each bin; the goal is an edge between bins.

    Bins are one dot wide and numbered from the edge: below zero are those at or below it.
    """
    for diameter in _DIAMETERS:
        width = diameter / per_point
        stacks = [Counter(math.ceil((value - edge) / width) - 1 for value in row.dots.values) for row in rows]
        if max(max(stack.values()) for stack in stacks) <= _TALLEST:
            break
    return diameter, stacks


def _row_of_dots(row: Outlook, stack: Counter[int], diameter: float, edge: float, bottom: float) -> str:
    colour = var(ARM_TOKEN[row.dots.arm])
    radius = diameter / 2 - 0.9
    dots = []
    for place, count in sorted(stack.items()):
        fill = colour if row.goal is None or place < 0 else "none"
        for level in range(count):
            dots.append(
                f'<circle cx="{edge + (place + 0.5) * diameter:.2f}" cy="{bottom - (level + 0.5) * diameter:.2f}" '
                f'r="{radius:.2f}" fill="{fill}" stroke="{colour}" stroke-width="1.4"/>'
            )
    above = bottom - max(stack.values()) * diameter - 5
    count = len(row.dots.values)
    said = f"{row.below} of {count} below {short(row.middle)}"
    if row.goal is not None:
        said = f"{row.reached} of {count} at the goal"
    return (
        f'<text x="{_LEFT}" y="{above:.2f}" font-size="13" font-weight="600" fill="{colour}" {_HALO}>'
        f"{ARM_LABELS[row.dots.arm]}</text>"
        f'<text x="{_RIGHT}" y="{above:.2f}" font-size="13" text-anchor="end" fill="{var("ink")}" {_HALO}>'
        f'{said}</text><path d="M{_LEFT},{bottom:.2f}H{_RIGHT}" stroke="{var("rule")}"/>{"".join(dots)}'
    )


def _severity_strip(observable: str, low: float, high: float, x: Callable[[float], float], bottom: float) -> str:
    """Names of the severity bands above, their limits as faint lines through all rows."""
    parts, begin = [], low
    for name, upper in severity_limits(observable):
        end = min(upper, high)
        if end <= begin:
            continue
        if x(end) - x(begin) > 7 * len(name):
            parts.append(
                f'<text x="{(x(begin) + x(end)) / 2:.2f}" y="{_HEAD - 8}" font-size="12" text-anchor="middle" '
                f'fill="{var("quiet")}">{name}</text>'
            )
        if upper < high:
            parts.append(
                f'<path d="M{x(upper):.2f},{_HEAD - 18}V{bottom:.2f}" stroke="{var("rule")}" fill="none"/>'
                f'<path d="M{x(upper):.2f},{_HEAD - 18}v12" stroke="{var("quiet")}" fill="none"/>'
            )
        begin = end
    return "".join(parts)


def _goal_line(goal: float, begun: float, at: float, bottom: float) -> str:
    side = "end" if at > _WIDTH / 2 else "start"
    return (
        f'<path d="M{at:.2f},4V{bottom:.2f}" stroke="{var("ink")}" stroke-width="1.5" stroke-dasharray="4 3" '
        f'fill="none"/><text x="{at + (-5 if side == "end" else 5):.2f}" y="14" font-size="12" '
        f'text-anchor="{side}" fill="{var("ink")}">goal {short(goal)}, half of {short(begun)}</text>'
    )


def _axis(title: str, low: float, high: float, step: float, x: Callable[[float], float], y: float) -> str:
    digits = max(0, -math.floor(math.log10(step)))
    ticks = [low + place * step for place in range(round((high - low) / step) + 1)]
    marks = "".join(
        f'<path d="M{x(tick):.2f},{y:.2f}v4" stroke="{var("quiet")}"/><text x="{x(tick):.2f}" y="{y + 17:.2f}" '
        f'font-size="13" text-anchor="middle" fill="{var("quiet")}">{number(tick, digits)}</text>'
        for tick in ticks
    )
    return (
        f'<path d="M{_LEFT},{y:.2f}H{_RIGHT}" stroke="{var("quiet")}"/>{marks}'
        f'<text x="{_LEFT}" y="{y + 34:.2f}" font-size="13" fill="{var("quiet")}">{escape(title)}</text>'
    )
