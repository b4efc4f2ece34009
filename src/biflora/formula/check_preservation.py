"""Preservation: the system covers every group of germs, its parts are there, its acids still work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from biflora.formula.jar import GRAIN, Jar, Portion, finding
from biflora.knowledge.checking import checker_limit, checker_limits
from biflora.knowledge.pharmacy import (
    PreservativePart,
    PreservativeSystem,
    ingredients,
    preservative_parts,
    preservative_systems,
)
from biflora.values import Finding

GLYCOL = "propylene_glycol"


def undissociated_share(ph: float, pka: float) -> float:
    """Part of a weak acid that is undissociated (Henderson–Hasselbalch): 1 / (1 + 10**(pH - pKa))."""
    return float(1 / (1 + 10 ** (ph - pka)))


@dataclass(frozen=True)
class Preserved:
    """A jar beside the system that preserves it."""

    jar: Jar
    system: PreservativeSystem
    parts: tuple[PreservativePart, ...]

    @property
    def portions(self) -> list[Portion]:
        wanted = {part.ingredient for part in self.parts}
        return [portion for portion in self.jar.portions if portion.row.key in wanted]

    @property
    def glycol_share(self) -> float:
        """Grams of propylene glycol for each gram of it and water together."""
        glycol = self.jar.percent_of(GLYCOL)
        return glycol / (glycol + self.jar.water_percent) if glycol > 0 else 0.0

    @property
    def glycol_preserves(self) -> bool:
        return self.glycol_share >= checker_limit("glycol_preserves_share") - GRAIN


def check_preservation(jar: Jar) -> Iterator[Finding]:
    key = jar.formula.preservative_system
    system = preservative_systems().get(key)
    if system is None:
        words = f"'{key}' is not a known system; known are: {', '.join(preservative_systems())}."
        yield finding("stop", "unknown_preservative_system", key, words)
        return
    kept = Preserved(jar, system, tuple(row for row in preservative_parts().values() if row.system == key))
    yield from _covers(kept)
    yield from _parts(kept)
    if system.never_leave_on and jar.leave_on:
        words = f"{system.label}: never in what stays on the skin."
        yield finding("stop", "preservative_leave_on", system.label, words, source=system)
    if system.vehicle_kinds and jar.vehicle.kind not in system.vehicle_kinds:
        words = f"{system.label}: for solutions and their gels; a {jar.vehicle.label} is not preserved so."
        yield finding("stop", "preservative_vehicle", system.label, words, source=system)
    if jar.vehicle.aqueous and jar.formula.ph is not None and kept.parts:
        yield from _acids(kept, jar.formula.ph)
    yield from _binding(kept)


def _parts(kept: Preserved) -> Iterator[Finding]:
    label, tolerance, least = kept.system.label, checker_limit("part_tolerance"), checker_limit("part_least_share")
    for part in kept.parts:
        name, have = ingredients()[part.ingredient].name, kept.jar.percent_of(part.ingredient)
        if have >= part.percent * (1 - tolerance) - GRAIN:
            continue
        words = f"{label} needs {part.percent:g} % {name}; the formula holds {have:g} %"
        if kept.glycol_preserves:
            words += f". {_by_glycol(kept)}"
            yield finding("warn", "preservative_part", name, words, source=part)
        elif have >= part.percent * least - GRAIN:
            words += ". Some approved products hold as little: only the effectiveness test (<51>) can show it."
            yield finding("warn", "preservative_part", name, words, source=part)
        else:
            yield finding("stop", "preservative_part", name, f"{words}.", source=part)
    counted = {part.ingredient for part in kept.parts}
    for portion in kept.jar.of_class("preservative"):
        if portion.row.key not in counted:
            words = f"{portion.name} is a preservative that {label} does not count on."
            yield finding("warn", "preservative_extra", portion.name, words, source=portion.row)


def _by_glycol(kept: Preserved) -> str:
    return (
        f"Propylene glycol makes up {100 * kept.glycol_share:.0f} % of the water phase and preserves by itself: "
        "the effectiveness test (<51>) decides."
    )


def _covers(kept: Preserved) -> Iterator[Finding]:
    jar, system = kept.jar, kept.system
    if not jar.vehicle.aqueous:
        if jar.water_percent > 0 and not kept.parts:
            words = "There is water in the jar and nothing preserves it."
            yield finding("stop", "preservative_none", "water", words, source=system)
        return
    ph = jar.formula.ph
    too_low = ph is not None and system.ph_min is not None and ph < system.ph_min - GRAIN
    too_high = ph is not None and system.ph_max is not None and ph > system.ph_max + GRAIN
    if too_low or too_high:
        words = f"{system.label} works at pH {system.ph_min:g} to {system.ph_max:g}, not at pH {ph:g}."
        yield finding("stop", "preservative_ph", system.label, words, source=system)
    if not kept.parts:
        yield from _unpreserved(kept)
        return
    germs = {
        "gram-positive bacteria": system.bacteria_gram_positive,
        "gram-negative bacteria": system.bacteria_gram_negative,
        "yeast": system.yeast,
        "mould": system.mould,
    }
    bare = [germ for germ, how in germs.items() if how not in ("yes", "partial")]
    weak = [germ for germ, how in germs.items() if how == "partial"]
    if bare:
        words = f"{system.label} does not cover {' and '.join(bare)}, or nobody knows."
        yield finding("stop", "preservative_cover", system.label, words, source=system)
    if weak:
        words = f"{system.label} covers {' and '.join(weak)} only in part: the effectiveness test (<51>) decides."
        yield finding("note", "preservative_cover", system.label, words, source=system)


def _unpreserved(kept: Preserved) -> Iterator[Finding]:
    system = kept.system
    if kept.glycol_preserves:
        yield finding("warn", "preservative_none", system.label, _by_glycol(kept))
    elif system.refrigerate and kept.jar.vehicle.bud_rule_unpreserved is not None:
        words = "Not preserved: refrigerate, and use only within the short beyond-use date."
        yield finding("warn", "preservative_none", system.label, words, source=system)
    else:
        words = "There is water in the jar and nothing preserves it."
        yield finding("stop", "preservative_none", system.label, words, source=system)


def _acids(kept: Preserved, ph: float) -> Iterator[Finding]:
    """Free acid = dose x undissociated x water share; a system of acids alone must keep one of them working."""
    limit, least_free = checker_limits()["undissociated_min_percent"], checker_limits()["free_acid_min_percent"]
    portions, jar = kept.portions, kept.jar
    shares = [(p, undissociated_share(ph, p.row.pka)) for p in portions if p.row.pka is not None]
    if not shares:
        return
    alone = all(p.row.pka is not None for p in portions if p.row.klass == "preservative")
    weak = [(p, share) for p, share in shares if 100 * share < limit.value - GRAIN]
    free = sum(p.percent * share * jar.water_percent / 100 for p, share in shares)
    words = ", ".join(f"{p.name} {100 * share:.0f} % undissociated (pKa {p.row.pka:g})" for p, share in shares)
    if alone and len(weak) == len(shares):
        text = (
            f"At pH {ph:g}: {words}; below {limit.value:g} % an acid no longer preserves, and nothing else does."
        )
        yield finding("stop", "preservative_undissociated", kept.system.label, text, source=limit)
    elif alone and free < least_free.value - GRAIN:
        text = (
            f"At pH {ph:g} with {jar.water_percent:g} % water only {free:.4f} % free acid is left; "
            f"{least_free.value:g} % is the least."
        )
        yield finding("stop", "preservative_free_acid", kept.system.label, text, source=least_free)
    elif weak:
        text = f"At pH {ph:g}: {words}; the weaker acid adds little."
        yield finding("warn", "preservative_undissociated", ", ".join(p.name for p, _ in weak), text, source=limit)


def _binding(kept: Preserved) -> Iterator[Finding]:
    limit = checker_limits()["binding_nonionic_min_percent"]
    nonionics = [p for p in kept.jar.portions if "peg" in p.row.allergen_groups and p.row.hlb is not None]
    total = sum(p.percent for p in nonionics)
    bound = [p for p in kept.portions if p.row.pka is not None or p.row.key == "phenoxyethanol"]
    if total >= limit.value - GRAIN and bound:
        words = (
            f"{total:g} % ethoxylated emulsifiers ({', '.join(p.name for p in nonionics)}) bind part of it: "
            "the effectiveness test decides."
        )
        yield finding("warn", "preservative_binding", ", ".join(p.name for p in bound), words, source=limit)
