"""Amounts: each within its range, at a usual strength, and within what age, site and skin allow."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import GRAIN, Jar, Portion, finding
from biflora.knowledge.pharmacy import StrengthLimit, strength_limits
from biflora.values import Finding

BUILDERS = frozenset({"emollient", "humectant", "emulsifier", "gelling", "solvent"})
"""Classes that build the vehicle: their range is what is usual, and official bases go beyond it."""


def check_amounts(jar: Jar) -> Iterator[Finding]:
    for portion in jar.portions:
        yield from _range(portion)
        row, limit = portion.row, portion.row.eu_leave_on_max_percent
        if limit is not None and jar.leave_on and portion.percent > limit + GRAIN:
            words = (
                f"{row.name} at {portion.percent:g} % is above the EU's {limit:g} % for what stays on the skin."
            )
            yield finding("warn", "eu_leave_on", row.name, words, source=row)


def _range(portion: Portion) -> Iterator[Finding]:
    row, percent = portion.row, portion.percent
    at = f"{row.name} at {percent:g} %"
    if percent > row.max_percent + GRAIN and row.klass in BUILDERS:
        words = f"{at} is more than the {row.max_percent:g} % up to which it is usually used."
        yield finding("warn", "strength_range", row.name, words, source=row)
    elif percent > row.max_percent + GRAIN:
        words = f"{at} is above its upper limit of {row.max_percent:g} %."
        yield finding("stop", "strength_range", row.name, words, source=row)
    elif percent < row.min_percent - GRAIN and not portion.quantum_satis:
        words = f"{at} is below the {row.min_percent:g} % from which it is used."
        yield finding("warn", "strength_range", row.name, words, source=row)
    elif row.strengths_percent and min(abs(percent - each) for each in row.strengths_percent) > GRAIN:
        usual = ", ".join(f"{each:g}" for each in row.strengths_percent)
        words = f"{at} is not a usual strength ({usual} %)."
        yield finding("warn", "unusual_strength", row.name, words, source=row)


def check_strength_limits(jar: Jar) -> Iterator[Finding]:
    """Limits by site, age, pregnancy, skin and condition; those about the person need the needs."""
    for limit in strength_limits().values():
        for portion in jar.named((limit.ingredient,)):
            if portion.percent > limit.max_percent + GRAIN and _holds(limit, jar):
                yield finding(
                    "stop" if limit.severity == "block" else "warn",
                    limit.key,
                    portion.name,
                    f"{limit.message} The formula holds {portion.percent:g} % {portion.name}.",
                    source=limit,
                    family=family_of(limit),
                )


def family_of(limit: StrengthLimit) -> str:
    """The registry's rule for a row of the strength limits: by the gravest thing that the row is about."""
    if limit.pregnancy:
        return "limit_by_pregnancy"
    if limit.age_below_years is not None:
        return "limit_by_age"
    if limit.skin_integrity:
        return "limit_by_skin"
    if limit.sites:
        return "limit_by_site"
    if limit.conditions:
        return "limit_by_condition"
    return "limit_for_all" if limit.rinse_off == "any" else "limit_by_rinsing"


def _holds(limit: StrengthLimit, jar: Jar) -> bool:
    if limit.rinse_off == ("yes" if jar.leave_on else "no"):
        return False
    if limit.conditions and (jar.condition is None or jar.condition.value not in limit.conditions):
        return False
    needs = jar.needs
    if needs is None:
        return not (limit.sites or limit.pregnancy or limit.skin_integrity or limit.age_below_years is not None)
    if limit.sites and not jar.sites & set(limit.sites):
        return False
    if limit.age_below_years is not None and needs.age_years >= limit.age_below_years:
        return False
    if limit.pregnancy and needs.pregnancy not in limit.pregnancy:
        return False
    return not limit.skin_integrity or needs.skin_integrity in limit.skin_integrity
