"""The person: allergies with cross-reactors, pregnancy, age, what the skin tolerates, wishes."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import GRAIN, Jar, Portion, finding
from biflora.knowledge.lookup import banned_by
from biflora.knowledge.pharmacy import SiteLimit, allergens, site_limits
from biflora.plan.plan import Condition, Needs
from biflora.values import Finding, Level

EXPECTING = ("pregnant", "trying", "breastfeeding")
FORBIDDEN = ("avoid", "contraindicated")


def check_person(jar: Jar) -> Iterator[Finding]:
    needs = jar.needs
    if needs is None:
        words = "Without the patient's needs the rules on allergy, age, site, pregnancy and skin were not checked."
        yield finding("note", "person_not_checked", "patient", words)
        yield from _allergens_held(jar)
        return
    yield from _allergies(jar, needs)
    yield from _pregnancy(jar, needs)
    for portion in jar.portions:
        if needs.age_years < portion.row.min_age_years:
            words = f"{portion.name} is not used under {portion.row.min_age_years:g} years (age limit assumed)."
            yield finding("stop", "age", portion.name, words, source=(portion.row.source, "assumed"))
    yield from _vehicle(jar, needs)
    if jar.leave_on:
        for site in site_limits().values():
            if site.site in jar.sites:
                yield from _budgets(jar, site)
    yield from _condition(jar, needs)
    yield from _wishes(jar, needs)


def _allergens_held(jar: Jar) -> Iterator[Finding]:
    """For the label: which contact-allergen groups stand in the jar, and by which ingredients."""
    held: dict[str, list[str]] = {}
    for portion in jar.portions:
        for group in portion.row.allergen_groups:
            held.setdefault(group, []).append(portion.name)
    if held:
        groups = "; ".join(f"{allergens()[key].label} ({', '.join(names)})" for key, names in held.items())
        words = f"Contact-allergen groups in the jar: {groups}."
        subject = ", ".join(dict.fromkeys(name for names in held.values() for name in names))
        yield finding("note", "allergens_held", subject, words)


def _allergies(jar: Jar, needs: Needs) -> Iterator[Finding]:
    banned = banned_by(needs.allergies)
    for portion in jar.portions:
        if portion.row.key in banned:
            groups = [allergens()[group] for group in portion.row.allergen_groups]
            words = f"{portion.name} {banned[portion.row.key]}: leave it out."
            yield finding("stop", "allergy", portion.name, words, source=groups[0] if groups else portion.row)


def _pregnancy(jar: Jar, needs: Needs) -> Iterator[Finding]:
    for portion in jar.portions:
        name, row, class_ = portion.name, portion.row, portion.row.pregnancy
        if class_ == "ok" or needs.pregnancy == "no":
            continue
        said = f"{name} is {_class_words(class_)} in pregnancy"
        if needs.pregnancy in EXPECTING:
            words = f"{said}, while trying and while breastfeeding."
            yield finding("stop" if class_ in FORBIDDEN else "warn", "pregnancy", name, words, source=row)
        elif class_ in FORBIDDEN:
            words = f"{said}, and pregnancy is unknown: ask."
            level: Level = "stop" if class_ == "contraindicated" else "warn"
            yield finding(level, "pregnancy_unknown", name, words, source=row)


def _class_words(pregnancy: str) -> str:
    return {"caution": "to be used with caution", "avoid": "to be avoided"}.get(pregnancy, "contraindicated")


def _vehicle(jar: Jar, needs: Needs) -> Iterator[Finding]:
    vehicle = jar.vehicle
    wrong = sorted(jar.sites - set(vehicle.sites)) if vehicle.sites else []
    if wrong:
        words = f"{vehicle.label} does not suit {', '.join(wrong)}."
        yield finding("warn", "vehicle_site", vehicle.label, words, source=vehicle)
    if vehicle.conditions and needs.condition.value not in vehicle.conditions:
        words = f"{vehicle.label} is not usual in this condition."
        yield finding("note", "vehicle_condition", vehicle.label, words, source=vehicle)


def _budgets(jar: Jar, site: SiteLimit) -> Iterator[Finding]:
    """What stays on this skin: points of irritancy, and ingredients that can sensitise."""
    stinging = [p for p in jar.portions if p.irritancy > 0]
    points = sum(p.irritancy for p in stinging)
    if points > site.max_irritancy:
        listed = ", ".join(f"{p.name} {p.irritancy}" for p in stinging)
        words = f"Irritancy adds up to {points} points ({listed}); {site.site} tolerates {site.max_irritancy}."
        yield finding("stop", "irritancy", _names(stinging), words, source=site)
    sensitising = [p for p in jar.portions if p.row.allergen_groups]
    if len(sensitising) > site.max_sensitisers:
        words = (
            f"{len(sensitising)} ingredients of contact-allergen groups ({_names(sensitising)}); "
            f"{site.site} is to get at most {site.max_sensitisers}."
        )
        yield finding("stop", "sensitisers", _names(sensitising), words, source=site)


def _names(portions: list[Portion]) -> str:
    return ", ".join(p.name for p in portions)


def _condition(jar: Jar, needs: Needs) -> Iterator[Finding]:
    for portion in jar.portions:
        name, row = portion.name, portion.row
        if needs.condition is Condition.ACNE and row.comedogenic:
            yield finding("warn", "comedogenic", name, f"{name} can cause comedones.", source=row)
        if needs.condition is Condition.SEBORRHOEIC_DERMATITIS and row.feeds_malassezia:
            words = f"{name} feeds Malassezia in vitro (assumed by its fatty acids)."
            yield finding("warn", "feeds_malassezia", name, words, source=(row.source, "assumed"))


def _wishes(jar: Jar, needs: Needs) -> Iterator[Finding]:
    unwanted = banned_by(needs.avoid_ingredients)
    for portion in jar.portions:
        if portion.row.key in unwanted:
            words = f"{portion.name} is something the patient does not want: ask her."
            yield finding("warn", "wish", portion.name, words)
    if needs.vehicles and jar.vehicle.key not in needs.vehicles:
        words = f"{jar.vehicle.label} is not among the wanted vehicles."
        yield finding("warn", "vehicle_wish", jar.vehicle.label, words)
    for key in needs.must_include:
        if jar.percent_of(key) <= 0:
            words = f"'{key}' was to be included and is not there."
            yield finding("warn", "must_include", key, words)
    for key, ordered in needs.exact_percent.items():
        percent = jar.percent_of(key)
        if abs(percent - ordered) > GRAIN:
            name = next((p.name for p in jar.portions if p.row.key == key), key)
            words = f"{name} was ordered at {ordered:g} %; the formula holds {percent:g} %."
            yield finding("stop", "ordered_strength", name, words)
