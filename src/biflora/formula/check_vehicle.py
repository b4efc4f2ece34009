"""The vehicle: pH windows, phases, water and oil, emulsion and gel, protection from oxidation."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import Jar, Portion, finding
from biflora.knowledge.checking import checker_limit, checker_limits
from biflora.knowledge.pharmacy import site_limits
from biflora.values import Finding, Who

GRAIN = 1e-6


def check_vehicle(jar: Jar) -> Iterator[Finding]:
    yield from _ph(jar)
    yield from _phases(jar)
    yield from _water_and_oil(jar)
    if jar.vehicle.kind.startswith("emulsion"):
        yield from _emulsion(jar)
    elif jar.vehicle.emulsifier_needed and not jar.of_class("emulsifier"):
        yield finding(
            "stop",
            "emulsifier",
            jar.vehicle.label,
            f"{jar.vehicle.label} needs a surfactant.",
            Who.CHEMISTRY,
            jar.vehicle,
        )
    yield from _gel(jar)
    yield from _oxidation(jar)


def _ph(jar: Jar) -> Iterator[Finding]:
    vehicle, ph = jar.vehicle, jar.formula.ph
    if not vehicle.aqueous:
        if ph is not None:
            yield finding(
                "note",
                "ph_anhydrous",
                vehicle.label,
                "Without water there is no pH: leave it out.",
                Who.PHARMACY,
                vehicle,
            )
        return
    if ph is None:
        yield finding(
            "stop",
            "ph_missing",
            vehicle.label,
            f"{vehicle.label} holds water: name its target pH.",
            Who.PHARMACY,
            vehicle,
        )
        return
    if not _inside(ph, vehicle.ph_min, vehicle.ph_max):
        yield finding(
            "stop",
            "ph_vehicle",
            vehicle.label,
            f"pH {ph:g} is outside {_window(vehicle.ph_min, vehicle.ph_max)}, where {vehicle.label} is stable.",
            Who.CHEMISTRY,
            vehicle,
        )
    for portion in jar.portions:
        row = portion.row
        if not _inside(ph, row.ph_min, row.ph_max):
            yield finding(
                "stop",
                "ph_window",
                row.name,
                f"{row.name} is stable or works at {_window(row.ph_min, row.ph_max)}, not at pH {ph:g}.",
                Who.CHEMISTRY,
                row,
            )
    if jar.needs is None or not jar.leave_on:
        return
    for site in site_limits().values():
        if site.site in {each.value for each in jar.needs.sites} and not _inside(ph, site.ph_min, site.ph_max):
            yield finding(
                "stop",
                "ph_site",
                site.site,
                f"pH {ph:g} is outside {_window(site.ph_min, site.ph_max)}, what {site.site} skin tolerates.",
                Who.EVIDENCE,
                site,
            )


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
        level_is_warn = small_oil or row.phase in ("E", "S", "P")
        yield finding(
            "warn" if level_is_warn else "stop",
            "phase",
            row.name,
            f"{vehicle.label} has no phase for {row.name} ({_phase_words(row.phase)}): "
            + ("show that it stays dissolved or dispersed." if level_is_warn else "choose another vehicle."),
            Who.CHEMISTRY,
            row,
        )


def _fits(portion: Portion, jar: Jar) -> bool:
    phase, phases = portion.row.phase, jar.vehicle.phases
    if phase == "A":
        return not jar.vehicle.aqueous and bool({"A", "O"} & set(phases))
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
    for rule, value, low, high in (
        ("water_range", jar.water_percent, vehicle.water_min_percent, vehicle.water_max_percent),
        ("oil_range", jar.oil_percent, vehicle.oil_min_percent, vehicle.oil_max_percent),
    ):
        if not _inside(value, low, high):
            what = rule.split("_")[0]
            yield finding(
                "stop",
                rule,
                vehicle.label,
                f"{value:g} % {what} is outside {low:g} to {high:g} %, of which {vehicle.label} is made.",
                Who.CHEMISTRY,
                vehicle,
            )
    limit = checker_limits()["water_activity_limit"]
    if vehicle.aqueous:
        words = f"Counts as aqueous (water activity {limit.value:g} or more): the short beyond-use dates hold."
        yield finding("note", "water_activity", vehicle.label, words, Who.PHARMACY, limit)
    elif jar.water_percent > 0:
        words = f"{jar.water_percent:g} % water: measure the water activity; nonaqueous is below {limit.value:g}."
        yield finding("warn", "water_activity", vehicle.label, words, Who.PHARMACY, limit)


def _emulsion(jar: Jar) -> Iterator[Finding]:
    vehicle = jar.vehicle
    emulsifiers = [p for p in jar.of_class("emulsifier") if p.row.hlb is not None]
    if not emulsifiers:
        yield finding(
            "stop",
            "emulsifier",
            vehicle.label,
            f"{vehicle.label} needs an emulsifier; none is there.",
            Who.CHEMISTRY,
            vehicle,
        )
        return
    blend_percent = sum(p.percent for p in emulsifiers)
    blend = sum(p.percent * (p.row.hlb or 0) for p in emulsifiers) / blend_percent
    share = checker_limits()["emulsifier_share_min"]
    if blend_percent < share.value * jar.oil_percent - GRAIN:
        yield finding(
            "stop",
            "emulsifier_share",
            ", ".join(p.name for p in emulsifiers),
            f"{blend_percent:g} % emulsifier for {jar.oil_percent:g} % oil (least: {share.value:g} g per g).",
            Who.CHEMISTRY,
            share,
        )
    if vehicle.kind == "emulsion_wo":
        if not _inside(blend, vehicle.emulsifier_hlb_min, vehicle.emulsifier_hlb_max):
            yield finding(
                "stop",
                "hlb",
                ", ".join(p.name for p in emulsifiers),
                f"The blend's HLB is {blend:.1f}; a water-in-oil emulsion needs "
                f"{vehicle.emulsifier_hlb_min:g} to {vehicle.emulsifier_hlb_max:g}.",
                Who.CHEMISTRY,
                vehicle,
            )
        return
    oils = [p for p in jar.portions if p.row.phase == "O" and p.row.required_hlb is not None]
    if 2 * sum(p.percent for p in oils) < jar.oil_percent:
        yield finding(
            "warn",
            "hlb_unknown",
            vehicle.label,
            f"For most of the oil no required HLB is known (the blend has {blend:.1f}): prove it by standing.",
            Who.PHARMACY,
            vehicle,
        )
    if not oils:
        return
    required = sum(p.percent * (p.row.required_hlb or 0) for p in oils) / sum(p.percent for p in oils)
    tolerance = checker_limit("hlb_tolerance")
    if abs(blend - required) > tolerance + GRAIN:
        yield finding(
            "stop",
            "hlb",
            ", ".join(p.name for p in emulsifiers),
            f"The emulsifiers' HLB is {blend:.1f}, the oils require {required:.1f}: "
            f"more than {tolerance:g} apart, so the emulsion will part.",
            Who.CHEMISTRY,
            checker_limits()["hlb_tolerance"],
        )


def _gel(jar: Jar) -> Iterator[Finding]:
    vehicle = jar.vehicle
    if vehicle.gelling and not any(jar.percent_of(key) > 0 for key in vehicle.gelling):
        yield finding(
            "stop",
            "gelling",
            vehicle.label,
            f"{vehicle.label} needs one of {', '.join(vehicle.gelling)} to get its body.",
            Who.CHEMISTRY,
            vehicle,
        )


def _oxidation(jar: Jar) -> Iterator[Finding]:
    if jar.of_class("antioxidant"):
        return
    for portion in jar.portions:
        if portion.row.oxidation_prone:
            yield finding(
                "warn",
                "antioxidant",
                portion.name,
                f"{portion.name} oxidises, and no antioxidant stands beside it.",
                Who.PHARMACY,
                portion.row,
            )
