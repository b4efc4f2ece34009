"""What the topical should do for this patient, how much of it a day, and within which limits."""

from __future__ import annotations

from biflora.knowledge.planning import NeedRule, care_steps, need_rules, plan_limit
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs
from biflora.plan.signals import Signal, read_signals
from biflora.profile.host.surface import topical_amount as topical_amount
from biflora.profile.patient import Patient
from biflora.profile.profile import Profile

USUAL_SITES: dict[Condition, tuple[BodySite, ...]] = {
    Condition.ATOPIC_DERMATITIS: (BodySite.FLEXURES,),
    Condition.ACNE: (BodySite.FACE,),
    Condition.ROSACEA: (BodySite.FACE,),
    Condition.PSORIASIS: (BodySite.ARMS, BodySite.LEGS),
    Condition.SEBORRHOEIC_DERMATITIS: (BodySite.SCALP,),
    Condition.SCALP_HAIR: (BodySite.SCALP,),
    Condition.DRY_SENSITIVE_SKIN: (BodySite.ARMS, BodySite.LEGS),
}
DAYS_A_MONTH = 28


def wanted_effects(profile: Profile) -> tuple[Need, ...]:
    """One Need per effect, the strongest first: of the rules that hold, the most confident one speaks."""
    signals = read_signals(profile)
    best: dict[str, tuple[NeedRule, Signal]] = {}
    for rule in need_rules().values():
        signal = signals[rule.signal]
        if profile.patient.condition not in rule.conditions or not _holds(rule, signal):
            continue
        held = best.get(rule.effect)
        if held is None or (rule.confidence, rule.weight) > (held[0].confidence, held[0].weight):
            best[rule.effect] = (rule, signal)
    found = [_need(rule, signal) for rule, signal in best.values()]
    return tuple(sorted(found, key=lambda need: -need.weight))


def make_needs(profile: Profile) -> Needs:
    """The whole order to the formula room, as values."""
    patient = profile.patient
    grams = grams_per_day(patient)
    monthly = patient.preferences.max_monthly_cost_usd
    return Needs(
        condition=patient.condition,
        needs=wanted_effects(profile),
        age_years=patient.age_years,
        sites=tuple(dict.fromkeys(site.site for site in patient.sites)) or USUAL_SITES[patient.condition],
        grams_per_day=grams,
        allergies=patient.allergies,
        avoid_ingredients=patient.preferences.avoid_ingredients,
        vehicles=patient.preferences.vehicles,
        pregnancy=patient.pregnancy,
        immune_status=patient.immune_status,
        skin_integrity=patient.skin_integrity,
        prescription_actives_ok=not care_gives(patient.condition, Effect.ANTI_INFLAMMATORY),
        max_cost_usd_per_100g=None if monthly is None else round(100 * monthly / (grams * DAYS_A_MONTH), 2),
    )


def care_gives(condition: Condition, effect: Effect) -> bool:
    """Whether standard care already gives the effect with a prescription active.

    The jar then holds none: it is used every day for weeks, and a second steroid or calcineurin inhibitor in it
    would double a drug that belongs to flares. The prescriber can still ask for one.
    """
    return any(condition in step.conditions and effect in step.gives_effects for step in care_steps().values())


def grams_per_day(patient: Patient) -> float:
    """Grams of topical a day: area in finger-tip units, scaled to the child's body surface.

    10 % of an adult's surface = 5 units = 2.5 g, twice a day 5 g.
    """
    area = sum(site.area_percent_bsa for site in patient.sites) or plan_limit("area_when_unknown").value
    grams = topical_amount(
        min(area, 100.0), patient.age_years, weight_kg=patient.weight_kg, height_cm=patient.height_cm
    ).grams
    daily = grams * plan_limit("applications_per_day").value
    low, high = plan_limit("smallest_grams_per_day").value, plan_limit("largest_grams_per_day").value
    return round(min(max(daily, low), high), 2)


def _holds(rule: NeedRule, signal: Signal) -> bool:
    if signal.upper is not None:
        return _holds_below(rule, signal.upper)
    if signal.value is None:
        return rule.when_unknown == "yes"
    if rule.when_unknown == "yes":
        return False
    above = rule.at_least is None or signal.value >= rule.at_least
    return above and (rule.below is None or signal.value < rule.below)


def _holds_below(rule: NeedRule, upper: float) -> bool:
    """For a signal that lies anywhere from 0 to `upper`: only a range that holds all of it is sure.

    Where the assay's limit lies above every threshold nothing is known, and the rule for the unknown speaks
    (it is the least confident and gives way to any other that holds).
    """
    if rule.when_unknown == "yes":
        return True
    return not rule.at_least and (rule.below is None or upper <= rule.below)


class _Below(float):
    """A limit that writes itself as `less than` it."""

    def __format__(self, form: str) -> str:
        return f"less than {float(self):{form}}" if self > 0.0 else "nothing that was seen"


def _need(rule: NeedRule, signal: Signal) -> Need:
    seen = signal.value if signal.upper is None else _Below(signal.upper)
    told = seen is not None and rule.when_unknown == "no"
    because = rule.because.format(value=seen) if told else rule.because
    if signal.upper is not None and rule.when_unknown == "yes":
        because += f" (below detection, but the assay's limit of {signal.upper:.1%} lies too high to say more)"
    confidence = rule.confidence
    if signal.warned and told:
        confidence *= plan_limit("warned_confidence").value
        because += "; the sample carries a quality warning"
    return Need(
        effect=Effect(rule.effect), weight=rule.weight, confidence=round(confidence, 3), because=because + ".",
        source=f"{rule.source} ({rule.verification})",
    )  # fmt: skip
