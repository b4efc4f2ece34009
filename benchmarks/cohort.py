"""Bray-Curtis and PERMANOVA of cohorts beside scikit-bio and vegan, in one run, as ratios at matched accuracy.

Simulated sparse counts: 10,000 reads a sample, about 160 of 2,000 taxa in each, four samples of every subject,
four arms between subjects. Jobs: Bray-Curtis of all pairs; PERMANOVA `arm + age` with 999 deals of whole subjects;
and `arm * C(visit) + age` with each term dealt as the design allows (no peer offers that).

What is the same and what is not. All engines start from counts in memory (ours sparse, the peers' dense; making
them is not counted) and from their own distances. Distances and F of all engines are compared in the same run and
the largest difference printed. scikit-bio's PERMANOVA takes one factor and permutes samples freely: its time is
for less work. vegan deals whole subjects through `permute`, all terms at once; biflora deals each term anew, twice
the deals for two terms. Every engine runs in a process of its own, one after the other, on the threads that it
takes by itself (printed). `first_s` is the first call with all that it loads or compiles, `seconds` the fastest of
the repeats (vegan's adonis2 and scikit-bio's distances above 2,000 samples run once, and loading is under 1 % of
them). scikit-bio's PERMANOVA waits for all its threads: on a busy machine it takes ten times as long, so believe
its ratio from a quiet one only (`load_at_start`, `load_at_end`).

On two quiet cores: `--quick` about 1 minute, the whole about 5, `--vegan-large` a quarter of an hour more.

    .venv/bin/python benchmarks/cohort.py [--json] [--quick] [--alone] [--no-vegan] [--vegan-large] [--repeats 3]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
SAMPLES_A_SUBJECT = 4
ARMS = "abcd"
PERMUTATIONS = 999


def simulate(n: int, folder: Path) -> None:
    """Counts as (sample, taxon, reads) and what is known of the samples, in files that every engine reads."""
    generator = np.random.default_rng(20261126)
    n_taxa, reads = 2_000, 10_000
    common = np.exp(generator.normal(0, 2.2, n_taxa))
    subjects = n // SAMPLES_A_SUBJECT
    arm, age = generator.integers(0, len(ARMS), subjects), generator.normal(40, 10, subjects)
    triplets = []
    for subject in range(subjects):
        holds = generator.random(n_taxa) < 0.12
        likes = common * np.exp(generator.normal(0, 1, n_taxa)) * holds
        likes[:20] *= 1 + 0.2 * arm[subject]
        for visit in range(SAMPLES_A_SUBJECT):
            weights = likes * np.exp(generator.normal(0, 0.5, n_taxa))
            counts = generator.multinomial(reads, weights / weights.sum())
            held = np.flatnonzero(counts)
            sample = np.full(len(held), subject * SAMPLES_A_SUBJECT + visit)
            triplets.append(np.stack([sample, held, counts[held]], axis=1))
    entries = np.concatenate(triplets).astype(np.int32)
    np.save(folder / "entries.npy", entries)
    entries.tofile(folder / "entries.bin")
    with (folder / "samples.csv").open("w", encoding="utf-8") as file:
        file.write("sample,subject,visit,arm,age\n")
        for row in range(n):
            subject, visit = divmod(row, SAMPLES_A_SUBJECT)
            file.write(f"s{row},p{subject},v{visit},{ARMS[arm[subject]]},{age[subject]:.6f}\n")


def timed(job: Callable[[], Any], repeats: int) -> tuple[Any, dict[str, float]]:
    seconds = []
    for _ in range(max(1, repeats)):
        start = time.perf_counter()
        found = job()
        seconds.append(time.perf_counter() - start)
    return found, {"first_s": round(seconds[0], 3), "seconds": round(min(seconds), 3)}


def ours(folder: Path, n: int, repeats: int) -> dict[str, Any]:
    from biflora.profile.cohort.design import Design
    from biflora.profile.cohort.distances import distances_between
    from biflora.profile.cohort.permanova import permanova
    from biflora.profile.metadata import read_metadata
    from biflora.profile.table import Feature, LabTable

    entries = np.load(folder / "entries.npy")
    starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(entries[:, 0], minlength=n), out=starts[1:])
    taxa = tuple(Feature(f"t{place}") for place in range(2_000))
    names = tuple(f"s{row}" for row in range(n))
    places, values = entries[:, 1].astype(np.int64), entries[:, 2].astype(np.float64)
    table = LabTable("simulated", "simulated", "", names, taxa, starts, places, values, True)
    metadata = read_metadata(folder / "samples.csv", wanted=names)
    design = Design(subject="subject", time="visit")
    bray, result = timed(lambda: distances_between(table, on="as given"), repeats)
    found: dict[str, Any] = {"bray_curtis": result}
    np.save(folder / "ours.npy", bray.matrix)
    for name, formula in (("permanova", "arm + age"), ("permanova_by_design", "arm * C(visit) + age")):
        rows, result = timed(
            lambda formula=formula: permanova(
                bray, metadata, formula, design, permutations=PERMUTATIONS, with_dispersion=False
            ),
            repeats,
        )
        found[name] = {
            **result,
            "f": {row.term: row.f for row in rows.rows},
            "p": {row.term: row.p for row in rows.rows},
        }
    one = permanova(bray, metadata, "arm", design, permutations=PERMUTATIONS, with_dispersion=False)
    found["one_factor_f"] = one.row("arm").f
    import numba

    found["numba_threads"] = numba.get_num_threads()
    return found


def scikit_bio(folder: Path, n: int, repeats: int) -> dict[str, Any]:
    from skbio import DistanceMatrix
    from skbio.diversity import beta_diversity
    from skbio.stats.distance import permanova

    entries = np.load(folder / "entries.npy")
    counts = np.zeros((n, 2_000), dtype=np.int64)
    counts[entries[:, 0], entries[:, 1]] = entries[:, 2]
    names = [f"s{row}" for row in range(n)]
    lines = (folder / "samples.csv").read_text(encoding="utf-8").split("\n")[1 : n + 1]
    arms = [line.split(",")[3] for line in lines]
    once = 1 if n > 2_000 else repeats
    bray, result = timed(lambda: beta_diversity("braycurtis", counts, ids=names), once)
    np.save(folder / "theirs.npy", bray.data)
    matrix = DistanceMatrix(bray.data, names)
    row, other = timed(lambda: permanova(matrix, arms, permutations=PERMUTATIONS, seed=1), repeats)
    return {
        "bray_curtis": result,
        "permanova": {**other, "f": {"arm": float(row["test statistic"])}},
        "version": importlib.metadata.version("scikit-bio"),
    }


def in_a_process(name: str, folder: Path, n: int, repeats: int) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "cohort.py"), "--one", name, str(folder), str(n), str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
    return found


def vegan(folder: Path, n: int) -> dict[str, Any]:
    rscript = shutil.which("Rscript")
    if rscript is None:
        return {"absent": "Rscript is not on the PATH"}
    repeats = 3 if n <= 2_000 else 1
    command = [rscript, str(HERE / "cohort_peer.R"), str(folder), str(n), str(PERMUTATIONS), str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"absent": f"R stopped: {done.stderr.strip().split(chr(10))[-1][:200]}"}
    found: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
    return found


def compare(n: int, given: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        simulate(n, folder)
        repeats = 2 if given.quick else given.repeats
        found: dict[str, Any] = {"n": n, "biflora": in_a_process("ours", folder, n, repeats)}
        if given.alone:
            return found
        found["scikit_bio"] = in_a_process("scikit_bio", folder, n, repeats)
        mine = np.load(folder / "ours.npy")
        theirs = np.load(folder / "theirs.npy")
        found["largest_difference_from_scikit_bio"] = float(np.abs(mine - theirs).max())
        found["f_difference_from_scikit_bio"] = abs(
            found["biflora"].pop("one_factor_f") - found["scikit_bio"]["permanova"]["f"]["arm"]
        )
        wanted = not given.no_vegan and (n <= 2_000 or given.vegan_large)
        found["vegan"] = vegan(folder, n) if wanted else {"absent": "not asked for at this size (--vegan-large)"}
        if "absent" not in found["vegan"]:
            lower = np.fromfile(folder / "vegan.bin", dtype=np.float64)
            columns, rows = np.triu_indices(n, 1)
            found["largest_difference_from_vegan"] = float(np.abs(mine[rows, columns] - lower).max())
            found["f_difference_from_vegan"] = max(
                abs(found["biflora"]["permanova"]["f"][term] - found["vegan"]["permanova"]["f"][term])
                for term in ("arm", "age")
            )
        found["ratios"] = {
            f"{job}, {peer} / biflora": round(found[peer][job]["seconds"] / found["biflora"][job]["seconds"], 1)
            for peer in ("scikit_bio", "vegan")
            for job in ("bray_curtis", "permanova")
            if job in found[peer]
        }
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="1,000 samples only, two repeats")
    parser.add_argument("--alone", action="store_true", help="biflora only")
    parser.add_argument("--no-vegan", action="store_true")
    parser.add_argument("--vegan-large", action="store_true", help="vegan at 5,000 samples too: many minutes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", nargs=4, metavar=("ENGINE", "FOLDER", "N", "REPEATS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        import resource

        engine, folder, n, repeats = given.one
        found = {"ours": ours, "scikit_bio": scikit_bio}[engine](Path(folder), int(n), int(repeats))
        found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        print(json.dumps(found))
        return
    sizes = (1_000,) if given.quick else (1_000, 5_000)
    result = {
        "what": "Bray-Curtis and PERMANOVA with 999 permutations; seconds, processes of their own",
        "load_at_start": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
        "sizes": [compare(n, given) for n in sizes],
        "load_at_end": round(os.getloadavg()[0], 1),
    }
    if given.json:
        print(json.dumps(result))
        return
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
