"""The person: allergies with cross-reactors, pregnancy, age, irritancy, comedones, Malassezia, wishes."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import Jar, finding
from biflora.knowledge.lookup import banned_by
from biflora.knowledge.pharmacy import allergens, site_limits
from biflora.plan.plan import Condition, Needs
from biflora.values import Finding, Who

EXPECTING = ("pregnant", "trying", "breastfeeding")


def check_person(jar: Jar) -> Iterator[Finding]:
    needs = jar.needs
    if needs is None:
        yield finding(
            "note",
            "person_not_checked",
            "patient",
            "Without the patient's needs the rules on allergy, age, site, pregnancy and skin were not checked.",
            Who.PRESCRIBER,
        )
        return
    yield from _allergies(jar, needs)
    yield from _pregnancy(jar, needs)
    yield from _age(jar, needs)
    yield from _skin(jar, needs)
    yield from _wishes(jar, needs)


def _allergies(jar: Jar, needs: Needs) -> Iterator[Finding]:
    banned = banned_by(needs.allergies)
    for portion in jar.portions:
        if portion.row.key in banned:
            groups = [allergens()[group] for group in portion.row.allergen_groups]
            yield finding(
                "stop",
                "allergy",
                portion.name,
                f"{portion.name} {banned[portion.row.key]}: leave it out.",
                Who.PRESCRIBER,
                groups[0] if groups else portion.row,
            )


def _pregnancy(jar: Jar, needs: Needs) -> Iterator[Finding]:
    for portion in jar.portions:
        class_ = portion.row.pregnancy
        if class_ == "ok" or needs.pregnancy == "no":
            continue
        forbidden = class_ in ("avoid", "contraindicated")
        if needs.pregnancy in EXPECTING:
            yield finding(
                "stop" if forbidden else "warn",
                "pregnancy",
                portion.name,
                f"{portion.name} is {_class_words(class_)} in pregnancy, while trying and while breastfeeding.",
                Who.EVIDENCE if forbidden else Who.PRESCRIBER,
                portion.row,
            )
        elif forbidden:
            yield finding(
                "stop" if class_ == "contraindicated" else "warn",
                "pregnancy",
                portion.name,
                f"{portion.name} is {_class_words(class_)} in pregnancy, and pregnancy is unknown: ask.",
                Who.PRESCRIBER,
                portion.row,
            )


def _class_words(pregnancy: str) -> str:
    return {"caution": "to be used with caution", "avoid": "to be avoided"}.get(pregnancy, "contraindicated")


def _age(jar: Jar, needs: Needs) -> Iterator[Finding]:
    for portion in jar.portions:
        if needs.age_years < portion.row.min_age_years:
            yield finding(
                "stop",
                "age",
                portion.name,
                f"{portion.name} is not used under {portion.row.min_age_years:g} years (age limit assumed).",
                Who.EVIDENCE,
                (portion.row.source, "assumed"),
            )


def _skin(jar: Jar, needs: Needs) -> Iterator[Finding]:
    vehicle, sites = jar.vehicle, {site.value for site in needs.sites}
    wrong = sorted(sites - set(vehicle.sites)) if vehicle.sites else []
    if wrong:
        yield finding(
            "warn",
            "vehicle_site",
            vehicle.label,
            f"{vehicle.label} does not suit {', '.join(wrong)}.",
            Who.PRESCRIBER,
            vehicle,
        )
    if vehicle.conditions and needs.condition.value not in vehicle.conditions:
        yield finding(
            "note",
            "vehicle_condition",
            vehicle.label,
            f"{vehicle.label} is not usual in this condition.",
            Who.PRESCRIBER,
            vehicle,
        )
    if jar.leave_on:
        yield from _irritancy(jar, sites)
    for portion in jar.portions:
        if needs.condition is Condition.ACNE and portion.row.comedogenic:
            yield finding(
                "warn",
                "comedogenic",
                portion.name,
                f"{portion.name} can cause comedones.",
                Who.PRESCRIBER,
                portion.row,
            )
        if needs.condition is Condition.SEBORRHOEIC_DERMATITIS and portion.row.feeds_malassezia:
            yield finding(
                "warn",
                "feeds_malassezia",
                portion.name,
                f"{portion.name} feeds Malassezia in vitro (assumed by its fatty acids).",
                Who.PRESCRIBER,
                (portion.row.source, "assumed"),
            )


def _irritancy(jar: Jar, sites: set[str]) -> Iterator[Finding]:
    stinging = [p for p in jar.portions if p.row.irritancy > 0]
    points = sum(p.row.irritancy for p in stinging)
    for site in site_limits().values():
        if site.site in sites and points > site.max_irritancy:
            names = ", ".join(f"{p.name} {p.row.irritancy}" for p in stinging)
            yield finding(
                "stop",
                "irritancy",
                ", ".join(p.name for p in stinging),
                f"Irritancy adds up to {points} points ({names}); {site.site} tolerates {site.max_irritancy}.",
                Who.PRESCRIBER,
                site,
            )


def _wishes(jar: Jar, needs: Needs) -> Iterator[Finding]:
    unwanted = banned_by(needs.avoid_ingredients)
    for portion in jar.portions:
        if portion.row.key in unwanted:
            yield finding(
                "warn",
                "wish",
                portion.name,
                f"{portion.name} is something the patient does not want: ask her.",
                Who.PATIENT,
            )
    if needs.vehicles and jar.vehicle.key not in needs.vehicles:
        yield finding(
            "warn",
            "vehicle_wish",
            jar.vehicle.label,
            f"{jar.vehicle.label} is not among the wanted vehicles.",
            Who.PATIENT,
        )
    for key in needs.must_include:
        if jar.percent_of(key) <= 0:
            yield finding(
                "warn", "must_include", key, f"'{key}' was to be included and is not there.", Who.PRESCRIBER
            )
