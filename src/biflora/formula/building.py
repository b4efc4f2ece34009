"""What makes a jar of a vehicle: shares of water and oil, gel, emulsion, solution, protection, ratios.

Rows of the integer programme of one vehicle; the model holds the variables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from biflora.formula.candidates import ppm
from biflora.formula.formula import MILLION

if TYPE_CHECKING:
    from biflora.formula.model import FormulaModel
    from biflora.knowledge.keeping import Solubility

HLB_SCALE = 10
RATIO_SCALE = 1000
SOLUBILITY_SCALE = 100_000
FATS = frozenset({"emollient", "lipid"})
CLEAR_KINDS = frozenset({"solution", "hydroalcoholic", "foam"})
"""Kinds in which an active must be dissolved, unless the vehicle also carries suspended powders."""


def add_building(model: FormulaModel) -> None:
    """Add to the model's programme all that its vehicle needs to exist."""
    _fill(model)
    _share_of_oil(model)
    _set_to_gel(model)
    _stand_beside(model)
    _protect(model)
    _dissolve(model)
    _keep_ratios(model)
    _keep_emulsion(model)


def _fill(model: FormulaModel) -> None:
    """All amounts and the water make one million; without water a base takes up the rest."""
    row, programme = model.vehicle.row, model.programme
    everything = model.total(model.amount)
    if model.water is not None:
        low, high = ppm(row.water_min_percent), ppm(row.water_max_percent)
        programme.demand(everything, low=MILLION - high, high=MILLION - low, when=model.when("build"))
        return
    programme.demand(dict.fromkeys(model.bases.values(), 1), high=1)
    programme.demand(everything, low=MILLION, high=MILLION, when=model.when("build"))


def _share_of_oil(model: FormulaModel) -> None:
    row, when = model.vehicle.row, model.when("build")
    model.programme.demand(model.total(model.oil_keys()), high=ppm(row.oil_max_percent), when=when)
    # Dissolved or suspended actives are no oil phase, so the lower limit counts true oils and fats alone.
    fats = [key for key in model.oil_keys() if model.choices.ingredients[key].row.klass in FATS]
    model.programme.demand(model.total(fats), low=ppm(row.oil_min_percent), when=when)
    if row.oil_min_percent > 0:
        model.programme.one_of([model.on[key] for key in fats], when=when)


def _set_to_gel(model: FormulaModel) -> None:
    """One gel former reaches the strength that gives this vehicle its body, and none is too stiff."""
    row, programme, when = model.vehicle.row, model.programme, model.when("build")
    if not row.gelling:
        return
    strengths = {
        strength.gelling: strength
        for strength in model.shelf.gel_strengths.values()
        if row.kind in strength.vehicle_kinds
    }
    setting: list[int] = []
    for key in row.gelling:
        if key not in model.on:
            continue
        strength = strengths.get(key)
        if strength is None:
            setting.append(model.on[key])
            continue
        sets = programme.yes_no(f"{key} sets the {row.key}")
        programme.demand({sets: 1, model.on[key]: -1}, high=0)
        programme.demand({**model.amount[key], sets: -ppm(strength.low_percent)}, low=0)
        programme.demand(model.amount[key], high=ppm(strength.high_percent), when=when)
        setting.append(sets)
    programme.one_of(setting, when=when)
    if row.aqueous:
        # Oil gels may hold several waxes; two thickeners in water only make the next batch differ.
        programme.demand({model.on[key]: 1 for key in row.gelling if key in model.on}, high=1)


def _stand_beside(model: FormulaModel) -> None:
    """What the vehicle or an ingredient needs beside it, and a buffer where there is water."""
    row, programme, when = model.vehicle.row, model.programme, model.when("build")
    if row.aqueous:
        programme.one_of(model.ons("buffer", with_window=True), when=when)
    for need in model.shelf.needed_beside.values():
        if need.only_water == ("absent" if row.aqueous else "present"):
            continue
        fills = model.total(need.any_of)
        low = ppm(need.min_total_percent)
        high = None if need.max_total_percent is None else ppm(need.max_total_percent)
        partners = [model.on[key] for key in need.any_of if key in model.on]
        wanted = [(model.on[key], *when) for key in need.for_ingredients if key in model.on]
        if row.key in need.for_vehicles or f"kind:{row.kind}" in need.for_vehicles:
            wanted.append(when)
        for circumstances in wanted:
            programme.demand(fills, low=low, high=high, when=circumstances)
            if low > 0:
                # follows from the row above; said plainly the proof is several times shorter
                programme.one_of(partners, when=circumstances)


def _protect(model: FormulaModel) -> None:
    """Whatever oxidises stands with an antioxidant, and with a chelator too where there is water."""
    antioxidants, chelators = model.ons("antioxidant"), model.ons("chelator")
    for key, on in model.on.items():
        row = model.choices.ingredients[key].row
        if row.oxidation_prone and row.klass != "antioxidant":
            model.programme.one_of(antioxidants, when=(on, *model.when("build")))
            if model.vehicle.row.aqueous:
                model.programme.one_of(chelators, when=(on, *model.when("build")))
    for group in (antioxidants, chelators):
        model.programme.demand(dict.fromkeys(group, 1), high=2)


