"""Formulas for random patients to proven optimum, alternatives, reasons; and the same programmes by HiGHS.

Patients are those of the tests (`tests/rooms/formula/random_needs.py`): every condition, odd sites, allergies,
pregnancy, stock, cost, forced ingredients, the full knowledge. A design counts from the needs to the proof over
all vehicles. HiGHS gets the programme of the best vehicle with the objective "must-have effects, then benefit"
(the full lexicographic one exceeds floating point), in another process, one thread on both sides; ratios count
only instances that both prove with equal objectives.
Run: python benchmarks/formula.py --json
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "rooms" / "formula"))

from formula_peer import with_highs
from random_needs import random_needs

from biflora.formula.candidates import Choices, weigh_choices
from biflora.formula.design import search
from biflora.formula.model import FormulaModel
from biflora.formula.programme import Programme
from biflora.formula.reasons import find_reasons
from biflora.formula.shelf import todays_shelf
from biflora.formula.solve import Solver
from biflora.plan.plan import Needs

LIMIT_SECONDS = 60.0
PEER_SECONDS = 20.0
OTHERS = 5


def at_share(values: list[float], share: float) -> float | None:
    """The value below which `share` of `values` lie (nearest rank), rounded."""
    ordered = sorted(values)
    return round(ordered[max(math.ceil(share * len(ordered)) - 1, 0)], 4) if ordered else None


def summary(seconds: list[float]) -> dict[str, float | int | None]:
    return {
        "count": len(seconds),
        "median_seconds": at_share(seconds, 0.5),
        "p99_seconds": at_share(seconds, 0.99),
        "worst_seconds": at_share(seconds, 1.0),
    }


def without_small_aims(vehicle: str, choices: Choices, needs: Needs) -> Programme:
    """The vehicle's programme with must-have effects and benefit alone as its objective."""
    model = FormulaModel(choices.vehicles[vehicle], choices, needs, todays_shelf())
    must, points = model.aims.in_order[:2]
    step = 1 + sum(abs(value) for value in points.values())
    model.programme.maximise = dict(points)
    for variable in must:
        model.programme.reward(variable, must[variable] * step)
    return model.programme


def with_cp_sat(programme: Programme) -> tuple[float, int | None, bool]:
    begin = time.perf_counter()
    answer = Solver(programme).run(seconds=PEER_SECONDS)
    objective = programme.value_of(list(answer.values)) if answer.values else None
    return time.perf_counter() - begin, objective, answer.status in ("optimal", "impossible")


def measure(patients: int, against_peer: int) -> dict[str, object]:
    import ortools.sat.python.cp_model  # noqa: F401  (its import is not part of a solve)

    shelf = todays_shelf()
    designs: list[float] = []
    alternatives: list[float] = []
    refusals: list[float] = []
    pairs: list[dict[str, object]] = []
    unproved = not_minimal = seed = 0
    with multiprocessing.get_context("spawn").Pool(1) as other_process:
        while len(designs) < patients:
            needs = random_needs(seed)
            seed += 1
            begin = time.perf_counter()
            choices = weigh_choices(needs, shelf)
            designed = search(choices, needs, shelf, seconds=LIMIT_SECONDS)
            took = time.perf_counter() - begin
            if not designed.found:
                begin = time.perf_counter()
                reasons = find_reasons(choices, needs, shelf, seconds=LIMIT_SECONDS)
                refusals.append(took + time.perf_counter() - begin)
                not_minimal += not reasons.minimal
                continue
            designs.append(took)
            unproved += not designed.proved
            if len(designs) % 5 == 0:
                begin = time.perf_counter()
                more = search(choices, needs, shelf, seconds=LIMIT_SECONDS, others=OTHERS)
                found = len(more.found) - 1
                if found:
                    alternatives.append(max(time.perf_counter() - begin - took, 0.0) / found)
            if len(designs) % max(patients // against_peer, 1) == 0 and len(pairs) < against_peer:
                programme = without_small_aims(designed.found[0].vehicle, choices, needs)
                ours, our_best, our_proof = with_cp_sat(programme)
                theirs, their_best, their_proof = other_process.apply(with_highs, (programme, PEER_SECONDS))
                pairs.append(
                    {
                        "seed": seed - 1,
                        "variables": len(programme.names),
                        "rows": len(programme.rows),
                        "cp_sat_seconds": round(ours, 4),
                        "highs_seconds": round(theirs, 4),
                        "cp_sat_proved": our_proof,
                        "highs_proved": their_proof,
                        "equal": our_best == their_best,
                    }
                )
    both = [p for p in pairs if p["cp_sat_proved"] and p["highs_proved"] and p["equal"]]
    ours_median = statistics.median(float(str(p["cp_sat_seconds"])) for p in both) if both else None
    peer_median = statistics.median(float(str(p["highs_seconds"])) for p in both) if both else None
    return {
        "benchmark": "formula",
        "ingredients": len(shelf.ingredients),
        "designs_to_proof": summary(designs),
        "unproved": unproved,
        "alternatives_each": summary(alternatives),
        "refusals_with_reasons": summary(refusals),
        "refusals_not_minimal": not_minimal,
        "peer": "HiGHS in scipy.optimize.milp, another process",
        "instances": len(pairs),
        "matched": len(both),
        "highs_unproved": sum(not p["highs_proved"] for p in pairs),
        "highs_other_objective": sum(bool(p["highs_proved"]) and not p["equal"] for p in pairs),
        "cp_sat_median_seconds": ours_median,
        "highs_median_seconds": peer_median,
        "cp_sat_worst_seconds": max((float(str(p["cp_sat_seconds"])) for p in pairs), default=None),
        "highs_worst_seconds": max((float(str(p["highs_seconds"])) for p in pairs), default=None),
        "ratio": round(peer_median / ours_median, 2) if ours_median and peer_median else None,
        "ratio_means": "peer seconds per our second, medians over instances proved by both with equal objective",
        "pairs": pairs,
        "cores": os.cpu_count(),
        "threads_used": 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--patients", type=int, default=500, help="how many designs")
    parser.add_argument("--against-peer", type=int, default=50, help="how many programmes HiGHS gets too")
    chosen = parser.parse_args()
    figures = measure(chosen.patients, chosen.against_peer)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        if name != "pairs":
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
