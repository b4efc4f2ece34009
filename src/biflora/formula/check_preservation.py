"""Preservation: the system covers every group of germs, its parts are there, its acids still work."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import Jar, Portion, finding
from biflora.knowledge.checking import checker_limit, checker_limits
from biflora.knowledge.pharmacy import PreservativeSystem, ingredients, preservative_parts, preservative_systems
from biflora.values import Finding, Who

GRAIN = 1e-6


def undissociated_share(ph: float, pka: float) -> float:
    """Part of a weak acid that is undissociated (Henderson–Hasselbalch): 1 / (1 + 10**(pH - pKa))."""
    return float(1 / (1 + 10 ** (ph - pka)))


def check_preservation(jar: Jar) -> Iterator[Finding]:
    key = jar.formula.preservative_system
    system = preservative_systems().get(key)
    if system is None:
        known = ", ".join(preservative_systems())
        yield finding(
            "stop",
            "unknown_preservative_system",
            key,
            f"'{key}' is not a known system; known are: {known}.",
            Who.PHARMACY,
        )
        return
    parts = {row.ingredient: row for row in preservative_parts().values() if row.system == key}
    yield from _covers(jar, system, has_parts=bool(parts))
    tolerance = checker_limit("part_tolerance")
    for ingredient, part in parts.items():
        name, have = ingredients()[ingredient].name, jar.percent_of(ingredient)
        if have < part.percent * (1 - tolerance) - GRAIN:
            yield finding(
                "stop",
                "preservative_part",
                name,
                f"{system.label} needs {part.percent:g} % {name}; the formula holds {have:g} %.",
                Who.CHEMISTRY,
                part,
            )
    for portion in jar.of_class("preservative"):
        if portion.row.key not in parts:
            yield finding(
                "warn",
                "preservative_extra",
                portion.name,
                f"{portion.name} is a preservative that {system.label} does not count on.",
                Who.PHARMACY,
                portion.row,
            )
    if system.never_leave_on and jar.leave_on:
        yield finding(
            "stop",
            "preservative_leave_on",
            system.label,
            f"{system.label}: never in what stays on the skin.",
            Who.EVIDENCE,
            system,
        )
    if jar.vehicle.aqueous and jar.formula.ph is not None and parts:
        yield from _acids(jar, system, [p for p in jar.portions if p.row.key in parts], jar.formula.ph)
    yield from _binding(jar, [p for p in jar.portions if p.row.key in parts])


def _covers(jar: Jar, system: PreservativeSystem, *, has_parts: bool) -> Iterator[Finding]:
    if not jar.vehicle.aqueous:
        if jar.water_percent > 0 and not has_parts:
            yield finding(
                "stop",
                "preservative_none",
                "water",
                "There is water in the jar and nothing preserves it.",
                Who.CHEMISTRY,
                system,
            )
        return
    ph = jar.formula.ph
    too_low = ph is not None and system.ph_min is not None and ph < system.ph_min - GRAIN
    too_high = ph is not None and system.ph_max is not None and ph > system.ph_max + GRAIN
    if too_low or too_high:
        yield finding(
            "stop",
            "preservative_ph",
            system.label,
            f"{system.label} works at pH {system.ph_min:g} to {system.ph_max:g}, not at pH {ph:g}.",
            Who.CHEMISTRY,
            system,
        )
    if not has_parts:
        if system.refrigerate and jar.vehicle.bud_rule_unpreserved is not None:
            yield finding(
                "warn",
                "preservative_none",
                system.label,
                "Not preserved: refrigerate, and use only within the short beyond-use date.",
                Who.PHARMACY,
                system,
            )
        else:
            yield finding(
                "stop",
                "preservative_none",
                system.label,
                "There is water in the jar and nothing preserves it.",
                Who.CHEMISTRY,
                system,
            )
        return
    germs = {
        "gram-positive bacteria": system.bacteria_gram_positive,
        "gram-negative bacteria": system.bacteria_gram_negative,
        "yeast": system.yeast,
        "mould": system.mould,
    }
    for grade, level in (("no", "stop"), ("unknown", "stop"), ("partial", "note")):
        weak = [germ for germ, how in germs.items() if how == grade]
        if weak:
            yield finding(
                "stop" if level == "stop" else "note",
                "preservative_cover",
                system.label,
                f"{system.label} covers {' and '.join(weak)} "
                + ("not at all." if level == "stop" else "only in part: the effectiveness test (<51>) decides."),
                Who.CHEMISTRY,
                system,
            )


def _acids(jar: Jar, system: PreservativeSystem, parts: list[Portion], ph: float) -> Iterator[Finding]:
    """Free acid = dose x undissociated x water share; a system of acids alone must keep one of them working."""
    limit, least_free = checker_limits()["undissociated_min_percent"], checker_limits()["free_acid_min_percent"]
    shares = [(p, undissociated_share(ph, p.row.pka)) for p in parts if p.row.pka is not None]
    if not shares:
        return
    alone = all(p.row.pka is not None for p in parts if p.row.klass == "preservative")
    weak = [(p, share) for p, share in shares if 100 * share < limit.value - GRAIN]
    water = jar.water_percent / 100
    free = sum(p.percent * share * water for p, share in shares)
    words = ", ".join(f"{p.name} {100 * share:.0f} % undissociated (pKa {p.row.pka:g})" for p, share in shares)
    if alone and len(weak) == len(shares):
        yield finding(
            "stop",
            "preservative_undissociated",
            system.label,
            f"At pH {ph:g}: {words}; below {limit.value:g} % an acid no longer preserves, and nothing else does.",
            Who.CHEMISTRY,
            limit,
        )
    elif alone and free < least_free.value:
        yield finding(
            "stop",
            "preservative_free_acid",
            system.label,
            f"At pH {ph:g} with {jar.water_percent:g} % water only {free:.4f} % free acid is left; "
            f"{least_free.value:g} % is the least.",
            Who.CHEMISTRY,
            least_free,
        )
    elif weak:
        yield finding(
            "warn",
            "preservative_undissociated",
            ", ".join(p.name for p, _ in weak),
            f"At pH {ph:g}: {words}; the weaker acid adds little.",
            Who.CHEMISTRY,
            limit,
        )


def _binding(jar: Jar, parts: list[Portion]) -> Iterator[Finding]:
    limit = checker_limits()["binding_nonionic_min_percent"]
    nonionics = [p for p in jar.portions if "peg" in p.row.allergen_groups and p.row.hlb is not None]
    total = sum(p.percent for p in nonionics)
    bound = [p for p in parts if p.row.pka is not None or p.row.key == "phenoxyethanol"]
    if total >= limit.value - GRAIN and bound:
        yield finding(
            "warn",
            "preservative_binding",
            ", ".join(p.name for p in bound),
            f"{total:g} % ethoxylated emulsifiers ({', '.join(p.name for p in nonionics)}) bind part of it: "
            "the effectiveness test decides.",
            Who.CHEMISTRY,
            limit,
        )
