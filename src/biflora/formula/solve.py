"""CP-SAT solves a programme; the only place that touches the solver.

Deterministic: one worker and a fixed seed; only the time limit can make two runs differ, and then the
answer says that it is not proved.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from biflora.errors import OperatorMust
from biflora.formula.programme import Programme

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

SEED = 2026
LEAST_SECONDS = 0.05
FIRST_EFFORT = 0.5
"""Of the solver's own deterministic seconds, about one of a slow core: every machine goes the same way."""
WORKERS = 1
"""With two or more, equally good formulas could come out in another order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a solve gave: `values` by variable index when one was found, and a proven upper bound."""

    status: Literal["optimal", "feasible", "impossible", "out_of_time"]
    values: tuple[int, ...] = ()
    worth: int = 0
    """The objective at `values`."""
    bound: int = 0
    """No answer's objective lies above it; the objective itself when the answer is proved optimal."""
    core: tuple[int, ...] = ()
    """Assumed literals that suffice for the contradiction; only when literals were assumed."""


class Solver:
    """One programme handed to CP-SAT, to be solved more than once (with other assumptions or a floor)."""

    def __init__(self, programme: Programme, *, aimless: bool = False) -> None:
        from ortools.sat.python import cp_model

        self._programme = programme
        self._cp = cp_model
        self._model = cp_model.CpModel()
        self._variables = [
            self._model.new_bool_var(name) if (low, high) == (0, 1) else self._model.new_int_var(low, high, name)
            for name, low, high in zip(programme.names, programme.lows, programme.highs, strict=True)
        ]
        for row in programme.rows:
            self._add(row.terms, row.low, row.high, row.when)
        if programme.maximise and not aimless:
            self._model.maximize(self._sum(tuple(programme.maximise.items())))

    def _sum(self, terms: tuple[tuple[int, int], ...]) -> cp_model.LinearExpr:
        expression: cp_model.LinearExpr = self._cp.LinearExpr.weighted_sum(
            [self._variables[v] for v, _ in terms], [c for _, c in terms]
        )
        return expression

    def _literal(self, literal: int) -> cp_model.IntVar:
        variable: cp_model.IntVar = self._variables[literal] if literal >= 0 else ~self._variables[~literal]
        return variable

    def _add(
        self, terms: tuple[tuple[int, int], ...], low: int | None, high: int | None, when: tuple[int, ...]
    ) -> None:
        if not terms:
            if (low is not None and low > 0) or (high is not None and high < 0):
                self._model.add_bool_or([~self._literal(literal) for literal in when])
            return
        constraint = self._model.add_linear_constraint(
            self._sum(terms),
            self._cp.INT32_MIN * 2**20 if low is None else low,
            self._cp.INT32_MAX * 2**20 if high is None else high,
        )
        if when:
            constraint.only_enforce_if([self._literal(literal) for literal in when])

    def demand(self, terms: Mapping[int, int], *, low: int) -> None:
        """One more row for the solves that follow."""
        self._add(tuple((v, c) for v, c in terms.items() if c), low, None, ())

    def at_least(self, objective: int) -> None:
        """From now on only answers at least this good count."""
        self._add(tuple(self._programme.maximise.items()), objective, None, ())

    def run(
        self, *, seconds: float, assume: Iterable[int] = (), any_answer: bool = False, effort: float | None = None
    ) -> Answer:
        """The best answer within `seconds`; `any_answer` stops at the first one, `effort` at that much work.

        A search that is still open after FIRST_EFFORT is begun again with a deeper presolve and another way of
        branching: now and then the quick way loses itself where the thorough one takes a second.
        """
        end = time.perf_counter() + seconds
        first = FIRST_EFFORT if effort is None else effort
        answer = self._run_once(max(seconds, 0.01), tuple(assume), any_answer, first, thorough=False)
        left = end - time.perf_counter()
        proved = answer.status in ("optimal", "impossible") or (any_answer and answer.values)
        if proved or left < LEAST_SECONDS or (effort is not None and answer.values):
            return answer
        second = self._run_once(left, tuple(assume), any_answer, None, thorough=True)
        if second.status == "out_of_time" or (second.status == "feasible" and second.worth < answer.worth):
            return answer
        return second

    def _run_once(
        self, seconds: float, assumed: tuple[int, ...], any_answer: bool, effort: float | None, *, thorough: bool
    ) -> Answer:
        cp = self._cp
        self._model.clear_assumptions()
        if assumed:
            self._model.add_assumptions([self._literal(literal) for literal in assumed])
        solver = cp.CpSolver()
        solver.parameters.num_workers = WORKERS
        # or else Ctrl-C only ends this solve, and the plan is written with whatever was found
        solver.parameters.catch_sigint_signal = False
        solver.parameters.random_seed = SEED
        solver.parameters.max_time_in_seconds = seconds
        if effort is not None:
            solver.parameters.max_deterministic_time = effort
        # Measured on 108 designs: without the full linear relaxation the proof takes ten times longer; branching
        # by it is the only way without a long tail; one round of presolve without probing or symmetries saves
        # two fifths of the time.
        solver.parameters.linearization_level = 2
        if assumed:
            # The core of a presolved model may name literals that were not assumed, and without it is faster.
            solver.parameters.cp_model_presolve = False
        if not thorough:
            solver.parameters.search_branching = cp.LP_SEARCH
            solver.parameters.max_presolve_iterations = 1
            solver.parameters.cp_model_probing_level = 0
            solver.parameters.symmetry_level = 0
        solver.parameters.stop_after_first_solution = any_answer
        status = solver.solve(self._model)
        if status in (cp.OPTIMAL, cp.FEASIBLE):
            values = tuple(solver.value(variable) for variable in self._variables)
            worth = self._programme.value_of(list(values))
            if status == cp.OPTIMAL and not any_answer:
                return Answer("optimal", values, worth, worth)
            return Answer("feasible", values, worth, math.ceil(solver.best_objective_bound))
        if status == cp.INFEASIBLE:
            core = solver.sufficient_assumptions_for_infeasibility() if assumed else ()
            by_index = {self._literal(literal).index: literal for literal in assumed}
            return Answer("impossible", core=tuple(by_index[index] for index in core if index in by_index))
        if status == cp.UNKNOWN:
            return Answer("out_of_time")
        raise OperatorMust("CP-SAT refuses the formula's model as invalid; report this as a defect of biflora.")
