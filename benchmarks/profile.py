"""One sample of a 335-library BIOM read and summed by guild, beside biom-format with pandas doing the same job.

Each job runs in a fresh process (imports count, as they do for one patient); the fastest of the repeats stands.
Bytecode is kept between the repeats, as an installed program keeps it, whatever the environment says.
Both give S. aureus, CoNS and Cutibacterium shares without the host; the largest disagreement is printed.
Then the time in a warm process, and a table of 1,000 samples by 5,000 taxa (a tenth of its values above zero) read
from BIOM 2.1, BIOM 1.0 and TSV, with the memory that each takes beyond the program itself.
Run: python benchmarks/profile.py --json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import h5py
import numpy as np

from biflora.knowledge.taxa import taxa

SHARED = Path(os.environ.get("BIFLORA_SHARED", Path(__file__).resolve().parents[2] / "shared"))
TABLE = SHARED / "data/ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom"
SAMPLE = "MBT273"

OURS = """
    import json, sys, time
    begin = time.perf_counter()
    from pathlib import Path
    from biflora.profile.sample import profile_site
    imported = time.perf_counter()
    site = profile_site(Path(sys.argv[1]), "skin", sample=sys.argv[2])
    done = time.perf_counter()
    shares = {key: site.guild(key).share or 0.0 for key in ("s_aureus", "cons", "cutibacterium")}
"""
WARM = """
    import json, statistics, sys, time
    from pathlib import Path
    from biflora.profile.sample import profile_site
    profile_site(Path(sys.argv[1]), "skin", sample=sys.argv[2])
    seconds = []
    for _ in range(9):
        begin = time.perf_counter()
        site = profile_site(Path(sys.argv[1]), "skin", sample=sys.argv[2])
        seconds.append(time.perf_counter() - begin)
    imported, done, begin = 0.0, statistics.median(seconds), 0.0
    shares = {}
"""
LARGE = """
    import json, sys, time
    import h5py
    from pathlib import Path
    from biflora.profile.sample import profile_site
    before = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    begin = imported = time.perf_counter()
    site = profile_site(Path(sys.argv[1]), "gut", sample="S17")
    done = time.perf_counter()
    shares = {"before_mb": before}
"""
PEER = """
    import json, sys, time
    from pathlib import Path
    begin = time.perf_counter()
    import biom
    import pandas as pd
    imported = time.perf_counter()
    guild_of = pd.Series(json.loads(sys.argv[3]))
    counts = biom.load_table(sys.argv[1]).to_dataframe(dense=False)[sys.argv[2]].sparse.to_dense()
    counts = counts.drop("Homo sapiens", errors="ignore")
    sums = counts.groupby(guild_of.reindex(counts.index)).sum() / counts.sum()
    done = time.perf_counter()
    shares = {key: float(sums.get(key, 0.0)) for key in ("s_aureus", "cons", "cutibacterium")}
"""
REPORT = """
    # ru_maxrss would count what the parent had when it forked.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"import": imported - begin, "read": done - imported, "peak_mb": peak, "shares": shares}))
