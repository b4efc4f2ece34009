"""Incompatible ingredients as rows of the formula's programme."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from biflora.formula.candidates import LIVE, ppm
from biflora.knowledge.pharmacy import Incompatibility

if TYPE_CHECKING:
    from biflora.formula.model import FormulaModel

PH_SCALE = 10


def add_clashes(model: FormulaModel) -> None:
    """Forbid every pair that blocks, at the pH and in the water where it does; count every pair that warns."""
    done = {
        frozenset((a, b))
        for rule in model.shelf.clashes.values()
        if rule.severity == "allow"
        for a in members(rule.a, model)
        for b in members(rule.b, model)
    }
    """Pairs that are settled; first those of which it is known that they go together."""
    for key in model.on:
        for other in model.choices.ingredients[key].row.incompatible_with:
            pair = frozenset((key, other))
            if other in model.on and other != key and pair not in done:
                done.add(pair)
                model.programme.forbid((model.on[key], model.on[other]), when=model.when("incompatible"))
    _keep_alive(model)
    for clash in model.shelf.clashes.values():
        if clash.severity != "allow" and _holds_here(clash, model):
            _add_clash(clash, model)


def _keep_alive(model: FormulaModel) -> None:
    """No live strain beside anything that kills it."""
    rows = {key: model.choices.ingredients[key].row for key in model.on}
    killers = [key for key, row in rows.items() if row.kills_live == "yes"]
    for key in (key for key, row in rows.items() if row.klass == LIVE):
        for killer in killers:
            model.programme.forbid((model.on[key], model.on[killer]), when=model.when("incompatible"))


def members(names: tuple[str, ...], model: FormulaModel) -> list[str]:
    """Keys in the model that `names` (keys or `class:<klass>`) mean."""
    found: dict[str, None] = {}
    for name in names:
        if name.startswith("class:"):
            klass = name.removeprefix("class:")
            found |= dict.fromkeys(k for k in model.on if model.choices.ingredients[k].row.klass == klass)
        elif name in model.on:
            found[name] = None
    return list(found)


def _holds_here(clash: Incompatibility, model: FormulaModel) -> bool:
    wet = model.vehicle.row.aqueous
    rows = model.shelf.ingredients
    # the live powder of a kit meets the water only when it is used
    powder_only = not clash.b and all(key in rows and rows[key].klass == LIVE for key in clash.a)
    if powder_only and clash.water == "present" and model.vehicle.row.kind == "powder_kit":
        return False
    if clash.water == ("absent" if wet else "present"):
        return False
    return wet or (clash.ph_below is None and clash.ph_above is None)


def _add_clash(clash: Incompatibility, model: FormulaModel) -> None:
    escapes = [model.on[key] for key in clash.unless_any if key in model.on]
    firsts = members(clash.a, model)
    if not clash.b:
        for key in firsts:
            _forbid(clash, model, [(key, clash.a_min_percent)], escapes)
        return
    seen: set[frozenset[str]] = set()
    for a in firsts:
        for b in members(clash.b, model):
            pair = frozenset((a, b))
            if a != b and pair not in seen:
                seen.add(pair)
                _forbid(clash, model, [(a, clash.a_min_percent), (b, clash.b_min_percent)], escapes)


def _forbid(
    clash: Incompatibility, model: FormulaModel, sides: list[tuple[str, float]], escapes: list[int]
) -> None:
    programme = model.programme
    ways_out = list(escapes)
    for key, percent in sides:
        if percent > 0:
            little = programme.yes_no(f"{key} below {percent:g} %")
            programme.demand(model.amount[key], high=ppm(percent) - 1, when=(little,))
            ways_out.append(little)
    if clash.severity == "warn":
        warned = programme.yes_no(f"warned: {clash.key}")
        model.aims.add_warning(warned)
        ways_out.append(warned)
    together = [model.on[key] for key, _ in sides]
    when = () if clash.severity == "warn" else model.when("incompatible")
    clashing = (*together, *(~way for way in ways_out), *when)
    if clash.ph_below is None and clash.ph_above is None:
        programme.demand({}, low=1, when=clashing)
        return
    assert model.ph is not None  # _holds_here: a clash that depends on pH holds only in water
    if clash.ph_below is not None:
        programme.demand({model.ph: 1}, low=math.ceil(clash.ph_below * PH_SCALE - 1e-9), when=clashing)
    if clash.ph_above is not None:
        programme.demand({model.ph: 1}, high=math.floor(clash.ph_above * PH_SCALE + 1e-9), when=clashing)
