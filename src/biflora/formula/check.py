"""The independent checker: plain arithmetic over a finished formula; it shares no code with the optimiser."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.check_amounts import check_amounts, check_strength_limits
from biflora.formula.check_clashes import check_clashes
from biflora.formula.check_company import check_company
from biflora.formula.check_keeping import check_keeping
from biflora.formula.check_law import check_law
from biflora.formula.check_live import check_live
from biflora.formula.check_person import check_person
from biflora.formula.check_pharmacy import check_pharmacy
from biflora.formula.check_precedent import check_precedent
from biflora.formula.check_preservation import check_preservation
from biflora.formula.check_vehicle import check_vehicle
from biflora.formula.formula import MILLION, Formula
from biflora.formula.jar import Jar, finding, portions_of
from biflora.knowledge.pharmacy import ingredients, vehicles
from biflora.plan.plan import Needs
from biflora.values import Finding

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
        words = f"'{key}' is not an ingredient of this knowledge release: nothing about it can be checked."
        yield finding("stop", "unknown_ingredient", key, words)
    vehicle = vehicles().get(formula.vehicle)
    if vehicle is None:
        words = (
            f"'{formula.vehicle}' is not a vehicle of this knowledge release; known are: {', '.join(vehicles())}."
        )
        yield finding("stop", "unknown_vehicle", formula.vehicle, words)
        return
    jar = Jar(formula, vehicle, portions_of(formula.lines, rows), needs)
    yield from check_amounts(jar)
    yield from check_strength_limits(jar)
    yield from check_company(jar)
    yield from check_vehicle(jar)
    yield from check_preservation(jar)
    yield from check_clashes(jar)
    yield from check_person(jar)
    yield from check_live(jar)
    yield from check_keeping(jar)
    yield from check_law(jar)
    yield from check_precedent(jar)
    yield from check_pharmacy(jar)


def _sum_to_the_whole(formula: Formula) -> Iterator[Finding]:
    total = sum(line.ppm for line in formula.lines)
    if total != MILLION:
        words = (
            f"The lines add up to {total / 10_000:.4f} %, not to 100 %: mend an amount or let one line fill up."
        )
        yield finding("stop", "sum", "all lines", words)
    fills = [line.ingredient for line in formula.lines if line.quantum_satis]
    if len(fills) > 1:
        yield finding(
            "stop", "quantum_satis", ", ".join(fills), f"{len(fills)} lines fill up to 100 %; only one can."
        )
    keys = [line.ingredient for line in formula.lines]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield finding("warn", "twice", key, f"'{key}' stands in several lines; they are checked as one.")