def _dissolve(model: FormulaModel) -> None:
    """In a clear form each ingredient stays within what the solvents together dissolve at most.

    Additive mixing: the sum of solubility times solvent. Above what they dissolve at least it is a warning,
    and so a risk. An acid counts as at the lowest pH that it may meet.
    """
    row = model.vehicle.row
    if row.kind not in CLEAR_KINDS or "P" in row.phases:
        return
    by_ingredient: dict[str, list[Solubility]] = {}
    for one in model.shelf.solubilities.values():
        if one.ingredient in model.on:
            by_ingredient.setdefault(one.ingredient, []).append(one)
    for key, rows in by_ingredient.items():
        here = (model.on[key], *model.when("solubility"))
        _demand_room(model, key, {one.solvent: one.high * _ionised(one, model) for one in rows}, here)
        if not model.liftable:
            doubtful = model.programme.yes_no(f"{key} may not dissolve")
            model.aims.add_warning(doubtful)
            sure = {one.solvent: one.low * _ionised(one, model) for one in rows}
            _demand_room(model, key, sure, (model.on[key], ~doubtful))


def _ionised(one: Solubility, model: FormulaModel) -> float:
    """How much more of a weak acid dissolves in water as its salt."""
    if one.acid_pka is None:
        return 1.0
    own = model.choices.ingredients[one.ingredient].row.ph_min
    return 1 + 10 ** (max(model.vehicle.row.ph_min or 1.0, own or 1.0) - one.acid_pka)


def _demand_room(model: FormulaModel, key: str, grams: Mapping[str, float], when: Iterable[int]) -> None:
    """The amount of `key` stays within `grams` per 100 g of each solvent."""
    terms = {variable: -SOLUBILITY_SCALE * coefficient for variable, coefficient in model.amount[key].items()}
    room = 0
    for solvent, dissolved in grams.items():
        share = math.floor(SOLUBILITY_SCALE * dissolved / 100)
        if solvent == model.water:
            room += share * MILLION
            solved = {variable: -c for variable, c in model.total(model.amount).items()}
        elif solvent.startswith("class:"):
            klass = solvent.removeprefix("class:")
            rows = model.choices.ingredients
            solved = model.total(other for other in model.amount if rows[other].row.klass == klass)
        else:
            solved = model.total([solvent])
        for variable, coefficient in solved.items():
            terms[variable] = terms.get(variable, 0) + share * coefficient
    model.programme.demand(terms, low=-room, when=when)


def _keep_ratios(model: FormulaModel) -> None:
    """Ingredients that work only in proportion, such as the lipids of the barrier."""
    for ratio in model.shelf.ratios.values():
        if ratio.severity != "block":
            continue
        firsts, seconds = model.total(ratio.a), model.total(ratio.b)
        for a in ratio.a:
            for b in ratio.b:
                if a not in model.on or b not in model.on:
                    continue
                both = (model.on[a], model.on[b], *model.when("ratio"))
                for limit, sign in ((ratio.low, 1), (ratio.high, -1)):
                    terms = {v: sign * RATIO_SCALE * c for v, c in seconds.items()}
                    for v, c in firsts.items():
                        terms[v] = terms.get(v, 0) - sign * round(RATIO_SCALE * limit) * c
                    model.programme.demand(terms, low=0, when=both)


def _keep_emulsion(model: FormulaModel) -> None:
    """The emulsifiers' blend meets the oils' required HLB: both fall in one narrow class (no products)."""
    row, programme, settings = model.vehicle.row, model.programme, model.shelf.settings
    rows = {key: model.choices.ingredients[key].row for key in model.amount}
    emulsifiers = [key for key, r in rows.items() if r.klass == "emulsifier" and r.hlb is not None]
    if not row.emulsifier_needed or not row.kind.startswith("emulsion"):
        return
    when = model.when("emulsion")
    programme.one_of([model.on[key] for key in emulsifiers], when=when)
    oil, blend = model.total(model.oil_keys()), model.total(emulsifiers)
    for share, sign in ((settings["emulsifier_share_min"], 1), (settings["emulsifier_share_max"], -1)):
        terms = {v: sign * 100 * c for v, c in blend.items()}
        for v, c in oil.items():
            terms[v] = terms.get(v, 0) - sign * round(100 * share) * c
        programme.demand(terms, low=0, when=when)
    lowest, highest = row.emulsifier_hlb_min or 1.0, row.emulsifier_hlb_max or 18.0
    if row.kind == "emulsion_wo":
        _weighted(model, emulsifiers, {k: r.hlb for k, r in rows.items()}, lowest, highest, when)
        return
    width, tolerance = settings["hlb_bin"], settings["hlb_tolerance"]
    demanding = [key for key in model.oil_keys() if rows[key].required_hlb is not None]
    classes = []
    for number in range(round((highest - lowest) / width)):
        low = lowest + number * width
        chosen = programme.yes_no(f"required HLB {low:g} to {low + width:g}")
        classes.append(chosen)
        inside = (chosen, *when)
        _weighted(model, demanding, {k: r.required_hlb for k, r in rows.items()}, low, low + width, inside)
        _weighted(
            model,
            emulsifiers,
            {k: r.hlb for k, r in rows.items()},
            low + width - tolerance,
            low + tolerance,
            inside,
        )
    programme.one_of(classes, when=when)


def _weighted(
    model: FormulaModel,
    keys: list[str],
    values: Mapping[str, float | None],
    low: float,
    high: float,
    when: Iterable[int],
) -> None:
    """The amount-weighted mean of `values` lies in `low..high`, so that one is not below and one not above."""
    for limit, is_low in ((low, True), (high, False)):
        sign = 1 if is_low else -1
        side = [model.on[key] for key in keys if sign * (values[key] or 0.0) >= sign * limit]
        model.programme.one_of(side, when=when)
        terms: dict[int, int] = {}
        for key in keys:
            gap = round(HLB_SCALE * (values[key] or 0.0)) - round(HLB_SCALE * limit)
            for v, c in model.amount[key].items():
                terms[v] = terms.get(v, 0) + gap * c
        if is_low:
            model.programme.demand(terms, low=0, when=when)
        else:
            model.programme.demand(terms, high=0, when=when)
