"""Why each ingredient is in, and why obvious others are not."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.formula.candidates import Candidate, Choices, weigh_choices
from biflora.formula.design import Found
from biflora.formula.formula import Formula, Line, Phase
from biflora.formula.shelf import Shelf, todays_shelf
from biflora.knowledge.checking import effects
from biflora.knowledge.pharmacy import Ingredient
from biflora.plan.plan import Needs

TECHNICAL = {
    "emollient": "emollient, oil phase",
    "lipid": "barrier lipid",
    "conventional_drug": "active",
    "keratolytic": "active, keratolytic",
    "hair": "active",
    "probiotic_live": "live strain",
    "probiotic_lysate": "bacterial lysate",
    "humectant": "humectant",
    "emulsifier": "emulsifier",
    "gelling": "gel former",
    "preservative": "preservative",
    "antioxidant": "antioxidant",
    "chelator": "chelator",
    "buffer": "pH adjuster",
    "solvent": "solvent",
}


def plain(effect: str) -> str:
    """An effect's name as one says it."""
    return effects()[effect].label


def describe_lines(found: Found, choices: Choices, needs: Needs, shelf: Shelf) -> tuple[Line, ...]:
    """The formula's lines by phase, each with its function and its reason."""
    fill = _fills_up(found, shelf)
    lines = []
    for key, amount in found.amounts_ppm.items():
        row = shelf.ingredients[key]
        function, why = _reason(key, found, choices, needs, shelf)
        if key == fill:
            why = f"fills up to 100 %; {why}" if key in _served_by(found) else "fills up to 100 %"
            function = function if key in _served_by(found) else ("vehicle" if row.phase in ("W", "S") else "base")
        lines.append(
            Line(
                ingredient=key,
                name=row.name,
                inci=row.inci,
                ppm=amount,
                function=function,
                phase=phase_of(row, shelf.vehicles[found.vehicle].aqueous),
                why=why,
                quantum_satis=key == fill,
            )
        )
    return tuple(
        sorted(lines, key=lambda line: (line.phase, line.quantum_satis is False, -line.ppm, line.ingredient))
    )


def phase_of(row: Ingredient, aqueous: bool) -> Phase:
    """A: water phase; B: oil phase or anhydrous base; C: added when cool (preservatives, powders, live cells)."""
    if row.klass in ("preservative", "probiotic_live", "probiotic_lysate", "postbiotic") or row.phase == "P":
        return "C"
    if not aqueous or row.phase in ("O", "E", "A"):
        return "B"
    return "A"


def _fills_up(found: Found, shelf: Shelf) -> str:
    water = shelf.water()
    if water is not None and shelf.vehicles[found.vehicle].aqueous and water in found.amounts_ppm:
        return water
    bases = [key for key in found.amounts_ppm if shelf.ingredients[key].klass in ("emollient", "solvent")] or list(
        found.amounts_ppm
    )
    return max(bases, key=lambda key: found.amounts_ppm[key])


def _served_by(found: Found) -> dict[str, list[str]]:
    served: dict[str, list[str]] = {}
    for effect, keys in found.serving.items():
        for key in keys:
            served.setdefault(key, []).append(effect)
    return served


def _reason(key: str, found: Found, choices: Choices, needs: Needs, shelf: Shelf) -> tuple[str, str]:
    row = shelf.ingredients[key]
    served = _served_by(found).get(key, [])
    function = TECHNICAL.get(row.klass, row.klass.replace("_", " "))
    if served and row.klass not in ("preservative",):
        served = sorted(served, key=lambda effect: -choices.weights[effect])
        because = choices.because.get(served[0], "").rstrip(".")
        also = f". Also for {', '.join(plain(effect) for effect in served[1:])}" if served[1:] else ""
        grade = f". Evidence {row.evidence_level}" if row.evidence_level else ""
        return function, f"for {plain(served[0])}" + (f": {because}" if because else "") + also + grade
    for need in shelf.needed_beside.values():
        beside = [name for name in need.for_ingredients if name in found.amounts_ppm and name != key]
        vehicle = shelf.vehicles[found.vehicle]
        builds = vehicle.key in need.for_vehicles or f"kind:{vehicle.kind}" in need.for_vehicles
        if key in need.any_of and (beside or builds):
            for_what = " for " + ", ".join(shelf.ingredients[name].name for name in beside) if beside else ""
            return need.function, f"{need.function}{for_what or f' of the {vehicle.label}'}"
    return function, _technical(row, function, found, shelf)


