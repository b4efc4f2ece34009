"""Estimated properties of a designed formula, each with how sure it is."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.formula.design import Found
from biflora.formula.formula import MILLION, Property
from biflora.formula.shelf import Shelf
from biflora.knowledge.pharmacy import Ingredient
from biflora.plan.plan import Needs

USD_DIGITS = 2


def estimate(found: Found, needs: Needs, shelf: Shelf) -> tuple[Property, ...]:
    """pH window, water activity, HLB, free preservative acid, viscosity, shelf life, cost and irritancy."""
    rows = {key: shelf.ingredients[key] for key in found.amounts_ppm}
    vehicle = shelf.vehicles[found.vehicle]
    properties = [
        *_ph(found, rows),
        Property(
            key="water_activity",
            label="Water activity",
            value="0.60 or more (aqueous)" if vehicle.aqueous else "below 0.60 expected (no water added)",
            uncertainty="class by the dosage form, not measured; measure it when an extract may bring water",
            source=vehicle.source,
        ),
        *_hlb(found, rows, shelf),
        *_free_acid(found, rows, shelf),
        Property(
            key="viscosity",
            label="Consistency",
            value=vehicle.viscosity or vehicle.dosage_form,
            uncertainty="typical of the vehicle; make a trial batch",
            source=vehicle.source,
        ),
        _beyond_use(found, shelf),
        Property(
            key="cost",
            label="Material cost per 100 g",
            value=f"about {cost_usd(found.amounts_ppm, rows):.{USD_DIGITS}f} USD",
            uncertainty="assumed bulk prices, for ranking only; a factor of two either way",
            source="prices in knowledge's ingredients table (assumed)",
        ),
        _irritancy(rows, needs, shelf),
    ]
    return tuple(properties)


def cost_usd(amounts_ppm: Mapping[str, int], rows: Mapping[str, Ingredient]) -> float:
    """Materials for 100 g, USD."""
    return sum(rows[key].usd_per_gram * amount * 100 / MILLION for key, amount in amounts_ppm.items())


def undissociated_percent(ph: float, pka: float) -> float:
    """Undissociated part of a weak acid, percent (Henderson-Hasselbalch)."""
    return 100 / (1 + 10 ** (ph - pka))


def weighted_mean(amounts_ppm: Mapping[str, int], values: Mapping[str, float]) -> float | None:
    """Amount-weighted mean of `values`; None when nothing with a value is in."""
    total = sum(amounts_ppm[key] for key in values)
    return sum(amounts_ppm[key] * value for key, value in values.items()) / total if total else None


def _ph(found: Found, rows: Mapping[str, Ingredient]) -> list[Property]:
    if found.ph is None:
        return []
    low = max((row for row in rows.values() if row.ph_min is not None), key=lambda r: r.ph_min or 0, default=None)
    high = min(
        (row for row in rows.values() if row.ph_max is not None), key=lambda r: r.ph_max or 14, default=None
    )
    window = ""
    if low is not None and high is not None:
        window = f"; the ingredients allow {low.ph_min:g} ({low.name}) to {high.ph_max:g} ({high.name})"
    return [
        Property(
            key="ph_window",
            label="pH",
            value=f"{found.ph:.1f}{window}",
            uncertainty="target; adjust with the buffer and check with a calibrated meter, within 0.2",
            source="pH windows of knowledge's ingredients",
        )
    ]


def _hlb(found: Found, rows: Mapping[str, Ingredient], shelf: Shelf) -> list[Property]:
    if not shelf.vehicles[found.vehicle].kind.startswith("emulsion"):
        return []
    blend = weighted_mean(
        found.amounts_ppm,
        {k: r.hlb for k, r in rows.items() if r.klass == "emulsifier" and r.hlb is not None},
    )
    required = weighted_mean(
        found.amounts_ppm,
        {k: r.required_hlb for k, r in rows.items() if r.phase == "O" and r.required_hlb is not None},
    )
    if blend is None or required is None:
        return []
    return [
        Property(
            key="hlb",
            label="HLB of the emulsifiers / required by the oils",
            value=f"{blend:.1f} / {required:.1f}",
            uncertainty="about 1 either way; HLB is a guide, a trial batch decides",
            source="Griffin's method on knowledge's HLB values",
        )
    ]


def _free_acid(found: Found, rows: Mapping[str, Ingredient], shelf: Shelf) -> list[Property]:
    if found.ph is None:
        return []
    acids = [
        f"{row.name} {undissociated_percent(found.ph, row.pka):.0f} %"
        for row in rows.values()
        if row.klass == "preservative" and row.pka is not None
    ]
    if not acids:
        return []
    return [
        Property(
            key="free_preservative_acid",
            label="Undissociated part of the preservative acids",
            value=", ".join(acids),
            uncertainty="computed from pKa and target pH; binding by emulsifiers lowers it",
            source="Henderson-Hasselbalch",
        )
    ]


def _beyond_use(found: Found, shelf: Shelf) -> Property:
    vehicle = shelf.vehicles[found.vehicle]
    unpreserved = vehicle.aqueous and not shelf.parts_of(found.system)
    key = vehicle.bud_rule_unpreserved if unpreserved else vehicle.bud_rule_preserved
    rule = shelf.beyond_use.get(key or "")
    value, source = "set by the pharmacist", "no rule found"
    if rule is not None:
        room = (
            "not at room temperature" if rule.room_days is None else f"{rule.room_days} days at room temperature"
        )
        fridge = "" if rule.fridge_days is None else f", {rule.fridge_days} days refrigerated"
        value, source = f"{room}{fridge}", f"{rule.chapter}: {rule.category} ({rule.source}, {rule.verification})"
    return Property(
        key="stability",
        label="Default beyond-use limit",
        value=value,
        uncertainty="the default of the rule, not a stability study of this formula",
        source=source,
    )


def _irritancy(rows: Mapping[str, Ingredient], needs: Needs, shelf: Shelf) -> Property:
    total = sum(row.irritancy for row in rows.values())
    wanted = {site.value for site in needs.sites}
    most = min((limit.max_irritancy for limit in shelf.site_limits.values() if limit.site in wanted), default=None)
    return Property(
        key="irritancy",
        label="Irritancy sum",
        value=f"{total}" if most is None else f"{total} of {most} that the site tolerates",
        uncertainty="ranks of 0 to 5 per ingredient, assumed; they add up only roughly",
        source="knowledge's ingredients and site limits (assumed)",
    )
