"""The best formula over all vehicles, and others that differ truly, each with its proof."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from biflora.formula.candidates import Choices
from biflora.formula.formula import MILLION
from biflora.formula.model import PH_SCALE, FormulaModel
from biflora.formula.objective import BENEFIT_SCALE, Reached
from biflora.formula.shelf import Shelf
from biflora.formula.solve import LEAST_SECONDS, Answer, Solver
from biflora.plan.plan import Needs

SHARE_FOR_OTHERS = 0.35
"""Part of the time that is kept for the alternatives."""
SHARE_FOR_FIRST = 0.6
"""Part of the main time that the most promising vehicle may use."""
EFFORT_FOR_OTHERS = 0.15
"""Solver effort for one alternative: mostly enough for a proof, and a good one otherwise."""


@dataclass(frozen=True)
class Found:
    """One feasible formula as numbers."""

    vehicle: str
    amounts_ppm: Mapping[str, int]
    ph: float | None
    system: str
    reached: Reached
    proved: bool
    bound: float
    """Proven upper limit of the benefit in this vehicle."""
    serving: Mapping[str, tuple[str, ...]]
    """Ingredients by effect that they are counted for, the main one first."""
    actives: frozenset[str]

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Greater is better, aim by aim."""
        r = self.reached
        return (r.first, r.points, -r.risk, -r.burden)


@dataclass
class Designed:
    """What a search over the vehicles gave, best first."""

    found: list[Found] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    """Vehicles whose best is proved, or that they have none better than those before."""
    unsettled: list[str] = field(default_factory=list)
    """Vehicles for which time ran out before a proof."""
    seconds: float = 0.0
    open_bound: float = 0.0
    """Optimistic benefit of the unsettled vehicles."""

    @property
    def proved(self) -> bool:
        return bool(self.found) and not self.unsettled

    @property
    def bound(self) -> float:
        """Proven upper limit of the benefit."""
        best = self.found[0].reached.benefit
        return best if self.proved else max(self.open_bound, best)


def search(choices: Choices, needs: Needs, shelf: Shelf, *, seconds: float, others: int = 0) -> Designed:
    """The best formula over the allowed vehicles, most promising first, then `others` that differ truly.

    Each further vehicle is only asked for something better than the best so far: an answer or a proof that
    there is none.
    """
    started = time.perf_counter()
    designed = Designed()
    models = {
        key: FormulaModel(choice, choices, needs, shelf)
        for key, choice in sorted(choices.vehicles.items())
        if not choice.bars
    }
    order = sorted(models, key=lambda key: _promise(models[key]), reverse=True)
    end = started + seconds * ((1 - SHARE_FOR_OTHERS) if others else 1)
    for place, key in enumerate(order):
        model, solver = models[key], Solver(models[key].programme)
        best = max(designed.found, key=lambda f: f.rank, default=None)
        if best is not None:
            solver.at_least(model.aims.worth(best.reached) + 1)
        left = max(end - time.perf_counter(), LEAST_SECONDS)
        answer = solver.run(seconds=left * (SHARE_FOR_FIRST if place == 0 else 1))
        if answer.values:
            designed.found.append(read_answer(model, answer))
        if answer.status in ("optimal", "impossible"):
            designed.settled.append(key)
        else:
            designed.unsettled.append(key)
            bound = designed.found[-1].bound if answer.values else _promise(model)[1] / BENEFIT_SCALE
            designed.open_bound = max(designed.open_bound, bound)
    designed.found.sort(key=lambda f: f.rank, reverse=True)
    if designed.found and others:
        best = designed.found[0]
        # A vehicle that was not the best has shown only that it can beat those before it: it is asked anew.
        designed.found[1:] = []
        designed.found += _alternatives(best, models, order, others, shelf, started + seconds)
    designed.seconds = time.perf_counter() - started
    return designed


