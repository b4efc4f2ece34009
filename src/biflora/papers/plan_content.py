"""What a plan weighs, as tables and sentences that pages, report and terminal share."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from biflora.papers.chart import Chart
from biflora.papers.grid import Grid
from biflora.papers.products_content import shelf_grid
from biflora.papers.trials_content import (
    SD_HINT,
    arms_by_trials,
    trials_beside,
    trials_chart,
    trials_grid,
)
from biflora.papers.wording import DASH, chance, number, percent, prose, verification_words
from biflora.plan.considered import CostRange
from biflora.plan.explain import Explanation, for_clinician, for_patient
from biflora.plan.plan import ArmSummary, Plan
from biflora.plan.products import Shelf
from biflora.plan.trials_told import trials_said
from biflora.profile.profile import Profile
from biflora.twin.forecast import ARM_LABELS, Arm, Forecast


@dataclass(frozen=True)
class PlanWords:
    """Beside the plan's lines: the arms, what tells them apart, what to measure first, what comes later."""

    arms: Grid | None
    certainty: Grid | None
    separation: tuple[str, ...]
    worth: Grid | None
    worth_said: str
    worth_assumes: tuple[str, ...]
    follow_up_said: str
    learns: Grid | None
    rules: Grid | None
    oral_use: Grid | None
    products: Grid | None
    """Products of the clinic's list that hold a tried strain."""
    products_said: str
    gut_prompts: Grid | None
    pooled: Grid | None
    """What trials say of each arm where the condition has no mechanistic model."""
    pooled_chart: tuple[Chart, ...]
    pooled_scale: str
    """What an SD is, where one is told."""
    pooled_said: tuple[str, ...]
    """One line an arm: the pooled difference with its intervals, and the trials that found none."""
    pooled_beside: tuple[str, ...]
    """Trials that could not be counted, and reviews."""
    patient: Explanation
    """The plan in the patient's words."""
    clinician: Explanation
    """The same in numbers with their sources."""


def plan_words(
    profile: Profile, forecast: Forecast, plan: Plan, shelf: Shelf | None = None, decided: Arm | None = None
) -> PlanWords:
    """All of it, from the plan; adds no judgement of its own. `shelf`: the clinic's oral products."""
    worth, follow = plan.worth_measuring, plan.follow_up
    products, products_said = shelf_grid(plan, profile.patient, shelf)
    trials = None if forecast.mechanistic or plan.stopped else plan
    return _in_true_signs(
        PlanWords(
            arms=arms_grid(plan),
            certainty=_certainty(plan),
            separation=_separation(plan),
            worth=_worth(plan),
            worth_said="" if worth is None else worth.said,
            worth_assumes=() if worth is None else worth.assumptions,
            follow_up_said="" if follow is None else follow.said,
            learns=_learns(plan),
            rules=_rules(plan),
            oral_use=_oral_use(plan),
            products=products,
            products_said=products_said,
            gut_prompts=_gut_prompts(plan),
            pooled=None if trials is None else trials_grid(trials),
            pooled_chart=() if trials is None else trials_chart(trials),
            pooled_scale=SD_HINT if in_sd(plan) else "",
            pooled_said=() if trials is None else trials_said(trials.condition),
            pooled_beside=() if trials is None else trials_beside(trials),
            patient=for_patient(plan, profile, forecast, decided),
            clinician=for_clinician(plan, profile, forecast),
        )
    )


def _in_true_signs(words: PlanWords) -> PlanWords:
    """Every text with true minus and range signs."""

    def signs(value: Any) -> Any:
        match value:
            case str():
                return prose(value)
            case tuple():
                return tuple(signs(item) for item in value)
            case Grid():
                return replace(value, columns=signs(value.columns), rows=signs(value.rows))
        return value

    told: dict[str, Any] = {field.name: signs(getattr(words, field.name)) for field in fields(words)}
    return replace(words, **told)


def arms_grid(plan: Plan) -> Grid | None:
    """The arms as ranked; every cell says when nothing is known."""
    if in_sd(plan):
        return arms_by_trials(plan)
    if plan.arms and all(arm.improvement is None for arm in plan.arms):
        return _arms_in_words(plan)
    rows = [_arm(plan, arm) for arm in sorted(plan.arms, key=lambda arm: (not arm.allowed, arm.rank))]
    columns = (
        "Arm",
        "Fall by week 12",
        "Over standard care",
        "Gut link off",
        "Best",
        "Matters",
        "Cost",
        "Burden",
    )
    title = "The arms, ranked by benefit against burden; median and 80 % interval"
    return Grid(title, columns, tuple(rows), right=(1, 2, 3, 4)) if rows else None


def in_sd(plan: Plan) -> bool:
    """Whether gains are told in standard deviations: pooled from trials, personal to nobody."""
    return any(arm.unit == "SD" and arm.gain_over_standard_care is not None for arm in plan.arms)


