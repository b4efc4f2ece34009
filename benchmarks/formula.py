"""The formula's integer programme solved to proven optimum by CP-SAT, and the same programme by HiGHS.

HiGHS is the one inside SciPy (scipy.optimize.milp); rows that hold only under a literal become big-M rows
there. Objective on both sides: must-have effects served, then benefit points. An instance is one of a fixed
set of needs in one vehicle; both get the same time limit and one thread, and the objectives must agree.
Run: python benchmarks/formula.py --json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from biflora.formula.candidates import weigh_choices
from biflora.formula.model import FormulaModel
from biflora.formula.programme import Programme
from biflora.formula.shelf import todays_shelf
from biflora.formula.solve import Solver
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs

SECONDS = 20.0
CASES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[tuple[str, float], ...]], ...] = (
    (
        "atopic_dermatitis",
        ("arms",),
        ("ow_cream", "hydrocarbon_ointment"),
        (("barrier_repair", 0.9), ("anti_inflammatory", 0.8), ("s_aureus_suppression", 0.7), ("anti_itch", 0.5)),
    ),
    (
        "acne",
        ("face",),
        ("ow_lotion", "hec_gel"),
        (("c_acnes_control", 0.9), ("comedolysis", 0.8), ("sebum_control", 0.4), ("anti_inflammatory", 0.4)),
    ),
    (
        "psoriasis",
        ("trunk",),
        ("ow_cream", "hydrocarbon_ointment"),
        (("keratolysis", 0.9), ("anti_inflammatory", 0.8), ("anti_itch", 0.4)),
    ),
    ("rosacea", ("face",), ("ow_cream", "hec_gel"), (("vascular_calming", 0.9), ("anti_inflammatory", 0.8))),
    (
        "seborrhoeic_dermatitis",
        ("scalp",),
        ("ow_lotion", "shampoo"),
        (("malassezia_control", 0.9), ("anti_inflammatory", 0.6), ("keratolysis", 0.4)),
    ),
    (
        "scalp_hair",
        ("scalp",),
        ("hydroalcoholic_gel", "scalp_serum"),
        (("hair_cycle", 1.0), ("sebum_control", 0.4)),
    ),
)


def instances() -> list[tuple[str, Programme]]:
    """The fixed instances by name, each with the benefit objective in place of the full one."""
    shelf = todays_shelf()
    made = []
    for condition, sites, vehicles, wanted in CASES:
        needs = Needs(
            condition=Condition(condition),
            needs=tuple(Need(effect=Effect(name), weight=weight, confidence=0.8) for name, weight in wanted),
            age_years=30,
            sites=tuple(BodySite(site) for site in sites),
            pregnancy="no",
        )
        choices = weigh_choices(needs, shelf)
        for vehicle in vehicles:
            model = FormulaModel(choices.vehicles[vehicle], choices, needs, shelf)
            must, points = model.aims.in_order[:2]
            step = 1 + sum(abs(value) for value in points.values())
            model.programme.maximise = dict(points)
            for variable in must:
                model.programme.reward(variable, step)
            made.append((f"{condition} in {vehicle}", model.programme))
    return made


def with_highs(programme: Programme) -> tuple[float, int | None, bool]:
    """Seconds, objective (None: no answer) and whether it was proved."""
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
                if true_at_one:
                    terms[variable] = terms.get(variable, 0.0) + sign * slack
                    bound += sign * slack
                else:
                    terms[variable] = terms.get(variable, 0.0) - sign * slack
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
        options={"time_limit": SECONDS, "mip_rel_gap": 0.0},
    )
    objective = None if answer.x is None else programme.value_of([round(value) for value in answer.x])
    return time.perf_counter() - begin, objective, answer.status == 0


def with_cp_sat(programme: Programme) -> tuple[float, int | None, bool]:
    begin = time.perf_counter()
    answer = Solver(programme).run(seconds=SECONDS)
    objective = programme.value_of(list(answer.values)) if answer.values else None
    return time.perf_counter() - begin, objective, answer.status in ("optimal", "impossible")


def measure() -> dict[str, object]:
    import ortools.sat.python.cp_model  # noqa: F401  (its import is not part of a solve)

    cases = []
    for name, programme in instances():
        ours, our_objective, our_proof = with_cp_sat(programme)
        theirs, their_objective, their_proof = with_highs(programme)
        cases.append(
            {
                "instance": name,
                "variables": len(programme.names),
                "rows": len(programme.rows),
                "cp_sat_seconds": round(ours, 4),
                "highs_seconds": round(theirs, 4),
                "objective": our_objective,
                "highs_objective": their_objective,
                "proved": our_proof,
                "highs_proved": their_proof,
                "objectives_agree": our_objective == their_objective,
            }
        )
    both = [c for c in cases if c["proved"] and c["highs_proved"] and c["objectives_agree"]]
    ours_median = statistics.median(float(str(c["cp_sat_seconds"])) for c in both) if both else None
    peer_median = statistics.median(float(str(c["highs_seconds"])) for c in both) if both else None
    return {
        "benchmark": "formula",
        "instances": cases,
        "matched": len(both),
        "cp_sat_median_seconds": ours_median,
        "peer": "HiGHS in scipy.optimize.milp",
        "peer_median_seconds": peer_median,
        "ratio": round(peer_median / ours_median, 3) if ours_median and peer_median else None,
        "ratio_means": "peer seconds per our second, medians over instances proved by both with equal objective",
        "cores": os.cpu_count(),
        "threads_used": 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    figures = measure()
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
