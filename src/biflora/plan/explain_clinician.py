"""The plan for the clinician: numbers with 80 % intervals, sources, and what would change the decision."""

from __future__ import annotations

from biflora.plan.explain import Paragraph
from biflora.plan.plan import ArmSummary, Plan
from biflora.plan.strains import strain_to_discuss
from biflora.plan.trials_told import trials_said
from biflora.plan.verdict import interval
from biflora.profile.profile import Profile
from biflora.twin.forecast import ARM_LABELS, Forecast


def paragraphs(plan: Plan, profile: Profile, forecast: Forecast) -> tuple[Paragraph, ...]:
    """All paragraphs in the order of reading."""
    return (
        Paragraph(heading="Proposal", sentences=(plan.verdict,)),
        Paragraph(heading="Red flags to answer", sentences=_flags(plan)),
        Paragraph(heading="Arms: benefit, burden, cost, certainty", sentences=_arms(plan)),
        Paragraph(
            heading="What trials found in others",
            sentences=() if forecast.mechanistic or plan.stopped else trials_said(plan.condition),
        ),
        Paragraph(heading="Why they can or cannot be separated", sentences=_separation(plan)),
        Paragraph(heading="Measure first?", sentences=_measuring(plan)),
        Paragraph(heading="What is known", sentences=_known(profile, forecast)),
        Paragraph(heading="What is not known", sentences=plan.not_known),
        Paragraph(heading="Topical: what it is wanted for", sentences=_needs(plan)),
        Paragraph(heading="Oral side", sentences=_oral(plan)),
        Paragraph(heading="Gut signs to ask for (no diagnosis)", sentences=_gut(plan)),
        Paragraph(heading="Follow-up, stopping and switching", sentences=_follow_up(plan)),
        Paragraph(heading="What this rests on", sentences=_rests_on(plan, forecast)),
    )


def _sourced(source: str, verification: str) -> str:
    return f" [{source}, {verification}]" if source else ""


def _flags(plan: Plan) -> tuple[str, ...]:
    return tuple(
        f"{flag.level.capitalize()}: {flag.message} {flag.action}{_sourced(flag.source, flag.verification)}"
        for flag in plan.red_flags
    )


def _arms(plan: Plan) -> tuple[str, ...]:
    """Each arm, and once who judged the certainty."""
    judges = dict.fromkeys(_sourced(arm.judgement.source, arm.judgement.verification).strip() for arm in plan.arms)
    return (*map(_arm, plan.arms), *(f"Certainty judged by {judge}." for judge in judges if judge))


def _arm(arm: ArmSummary) -> str:
    decimals = 2 if arm.unit == "SD" else 1
    parts = [] if arm.allowed else [f"closed ({' '.join(arm.blocked_because)})"]
    if arm.improvement is not None:
        parts.append(f"{arm.instrument} falls by {interval(arm.improvement, decimals)} {arm.unit}")
    if arm.gain_over_standard_care is not None and arm.arm != "standard_care":
        against = "better than its comparator in trials" if arm.unit == "SD" else "over standard care"
        parts.append(f"{against} {interval(arm.gain_over_standard_care, decimals)} {arm.unit}")
    if arm.smallest_important_difference is not None and arm.arm != "standard_care":
        smallest = arm.smallest_important_difference
        chance = arm.probability_important_gain
        parts.append(
            f"{arm.importance} against the smallest important difference of {smallest.value:g}"
            + ("" if chance is None else f" (probability {chance:.0%})")
            + _sourced(smallest.source, smallest.verification)
        )
    if arm.probability_best is not None:
        parts.append(f"best in {arm.probability_best:.0%}")
    # without a forecast the points stand beside nothing that they could be weighed against
    weighed = "" if arm.net_benefit is None else f" {arm.burden_points:g} points"
    parts.append(f"burden{weighed}: {arm.burden}")
    if arm.monthly_cost is not None:
        beyond = "; above the patient's budget" if arm.within_budget is False else ""
        parts.append(f"{arm.monthly_cost.low:g} to {arm.monthly_cost.high:g} USD a month (assumed){beyond}")
    judged = arm.judgement
    parts.append(f"certainty of the evidence {judged.certainty}: {', '.join(judged.because)}")
    return f"{ARM_LABELS[arm.arm]}: {'; '.join(parts)}."