def _arm(plan: Plan, arm: ArmSummary) -> tuple[str, ...]:
    name = ARM_LABELS[arm.arm] + (", proposed" if arm.arm == plan.proposed_arm else "")
    if not arm.allowed:
        return (name, "not allowed", DASH, DASH, DASH, DASH, DASH, "; ".join(arm.blocked_because))
    off = arm.gain_gut_link_off
    link = DASH if off is None else f"{number(off.median, 1)} ({number(off.q10, 1)} to {number(off.q90, 1)})"
    return (
        name,
        arm.improvement_in_words,
        arm.gain_in_words,
        link,
        DASH if arm.probability_best is None else chance(arm.probability_best),
        DASH if arm.arm == "standard_care" else arm.importance,
        cost_words(arm.monthly_cost) + (" (above the budget)" if arm.within_budget is False else ""),
        arm.burden,
    )


def _arms_in_words(plan: Plan) -> Grid:
    """The arms where nothing was forecast: what each asks and what trials found."""
    rows = tuple(
        (
            ARM_LABELS[arm.arm] + (", proposed" if arm.arm == plan.proposed_arm else ""),
            arm.burden if arm.allowed else "not allowed: " + "; ".join(arm.blocked_because),
            cost_words(arm.monthly_cost),
            arm.evidence or "no trial found",
        )
        for arm in sorted(plan.arms, key=lambda arm: arm.rank)
    )
    return Grid("The arms; none could be forecast", ("Arm", "Burden", "Cost", "Evidence"), rows)


def cost_words(cost: CostRange | None) -> str:
    """`30 to 60 USD, assumed`; a dash where nobody said."""
    if cost is None:
        return DASH
    known = _known(cost.verification)
    return f"{number(cost.low)} to {number(cost.high)} USD" + (f", {known}" if known else "")


def _certainty(plan: Plan) -> Grid | None:
    allowed = [arm for arm in sorted(plan.arms, key=lambda arm: arm.rank) if arm.allowed]
    rows = tuple(
        (
            ARM_LABELS[arm.arm],
            arm.judgement.certainty,
            "; ".join(arm.judgement.because) or DASH,
            arm.evidence or DASH,
        )
        for arm in allowed
    )
    judges = dict.fromkeys(
        "; ".join(x for x in (arm.judgement.source, _known(arm.judgement.verification)) if x) for arm in allowed
    )
    by = " / ".join(judge for judge in judges if judge)
    title = "How sure the evidence of each arm is" + (f" ({by})" if by else "")
    return Grid(title, ("Arm", "Certainty", "Because", "Trials"), rows) if rows else None


def _separation(plan: Plan) -> tuple[str, ...]:
    if plan.separation is None:
        return ()
    together = ", ".join(ARM_LABELS[arm] for arm in plan.separation.arms)
    return (f"Cannot be separated: {together}.", *plan.separation.because, *plan.separation.would_separate)


def _worth(plan: Plan) -> Grid | None:
    if plan.worth_measuring is None or not plan.worth_measuring.measurements:
        return None
    rows = tuple(
        (m.label, m.worth, chance(m.probability_choice_changes), number(m.expected_gain, 2), cost_words(m.cost),
         m.burden or DASH, m.words)
        for m in plan.worth_measuring.measurements
    )  # fmt: skip
    columns = ("Measurement", "Answer", "Changes the choice", "Expected gain", "Cost", "Burden", "In words")
    return Grid("One more measurement before deciding", columns, rows, right=(2, 3))


def _learns(plan: Plan) -> Grid | None:
    if plan.follow_up is None or not plan.follow_up.learns:
        return None
    rows = tuple((m.label, f"week {m.week}", percent(m.reduction, 1)) for m in plan.follow_up.learns)
    title = f"What later measurements teach about {plan.follow_up.about or 'the difference'}"
    return Grid(title, ("Measurement", "When", "Takes away of the variance"), rows, right=(2,))


def _rules(plan: Plan) -> Grid | None:
    if plan.follow_up is None or not plan.follow_up.rules:
        return None
    rows = tuple(
        (r.when, "any time" if r.week is None else f"week {r.week}", r.do, r.who,
         "; ".join(x for x in (r.source, _known(r.verification)) if x))
        for r in plan.follow_up.rules
    )  # fmt: skip
    return Grid("When to stop, switch or step up", ("When", "From", "Do", "Who", "Source"), rows)


def _oral_use(plan: Plan) -> Grid | None:
    rows = tuple(
        (line.topic + (" (applies now)" if line.applies_now else ""), line.text, line.because,
         "; ".join(x for x in (line.source, _known(line.verification)) if x))
        for line in plan.oral_use
    )  # fmt: skip
    return Grid("Taking an oral strain", ("About", "What", "Because", "Source"), rows) if rows else None


def _gut_prompts(plan: Plan) -> Grid | None:
    rows = tuple(
        (p.sign, p.ask, p.then, "; ".join(x for x in (p.because, p.source, _known(p.verification)) if x))
        for p in plan.gut_prompts
    )
    return (
        Grid("Signs to ask for, no diagnosis", ("Sign", "Ask", "If it is there", "Because"), rows)
        if rows
        else None
    )


def _known(verification: str) -> str:
    return verification_words(verification) if verification else ""