"""


def fastest(program: str, *arguments: str, repeats: int) -> dict[str, object]:
    script = textwrap.dedent(program) + textwrap.dedent(REPORT)
    runs = []
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(repeats + 1):
            done = subprocess.run(
                [sys.executable, "-c", script, *arguments],
                capture_output=True, text=True, check=True, env=environment,
            )  # fmt: skip
            runs.append(json.loads(done.stdout))
    return min(runs, key=lambda run: run["import"] + run["read"])


def large_tables(folder: Path) -> dict[str, Path]:
    """1,000 samples by 5,000 taxa with 500,000 values, in three formats."""
    random = np.random.default_rng(3)
    taxa, samples = np.divmod(np.sort(random.choice(5_000_000, 500_000, replace=False)), 1000)
    reads = random.integers(1, 5000, 500_000)
    lineages = [f"k__Bacteria; p__P; c__C; o__O; f__F; g__Genus{i}; s__epithet" for i in range(5000)]
    names = [f"S{i}" for i in range(1000)]
    paths = {"biom_2": folder / "t.biom", "biom_1": folder / "t.json", "tsv": folder / "t.tsv"}
    with h5py.File(paths["biom_2"], "w") as file:
        order = np.lexsort((taxa, samples))
        file["observation/ids"] = [f"F{i}".encode() for i in range(5000)]
        file["observation/metadata/taxonomy"] = [[part.encode() for part in line.split("; ")] for line in lineages]
        file["sample/ids"] = [name.encode() for name in names]
        file["sample/matrix/indptr"] = np.concatenate([[0], np.cumsum(np.bincount(samples, minlength=1000))])
        file.create_dataset("sample/matrix/indices", data=taxa[order], compression="gzip")
        file.create_dataset("sample/matrix/data", data=reads[order].astype(float), compression="gzip")
    rows = [{"id": f"F{i}", "metadata": {"taxonomy": line.split("; ")}} for i, line in enumerate(lineages)]
    table = {
        "format": "Biological Observation Matrix 1.0.0", "matrix_type": "sparse", "shape": [5000, 1000],
        "rows": rows,
        "columns": [{"id": name} for name in names], "data": np.column_stack([taxa, samples, reads]).tolist(),
    }  # fmt: skip
    paths["biom_1"].write_text(json.dumps(table))
    dense = np.zeros((5000, 1000), dtype=int)
    dense[taxa, samples] = reads
    with paths["tsv"].open("w") as text:
        text.write("#OTU ID\t" + "\t".join(names) + "\ttaxonomy\n")
        for i, row in enumerate(dense.tolist()):
            text.write(f"F{i}\t" + "\t".join(map(str, row)) + f"\t{lineages[i]}\n")
    return paths


def large_results(repeats: int) -> dict[str, float]:
    """Seconds and megabytes for each format of the large table."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in large_tables(Path(folder)).items():
            run = fastest(LARGE, str(path), repeats=repeats)
            before = run["shares"]
            assert isinstance(before, dict)
            found[f"large_{name}_seconds"] = round(float(str(run["read"])), 2)
            found[f"large_{name}_mb_over_start"] = round(float(str(run["peak_mb"])) - float(before["before_mb"]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--repeats", type=int, default=5, help="fresh processes per job")
    given = parser.parse_args()
    if not TABLE.is_file():
        sys.exit("no witness data; set BIFLORA_SHARED to the folder that holds data/")

    # The peer is handed the grouping ready made, by exact name, old names included.
    guild_of = {
        name: next(iter(set(row.guilds) & {"s_aureus", "cons", "cutibacterium"}))
        for row in taxa().values()
        for name in (row.name, *row.synonyms)
        if row.rank == "species" and set(row.guilds) & {"s_aureus", "cons", "cutibacterium"}
    }
    ours = fastest(OURS, str(TABLE), SAMPLE, repeats=given.repeats)
    peer = fastest(PEER, str(TABLE), SAMPLE, json.dumps(guild_of), repeats=given.repeats)
    warm = fastest(WARM, str(TABLE), SAMPLE, repeats=min(given.repeats, 3))
    our_shares, peer_shares = ours["shares"], peer["shares"]
    assert isinstance(our_shares, dict)
    assert isinstance(peer_shares, dict)
    our_seconds = float(str(ours["import"])) + float(str(ours["read"]))
    peer_seconds = float(str(peer["import"])) + float(str(peer["read"]))
    result = {
        "what": "one sample of a 335 x 4,399 BIOM to guild shares, fresh process, seconds with imports",
        "biflora_seconds": round(our_seconds, 3),
        "biom_format_with_pandas_seconds": round(peer_seconds, 3),
        "ratio": round(peer_seconds / our_seconds, 2),
        "biflora_seconds_without_imports": round(float(str(ours["read"])), 3),
        "biflora_seconds_warm_median": round(float(str(warm["read"])), 3),
        "peer_seconds_without_imports": round(float(str(peer["read"])), 3),
        "biflora_peak_mb": round(float(str(ours["peak_mb"]))),
        "peer_peak_mb": round(float(str(peer["peak_mb"]))),
        "largest_share_difference": max(abs(our_shares[key] - peer_shares[key]) for key in our_shares),
        **large_results(min(given.repeats, 2)),
        "note": "biflora also gives taxa, intervals, states, diversity, references and findings in this time",
    }
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