def _separation(plan: Plan) -> tuple[str, ...]:
    if plan.separation is None:
        return ("The leading arm can be told from the others that are open.",) if plan.separable else ()
    names = ", ".join(ARM_LABELS[arm].lower() for arm in plan.separation.arms)
    return (
        f"Cannot be separated: {names}.",
        *plan.separation.because,
        *(f"What would separate them. {text}" for text in plan.separation.would_separate),
    )


def _measuring(plan: Plan) -> tuple[str, ...]:
    worth = plan.worth_measuring
    if worth is None:
        return ()
    return (worth.said, *(m.words for m in worth.measurements), *worth.assumptions)


def _known(profile: Profile, forecast: Forecast) -> tuple[str, ...]:
    scores = tuple(
        f"{s.label} {s.value:g} of {s.maximum:g}{f' ({s.band})' if s.band else ''}{', estimated' * s.estimated}."
        for s in profile.scores
    )
    informed = (f"The forecast used: {', '.join(forecast.informed_by)}.",) if forecast.informed_by else ()
    return (*scores, *informed)


def _needs(plan: Plan) -> tuple[str, ...]:
    if plan.needs is None:
        return ()
    return tuple(
        f"{need.effect.value.replace('_', ' ').capitalize()}: weight {need.weight:g}, "
        f"confidence {need.confidence:g}. {need.because} [{need.source}]"
        for need in plan.needs.needs
    )


def _oral(plan: Plan) -> tuple[str, ...]:
    chosen = strain_to_discuss(plan.strains)
    found = []
    if chosen is not None:
        found.append(
            f"To discuss: {chosen.strain_id} ({chosen.species}), {chosen.cfu_per_day} CFU a day, "
            f"{chosen.weeks} weeks; {chosen.trial}, n = {chosen.n}: "
            f"{chosen.effect}{_sourced(chosen.source, chosen.verification)}."
        )
        if chosen.effect_value is not None:
            limits = (
                "no interval given"
                if chosen.effect_low is None or chosen.effect_high is None
                else f"95 % interval {chosen.effect_low:g} to {chosen.effect_high:g}"
            )
            found.append(
                f"As a number: {chosen.effect_value:g} {chosen.effect_unit}, {limits}; {chosen.effect_meaning} "
                f"[{chosen.effect_verification}]."
            )
    failed = [s for s in plan.strains if s.sign in ("null", "negative")]
    if failed:
        found.append(f"Found no difference: {'; '.join(f'{s.strain_id}, {s.trial} (n = {s.n})' for s in failed)}.")
    found.extend(
        f"{line.topic.capitalize()}{' (now)' if line.applies_now else ''}: {line.text} {line.because}"
        f"{_sourced(line.source, line.verification)}"
        for line in plan.oral_use
    )
    return tuple(found)


def _gut(plan: Plan) -> tuple[str, ...]:
    return tuple(
        f"{p.sign}. Ask: {p.ask}. {p.then} {p.because}{_sourced(p.source, p.verification)}"
        for p in plan.gut_prompts
    )


def _follow_up(plan: Plan) -> tuple[str, ...]:
    if plan.follow_up is None:
        return ()
    learns = "; ".join(f"{row.label} at week {row.week} {row.reduction:.0%}" for row in plan.follow_up.learns)
    ranked = (f"Variance taken of {plan.follow_up.about}: {learns}.",) if learns else ()
    return (
        plan.follow_up.said,
        *ranked,
        *(
            f"{rule.kind.capitalize()}. {rule.when}: {rule.do} ({rule.who})"
            f"{_sourced(rule.source, rule.verification)}"
            for rule in plan.follow_up.rules
        ),
    )


def _rests_on(plan: Plan, forecast: Forecast) -> tuple[str, ...]:
    if not forecast.mechanistic:
        return (f"Evidence tables only; knowledge {plan.knowledge_release}.",)
    said = (
        f"{forecast.bank_size} virtual patients, worth {forecast.effective_sample_size:g} like this one; "
        f"population {forecast.population}, seed {forecast.seed}, knowledge {plan.knowledge_release}.",
    )
    return (*said, *(f"{a.what} ({a.status})" for a in forecast.assumptions))
