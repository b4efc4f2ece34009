"""Law, handling and the pharmacy's side: hazardous drugs, route of supply, stock, cost, number of ingredients."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import EXCIPIENTS, WATER, Jar, Portion, finding
from biflora.knowledge.checking import checker_limits
from biflora.values import Finding, Who


def check_law(jar: Jar) -> Iterator[Finding]:
    for portion in jar.portions:
        yield from _route(portion)
        if portion.row.hazardous:
            yield finding(
                "warn",
                "hazardous",
                portion.name,
                f"{portion.name} is a hazardous drug: handle it by USP <800> (protection, own tools).",
                Who.PHARMACY,
                portion.row,
            )
    yield from _copy(jar)
    yield from _needs(jar)
    yield from _size(jar)


def _route(portion: Portion) -> Iterator[Finding]:
    route, name = portion.row.us_route, portion.name
    if "PATENTED" in route:
        words = (
            f"{name} is sold under patent: is this essentially a copy? Record the difference this patient needs."
        )
        yield finding("warn", "essentially_a_copy", name, words, Who.LAW, portion.row)
    if "RX_FLAG" in route or "503A_REVIEW" in route:
        words = (
            f"{name}: no settled basis for compounding from bulk was found; the pharmacist decides and records it."
        )
        yield finding("warn", "bulk_basis", name, words, Who.LAW, portion.row)
    if "BIO_FLAG" in route:
        words = f"{name} comes from microbes: its status with a disease claim is unsettled; sign it off by name."
        yield finding("warn", "biologic_flag", name, words, Who.LAW, portion.row)


def _copy(jar: Jar) -> Iterator[Finding]:
    """A single prescription active at a usual strength may be sold ready-made."""
    drugs = [p for p in jar.portions if p.row.klass not in EXCIPIENTS and p.row.us_route.startswith("RX")]
    if len(drugs) == 1 and "PATENTED" not in drugs[0].row.us_route:
        name = drugs[0].name
        words = f"{name} is the only prescription active: is a like product sold? Record the difference needed."
        yield finding("warn", "essentially_a_copy", name, words, Who.LAW, drugs[0].row)


def _needs(jar: Jar) -> Iterator[Finding]:
    needs = jar.needs
    if needs is None:
        return
    if needs.in_stock is not None:
        for portion in jar.portions:
            if portion.row.key not in needs.in_stock and portion.row.key != WATER:
                yield finding("stop", "stock", portion.name, f"{portion.name} is not in stock.", Who.PHARMACY)
    if not needs.prescription_actives_ok:
        for portion in jar.portions:
            route = portion.row.us_route
            if route.startswith("RX") and not route.startswith("RX_OTC"):
                words = f"{portion.name} needs a prescription, which was not wanted."
                yield finding("stop", "prescription", portion.name, words, Who.PRESCRIBER, portion.row)
    if len(jar.portions) > needs.max_ingredients:
        words = f"{len(jar.portions)} ingredients; at most {needs.max_ingredients} were wanted."
        yield finding("warn", "max_ingredients", "all lines", words, Who.PRESCRIBER)


def _size(jar: Jar) -> Iterator[Finding]:
    cost = sum(p.percent * p.row.usd_per_gram for p in jar.portions)
    wanted = None if jar.needs is None else jar.needs.max_cost_usd_per_100g
    limit = checker_limits()["ingredient_cost_warn_usd"]
    if wanted is not None and cost > wanted:
        words = f"Materials cost about {cost:.2f} USD per 100 g; at most {wanted:g} was wanted (prices assumed)."
        yield finding("warn", "cost", "all lines", words, Who.PATIENT, limit)
    elif cost > limit.value:
        dear = max(jar.portions, key=lambda p: p.percent * p.row.usd_per_gram)
        words = f"Materials cost about {cost:.2f} USD per 100 g, most of it {dear.name} (prices assumed)."
        yield finding("warn", "cost", dear.name, words, Who.PATIENT, limit)
    most = checker_limits()["max_ingredients"]
    if jar.needs is None and len(jar.portions) > most.value:
        words = f"{len(jar.portions)} ingredients: hard to make, and hard to blame one when the skin reacts."
        yield finding("warn", "max_ingredients", "all lines", words, Who.PRESCRIBER, most)
