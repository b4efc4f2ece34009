"""What trials say of each arm where no model of the condition stands behind it: chart, tables, trials against."""

from __future__ import annotations

from html import escape

from biflora.papers.chart import Chart
from biflora.papers.grid import Grid
from biflora.papers.tokens import ARM_TOKEN, var
from biflora.papers.wording import DASH, number
from biflora.plan.plan import ArmSummary, Plan
from biflora.twin.forecast import ARM_LABELS, Arm
from biflora.twin.pooled import PooledEffect, pooled_effects

SD_HINT = (
    "SD: standard deviation of severity between the patients of a trial; by Cohen's convention a difference of "
    "0.2 is small, 0.5 medium, 0.8 large (from memory, source not read)."
)
_WIDTH, _LEFT, _RIGHT, _STEP, _TOP, _END = 320, 6.0, 314.0, 36.0, 4.0, 34.0
Line = tuple[Arm, str, float, float, float, bool]
"""Arm, name, difference, low, high, and whether it is a pooled one."""
_LIMIT = 2.0
"""The axis ends here, SD; longer intervals are cut at the edge and say so."""


def trials_grid(plan: Plan) -> Grid | None:
    """Each arm's pooled difference with its interval, what a next trial may find, k, n and I2."""
    rows = []
    for found in pooled_effects(plan.condition.value):
        effect = DASH
        if found.effect is not None and found.low is not None and found.high is not None:
            effect = f"{number(found.effect, 2)} ({number(found.low, 2)} to {number(found.high, 2)})"
        next_trial = DASH
        if found.prediction_low is not None and found.prediction_high is not None:
            next_trial = f"{number(found.prediction_low, 2)} to {number(found.prediction_high, 2)}"
        apart = DASH if found.i2_percent is None else number(found.i2_percent)
        rows.append((ARM_LABELS[found.arm], counted_words(found), effect, next_trial, apart))
    shown = {row[0] for row in rows}
    rows += [
        (ARM_LABELS[arm.arm], "no trial found", DASH, DASH, DASH)
        for arm in plan.arms
        if ARM_LABELS[arm.arm] not in shown
    ]
    columns = ("Arm", "Trials", "Difference, SD (95 % interval)", "A next trial", "I2, %")
    title = "What trials say, arm by arm; below zero is better for the arm than for its comparator"
    return Grid(title, columns, tuple(rows), right=(2, 3, 4)) if rows else None


def counted_words(found: PooledEffect) -> str:
    """`3 (n 241)`, or why there is no number."""
    if found.from_review:
        return "a review"
    if found.trials:
        return f"{len(found.trials)} (n {found.n})"
    return "none with a number that counts"


def arms_by_trials(plan: Plan) -> Grid:
    """The arms where trials were pooled and nothing is personal: gain between the means of trials' arms."""
    pooled = {found.arm: found for found in pooled_effects(plan.condition.value)}
    rows = tuple(
        _arm(arm, arm.arm == plan.proposed_arm, pooled.get(arm.arm))
        for arm in sorted(plan.arms, key=lambda arm: (not arm.allowed, arm.rank))
    )
    columns = ("Arm", "Better than its comparator, SD", "Trials that count", "Cost a month", "Burden")
    title = "The arms; what trials found in others, median and 80 % interval"
    return Grid(title, columns, rows, right=(1,))


def _arm(arm: ArmSummary, proposed: bool, found: PooledEffect | None) -> tuple[str, ...]:
    from biflora.papers.plan_content import cost_words

    name = ARM_LABELS[arm.arm] + (", proposed" if proposed else "")
    trials = "no trial found" if found is None else counted_words(found)
    if not arm.allowed:
        return (name, "not allowed", trials, DASH, "; ".join(arm.blocked_because))
    if arm.arm == "standard_care":
        gain = "the comparator"
    else:
        gain = arm.gain_in_words if arm.gain_over_standard_care is not None else DASH
    cost = cost_words(arm.monthly_cost) + (" (above the budget)" if arm.within_budget is False else "")
    return (name, gain, trials, cost, arm.burden)


def trials_beside(plan: Plan) -> tuple[str, ...]:
    """Trials that could not be counted, and published reviews, each with what it said."""
    told: list[str] = []
    for found in pooled_effects(plan.condition.value):
        name = ARM_LABELS[found.arm]
        told.extend(f"{name}, not counted: {text}" for text in found.not_counted)
        told.extend(f"{name}, a review: {text}" for text in found.published)
    return tuple(dict.fromkeys(told))


