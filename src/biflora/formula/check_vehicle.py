"""The vehicle: pH windows, phases, water and oil, emulsion and gel, protection from oxidation."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import GRAIN, Jar, Portion, finding
from biflora.knowledge.checking import checker_limit, checker_limits
from biflora.knowledge.formula_rules import soaps
from biflora.knowledge.pharmacy import site_limits
from biflora.values import Finding

VARIES = frozenset({"cream", "ointment", "paste", "gel"})
"""Dosage forms whose official preparations lie beside the usual ranges of water and oil."""
FATTY = "fatty_alcohols"
"""The group of cetyl, stearyl and cetostearyl alcohol."""


def check_vehicle(jar: Jar) -> Iterator[Finding]:
    yield from _ph(jar)
    yield from _phases(jar)
    yield from _water_and_oil(jar)
    if jar.vehicle.kind.startswith("emulsion"):
        yield from _emulsion(jar)
    elif jar.vehicle.emulsifier_needed and not jar.of_class("emulsifier"):
        words = f"{jar.vehicle.label} needs a surfactant."
        yield finding("stop", "emulsifier", jar.vehicle.label, words, source=jar.vehicle)
    yield from _gel(jar)
    yield from _oxidation(jar)


def _ph(jar: Jar) -> Iterator[Finding]:
    vehicle, ph = jar.vehicle, jar.formula.ph
    if not vehicle.aqueous:
        if ph is not None:
            words = "Without water there is no pH: leave it out."
            yield finding("note", "ph_anhydrous", vehicle.label, words, source=vehicle)
        return
    if ph is None:
        words = f"{vehicle.label} holds water: name its target pH."
        yield finding("stop", "ph_missing", vehicle.label, words, source=vehicle)
        return
    if not _inside(ph, vehicle.ph_min, vehicle.ph_max):
        words = f"pH {ph:g} is outside {_window(vehicle.ph_min, vehicle.ph_max)}, where {vehicle.label} is stable."
        yield finding("stop", "ph_vehicle", vehicle.label, words, source=vehicle)
    for portion in jar.portions:
        row = portion.row
        if _inside(ph, row.ph_min, row.ph_max):
            continue
        window = _window(row.ph_min, row.ph_max)
        if row.klass == "buffer":
            words = f"{row.name} holds the pH at {window}; at pH {ph:g} something else must."
            yield finding("warn", "ph_window", row.name, words, source=row)
        else:
            words = f"{row.name} is stable or works at {window}, not at pH {ph:g}."
            yield finding("stop", "ph_window", row.name, words, source=row)
    for site in site_limits().values() if jar.leave_on else ():
        if site.site in jar.sites and not _inside(ph, site.ph_min, site.ph_max):
            words = f"pH {ph:g} is outside {_window(site.ph_min, site.ph_max)}, what {site.site} skin tolerates."
            yield finding("stop", "ph_site", site.site, words, source=site)


def _inside(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low - GRAIN) and (high is None or value <= high + GRAIN)


def _window(low: float | None, high: float | None) -> str:
    if low is None:
        return f"pH {high:g} or less"
    return f"pH {low:g} or more" if high is None else f"pH {low:g} to {high:g}"


def _phases(jar: Jar) -> Iterator[Finding]:
    vehicle = jar.vehicle
    for portion in jar.portions:
        row = portion.row
        if row.key in vehicle.gelling or _fits(portion, jar):
            continue
        small_oil = row.phase == "O" and jar.oil_percent <= vehicle.oil_max_percent + GRAIN
        may_be_carried = small_oil or row.phase in ("E", "S", "P") or row.klass == "emulsifier"
        words = f"{vehicle.label} has no phase for {row.name} ({_phase_words(row.phase)})"
        if may_be_carried:
            words += ": show that it stays dissolved or dispersed."
            yield finding("warn", "phase", row.name, words, source=row)
        else:
            yield finding("stop", "phase", row.name, f"{words}: choose another vehicle.", source=row)


def _fits(portion: Portion, jar: Jar) -> bool:
    phase, phases = portion.row.phase, jar.vehicle.phases
    if phase == "A":
        return jar.powder_apart or (not jar.vehicle.aqueous and bool({"A", "O", "S"} & set(phases)))
    if phase == "WO":
        return bool({"W", "O"} & set(phases))
    return phase in phases


def _phase_words(phase: str) -> str:
    return {
        "W": "water-soluble",
        "O": "oil-soluble",
        "WO": "soluble in either",
        "E": "an emulsifier",
        "P": "a suspended powder",
        "S": "needs a solvent",
        "A": "only without water",
    }[phase]


def _water_and_oil(jar: Jar) -> Iterator[Finding]:
    vehicle = jar.vehicle
    varies = checker_limit("range_margin") if vehicle.dosage_form in VARIES else 0.0
    # A form without water or without fat has none of it by its nature, so that margin is nought.
    water = (vehicle.water_min_percent, vehicle.water_max_percent, varies if vehicle.aqueous else 0.0)
    oil = (vehicle.oil_min_percent, vehicle.oil_max_percent, varies if vehicle.oil_max_percent > 0 else 0.0)
    yield from _share(jar, "water_range", jar.water_percent, *water)
    yield from _share(jar, "oil_range", jar.oil_percent, *oil)
    limit = checker_limits()["water_activity_limit"]
    if vehicle.aqueous:
        words = f"Counts as aqueous (water activity {limit.value:g} or more): the short beyond-use dates hold."
        yield finding("note", "water_activity", vehicle.label, words, source=limit)
    elif jar.water_percent > 0:
        words = f"{jar.water_percent:g} % water: measure the water activity; nonaqueous is below {limit.value:g}."
        yield finding("warn", "water_activity", vehicle.label, words, source=limit)


def _share(jar: Jar, rule: str, value: float, low: float, high: float, margin: float) -> Iterator[Finding]:
    """Within the margin an official preparation may lie: it is told, not stopped."""
    if _inside(value, low, high):
        return
    label, what = jar.vehicle.label, rule.removesuffix("_range")
    words = f"{value:g} % {what} is outside {low:g} to {high:g} %, of which {label} is made"
    if margin and _inside(value, low - margin, high + margin):
        yield finding("warn", rule, label, f"{words}: show that it holds.", source=jar.vehicle)
    else:
        yield finding("stop", rule, label, f"{words}.", source=jar.vehicle)


def _emulsion(jar: Jar) -> Iterator[Finding]:
    vehicle = jar.vehicle
    emulsifiers = [p for p in jar.of_class("emulsifier") if p.row.hlb is not None]
    names = ", ".join(p.name for p in emulsifiers)
    soap = _soap(jar)
    if not emulsifiers:
        if soap:
            words = f"{soap} make a soap in the jar that holds it; HLB cannot tell: prove it by standing."
            yield finding("warn", "hlb_unknown", vehicle.label, words)
        else:
            words = f"{vehicle.label} needs an emulsifier; none is there."
            yield finding("stop", "emulsifier", vehicle.label, words, source=vehicle)
        return
    total = sum(p.percent for p in emulsifiers)
    least, most = checker_limits()["emulsifier_share_min"], checker_limits()["emulsifier_share_max"]
    grams = f"{total:g} % emulsifier for {jar.oil_percent:g} % oil"
    ionic = [p.name for p in emulsifiers if (p.row.hlb or 0) > checker_limit("hlb_ionic_above")]
    # An ionic emulsifier holds the oil together with a fatty alcohol, as in emulsifying wax.
    holding = total + (sum(p.percent for p in jar.portions if FATTY in p.row.allergen_groups) if ionic else 0.0)
    if holding < least.value * jar.oil_percent - GRAIN and not soap:
        words = f"{grams} (least: {least.value:g} g per g)."
        yield finding("stop", "emulsifier_share", names, words, source=least)
    elif total > most.value * jar.oil_percent + GRAIN:
        words = f"{grams} (most: {most.value:g} g per g): more only irritates."
        yield finding("warn", "emulsifier_share", names, words, source=most)
    if ionic or soap:
        words = f"{soap or ', '.join(ionic)}: ionic, so HLB cannot tell; prove it by standing."
        yield finding("warn", "hlb_unknown", vehicle.label, words)
        return
    blend = sum(p.percent * (p.row.hlb or 0) for p in emulsifiers) / total
    yield from _hlb(jar, names, blend)


def _soap(jar: Jar) -> str:
    """A fatty acid or wax and an alkali that make a soap in place, as in cold cream; empty: none."""
    for row in soaps().values():
        acids, alkalis = jar.named(row.fatty_acids), jar.named(row.alkalis)
        if acids and alkalis:
            return f"{acids[0].name} and {alkalis[0].name}"
    return ""


def _hlb(jar: Jar, names: str, blend: float) -> Iterator[Finding]:
    vehicle = jar.vehicle
    if vehicle.kind == "emulsion_wo":
        if not _inside(blend, vehicle.emulsifier_hlb_min, vehicle.emulsifier_hlb_max):
            words = (
                f"The blend's HLB is {blend:.1f}; a water-in-oil emulsion needs "
                f"{vehicle.emulsifier_hlb_min:g} to {vehicle.emulsifier_hlb_max:g}."
            )
            yield finding("stop", "hlb", names, words, source=vehicle)
        return
    oils = [p for p in jar.portions if p.row.phase == "O" and p.row.required_hlb is not None]
    if 2 * sum(p.percent for p in oils) < jar.oil_percent - GRAIN:
        words = f"For most of the oil no required HLB is known (the blend has {blend:.1f}): prove it by standing."
        yield finding("warn", "hlb_unknown", vehicle.label, words)
    if not oils:
        return
    required = sum(p.percent * (p.row.required_hlb or 0) for p in oils) / sum(p.percent for p in oils)
    tolerance = checker_limits()["hlb_tolerance"]
    if abs(blend - required) > tolerance.value + GRAIN:
        words = (
            f"The emulsifiers' HLB is {blend:.1f}, the oils require {required:.1f}: "
            f"more than {tolerance.value:g} apart, so the emulsion will part."
        )
        yield finding("stop", "hlb", names, words, source=tolerance)


def _gel(jar: Jar) -> Iterator[Finding]:
    vehicle = jar.vehicle
    if not vehicle.gelling or any(jar.percent_of(key) > 0 for key in vehicle.gelling):
        return
    if vehicle.kind == "hydroalcoholic":
        words = f"{vehicle.label}: without {', '.join(vehicle.gelling)} it is a solution, not a gel."
        yield finding("warn", "gelling", vehicle.label, words, source=vehicle)
    else:
        words = f"{vehicle.label} needs one of {', '.join(vehicle.gelling)} to get its body."
        yield finding("stop", "gelling", vehicle.label, words, source=vehicle)


def _oxidation(jar: Jar) -> Iterator[Finding]:
    """Light and air make radicals, which an antioxidant catches; metals in water make them faster."""
    prone = [p for p in jar.portions if p.row.oxidation_prone and p.row.klass != "antioxidant"]
    for portion in prone:
        name = portion.name
        if not jar.of_class("antioxidant"):
            words = f"{name} oxidises, and no antioxidant stands beside it."
            yield finding("warn", "antioxidant", name, words, source=portion.row)
        if jar.wet and not jar.of_class("chelator"):
            words = f"{name} oxidises in water, and no chelator binds the metals that drive it."
            yield finding("warn", "chelator", name, words, source=portion.row)