def _alternatives(
    best: Found, models: Mapping[str, FormulaModel], order: list[str], others: int, shelf: Shelf, end: float
) -> list[Found]:
    """Up to `others` formulas, each in another vehicle or with other actives than all before it, best first.

    Each is the best that is so far apart, as far as a little effort shows, and keeps a good part of the benefit.
    The vehicles take turns, the best one first, so that a choice of forms is offered and not one form five times.
    """
    found: list[Found] = []
    turns = [best.vehicle, *(key for key in order if key != best.vehicle)]
    solvers = {key: Solver(models[key].programme) for key in turns}
    least = min(best.reached.points, round(shelf.settings["alternative_benefit_share"] * best.reached.points))
    for key, model in models.items():
        solvers[key].demand(model.aims.points, low=least)
    _keep_apart(solvers[best.vehicle], models[best.vehicle], best)
    while turns and len(found) < others:
        for key in tuple(turns):
            if len(found) == others or time.perf_counter() > end:
                return _ranked(found)
            left = max(end - time.perf_counter(), LEAST_SECONDS)
            answer = solvers[key].run(seconds=left, effort=EFFORT_FOR_OTHERS)
            if not answer.values:
                turns.remove(key)
                continue
            other = read_answer(models[key], answer)
            found.append(other)
            _keep_apart(solvers[key], models[key], other)
    return _ranked(found)


def _ranked(found: list[Found]) -> list[Found]:
    return sorted(found, key=lambda f: f.rank, reverse=True)


def _keep_apart(solver: Solver, model: FormulaModel, earlier: Found) -> None:
    """From now on only formulas that differ from `earlier` by enough actives."""
    apart = round(model.shelf.settings["apart_actives"])
    distance = {model.on[k]: (-1 if k in earlier.actives else 1) for k in model.on if _counts(model, k)}
    solver.demand(distance, low=apart - len(earlier.actives))


def _promise(model: FormulaModel) -> tuple[int, int]:
    """An optimistic guess of a vehicle's aims: all that could serve each effect, the two best counted."""
    total = 0
    served = 0
    for effect, weight in model.choices.weights.items():
        strengths = sorted(
            (c.serves[effect] for k in model.on if effect in (c := model.choices.ingredients[k]).serves),
            reverse=True,
        )
        served += bool(strengths) and effect in model.choices.must_have
        total += sum(round(BENEFIT_SCALE * weight * s / n) for n, s in enumerate(strengths[:2], start=1))
    return (served, total)


def _counts(model: FormulaModel, key: str) -> bool:
    candidate = model.choices.ingredients[key]
    return candidate.is_active or bool(candidate.serves)


def read_answer(model: FormulaModel, answer: Answer) -> Found:
    """The formula that an answer's values mean."""
    values = answer.values
    amounts = {
        key: sum(coefficient * values[variable] for variable, coefficient in terms.items())
        for key, terms in model.amount.items()
        if values[model.on[key]]
    }
    if model.water is not None:
        amounts[model.water] = MILLION - sum(amounts.values())
    serving = {
        effect: tuple(key for key in ranked if values[model.on[key]])
        for effect, ranked in model.aims.by_strength().items()
    }
    reached = model.aims.reached(values)
    bound = reached.benefit
    if answer.status != "optimal":
        bound = min(model.aims.benefit_at_most(answer.bound), max(bound, _promise(model)[1] / BENEFIT_SCALE))
    return Found(
        vehicle=model.vehicle.row.key,
        amounts_ppm={key: amount for key, amount in amounts.items() if amount > 0},
        ph=None if model.ph is None else values[model.ph] / PH_SCALE,
        system=next((key for key, chosen in model.systems.items() if values[chosen]), ""),
        reached=reached,
        proved=answer.status == "optimal",
        bound=bound,
        serving={effect: keys for effect, keys in serving.items() if keys},
        actives=frozenset(key for key in amounts if key != model.water and _counts(model, key)),
    )