def trials_chart(plan: Plan) -> tuple[Chart, ...]:
    """One line for each trial that counts and one for each arm's pooled difference; empty without a number."""
    lines: list[Line] = []
    for found in pooled_effects(plan.condition.value):
        if found.effect is None or found.low is None or found.high is None:
            continue
        arm = found.arm
        lines += [
            (arm, f"{ARM_LABELS[arm]}: {t.trial} {t.year}, n {t.n}", t.effect, t.low, t.high, False)
            for t in found.trials
        ]
        if len(found.trials) > 1:
            name = f"{ARM_LABELS[arm]}: {len(found.trials)} trials pooled, n {found.n}"
            lines.append((arm, name, found.effect, found.low, found.high, True))
        elif found.from_review:
            name = f"{ARM_LABELS[arm]}: review, {found.from_review}"
            lines.append((arm, name, found.effect, found.low, found.high, True))
    if not lines:
        return ()
    cut = any(low < -_LIMIT or high > _LIMIT for *_, low, high, _ in lines)
    rows = tuple(
        (name, number(effect, 2), f"{number(low, 2)} to {number(high, 2)}")
        for _, name, effect, low, high, _ in lines
    )
    return (
        Chart.make(
            "trials",
            title="What trials found, in SD",
            sentence="Dot: one trial; diamond: pooled; line: 95 % interval. Left of zero is better for the arm "
            f"than for its comparator.{' A line that reaches the edge goes on.' if cut else ''} {SD_HINT}",
            drawing=_forest(lines),
            columns=("Trial", "Difference, SD", "95 % interval"),
            rows=rows,
        ),
    )


def _forest(lines: list[Line]) -> str:
    bottom = _TOP + _STEP * len(lines)
    zero = _x(0.0)
    parts = [  # broken, so that it strikes through no name
        _line(zero, _TOP + _STEP * place + 18, zero, _TOP + _STEP * place + 32, "quiet", 1.0)
        for place in range(len(lines))
    ]
    parts += [
        f'<text x="{_x(tick):.1f}" y="{bottom + 14:.1f}" font-size="13" text-anchor="{anchor}" '
        f'fill="{var("quiet")}">{number(tick)}</text>'
        for tick, anchor in ((-2.0, "start"), (-1.0, "middle"), (0.0, "middle"), (1.0, "middle"), (2.0, "end"))
    ]
    parts.append(
        f'<text x="{_LEFT}" y="{bottom + 30:.1f}" font-size="13" fill="{var("quiet")}">better for the arm</text>'
        f'<text x="{_RIGHT}" y="{bottom + 30:.1f}" font-size="13" text-anchor="end" fill="{var("quiet")}">'
        "better without it</text>"
    )
    for place, (arm, name, effect, low, high, pooled) in enumerate(lines):
        y = _TOP + _STEP * place
        token = ARM_TOKEN[arm]
        weight = ' font-weight="600"' if pooled else ""
        parts.append(
            f'<text x="{_LEFT}" y="{y + 14:.1f}" font-size="13"{weight} fill="{var("ink")}">'
            f"{escape(name if len(name) <= 46 else name[:45] + '…')}</text>"
        )
        middle = y + 25
        parts.append(_line(_x(low), middle, _x(high), middle, token, 3.0 if pooled else 2.0))
        x = _x(effect)
        if pooled:
            parts.append(
                f'<path d="M{x - 7:.1f},{middle:.1f} L{x:.1f},{middle - 6:.1f} L{x + 7:.1f},{middle:.1f} '
                f'L{x:.1f},{middle + 6:.1f} Z" fill="{var(token)}"/>'
            )
        else:
            parts.append(f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="4.5" fill="{var(token)}"/>')
    return f'<svg viewBox="0 0 {_WIDTH} {bottom + _END:.0f}">{"".join(parts)}</svg>'


def _x(value: float) -> float:
    held = min(max(value, -_LIMIT), _LIMIT)
    return _LEFT + (held + _LIMIT) / (2 * _LIMIT) * (_RIGHT - _LEFT)


def _line(x1: float, y1: float, x2: float, y2: float, token: str, width: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{var(token)}" '
        f'stroke-width="{width:g}"/>'
    )
