"""Pictures that are counted, not read off an axis, drawn by hand: twenty dots, finger-tip units."""

from __future__ import annotations

import math
from collections.abc import Sequence

from biflora.papers.chart import Chart
from biflora.papers.tokens import ARM_TOKEN, var
from biflora.papers.wording import chance, number
from biflora.twin.forecast import ARM_LABELS, ARMS, GoalChance

_WIDTH = 320
_DOTS, _PER_ROW = 20, 5
_PITCH, _RADIUS = 13.5, 5.0


def twenty_dots(goals: Sequence[GoalChance]) -> list[Chart]:
    """One chart for each goal: for every arm twenty dots in rows of five, filled when it is reached."""
    wordings = list(dict.fromkeys(goal.goal for goal in goals))
    return [_dots(place, text, [g for g in goals if g.goal == text]) for place, text in enumerate(wordings, 1)]


def of_twenty(probability: float) -> int:
    """How many of twenty dots are filled."""
    return math.floor(probability * _DOTS + 0.5)


def _dots(place: int, goal: str, chances: Sequence[GoalChance]) -> Chart:
    ordered = sorted(chances, key=lambda g: ARMS.index(g.arm))
    step = _WIDTH / max(len(ordered), 1)
    height = 24 + 4 * _PITCH + 24
    parts = [_group(g, i * step) for i, g in enumerate(ordered)]
    counts = ", ".join(f"{ARM_LABELS[g.arm].lower()} {of_twenty(g.probability)}" for g in ordered)
    return Chart.make(
        f"dots-{place}",
        title=goal,
        sentence=f"{goal}: of 20 patients like this one, {counts}.",
        drawing=f'<svg viewBox="0 0 {_WIDTH} {height:.0f}">{"".join(parts)}</svg>',
        columns=("Arm", "Of 20", "Probability"),
        rows=tuple((ARM_LABELS[g.arm], str(of_twenty(g.probability)), chance(g.probability)) for g in ordered),
    )


def _group(chance: GoalChance, left: float) -> str:
    colour = var(ARM_TOKEN[chance.arm])
    filled = of_twenty(chance.probability)
    label = "Standard" if chance.arm == "standard_care" else ARM_LABELS[chance.arm]
    dots = []
    for dot in range(_DOTS):
        x = left + _RADIUS + 2 + (dot % _PER_ROW) * _PITCH
        y = 24 + _RADIUS + (dot // _PER_ROW) * _PITCH
        fill = colour if dot < filled else "none"
        dots.append(
            f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{_RADIUS}" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'
        )
    return (
        f'<text x="{left + 1:.2f}" y="14" font-size="13" font-weight="600" fill="{colour}">{label}</text>'
        + "".join(dots)
        + f'<text x="{left + 1:.2f}" y="{24 + 4 * _PITCH + 16:.2f}" font-size="13" fill="{var("ink")}">'
        f"{filled} of {_DOTS}</text>"
    )


def finger_tips(units: float) -> Chart:
    """So many finger-tip units: one finger with a strip of cream each, the last strip cut to the fraction."""
    whole = max(1, math.ceil(round(units * 2) / 2))
    shown = min(whole, 12)
    rows = math.ceil(shown / 6)
    parts = [_finger(18 + (i % 6) * 50, 8 + (i // 6) * 78, min(1.0, units - i)) for i in range(shown)]
    said = f"{number(units, 1).removesuffix('.0')} finger-tip unit{'s' if units != 1 else ''}"
    more = "" if whole == shown else f" (the picture stops at {shown})"
    return Chart.make(
        "finger-tips",
        title=said,
        sentence=f"Squeeze cream from the first crease to the tip of a forefinger: {said} each time{more}.",
        drawing=f'<svg viewBox="0 0 {_WIDTH} {rows * 78 + 6}">{"".join(parts)}</svg>',
        columns=("Amount", "Finger-tip units"),
        rows=(("each time", number(units, 1)),),
    )


def _finger(x: float, y: float, part: float) -> str:
    """The end of a forefinger: outline, nail-side crease, and a strip of cream over `part` of its last bone."""
    length = 44 * max(part, 0.12)
    return (
        f'<path d="M{x},{y + 66}V{y + 14}a14,14 0 0 1 28,0V{y + 66}" fill="none" stroke="{var("quiet")}" '
        f'stroke-width="1.5"/><path d="M{x + 4},{y + 54}q10,4 20,0" fill="none" stroke="{var("quiet")}"/>'
        f'<rect x="{x + 10}" y="{y + 52 - length:.2f}" width="8" height="{length:.2f}" rx="4" '
        f'fill="{var("skin")}"/>'
    )
