"""Amounts: each ingredient within its range, at a usual strength, and within what age, site and skin allow."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import Jar, Portion, finding
from biflora.knowledge.pharmacy import StrengthLimit, strength_limits
from biflora.values import Finding, Who

GRAIN = 1e-6
"""Amounts are whole parts per million (0.0001 %); below that a difference is only rounding."""


def check_amounts(jar: Jar) -> Iterator[Finding]:
    for portion in jar.portions:
        row, percent = portion.row, portion.percent
        if percent > row.max_percent + GRAIN:
            yield finding(
                "stop",
                "strength_range",
                row.name,
                f"{row.name} at {percent:g} % is above its upper limit of {row.max_percent:g} %.",
                Who.EVIDENCE,
                row,
            )
        elif percent < row.min_percent - GRAIN and not portion.quantum_satis:
            yield finding(
                "warn",
                "strength_range",
                row.name,
                f"{row.name} at {percent:g} % is below the {row.min_percent:g} % from which it is used.",
                Who.PRESCRIBER,
                row,
            )
        elif row.strengths_percent and min(abs(percent - each) for each in row.strengths_percent) > GRAIN:
            usual = ", ".join(f"{each:g}" for each in row.strengths_percent)
            yield finding(
                "warn",
                "unusual_strength",
                row.name,
                f"{row.name} at {percent:g} % is not a usual strength ({usual} %).",
                Who.PRESCRIBER,
                row,
            )
        limit = row.eu_leave_on_max_percent
        if limit is not None and jar.leave_on and percent > limit + GRAIN:
            yield finding(
                "warn",
                "eu_leave_on",
                row.name,
                f"{row.name} at {percent:g} % is above the EU's {limit:g} % for what stays on the skin.",
                Who.LAW,
                row,
            )


def check_strength_limits(jar: Jar) -> Iterator[Finding]:
    """Limits by site, age, pregnancy, skin and condition; those about the person need the needs."""
    for limit in strength_limits().values():
        for portion in jar.named((limit.ingredient,)):
            if portion.percent > limit.max_percent + GRAIN and _holds(limit, jar):
                yield finding(
                    "stop" if limit.severity == "block" else "warn",
                    limit.key,
                    portion.name,
                    f"{limit.message} {_says(portion)}",
                    _who(limit),
                    limit,
                )


def _says(portion: Portion) -> str:
    return f"The formula holds {portion.percent:g} % {portion.name}."


def _who(limit: StrengthLimit) -> Who:
    if limit.pregnancy or limit.age_below_years is not None or limit.skin_integrity:
        return Who.EVIDENCE
    return Who.PRESCRIBER


def _holds(limit: StrengthLimit, jar: Jar) -> bool:
    if limit.rinse_off == ("yes" if jar.leave_on else "no"):
        return False
    if limit.conditions and (jar.condition is None or jar.condition.value not in limit.conditions):
        return False
    needs = jar.needs
    if needs is None:
        return not (limit.sites or limit.pregnancy or limit.skin_integrity or limit.age_below_years is not None)
    if limit.sites and not any(site.value in limit.sites for site in needs.sites):
        return False
    if limit.age_below_years is not None and needs.age_years >= limit.age_below_years:
        return False
    if limit.pregnancy and needs.pregnancy not in limit.pregnancy:
        return False
    return not limit.skin_integrity or needs.skin_integrity in limit.skin_integrity
