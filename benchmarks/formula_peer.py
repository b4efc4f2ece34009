"""HiGHS on the formula's programme, in a process of its own (scipy.optimize.milp; no ortools is imported here)."""

from __future__ import annotations

import time

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from biflora.formula.programme import Programme


def with_highs(programme: Programme, seconds: float) -> tuple[float, int | None, bool]:
    """Seconds, objective (None: no answer) and whether it was proved.

    Rows that hold only under a literal become big-M rows, each with the smallest M that its bounds allow.
    """
    begin = time.perf_counter()
    rows: list[dict[int, float]] = []
    lows, highs = [], []
    for row in programme.rows:
        least = sum(min(c * programme.lows[v], c * programme.highs[v]) for v, c in row.terms)
        most = sum(max(c * programme.lows[v], c * programme.highs[v]) for v, c in row.terms)
        for limit, is_low in ((row.low, True), (row.high, False)):
            if limit is None:
                continue
            slack = max(limit - least, 0) if is_low else max(most - limit, 0)
            terms = {v: float(c) for v, c in row.terms}
            bound = float(limit)
            for literal in row.when:
                # The row is loosened by `slack` for each literal that is false.
                variable, true_at_one = (literal, True) if literal >= 0 else (~literal, False)
                sign = -1.0 if is_low else 1.0
                terms[variable] = terms.get(variable, 0.0) + (sign if true_at_one else -sign) * slack
                bound += sign * slack if true_at_one else 0.0
            scale = max([abs(value) for value in terms.values()] + [1.0])
            rows.append({v: value / scale for v, value in terms.items()})
            lows.append(bound / scale if is_low else -np.inf)
            highs.append(np.inf if is_low else bound / scale)
    at = [(i, v, value) for i, row in enumerate(rows) for v, value in row.items()]
    matrix = csr_array(
        ([value for _, _, value in at], ([i for i, _, _ in at], [v for _, v, _ in at])),
        shape=(len(rows), len(programme.names)),
    )
    cost = np.zeros(len(programme.names))
    for variable, points in programme.maximise.items():
        cost[variable] = -points
    answer = milp(
        cost,
        integrality=np.ones(len(cost)),
        bounds=Bounds(programme.lows, programme.highs),
        constraints=LinearConstraint(matrix, lows, highs),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    objective = None if answer.x is None else programme.value_of([round(value) for value in answer.x])
    return time.perf_counter() - begin, objective, answer.status == 0
