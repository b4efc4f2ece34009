"""One engine on the work that `benchmarks/twin.py` laid out, in a process of its own; prints one JSON line.

Each engine solves the same patients under the same inputs, at the loosest tolerance whose worst relative error
over the judged patients, states and weeks is at most `BAR`. Absolute tolerance is a thousandth of the relative
one, as the error's own measure has it. An engine that is not installed says so.

    python benchmarks/twin_runners.py ENGINE FOLDER
"""

from __future__ import annotations

import ast
import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Solve = Callable[[str, slice, float], Array]
"""Case, which patients, relative tolerance; gives states (n, weeks + 1, states)."""
BAR = 1e-3
LADDER = (1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5, 5e-6, 2e-6, 1e-6, 1e-7, 1e-8)
CASES = ("constant", "everyday")
LONG_ENOUGH_S = 3.0
CORES = os.cpu_count() or 1


class Work:
    """What every engine is given."""

    def __init__(self, folder: Path) -> None:
        found = np.load(folder / "work.npz")
        self.states, self.rates, self.keys = found["states"], found["rates"], found["keys"]
        self.inputs = {case: found[f"inputs_{case}"] for case in CASES}
        self.truth = {case: found[f"truth_{case}"] for case in CASES}
        self.drive = {case: found[f"drive_{case}"] for case in CASES}
        self.plan, self.edges = found["plan"], found["edges"]
        self.sbml = (folder / "model.xml").read_text(encoding="utf-8")
        self.weeks = self.inputs["everyday"].shape[1]

    @property
    def visits(self) -> Array:
        return 7.0 * np.arange(self.weeks + 1)


def worst(course: Array, truth: Array) -> float:
    """Worst relative error; infinite where an engine gave up on a patient (NaN)."""
    found = float(np.max(np.abs(course - truth) / (np.abs(truth) + 1e-3)))
    return found if np.isfinite(found) else float("inf")


def ladder_of(solve: Solve, work: Work, case: str, most: int) -> dict[str, Any]:
    """Accuracy tolerance by tolerance until the bar is met, then trajectories a second, best of three."""
    judged = len(work.truth[case])
    tried: dict[str, float] = {}
    for rtol in LADDER:
        began = time.perf_counter()
        error = worst(solve(case, slice(0, judged), rtol), work.truth[case])
        took = time.perf_counter() - began
        tried[f"{rtol:g}"] = error
        if error <= BAR:
            count = int(min(most, max(judged, LONG_ENOUGH_S * judged / took)))
            best = min(_seconds(solve, case, count, rtol) for _ in range(3))
            gave_up = int(np.isnan(solve(case, slice(0, count), rtol)).any(axis=(1, 2)).sum())
            return {"rtol": rtol, "worst_relative_error": error, "tried": tried, "timed": count,
                    "gave_up": gave_up, "trajectories_per_s": count / best}  # fmt: skip
    return {"rtol": None, "tried": tried, "trajectories_per_s": None}


def _seconds(solve: Solve, case: str, count: int, rtol: float) -> float:
    began = time.perf_counter()
    solve(case, slice(0, count), rtol)
    return time.perf_counter() - began


