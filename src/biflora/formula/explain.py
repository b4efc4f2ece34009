"""Why each ingredient is in, and why obvious others are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from biflora.formula.candidates import Candidate, Choices, weigh_choices
from biflora.formula.compare import losses_of
from biflora.formula.design import Found, read_answer
from biflora.formula.formula import Formula, Line, Phase
from biflora.formula.model import FormulaModel
from biflora.formula.shelf import Shelf, todays_shelf
from biflora.formula.solve import Solver
from biflora.knowledge.checking import effects
from biflora.knowledge.pharmacy import Ingredient
from biflora.plan.plan import Needs

SECONDS_EACH = 2.0
"""For one formula solved again with an ingredient forced in; a proof takes a few hundredths."""
BARRED_TOGETHER = {
    "prescription": "a prescription is needed, which was not allowed",
    "live": "live, and so only under a recorded research authorisation",
    "stock": "not in stock, or not enough of it for long enough",
}
"""Rules that bar many ingredients for the same reason, which is then said once; the first that holds is named."""
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
    water = shelf.water
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


@dataclass(frozen=True, slots=True)
class Explanation:
    """A formula's choices in sentences."""

    inside: tuple[str, ...]
    """What each ingredient is in for."""
    outside: tuple[str, ...]
    """What keeps each obvious other one out; those that one rule bars alike share a sentence."""


def explain(formula: Formula, needs: Needs, *, shelf: Shelf | None = None) -> Explanation:
    """Why each ingredient is in, and what kept the obvious others out.

    Obvious: it would serve a wanted effect at least as strongly as the strongest ingredient that is in. Where
    no rule bars it, the formula is solved again with it forced in, and the sentence says what that would cost.
    """
    shelf = shelf or todays_shelf()
    choices = weigh_choices(needs, shelf)
    inside = [
        f"{line.name or line.ingredient} {line.percent:g} %: {line.why or line.function}."
        for line in formula.lines
    ]
    best = _best_with(None, formula, choices, needs, shelf)
    by_reason: dict[tuple[str, str], list[str]] = {}
    for candidate, effect in _left_out(formula, choices):
        rules = {bar.rule for bar in candidate.bars}
        shared = next((rule for rule in BARRED_TOGETHER if rule in rules), None)
        if shared is not None and rules <= {*BARRED_TOGETHER, "route"}:
            why = BARRED_TOGETHER[shared]
        else:
            why = _kept_out(candidate, formula, shelf, choices, best, needs).rstrip(".")
        by_reason.setdefault((effect, why), []).append(candidate.label)
    outside = []
    for (effect, why), names in by_reason.items():
        some = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        verb = "is not in, though it serves" if len(names) == 1 else "are not in, though they serve"
        outside.append(f"{some} {verb} {plain(effect)}: {why}.")
    return Explanation(tuple(inside), tuple(outside))


def _left_out(formula: Formula, choices: Choices) -> Iterator[tuple[Candidate, str]]:
    """The obvious ingredients that are not in, once each, with the strongest wanted effect they would serve."""
    inside = {line.ingredient for line in formula.lines}
    told: set[str] = set()
    for effect in sorted(choices.weights, key=lambda name: (-choices.weights[name], name)):
        best_in = max(
            (choices.ingredients[key].serves.get(effect, 0.0) for key in inside if key in choices.ingredients),
            default=0.0,
        )
        obvious = [
            candidate
            for key, candidate in choices.ingredients.items()
            if key not in inside | told and candidate.serves.get(effect, 0.0) >= max(best_in, 1e-9)
        ]
        for candidate in sorted(obvious, key=lambda c: (-c.serves[effect], c.key)):
            told.add(candidate.key)
            yield candidate, effect


def _best_with(
    key: str | None, formula: Formula, choices: Choices, needs: Needs, shelf: Shelf
) -> Found | Literal["impossible"] | None:
    """The best formula in the same vehicle, with the ingredient `key` in it; None when time ran out."""
    if key is not None:
        needs = needs.model_copy(update={"must_include": (*needs.must_include, key)})
    model = FormulaModel(choices.vehicles[formula.vehicle], choices, needs, shelf)
    answer = Solver(model.programme).run(seconds=SECONDS_EACH)
    if answer.status == "impossible":
        return "impossible"
    return read_answer(model, answer) if answer.status == "optimal" else None


def _kept_out(
    candidate: Candidate,
    formula: Formula,
    shelf: Shelf,
    choices: Choices,
    best: Found | Literal["impossible"] | None,
    needs: Needs,
) -> str:
    if candidate.bars:
        return "; ".join(dict.fromkeys(bar.message for bar in candidate.bars))
    row, vehicle = candidate.row, shelf.vehicles[formula.vehicle]
    if row.phase == "A" and vehicle.aqueous:
        return f"it does not bear water, and the {vehicle.label} holds water"
    if row.phase not in ("A", "WO") and row.phase not in vehicle.phases:
        return f"the {vehicle.label} has no phase that dissolves it"
    if isinstance(best, Found):
        forced = _best_with(candidate.key, formula, choices, needs, shelf)
        if forced == "impossible":
            return f"it cannot stand in a {vehicle.label} for this patient{_because(candidate, formula, shelf)}"
        if isinstance(forced, Found):
            return _with_it(best, forced, candidate.key, choices, shelf)
    return "the whole formula serves the needs better, or as well with less risk, burden or cost, without it"


def _with_it(best: Found, forced: Found, key: str, choices: Choices, shelf: Shelf) -> str:
    """What the best formula with `key` in it has less than the best without."""
    names = shelf.ingredients
    dropped = [names[each].name for each in sorted(best.actives - forced.actives)]
    added = [names[each].name for each in sorted(forced.actives - best.actives - {key})]
    way = "with it" + (f" instead of {' and '.join(dropped)}" if dropped else "")
    way += f" (and with {' and '.join(added)})" if added else ""
    return f"{way}, {'; '.join(losses_of(best, forced, choices)) or 'the formula is no better'}"


def _because(candidate: Candidate, formula: Formula, shelf: Shelf) -> str:
    """What most plainly stands against it, where one line of the formula shows it."""
    row = candidate.row
    if formula.ph is not None and not ((row.ph_min or 0) <= formula.ph <= (row.ph_max or 14)):
        return f": it needs pH {row.ph_min or 0:g} to {row.ph_max or 14:g}, the formula has {formula.ph:.1f}"
    for line in formula.lines:
        other = shelf.ingredients.get(line.ingredient)
        if line.ingredient in row.incompatible_with or (other and row.key in other.incompatible_with):
            return f": it does not go with {line.name or line.ingredient}"
    return ""
