"""Why no formula exists: a smallest contradictory set of rules, and the nearest change that would help.

Every vehicle must be impossible, so a rule counts over all of them. CP-SAT's sufficient assumptions only
shorten the way: they may name too much, so each removal and the final set are re-verified by solving.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from biflora.formula.candidates import WHO, Choices
from biflora.formula.design import Found, read_answer
from biflora.formula.formula import Reason
from biflora.formula.model import FormulaModel, Guard
from biflora.formula.shelf import Shelf
from biflora.formula.solve import Solver
from biflora.plan.plan import Needs
from biflora.values import Who

LIFT_ORDER = (Who.PATIENT, Who.PHARMACY, Who.PRESCRIBER, Who.EVIDENCE, Who.LAW, Who.CHEMISTRY)
"""Whom to ask first; nobody lifts the last two."""
PATIENCE = 3
"""A refusal is rarer than a formula and its proof takes longer; it may use this many times the limit."""
LEAST_PATIENCE_SECONDS = 10.0
NEVER = frozenset({Who.LAW, Who.CHEMISTRY})

MESSAGES = {
    "allergy": "The patient's allergies ({subjects}) exclude what every formula would need.",
    "wish": "The patient does not want {subjects}, and every formula would need some of it.",
    "vehicle_wish": "Only these vehicles are wanted: {vehicles}.",
    "cost": "The limit of {cost:g} USD per 100 g is too low.",
    "prescription": "Prescription actives were not allowed.",
    "must_include": "{subjects} must be in.",
    "max_ingredients": "No more than {max_ingredients} ingredients were allowed.",
    "max_actives": "The number of actives in one formula is limited.",
    "site": "The body site ({sites}) limits vehicles, pH and strengths.",
    "irritancy": "The skin of {sites} tolerates only little irritancy.",
    "sensitisers": "The skin of {sites} should meet only few known contact allergens at once.",
    "condition": "The condition excludes vehicles, and ingredients that feed it or close the pores.",
    "wanted_effect": "A formula must serve at least one wanted effect: {effects}.",
    "stock": "The pharmacy's stock lacks what every formula would need.",
    "route": "The law leaves no route for what would be needed (patented, unsettled or forbidden substances).",
    "live": "Live strains need a recorded research authorisation.",
    "pregnancy": "Pregnancy, the wish for it, or that it is not excluded, forbids what would be needed.",
    "age": "At this age what would be needed is not allowed or only weaker.",
    "skin_integrity": "The state of the skin or of immunity forbids what would be needed.",
    "one_of_a_kind": "Only one ingredient of a kind (one corticosteroid, one retinoid) may be in.",
    "strength": "The allowed strengths of the ingredients contradict one another or the needs.",
    "ph": "No pH suits the vehicle, the skin and all ingredients together.",
    "incompatible": "Ingredients that would be needed destroy or precipitate one another.",
    "preservation": "A form with water needs a preservative system that works at its pH, or refrigeration.",
    "solubility": "What would be needed does not dissolve in the clear forms that are left.",
    "ratio": "Ingredients that work only in proportion to one another do not fit together.",
    "emulsion": "No blend of emulsifiers meets the oils' required HLB.",
    "build": "The vehicle cannot be built (water, oil, gel former, buffer, protection from oxidation).",
}


@dataclass(frozen=True)
class Reasons:
    reasons: tuple[Reason, ...]
    minimal: bool


def find_reasons(choices: Choices, needs: Needs, shelf: Shelf, *, seconds: float) -> Reasons:
    """The smallest contradictory set of rules, grouped by rule, each with the nearest verified change."""
    court = Court(choices, needs, shelf, seconds=seconds)
    everything = court.guards
    smallest, minimal = court.smallest(everything)
    by_rule: dict[str, list[Guard]] = {}
    for guard in smallest:
        by_rule.setdefault(guard[0], []).append(guard)
    nearest = court.nearest_change(everything, smallest)
    reasons = [
        Reason(
            rule=rule,
            who=WHO[rule].value,
            message=_message(rule, guards, needs, shelf),
            lift=_lift(rule, guards, everything, court, nearest, shelf),
        )
        for rule, guards in by_rule.items()
    ]
    reasons.sort(key=lambda reason: (LIFT_ORDER.index(Who(reason.who)), reason.rule))
    return Reasons(tuple(reasons), minimal)


class Court:
    """Decides for a set of held rules whether any vehicle still allows a formula."""

    def __init__(self, choices: Choices, needs: Needs, shelf: Shelf, *, seconds: float) -> None:
        self._end = time.perf_counter() + max(PATIENCE * seconds, LEAST_PATIENCE_SECONDS)
        self._world = (choices, needs, shelf)
        self._models: dict[str, FormulaModel] = {}
        self._solvers: dict[str, Solver] = {}
        self._cores = {
            key: [frozenset({bar.guard}) for bar in vehicle.bars] for key, vehicle in choices.vehicles.items()
        }
        self.guards = _all_guards(choices, needs)
        self.certain = True
        """False once a solve ran out of time."""

    def possible(self, held: frozenset[Guard], *, from_memory: bool = True) -> Found | None:
        """A formula under the held rules, or None when every vehicle is proved impossible.

        `from_memory` uses contradictions found before; without it each vehicle is solved again.
        """
        for key, vehicle in self._world[0].vehicles.items():
            if from_memory and any(core <= held for core in self._cores[key]):
                continue
            if any(bar.guard in held for bar in vehicle.bars):
                continue
            model, solver = self._built(key)
            literals = {guard: literal for guard, literal in model.guards.items() if guard in held}
            answer = solver.run(seconds=self._left, assume=literals.values(), any_answer=True)
            if answer.values:
                return read_answer(model, answer)
            if answer.status == "impossible":
                named = {literal: guard for guard, literal in literals.items()}
                core = frozenset(named[literal] for literal in answer.core if literal in named)
                self._cores[key].append(core or frozenset(literals))
            else:
                self.certain = False
        return None

    def example(self, held: frozenset[Guard]) -> Found | None:
        """The same to show to a person: a preserved formula if there is one."""
        for key, vehicle in self._world[0].vehicles.items():
            if any(bar.guard in held for bar in vehicle.bars) or any(core <= held for core in self._cores[key]):
                continue
            model, solver = self._built(key)
            literals = [literal for guard, literal in model.guards.items() if guard in held]
            shelf = self._world[2]
            if vehicle.row.aqueous:
                literals += [~chosen for system, chosen in model.systems.items() if not shelf.parts_of(system)]
            answer = solver.run(seconds=self._left, assume=literals, any_answer=True)
            if answer.values:
                return read_answer(model, answer)
        return self.possible(held)

    def _built(self, key: str) -> tuple[FormulaModel, Solver]:
        """A vehicle's model and solver, built only when asked: most vehicles are out by their own bars."""
        choices, needs, shelf = self._world
        if key not in self._models:
            model = self._models[key] = FormulaModel(choices.vehicles[key], choices, needs, shelf, liftable=True)
            self._solvers[key] = Solver(model.programme, aimless=True)
        return self._models[key], self._solvers[key]

    @property
    def _left(self) -> float:
        return max(self._end - time.perf_counter(), 0.1)

    def core(self, held: frozenset[Guard]) -> frozenset[Guard]:
        """A contradictory part of `held`: over all vehicles, the shortest contradiction known for each."""
        self.possible(held)
        parts = [
            min((core for core in cores if core <= held), key=len, default=held) for cores in self._cores.values()
        ]
        return frozenset(guard for part in parts for guard in part)

    def smallest(self, held: frozenset[Guard]) -> tuple[list[Guard], bool]:
        """A contradictory set of which no part can be missing, and whether that was proved."""
        kept = self.core(held)
        if self.possible(kept, from_memory=False) is not None:
            kept = held
        for guard in sorted(kept, key=_drop_first):
            less = kept - {guard}
            if self.possible(less) is None:
                kept = self.core(less) if self.core(less) <= less else less
        proved = self.possible(kept, from_memory=False) is None and all(
            self.possible(kept - {guard}) is not None for guard in kept
        )
        return sorted(kept), proved and self.certain

    def nearest_change(
        self, held: frozenset[Guard], first: Iterable[Guard]
    ) -> tuple[frozenset[str], Found | None]:
        """Rules that together, lifted, make a formula possible; the gentlest first. Verified by solving."""
        lifted: set[str] = set()
        conflict = list(first)
        while True:
            open_to = [rule for rule, _ in conflict if WHO[rule] not in NEVER]
            if not open_to:
                return frozenset(), None
            lifted.add(min(open_to, key=lambda rule: (LIFT_ORDER.index(WHO[rule]), rule)))
            rest = frozenset(guard for guard in held if guard[0] not in lifted)
            if self.possible(rest) is not None:
                break
            conflict, _ = self.smallest(rest)
        for rule in sorted(lifted):
            fewer = frozenset(guard for guard in held if guard[0] not in lifted - {rule})
            if len(lifted) > 1 and self.possible(fewer) is not None:
                lifted.discard(rule)
        return frozenset(lifted), self.example(frozenset(guard for guard in held if guard[0] not in lifted))


