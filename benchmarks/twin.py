"""Trajectories a second of the twin's engine beside other solvers on the same model, patients and inputs.

Every engine runs in a process of its own at the loosest tolerance whose worst relative error against SciPy's
Radau at 1e-10 is at most 1e-3, over the judged patients, all states and all weeks. Two cases of 12 weeks under
the combination arm, always treated: *constant* (no flares, no missed doses: one input for 84 days) and *everyday*
(flares and missed doses: another input every week).

    .venv/bin/python benchmarks/twin.py [--json] [--patients 10000] [--judged 200] [--million] [--gpu]
    ... --numbalsoda PYTHON --diffrax PYTHON   interpreters that have these peers; they are no dependency of ours

Beside this: the start of a second process, peak memory at 10,000 and 100,000 patients, failures of a million.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from biflora.twin import fingerprint
from biflora.twin import state as at
from biflora.twin.arms import timetable_of
from biflora.twin.engine import N_INPUTS, N_STATES, pull
from biflora.twin.model import jacobian, rates
from biflora.twin.population import Patients, at_first_visit
from biflora.twin.sbml import document, median_patient

Array = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
WEEKS = 12
PEERS = ("numbalsoda", "scipy", "roadrunner", "diffrax")
CASES = ("constant", "everyday")
STREAM = """
import resource, sys
import numpy as np
from biflora.twin.arms import timetable_of
from biflora.twin.engine import run
from biflora.twin.population import at_first_visit

