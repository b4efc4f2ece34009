"""The best formula over all vehicles, and others that differ truly, each with its proof."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
EFFORT_FOR_OTHERS = 0.5
"""Solver effort (its own deterministic seconds) for one alternative: good, not proved best."""


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
    variant: bool = False
    """True for a formula that was kept apart from a better one in the same vehicle."""

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Greater is better, aim by aim."""
        r = self.reached
        return (r.first, r.net_points, -r.risk, -r.burden)


@dataclass
class Designed:
    """What a search over the vehicles gave, best first."""

    found: list[Found] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    """Vehicles proved unable to give a formula, or a better one than those before."""
    unsettled: list[str] = field(default_factory=list)
    """Vehicles for which time ran out before a formula or a proof."""
    seconds: float = 0.0

    open_bound: float = 0.0
    """Optimistic benefit of the unsettled vehicles."""

    @property
    def proved(self) -> bool:
        return bool(self.found) and not self.unsettled and all(f.proved for f in self.found if not f.variant)

    @property
    def bound(self) -> float:
        """Proven upper limit of the benefit."""
        best = self.found[0]
        if self.proved:
            return best.bound
        return max([self.open_bound, *(f.bound for f in self.found if not f.variant)])


def search(choices: Choices, needs: Needs, shelf: Shelf, *, seconds: float, others: int = 0) -> Designed:
    """The best formula over the allowed vehicles, most promising first, then `others` that differ truly.

    Each further vehicle is only asked for something better than the best so far: an answer or a proof that
    there is none.
    """
    started = time.perf_counter()
    designed = Designed()
    models = {
        key: FormulaModel(choice, choices, needs, shelf)
        for key, choice in choices.vehicles.items()
        if not choice.bars
    }
    order = sorted(models, key=lambda key: _promise(models[key]), reverse=True)
    end = started + seconds * (1 - SHARE_FOR_OTHERS)
    for place, key in enumerate(order):
        model, solver = models[key], Solver(models[key].programme)
        left = max(end - time.perf_counter(), LEAST_SECONDS)
        best = max(designed.found, key=lambda f: f.rank, default=None)
        if best is not None:
            solver.at_least(_floor(model, best) + 1)
            first = solver.run(seconds=left, any_answer=True)
            if first.status == "impossible":
                designed.settled.append(key)
                continue
            left = max(end - time.perf_counter(), LEAST_SECONDS)
        answer = solver.run_in_order(model.aims.in_order, seconds=left * (SHARE_FOR_FIRST if place == 0 else 1))
        if answer.values:
            designed.found.append(read_answer(model, answer))
        elif answer.status == "impossible":
            designed.settled.append(key)
        else:
            designed.unsettled.append(key)
            designed.open_bound = max(designed.open_bound, _promise(model)[1] / BENEFIT_SCALE)
    designed.found.sort(key=lambda f: f.rank, reverse=True)
    if designed.found and others:
        end = started + seconds
        best = designed.found[0]
        _vary(designed, models[best.vehicle], 1, end)
        for key in order:
            if len(designed.found) - 1 >= others or time.perf_counter() >= end:
                break
            if all(f.vehicle != key for f in designed.found):
                left = end - time.perf_counter()
                solver = Solver(models[key].programme)
                answer = solver.run_in_order(models[key].aims.in_order, seconds=left, effort=EFFORT_FOR_OTHERS)
                if answer.values:
                    designed.found.append(replace(read_answer(models[key], answer), variant=True))
        _vary(designed, models[best.vehicle], others - len(designed.found) + 1, end)
        designed.found[1:] = sorted(designed.found[1:], key=lambda f: f.rank, reverse=True)
    designed.seconds = time.perf_counter() - started
    return designed


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


def _floor(model: FormulaModel, best: Found) -> int:
    """The objective in `model` that equals `best`; anything lower cannot be the answer."""
    per_effect, per_point, per_risk = model.aims.multipliers
    reached = best.reached
    over_risk = reached.first * per_effect + reached.net_points * per_point
    return over_risk - reached.risk * per_risk - reached.burden


def _vary(designed: Designed, model: FormulaModel, wanted: int, end: float) -> None:
    """More formulas in the best vehicle, each at least `apart_actives` actives away from those before."""
    apart = round(model.shelf.settings["apart_actives"])
    for _ in range(wanted):
        solver = Solver(model.programme)
        for earlier in designed.found:
            if earlier.vehicle == model.vehicle.row.key:
                distance = {
                    model.on[k]: (-1 if k in earlier.actives else 1) for k in model.on if _counts(model, k)
                }
                solver.demand(distance, low=apart - len(earlier.actives))
        left = end - time.perf_counter()
        if left < LEAST_SECONDS:
            return
        answer = solver.run_in_order(model.aims.in_order, seconds=left, effort=EFFORT_FOR_OTHERS)
        if not answer.values:
            return
        designed.found.append(replace(read_answer(model, answer), variant=True))


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
    if answer.unproved_stage == 0:
        bound = max(bound, _promise(model)[1] / BENEFIT_SCALE)
    elif answer.unproved_stage == 1:
        bound = min(bound + answer.gap / BENEFIT_SCALE, max(bound, _promise(model)[1] / BENEFIT_SCALE))
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