def _all_guards(choices: Choices, needs: Needs) -> frozenset[Guard]:
    """Every rule that a model may hold, by its subjects."""
    named = {bar.guard for vehicle in choices.vehicles.values() for bar in vehicle.bars}
    for candidate in choices.ingredients.values():
        named |= {bar.guard for bar in candidate.bars} | {cap.bar.guard for cap in candidate.caps}
    named |= {("must_include", key) for key in needs.ordered}
    whole = {rule for rule in WHO if rule not in ("allergy", "wish", "must_include")}
    return frozenset(named | {(rule, "") for rule in whole})


def _drop_first(guard: Guard) -> tuple[int, str, str]:
    """Chemistry and law are tried first for removal, so that what a person can change stays in the set."""
    return (-LIFT_ORDER.index(WHO[guard[0]]), *guard)


def _message(rule: str, guards: list[Guard], needs: Needs, shelf: Shelf) -> str:
    subjects = [shelf.ingredients[s].name if s in shelf.ingredients else s for _, s in guards if s]
    return MESSAGES[rule].format(
        subjects=_listed(subjects),
        vehicles=_listed([shelf.vehicles[key].label for key in needs.vehicles if key in shelf.vehicles]),
        cost=needs.max_cost_usd_per_100g or 0.0,
        max_ingredients=needs.max_ingredients,
        sites=_listed([site.value for site in needs.sites]),
        effects=_listed([need.effect.value.replace("_", " ") for need in needs.needs]),
    )


def _lift(
    rule: str,
    guards: list[Guard],
    everything: frozenset[Guard],
    court: Court,
    nearest: tuple[frozenset[str], Found | None],
    shelf: Shelf,
) -> str:
    if WHO[rule] in NEVER:
        return ""
    found = court.example(everything - set(guards))
    if found is not None:
        return f"Lifting this alone makes possible: {_formula_in_words(found, shelf)}."
    together, found = nearest
    if rule in together and found is not None:
        others = _listed([name.replace("_", " ") for name in sorted(together - {rule})])
        with_others = f" together with: {others}" if others else ""
        return f"Lifting this rule{with_others} makes possible: {_formula_in_words(found, shelf)}."
    return ""


def _formula_in_words(found: Found, shelf: Shelf) -> str:
    names = [shelf.ingredients[key].name for key in sorted(found.actives)][:4]
    held = f" with {_listed(names)}" if names else ""
    system = shelf.systems[found.system].label if found.system else "no preservative"
    return f"{shelf.vehicles[found.vehicle].label}{held} (preservation: {system})"


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
