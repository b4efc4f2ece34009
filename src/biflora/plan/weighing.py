"""What stands beside an arm's gain: whether it matters, its cost, how sure the evidence is, what separates it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from biflora.knowledge.deciding import arm_certainty, arm_costs
from biflora.knowledge.planning import plan_limit
from biflora.knowledge.trials import arm_evidence
from biflora.plan.considered import CostRange, Importance, Judgement, Separation, WorthMeasuring
from biflora.plan.signals import main_score
from biflora.profile.patient import Condition
from biflora.profile.profile import Profile, Score
from biflora.twin.forecast import ARM_LABELS, Arm, Forecast
from biflora.values import Band, SourcedNumber

GUT_ARMS: tuple[Arm, ...] = ("oral", "combination")


def important_difference(profile: Profile, forecast: Forecast, observable: str | None) -> SourcedNumber | None:
    """The smallest difference that patients notice, in the units of the severity that is forecast."""
    found = next((o for o in forecast.observables if o.key == observable), None)
    if found is not None:
        return found.smallest_important_difference
    return None if observable is None else _of_score(profile.score(observable))


def difference_to_watch(profile: Profile, smallest: SourcedNumber | None) -> SourcedNumber | None:
    """The smallest important difference that visits are judged by: the forecast's, else the main score's."""
    return smallest if smallest is not None else _of_score(main_score(profile))


def _of_score(score: Score | None) -> SourcedNumber | None:
    if score is None or score.smallest_important_difference is None:
        return None
    return SourcedNumber(
        value=score.smallest_important_difference, unit=score.unit, source=score.source,
        verification=score.verification,
    )  # fmt: skip


def importance(gain: Band | None, smallest: SourcedNumber | None) -> Importance:
    """Whether the 80 % interval of the gain lies above, across or below the smallest important difference."""
    if gain is None or smallest is None:
        return "not known"
    if gain.q10 >= smallest.value:
        return "important"
    return "not important" if gain.q90 < smallest.value else "possibly important"


def cost_of(arm: Arm) -> CostRange:
    row = arm_costs()[arm]
    return CostRange(
        low=row.usd_low, high=row.usd_high, text=row.text, source=row.source, verification=row.verification
    )


def within_budget(profile: Profile, cost: CostRange) -> bool | None:
    budget = profile.patient.preferences.max_monthly_cost_usd
    return None if budget is None else cost.low <= budget


def judgement(condition: Condition, arm: Arm, gain: Band | None, gain_link_off: Band | None) -> Judgement:
    """How sure the evidence is, and what of this patient's forecast takes from it."""
    tried = any((row.condition, row.arm) == (condition, arm) for row in arm_evidence().values())
    row = arm_certainty(condition, arm)
    if not tried and arm != "standard_care":
        return Judgement(certainty="no trial found", because=("no trial of this arm was found in this condition",))
    if row is None:
        return Judgement(certainty="not judged", because=("nobody judged the trials of this arm yet",))
    reasons = list(row.reasons)
    if gain is not None and gain.q10 <= 0.0 <= gain.q90:
        reasons.append("for this patient the 80 % interval of the gain holds zero")
    if arm in GUT_ARMS and gain is not None and gain_link_off is not None and gain.median != gain_link_off.median:
        reasons.append(
            f"the gain leans on the gut link: median {_told(gain.median)} with it, "
            f"{_told(gain_link_off.median)} without"
        )
    return Judgement(
        certainty=row.certainty, because=tuple(reasons), source=row.source, verification=row.verification
    )


def separation(
    best: Arm | None, together: Sequence[Arm], *, better_by: Mapping[Arm, Band | None],
    extra_burden: Mapping[Arm, float], chance_of_best: float | None, unit: str, worth: WorthMeasuring | None,
    proposed: Arm | None,
) -> Separation | None:  # fmt: skip
    """Why the arms in `together` cannot be told from `best`; `better_by`: how much the best gains over each."""
    if best is None or not together:
        return None
    because = []
    for arm in together:
        band, name = better_by.get(arm), f"{ARM_LABELS[best]} against {ARM_LABELS[arm].lower()}"
        if band is None:
            because.append(f"{name}: their difference was not forecast.")
            continue
        said = f"{_told(band.median)} {unit}, 80 % interval {_told(band.q10)} to {_told(band.q90)}"
        if band.q10 <= 0.0:
            because.append(f"{name}: {said}, which holds zero.")
        elif band.q10 <= extra_burden[arm]:
            because.append(
                f"{name}: {said}; its lower end lies below the extra burden of {extra_burden[arm]:.1f}."
            )
        else:
            limit = plan_limit("probability_best").value
            because.append(f"{name}: {said}; yet it is best in {chance_of_best or 0.0:.0%}, below {limit:.0%}.")
    return Separation(
        arms=(best, *together), because=tuple(because), would_separate=_would_separate(best, worth, proposed)
    )


def _told(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}"  # no "-0.0"


def _would_separate(best: Arm, worth: WorthMeasuring | None, proposed: Arm | None) -> tuple[str, ...]:
    found = []
    if worth is not None:
        first = [m.label for m in worth.measurements if m.worth != "would not change the choice"][:2]
        found.append(
            f"Measuring first: {', '.join(first)}."
            if first
            else "No measurement today would: the doubt is in what the arms do, not in what this patient has."
        )
    if proposed is not None and proposed != best:
        found.append(
            f"Time: start with {ARM_LABELS[proposed].lower()}, score at weeks 4 and 8 and forecast again."
        )
    else:
        found.append("Time: score at weeks 4 and 8 and forecast again with what was seen.")
    found.append("Trials that compare these arms with each other in patients like this one.")
    return tuple(found)