def _technical(row: Ingredient, function: str, found: Found, shelf: Shelf) -> str:
    match row.klass:
        case "preservative":
            return f"part of the preservative system '{shelf.systems[found.system].label}'"
        case "emulsifier":
            return "keeps oil and water together" + ("" if row.hlb is None else f" (HLB {row.hlb:g})")
        case "gelling":
            return f"builds the gel of the {shelf.vehicles[found.vehicle].label}"
        case "buffer":
            return "sets and holds the pH" + ("" if found.ph is None else f" near {found.ph:.1f}")
        case "antioxidant" | "chelator":
            prone = [
                shelf.ingredients[key].name for key in found.amounts_ppm if shelf.ingredients[key].oxidation_prone
            ]
            return "protects " + (", ".join(prone) if prone else "the oils") + " from oxidation"
        case _:
            return f"{function} of the {shelf.vehicles[found.vehicle].label}"


def explain(formula: Formula, needs: Needs, *, shelf: Shelf | None = None) -> tuple[str, ...]:
    """One sentence per ingredient that is in, then one per obvious ingredient that is not and what kept it out.

    Obvious: it would serve a wanted effect at least as strongly as the strongest ingredient that is in.
    """
    shelf = shelf or todays_shelf()
    choices = weigh_choices(needs, shelf)
    sentences = [
        f"{line.name or line.ingredient} {line.percent:g} %: {line.why or line.function}."
        for line in formula.lines
    ]
    inside = {line.ingredient for line in formula.lines}
    for effect in sorted(choices.weights, key=lambda name: -choices.weights[name]):
        best_in = max(
            (choices.ingredients[key].serves.get(effect, 0.0) for key in inside if key in choices.ingredients),
            default=0.0,
        )
        left_out = [
            candidate
            for key, candidate in choices.ingredients.items()
            if key not in inside and candidate.serves.get(effect, 0.0) >= max(best_in, 1e-9)
        ]
        for candidate in sorted(left_out, key=lambda c: (-c.serves[effect], c.key)):
            kept_out = _kept_out(candidate, formula, shelf, choices.ingredients)
            sentences.append(
                f"{candidate.label} is not in, though it serves {plain(effect)}: {kept_out.rstrip('.')}."
            )
    return tuple(dict.fromkeys(sentences))


def _kept_out(
    candidate: Candidate, formula: Formula, shelf: Shelf, all_candidates: Mapping[str, Candidate]
) -> str:
    if candidate.bars:
        return "; ".join(dict.fromkeys(bar.message for bar in candidate.bars))
    row, vehicle = candidate.row, shelf.vehicles[formula.vehicle]
    if row.phase == "A" and vehicle.aqueous:
        return f"it does not bear water, and the {vehicle.label} holds water"
    if row.phase not in ("A", "WO") and row.phase not in vehicle.phases:
        return f"the {vehicle.label} has no phase that dissolves it"
    if formula.ph is not None and not ((row.ph_min or 0) <= formula.ph <= (row.ph_max or 14)):
        return f"it needs pH {row.ph_min or 0:g} to {row.ph_max or 14:g}, the formula has {formula.ph:.1f}"
    for line in formula.lines:
        other = all_candidates.get(line.ingredient)
        if line.ingredient in row.incompatible_with or (other and row.key in other.row.incompatible_with):
            return f"it does not go with {line.name or line.ingredient}"
    for family in shelf.families.values():
        member = next((line for line in formula.lines if line.ingredient in family.members), None)
        if row.key in family.members and member is not None:
            return f"one {family.label} is enough, and {member.name or member.ingredient} is in"
    return "the whole formula serves the needs better, or as well with less risk, burden or cost, without it"
