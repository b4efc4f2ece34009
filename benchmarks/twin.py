"""Trajectories a second of the twin's engine beside SciPy's LSODA on the same compiled rate function.

Both are held against SciPy's Radau at 1e-10 on the same patients and compared at the same worst relative error.

    .venv/bin/python benchmarks/twin.py [--json] [--patients 2000]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="biflora-benchmark-")  # so that compiling is really timed

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import odeint, solve_ivp

from biflora.twin import state as at
from biflora.twin.arms import uses
from biflora.twin.engine import N_INPUTS, N_STATES, RELATIVE, run
from biflora.twin.model import rates
from biflora.twin.population import Patients, at_first_visit, flares

Array = NDArray[np.float64]
WEEKS = 12
JUDGED = 40


def weekly(step: Callable[[Callable[[float, Array], Array], Array], Array], patients: Patients, i: int,
           levers: Array, drive: Array) -> Array:  # fmt: skip
    """One patient's states at every week by another solver that is restarted where the input changes."""
    y, p = patients.states[i].copy(), patients.rates[i]
    u = np.empty(N_INPUTS)
    u[at.GUT_LINK], u[at.BUTYRATE_HELD] = 1.0, y[at.BUTYRATE]
    slope = np.empty(N_STATES)

    def right_side(_: float, now: Array) -> Array:
        rates(now, p, u, slope)
        return slope.copy()

    course = [y]
    for week in range(WEEKS):
        u[:4], u[at.DRIVE] = levers[i, week], drive[i, week]
        y = step(right_side, y)
        course.append(y)
    return np.array(course)


def radau(f: Callable[[float, Array], Array], y: Array) -> Array:
    return np.asarray(solve_ivp(f, (0.0, 7.0), y, method="Radau", rtol=1e-10, atol=1e-12).y[:, -1])


def lsoda(rtol: float) -> Callable[[Callable[[float, Array], Array], Array], Array]:
    def step(f: Callable[[float, Array], Array], y: Array) -> Array:
        return np.asarray(odeint(f, y, [0.0, 7.0], rtol=rtol, atol=1e-8, tfirst=True, mxstep=50_000)[-1])

    return step


def worst(course: Array, truth: Array) -> float:
    return float(np.max(np.abs(course - truth) / (np.abs(truth) + 1e-3)))


def measure(count: int) -> dict[str, Any]:
    began = time.perf_counter()
    patients = at_first_visit(count, 2026)
    compile_and_settle = time.perf_counter() - began
    patients.rates[:, at.STEROID_START], patients.rates[:, at.STEROID_STOP] = (
        -1.0,
        -2.0,
    )  # always treated: same input
    drive, _ = flares(patients.rates, WEEKS, patients.flare, np.random.default_rng(1))
    levers = uses("combination", patients.rates, WEEKS)

    truth = np.array([weekly(radau, patients, i, levers, drive) for i in range(JUDGED)])
    took, course, status = np.inf, np.empty(0), np.empty(0)
    for _ in range(3):
        began = time.perf_counter()
        _, _, course, status = run(
            patients.states, patients.rates, levers, drive, want_seen=False, want_states=True
        )
        took = min(took, time.perf_counter() - began)
    ours = worst(course[:JUDGED], truth)

    peer: dict[str, Any] = {}
    for rtol in (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 1e-6, 1e-7):
        began = time.perf_counter()
        theirs = np.array([weekly(lsoda(rtol), patients, i, levers, drive) for i in range(JUDGED)])
        spent = time.perf_counter() - began
        peer = {"rtol": rtol, "worst_relative_error": worst(theirs, truth), "trajectories_per_s": JUDGED / spent}
        if peer["worst_relative_error"] <= max(ours, 1e-9):
            break
    rate = len(patients) / took
    return {
        "what": "trajectories of 12 weeks a second, at the same worst relative error against Radau 1e-10",
        "cores": os.cpu_count(),
        "patients": len(patients),
        "failed": int(np.count_nonzero(status)),
        "ours": {"rtol": RELATIVE, "worst_relative_error": ours, "trajectories_per_s": rate},
        "peer": {"name": "SciPy odeint (LSODA), one core, same compiled rates", **peer},
        "ratio": rate / peer["trajectories_per_s"],
        "ratio_per_core": rate / (os.cpu_count() or 1) / peer["trajectories_per_s"],
        "compile_and_settle_s": compile_and_settle,
        "ours_including_compile_trajectories_per_s": len(patients) / (took + compile_and_settle),
        "ratio_including_compile": len(patients) / (took + compile_and_settle) / peer["trajectories_per_s"],
        "note": "the first call of `rates` from Python compiles it for the peer too; that time is not counted",
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    ask.add_argument("--patients", type=int, default=2000)
    given = ask.parse_args()
    found = measure(given.patients)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['what']}; {found['cores']} cores, {found['patients']} patients, {found['failed']} failed")
    for who in ("ours", "peer"):
        print(
            f"{who:5s} {found[who]['trajectories_per_s']:9.0f}/s  error {found[who]['worst_relative_error']:.1e}"
        )
    print(f"ratio {found['ratio']:.1f}, with compiling and settling {found['ratio_including_compile']:.1f}")


if __name__ == "__main__":
    main()
