"""The independent checker: plain arithmetic over a finished formula; it shares no code with the optimiser."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.check_amounts import check_amounts, check_strength_limits
from biflora.formula.check_clashes import check_clashes
from biflora.formula.check_law import check_law
from biflora.formula.check_live import check_live
from biflora.formula.check_person import check_person
from biflora.formula.check_precedent import check_precedent
from biflora.formula.check_preservation import check_preservation
from biflora.formula.check_vehicle import check_vehicle
from biflora.formula.formula import MILLION, Formula
from biflora.formula.jar import Jar, finding, portions_of
from biflora.knowledge.pharmacy import ingredients, vehicles
from biflora.plan.plan import Needs
from biflora.values import Finding, Who

ORDER = {"stop": 0, "warn": 1, "note": 2}


def check_formula(formula: Formula, needs: Needs | None = None) -> tuple[Finding, ...]:
    """All that speaks against a formula, gravest first; without needs the rules about the patient are not checked.

    Raises ClinicianMust when an allergy in the needs is a word that nobody knows.
    """
    return tuple(sorted(_all_findings(formula, needs), key=lambda each: ORDER[each.level]))


def _all_findings(formula: Formula, needs: Needs | None) -> Iterator[Finding]:
    yield from _sum_to_the_whole(formula)
    rows = ingredients()
    for key in dict.fromkeys(line.ingredient for line in formula.lines if line.ingredient not in rows):
        yield finding(
            "stop",
            "unknown_ingredient",
            key,
            f"'{key}' is not an ingredient of this knowledge release: nothing about it can be checked.",
            Who.PHARMACY,
        )
    vehicle = vehicles().get(formula.vehicle)
    if vehicle is None:
        yield finding(
            "stop",
            "unknown_vehicle",
            formula.vehicle,
            f"'{formula.vehicle}' is not a vehicle of this knowledge release; known are: {', '.join(vehicles())}.",
            Who.PHARMACY,
        )
        return
    jar = Jar(formula, vehicle, portions_of(formula.lines, rows), needs)
    yield from check_amounts(jar)
    yield from check_strength_limits(jar)
    yield from check_vehicle(jar)
    yield from check_preservation(jar)
    yield from check_clashes(jar)
    yield from check_person(jar)
    yield from check_live(jar)
    yield from check_law(jar)
    yield from check_precedent(jar)


def _sum_to_the_whole(formula: Formula) -> Iterator[Finding]:
    total = sum(line.ppm for line in formula.lines)
    if total != MILLION:
        yield finding(
            "stop",
            "sum",
            "all lines",
            f"The lines add up to {total / 10_000:.4f} %, not to 100 %: mend an amount or let one line fill up.",
            Who.PHARMACY,
        )
    fills = [line for line in formula.lines if line.quantum_satis]
    if len(fills) > 1:
        yield finding(
            "stop",
            "quantum_satis",
            ", ".join(line.ingredient for line in fills),
            f"{len(fills)} lines fill up to 100 %; only one can.",
            Who.PHARMACY,
        )
    keys = [line.ingredient for line in formula.lines]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield finding(
            "warn", "twice", key, f"'{key}' stands in several lines; they are checked as one.", Who.PHARMACY
        )