def measured(solve: Solve, work: Work, compile_s: float, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"compile_s": compile_s, **more}
    for case in CASES:
        found[case] = ladder_of(solve, work, case, len(work.states))
    found["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def ours(work: Work, *, on_gpu: bool = False) -> dict[str, Any]:
    from biflora.twin.engine import RELATIVE, run
    from biflora.twin.regimen import Timetable

    if on_gpu:
        from numba import cuda

        from biflora.twin.gpu import run_on_gpu as run  # type: ignore[assignment]

        if not cuda.is_available():
            return {"missing": "no CUDA device"}
    table = Timetable(work.edges, work.plan)

    def solve(case: str, who: slice, rtol: float) -> Array:
        _, _, course, _ = run(
            work.states[who], work.rates[who], work.keys[who], table, work.drive[case][who],
            perfect=case == "constant", want_seen=False, want_states=True, rtol=rtol,
        )  # fmt: skip
        return course

    first = _seconds(solve, "everyday", 1, RELATIVE)
    found = measured(solve, work, first - _seconds(solve, "everyday", 1, RELATIVE), cores=CORES)
    for case in CASES:
        judged = len(work.truth[case])
        best = min(_seconds(solve, case, len(work.states), RELATIVE) for _ in range(3))
        found[case]["at_default"] = {
            "rtol": RELATIVE, "trajectories_per_s": len(work.states) / best,
            "worst_relative_error": worst(solve(case, slice(0, judged), RELATIVE), work.truth[case]),
        }  # fmt: skip
    return found


def numbalsoda(work: Work) -> dict[str, Any]:
    began = time.perf_counter()
    import numba as nb
    from numbalsoda import lsoda, lsoda_sig

    from biflora.twin.model import rates

    n_states, n_rates, n_all = work.states.shape[1], work.rates.shape[1], work.rates.shape[1] + 14
    imported = time.perf_counter() - began

    @nb.cfunc(lsoda_sig, error_model="numpy")
    def slope(t: float, y: Any, dy: Any, data: Any) -> None:
        given = nb.carray(data, (n_all,))
        rates(nb.carray(y, (n_states,)), given[:n_rates], given[n_rates:], nb.carray(dy, (n_states,)))

    @nb.njit(parallel=True, error_model="numpy")
    def follow(address: int, y0: Array, p: Array, u: Array, visits: Array, rtol: float, course: Array) -> None:
        for i in nb.prange(y0.shape[0]):
            data = np.empty(n_all)
            data[:n_rates] = p[i]
            if u.shape[1] == 1:
                data[n_rates:] = u[i, 0]
                found, _ = lsoda(address, y0[i].copy(), visits, data, rtol, 1e-3 * rtol)
                course[i] = found
            else:
                y = y0[i].copy()
                course[i, 0] = y
                week = np.array([0.0, 7.0])
                for w in range(u.shape[1]):
                    data[n_rates:] = u[i, w]
                    found, _ = lsoda(address, y, week, data, rtol, 1e-3 * rtol)
                    y = found[1].copy()
                    course[i, w + 1] = y

    def solve(case: str, who: slice, rtol: float) -> Array:
        course = np.empty((who.stop - who.start, work.weeks + 1, n_states))
        follow(
            slope.address, work.states[who], work.rates[who], work.inputs[case][who], work.visits, rtol, course
        )  # fmt: skip
        return course

    first = _seconds(solve, "everyday", 1, 1e-4)
    return measured(solve, work, first - _seconds(solve, "everyday", 1, 1e-4), import_s=imported, cores=CORES)


def spread(one: Callable[[str, float, int], Array]) -> Solve:
    """One process a core, each with its share of the patients."""
    pool = multiprocessing.get_context("fork").Pool(CORES)

    def solve(case: str, who: slice, rtol: float) -> Array:
        chunk = max(1, (who.stop - who.start) // (8 * CORES))
        return np.array(pool.map(partial(one, case, rtol), range(who.start, who.stop), chunk))

    return solve


def scipy(work: Work) -> dict[str, Any]:
    from scipy.integrate import odeint

    from biflora.twin.model import rates

    def one(case: str, rtol: float, i: int) -> Array:
        y, u, p = work.states[i], work.inputs[case][i], work.rates[i]

        def slope(_: float, now: Array, given: Array) -> Array:
            dy = np.empty(now.size)
            rates(now, p, given, dy)
            return dy

        given = {"rtol": rtol, "atol": 1e-3 * rtol, "tfirst": True, "mxstep": 100_000}
        if len(u) == 1:
            return np.asarray(odeint(slope, y, work.visits, args=(u[0],), **given))
        course = [y]
        for week in u:
            course.append(odeint(slope, course[-1], [0.0, 7.0], args=(week,), **given)[-1])
        return np.array(course)

    began = time.perf_counter()
    rates(work.states[0], work.rates[0], work.inputs["constant"][0, 0], np.empty(work.states.shape[1]))
    compile_s = time.perf_counter() - began
    globals()["_one"] = one  # what a forked process can be asked for by name
    return measured(spread(_forked), work, compile_s, cores=CORES)


def _forked(case: str, rtol: float, i: int) -> Array:
    return globals()["_one"](case, rtol, i)


def roadrunner(work: Work) -> dict[str, Any]:
    import roadrunner as rr

    from biflora.twin.state import INPUTS, RATES, STATES

    began = time.perf_counter()
    runner = rr.RoadRunner(work.sbml)
    compile_s = time.perf_counter() - began
    there = list(runner.model.getGlobalParameterIds())
    rate_at = [(there.index(key), place) for place, key in enumerate(RATES) if key in there]
    rate_to, rate_from = [a for a, _ in rate_at], [b for _, b in rate_at]
    input_to = [there.index(f"input_{key}") for key in INPUTS]
    state_to = [there.index(key) for key in STATES]
    runner.timeCourseSelections = list(STATES)

    def one(case: str, rtol: float, i: int) -> Array:
        try:
            return followed(case, rtol, i)
        except RuntimeError:  # CVODE gave up on this patient
            runner.reset()
            return np.full((work.weeks + 1, len(STATES)), np.nan)

    def followed(case: str, rtol: float, i: int) -> Array:
        model, u = runner.model, work.inputs[case][i]
        runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = rtol, 1e-3 * rtol
        model.setGlobalParameterValues(rate_to, work.rates[i, rate_from])
        model.setGlobalParameterValues(input_to, u[0])
        model.setTime(0.0)
        model.setGlobalParameterValues(state_to, work.states[i])
        if len(u) == 1:
            return np.array(runner.simulate(0.0, 7.0 * work.weeks, work.weeks + 1))
        course = [work.states[i]]
        for w, week in enumerate(u):
            model.setGlobalParameterValues(input_to, week)
            course.append(np.array(runner.simulate(7.0 * w, 7.0 * w + 7.0, 2))[-1])
        return np.array(course)

    globals()["_one"] = one
    return measured(spread(_forked), work, compile_s, cores=CORES)


def diffrax(work: Work) -> dict[str, Any]:
    began = time.perf_counter()
    import diffrax as dx
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    slope = _in_jax(jnp)
    imported = time.perf_counter() - began
    weeks, visits = work.weeks, jnp.asarray(work.visits)

    def solver_of(method: Any) -> tuple[Solve, float]:
        def one(y: Any, p: Any, u: Any, rtol: Any) -> Any:
            steps = dx.PIDController(rtol=rtol, atol=1e-3 * rtol)
            if u.shape[0] > 1:
                steps = dx.ClipStepSizeController(steps, jump_ts=visits[1:-1])

            def field(t: Any, now: Any, given: Any) -> Any:
                return slope(now, p, given[jnp.clip(jnp.floor(t / 7.0).astype(int), 0, given.shape[0] - 1)])

            return dx.diffeqsolve(
                dx.ODETerm(field), method, 0.0, 7.0 * weeks, 1e-2, y, u, saveat=dx.SaveAt(ts=visits),
                stepsize_controller=steps, max_steps=100_000,
            ).ys  # fmt: skip

        many = jax.jit(jax.vmap(one, in_axes=(0, 0, 0, None)))

        def solve(case: str, who: slice, rtol: float) -> Array:
            return np.asarray(many(work.states[who], work.rates[who], work.inputs[case][who], rtol))

        judged = len(work.truth["constant"])
        first = sum(_seconds(solve, case, judged, 1e-3) for case in CASES)
        return solve, first - sum(_seconds(solve, case, judged, 1e-3) for case in CASES)

    found = {}
    for name in ("Kvaerno3", "Kvaerno5", "Tsit5"):
        solve, compile_s = solver_of(getattr(dx, name)())
        found[name] = {"compile_s": compile_s}
        for case in CASES:  # a batch's shape is compiled: timed on the judged batch
            found[name][case] = ladder_of(solve, work, case, len(work.truth[case]))
    whole: dict[str, Any] = {"import_s": imported, "cores": CORES, "solvers": found}
    for case in CASES:
        best = max(found.values(), key=lambda one: one[case]["trajectories_per_s"] or 0.0)
        whole[case] = {**best[case], "compile_s": best["compile_s"]}
    whole["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return whole


def _in_jax(jnp: Any) -> Callable[[Any, Any, Any], Any]:
    """The model's own formulas as a JAX function."""
    import jax

    from biflora.twin.reading import lines
    from biflora.twin.state import INPUTS, RATES, STATES

    class Choosing(ast.NodeTransformer):
        def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
            self.generic_visit(node)
            return ast.Call(ast.Name("where"), [node.test, node.body, node.orelse], [])

    class Named:
        def __init__(self, keys: tuple[str, ...], values: Any) -> None:
            self.__dict__.update({key: values[place] for place, key in enumerate(keys)})

    formulas = []
    for line in lines("rates"):
        value = Choosing().visit(ast.parse(ast.unparse(ast.fix_missing_locations(line.value)), mode="eval"))
        formulas.append((line.name, line.kind, compile(ast.unparse(value), line.name, "eval")))

    def slope(y: Any, p: Any, u: Any) -> Any:
        known = {"exp": jnp.exp, "where": jnp.where, "logistic": jax.nn.sigmoid}
        known |= {"y": Named(STATES, y), "p": Named(RATES, p), "u": Named(INPUTS, u)}
        rate = {}
        for name, kind, formula in formulas:
            found = eval(formula, known)
            if kind == "rate":
                rate[name] = found
            else:
                known[name] = found
        return jnp.stack([rate[key] for key in STATES])

    return slope


def miyano(work: Work) -> dict[str, Any]:
    """Another, smaller model (4 states, 16 weeks, with its 1,000 weeks of burn-in): its pace, not its accuracy."""
    from biflora.twin.miyano import draw, simulate

    began = time.perf_counter()
    simulate(draw(1, 1), "placebo", 16)
    first = time.perf_counter() - began
    patients = draw(len(work.states), 1)
    began = time.perf_counter()
    failed = int(np.count_nonzero(simulate(patients, "s_hominis_a9", 16).status))
    took = time.perf_counter() - began
    return {"compile_s": first, "trajectories_per_s": len(patients) / took, "failed": failed, "cores": CORES}


RUNNERS: dict[str, Callable[[Work], dict[str, Any]]] = {
    "ours": ours,
    "gpu": partial(ours, on_gpu=True),
    "numbalsoda": numbalsoda,
    "scipy": scipy,
    "roadrunner": roadrunner,
    "diffrax": diffrax,
    "miyano": miyano,
}


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    try:
        found = RUNNERS[name](Work(folder))
    except ImportError as problem:
        found = {"missing": f"not installed ({problem.name})"}
    from biflora.twin import fingerprint

    print(json.dumps({**found, "source": fingerprint.of_source(fingerprint.ENGINE)[:12]}))


if __name__ == "__main__":
    main()