total, chunk, failed, tried, scorad = int(sys.argv[1]), 10_000, 0, 0, 0.0
table = timetable_of("combination", 12)
for part in range(-(-total // chunk)):
    patients = at_first_visit(min(chunk, total - part * chunk), 1000 + part)
    _, seen, _, status = run(patients.states, patients.rates, patients.latent.keys, table, patients.drive(12))
    tried, failed = tried + patients.tried, failed + patients.failed + int(np.count_nonzero(status))
    scorad += float(np.nansum(seen[:, 12, 0]))
print(tried, failed, scorad / (tried - failed), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
FIRST = """
import sys, time
import numpy as np
from biflora.twin.arms import timetable_of
from biflora.twin.engine import run
given = np.load(sys.argv[1])
_, seen, _, status = run(
    given["states"][:1], given["rates"][:1], given["keys"][:1], timetable_of("combination", 12),
    given["drive_everyday"][:1],
)
assert status[0] == 0
"""


def always_treated(patients: Patients) -> Patients:
    """The same patients for whom a steroid is due whatever their score, so that every solver has one input."""
    changed = patients.rates.copy()
    changed[:, at.STEROID_START], changed[:, at.STEROID_STOP] = -1.0, -2.0
    return replace(patients, rates=changed)


def inputs_of(patients: Patients, drive: Array, *, perfect: bool) -> Array:
    """(n, weeks or 1, inputs): what acts on each patient, doses missed as the engine misses them."""
    plan = timetable_of("combination", WEEKS).plan
    weeks = 1 if perfect else WEEKS
    given = np.empty((len(patients), weeks, N_INPUTS))
    given[:, :, at.GUT_LINK] = 1.0
    given[:, :, at.BUTYRATE_HELD] = patients.states[:, at.BUTYRATE, None]
    given[:, :, at.DRIVE] = drive[:, :weeks]
    for i in range(len(patients)):
        for week in range(weeks):
            pull(given[i, week], plan[week], patients.rates[i], patients.latent.keys[i], week, True, perfect)
    return given


def truth(job: tuple[Array, Array, Array]) -> Array:
    """One patient's states at every week by SciPy's Radau at 1e-10, restarted where the input changes."""
    y, p, inputs = job
    slope, slopes = np.empty(N_STATES), np.zeros((N_STATES, N_STATES))
    course = [y]
    for week in range(WEEKS):
        u = inputs[min(week, len(inputs) - 1)]

        def right_side(_: float, now: Array, u: Array = u) -> Array:
            rates(now, p, u, slope)
            return slope.copy()

        def derivatives(_: float, now: Array, u: Array = u) -> Array:
            jacobian(now, p, u, slopes)
            return slopes.copy()

        found = solve_ivp(
            right_side, (0.0, 7.0), course[-1], method="Radau", jac=derivatives, rtol=1e-10, atol=1e-12
        )  # fmt: skip
        course.append(found.y[:, -1])
    return np.array(course)


def lay_out(folder: Path, count: int, judged: int) -> None:
    """Patients, inputs and truth, as every engine reads them."""
    patients = always_treated(at_first_visit(count, 2026))
    drive = {"constant": np.ones((len(patients), WEEKS)), "everyday": patients.drive(WEEKS)}
    inputs = {case: inputs_of(patients, drive[case], perfect=case == "constant") for case in CASES}
    held: dict[str, Array] = {}
    with multiprocessing.get_context("spawn").Pool() as pool:
        for case in CASES:
            jobs = [(patients.states[i], patients.rates[i], inputs[case][i]) for i in range(judged)]
            held[f"truth_{case}"] = np.array(pool.map(truth, jobs))
    table = timetable_of("combination", WEEKS)
    np.savez(
        folder / "work.npz", states=patients.states, rates=patients.rates, keys=patients.latent.keys,
        plan=table.plan, edges=table.edges, **held,
        **{f"inputs_{case}": inputs[case] for case in CASES}, **{f"drive_{case}": drive[case] for case in CASES},
    )  # fmt: skip
    text = document(median_patient("combination", WEEKS), observables_too=False)
    (folder / "model.xml").write_text(text, encoding="utf-8")


def runner(name: str, folder: Path, python: str, *, cold: bool = False) -> dict[str, Any]:
    """What one engine measured, in its own process; `cold`: with an empty cache of compiled code."""
    env = {**os.environ, "PYTHONPATH": str(HERE.parent / "src")}
    if cold:
        env["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="cache-", dir=folder)
    out = subprocess.run(
        [python, "-P", str(HERE / "twin_runners.py"), name, str(folder)], env=env, capture_output=True, text=True
    )  # fmt: skip
    if out.returncode != 0:
        said = out.stderr.strip().splitlines() or [str(out.returncode)]
        return {"missing": f"failed: {said[-1][:200]}"}
    found: dict[str, Any] = json.loads(out.stdout.strip().splitlines()[-1])
    return found


def second_start(folder: Path) -> dict[str, float]:
    """Seconds from starting Python to the first simulated trajectory when the code is already compiled."""
    took = []
    for _ in range(4):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", FIRST, str(folder / "work.npz")], check=True)
        took.append(time.perf_counter() - began)
    return {"first_s": took[0], "best_s": min(took[1:]), "median_s": sorted(took[1:])[1]}


def stream(total: int) -> dict[str, float]:
    """Draw, settle and simulate so many patients in chunks of 10,000: failures, pace and peak memory."""
    began = time.perf_counter()
    out = subprocess.run(
        [sys.executable, "-c", STREAM, str(total)], check=True, capture_output=True, text=True
    )  # fmt: skip
    took = time.perf_counter() - began
    tried, failed, scorad, memory = map(float, out.stdout.split())
    return {
        "patients": tried, "failed": failed, "mean_scorad_week_12": scorad, "peak_memory_mb": memory,
        "took_s": took, "drawn_settled_and_simulated_per_s": tried / took,
    }  # fmt: skip


def measure(given: argparse.Namespace) -> dict[str, Any]:
    pythons = {"numbalsoda": given.numbalsoda, "diffrax": given.diffrax}
    with tempfile.TemporaryDirectory(prefix="biflora-benchmark-") as name:
        folder = Path(name)
        lay_out(folder, given.patients, given.judged)
        before = os.getloadavg()
        engines = {"ours": runner("ours", folder, sys.executable, cold=True)}
        if given.gpu:
            engines["gpu"] = runner("gpu", folder, sys.executable)
        for peer in (*PEERS, "miyano"):
            engines[peer] = runner(peer, folder, pythons.get(peer) or sys.executable, cold=True)
        source = fingerprint.of_source(fingerprint.ENGINE)[:12]
        if {engine.get("source", source) for engine in engines.values()} != {source}:
            sys.exit(
                "The twin's source changed while it was measured, so the engines cannot be compared: run again."
            )
        found: dict[str, Any] = {
            "source": source,
            "what": "trajectories of 12 weeks a second at a worst relative error of at most 1e-3",
            "cores": os.cpu_count(), "patients": given.patients, "judged": given.judged,
            "load_before": before, "load_after": os.getloadavg(), "engines": engines,
            "ratios": {case: ratios(engines, case, given.patients) for case in CASES},
            "second_process": second_start(folder),
        }  # fmt: skip
    found["memory"] = [stream(10_000), stream(100_000)]
    if given.million:
        found["million"] = stream(1_000_000)
    return found


def ratios(engines: dict[str, dict[str, Any]], case: str, count: int) -> dict[str, Any]:
    """How many times as fast as each peer we are: by pace alone, and for `count` patients with compiling."""
    mine = engines["ours"].get(case, {}).get("trajectories_per_s")
    told: dict[str, Any] = {}
    for peer in PEERS:
        pace = engines[peer].get(case, {}).get("trajectories_per_s")
        if mine and pace:
            whole = [count / fast + compiling(engines[who], case) for who, fast in (("ours", mine), (peer, pace))]
            told[peer] = {"excluding_compile": mine / pace, "including_compile": whole[1] / whole[0]}
    if told:
        told["best_peer"] = min(told, key=lambda peer: told[peer]["excluding_compile"])
    return told


def compiling(engine: dict[str, Any], case: str) -> float:
    """Seconds before the first trajectory; diffrax's depend on which of its solvers was best."""
    return float(engine[case].get("compile_s", engine.get("compile_s", 0.0)))


def show(found: dict[str, Any]) -> None:
    print(f"{found['what']}; {found['cores']} cores, {found['patients']} patients, {found['judged']} judged,")
    load = f"load {found['load_before'][0]:.1f} before and {found['load_after'][0]:.1f} after"
    print(f"engine's source {found['source']}, {load}")
    print("engine      case         rtol    worst    per s compile s  ratio with compile")
    for name, engine in found["engines"].items():
        if "missing" in engine:
            print(f"{name:11s} {engine['missing']}")
            continue
        for case in CASES if "constant" in engine else ():
            one, ratio = engine[case], found["ratios"][case].get(name, {})
            if one["trajectories_per_s"] is None:
                print(f"{name:11s} {case:9s} met the bar at no tolerance: {one['tried']}")
                continue
            told = f"{ratio['excluding_compile']:6.1f} {ratio['including_compile']:12.1f}" if ratio else ""
            lost = f"  gave up on {one['gave_up']}" if one["gave_up"] else ""
            print(
                f"{name:11s} {case:9s} {one['rtol']:7.0e} {one['worst_relative_error']:8.1e} "
                f"{one['trajectories_per_s']:8.0f} {compiling(engine, case):9.1f} {told}{lost}"
            )
            if "at_default" in one:
                usual = one["at_default"]
                print(f"{'  default':11s} {case:9s} {usual['rtol']:7.0e} {usual['worst_relative_error']:8.1e} "
                      f"{usual['trajectories_per_s']:8.0f}")  # fmt: skip
        if "constant" not in engine:
            print(f"{name:11s} another model of 4 states, 16 weeks: {engine['trajectories_per_s']:.0f}/s")
    start = found["second_process"]
    print(f"second process to its first trajectory: best {start['best_s']:.2f}, median {start['median_s']:.2f} s")
    for one in (*found["memory"], *([found["million"]] if "million" in found else [])):
        print(
            f"{one['patients']:.0f} drawn, settled and simulated in {one['took_s']:.0f} s: {one['failed']:.0f} "
            f"failed, peak memory {one['peak_memory_mb']:.0f} MB"
        )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    ask.add_argument("--patients", type=int, default=10_000, help="how many are timed")
    ask.add_argument("--judged", type=int, default=200, help="how many are held against Radau")
    ask.add_argument("--numbalsoda", help="interpreter that has numbalsoda; absent: this one")
    ask.add_argument("--diffrax", help="interpreter that has diffrax; absent: this one")
    ask.add_argument("--gpu", action="store_true", help="run the engine on a CUDA device too")
    ask.add_argument("--million", action="store_true", help="count the failures of a million patients")
    found = measure(ask.parse_args())
    if "--json" in sys.argv:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
