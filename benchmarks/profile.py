"""One sample of a 335-library BIOM read and summed by guild, beside biom-format with pandas doing the same job.

Each job runs in a fresh process (imports count, as they do for one patient); the fastest of the repeats stands.
Both give S. aureus, CoNS and Cutibacterium shares without the host; the largest disagreement is printed.
Run: python benchmarks/profile.py --json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

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
PEER = """
    import json, sys, time
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
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"import": imported - begin, "read": done - imported, "peak_mb": peak, "shares": shares}))
"""


def fastest(program: str, *arguments: str, repeats: int) -> dict[str, object]:
    script = textwrap.dedent(program) + textwrap.dedent(REPORT)
    runs = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
        )
        runs.append(json.loads(done.stdout))
    return min(runs, key=lambda run: run["import"] + run["read"])


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
        "peer_seconds_without_imports": round(float(str(peer["read"])), 3),
        "biflora_peak_mb": round(float(str(ours["peak_mb"]))),
        "peer_peak_mb": round(float(str(peer["peak_mb"]))),
        "largest_share_difference": max(abs(our_shares[key] - peer_shares[key]) for key in our_shares),
        "note": "biflora also gives taxa, intervals, states, diversity, references and findings in this time",
    }
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
