"""From a formula to a draft: quantity, directions, route, and all that must be answered before signing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from biflora.errors import ClinicianMust, NotAllowed
from biflora.formula.check import check_formula
from biflora.formula.formula import Formula
from biflora.knowledge.dispensing import PrescriptionQuestion, dispensing_setting, prescription_questions
from biflora.knowledge.pharmacy import Ingredient, ingredients, vehicles
from biflora.knowledge.rows import release
from biflora.plan.plan import BodySite, Needs
from biflora.prescription.interactions import find_interactions
from biflora.prescription.prescription import Amount, Draft, Route
from biflora.prescription.quantity import amount_for, container_for
from biflora.values import Finding, Level, Who

LIVE = "probiotic_live"
COSMETIC_ROUTES = ("COSM", "EXC")
LEVELS: dict[str, Level] = {"block": "stop", "warn": "warn", "note": "note"}
STOP = "Stop and call the clinic if it burns for long, blisters, or the skin gets worse."
TIMES = {1: "once a day", 2: "twice a day, morning and evening", 3: "three times a day"}


def prescribe(
    formula: Formula,
    *,
    patient_id: str,
    patient_name: str,
    patient_state: str,
    sites: Sequence[tuple[BodySite, float]],
    age_years: float,
    weight_kg: float | None = None,
    height_cm: float | None = None,
    written_on: date,
    applications_per_day: int = 2,
    days: int = 28,
    repeats: int = 2,
    needs: Needs | None = None,
    current_treatments: Sequence[str] = (),
    synthetic: bool = False,
) -> Draft:
    """Draft a prescription for `formula`; `sites` are body sites with their percent of the body surface.

    The checker looks at the formula again, whoever wrote it. Raises NotAllowed for live microbes without a
    research authorisation, ClinicianMust for a formula that the checker stops, a missing or impossible area or a
    number of applications that cannot be.
    """
    authorised = needs is not None and needs.research_authorisation is not None
    route = route_of(formula, authorised=authorised)
    checked = tuple(dict.fromkeys((*formula.findings, *check_formula(formula, needs))))
    stops = sorted({f"{f.rule} ({f.subject})" for f in checked if f.level == "stop"})
    if stops:
        raise ClinicianMust(f"This formula breaks rules: {', '.join(stops)}; mend it before prescribing.")
    if not 1 <= applications_per_day <= 6 or not 1 <= days <= 365:
        raise ClinicianMust("Enter 1 to 6 applications a day for 1 to 365 days.")
    vehicle = vehicles()[formula.vehicle]
    amount = amount_for(
        sites,
        age_years=age_years,
        applications_per_day=applications_per_day,
        days=days,
        weight_kg=weight_kg,
        height_cm=height_cm,
    )
    container, count = container_for(amount.grams_total, vehicle.dosage_form)
    asked = {(f.rule, name) for f in checked for name in f.subject.split(", ")}
    found = (*checked, *questions(formula, asked), *find_interactions(formula, current_treatments))
    return Draft.make(
        "rx",
        release=release(),
        parents=(formula.id,) if formula.id else (),
        patient_id=patient_id,
        patient_name=patient_name,
        patient_state=patient_state,
        # how long the computer took is no part of what is prescribed, and would change the id
        formula=formula.model_copy(update={"solve_seconds": None}),
        sites=tuple(site for site, _ in sites),
        amount=amount,
        quantity_g=container.grams * count,
        container=container.label if count == 1 else f"{count} x {container.label}",
        directions=directions(amount, tuple(site for site, _ in sites), rinse_off=formula.rinse_off),
        repeats=repeats,
        written_on=written_on,
        expires_on=written_on + timedelta(days=int(dispensing_setting("expiry_days").value)),
        route=route,
        findings=tuple(dict.fromkeys(found)),
        synthetic=synthetic,
    )


def route_of(formula: Formula, *, authorised: bool) -> Route:
    """The regulatory way of this formula. Raises NotAllowed for live microbes without an authorisation."""
    rows = _rows(formula)
    live = [row.name for row in rows if row.klass == LIVE]
    if live and not authorised:
        question = prescription_questions()["live_disease_claim"]
        raise NotAllowed(f"{', '.join(live)}: {question.message} ({question.source})")
    if live:
        return "research"
    if all(row.us_route.startswith(COSMETIC_ROUTES) for row in rows):
        return "cosmetic"
    return "503A"


def questions(formula: Formula, asked: Collection[tuple[str, str]] = ()) -> tuple[Finding, ...]:
    """What the prescriber answers before signing, one finding per question with the ingredients that raise it.

    `asked` holds rule and subject of what the checker has asked already.
    """
    found = []
    for question in prescription_questions().values():
        causes = [
            row.name
            for row in _rows(formula)
            if _raises(question, row) and (question.checked_as, row.name) not in asked
        ]
        if causes:
            level = LEVELS[question.severity]
            found.append(
                Finding(
                    level=level, rule=question.key, subject=", ".join(causes), message=question.message,
                    who=Who.PRESCRIBER if level == "warn" else Who.LAW, source=question.source,
                    verification=question.verification,
                )
            )  # fmt: skip
    return tuple(found)


def directions(amount: Amount, sites: Sequence[BodySite], *, rinse_off: bool) -> str:
    """The label's directions, in words that a patient follows."""
    where = _listed([site.value for site in sites])
    times = TIMES.get(amount.applications_per_day, f"{amount.applications_per_day} times a day")
    units = amount.finger_tip_units_per_application
    tips = f"{units:g} finger-tip unit{'' if units == 1 else 's'} ({amount.grams_per_application:g} g)"
    if rinse_off:
        return (
            f"Massage {tips} into the {where} {times}, leave for 5 minutes, rinse. For {amount.days} days. {STOP}"
        )
    return (
        f"Apply {tips} in all to the {where} {times} for {amount.days} days. Thin layer; wash hands after. {STOP}"
    )


def _raises(question: PrescriptionQuestion, row: Ingredient) -> bool:
    return (
        (question.hazardous and row.hazardous)
        or (bool(question.routes) and row.us_route.startswith(question.routes))
        or row.klass in question.klasses
    )


def _rows(formula: Formula) -> list[Ingredient]:
    known = ingredients()
    strange = [line.ingredient for line in formula.lines if line.ingredient not in known]
    if strange:
        raise ClinicianMust(
            f"Not an ingredient of this knowledge release: {', '.join(strange)}; mend the formula."
        )
    return [known[line.ingredient] for line in formula.lines if line.ppm > 0]


def _listed(words: list[str]) -> str:
    words = [word.replace("_", " ") for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
