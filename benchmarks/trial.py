"""How many four-arm trials a second the batched ANCOVA analyses, beside statsmodels' OLS on the same trials.

Both give difference, standard error and p value of each arm; the largest disagreement is printed.
Run: python benchmarks/trial.py --json
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from biflora.trial.ancova import ancova_many

SIZES = (16, 16, 16, 17)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--trials", type=int, default=20_000, help="trials for the batched analysis")
    parser.add_argument("--peer-trials", type=int, default=400, help="trials for statsmodels")
    given = parser.parse_args()

    import statsmodels.api as sm

    arm = np.repeat(np.arange(4), SIZES)
    rng = np.random.default_rng(2026)
    baseline = rng.normal(50, 12, (given.trials, arm.size))
    outcome = 0.5 * baseline + rng.normal(0, 10, baseline.shape) - 2.0 * arm
    ancova_many(baseline[:10], outcome[:10], arm, arms=4)  # warm: the first call imports scipy.special

    begin = time.perf_counter()
    many = ancova_many(baseline, outcome, arm, arms=4)
    ours = given.trials / (time.perf_counter() - begin)

    indicator = np.column_stack([np.ones(arm.size), *((arm == a).astype(float) for a in (1, 2, 3))])
    begin = time.perf_counter()
    p_values = np.empty((given.peer_trials, 3))
    for i in range(given.peer_trials):
        fit = sm.OLS(outcome[i], np.column_stack([indicator, baseline[i]])).fit()
        p_values[i] = fit.pvalues[1:4]
    peer = given.peer_trials / (time.perf_counter() - begin)

    result = {
        "what": "four-arm ANCOVA of 65 patients, trials per second, with p values",
        "biflora_trials_per_second": round(ours),
        "statsmodels_trials_per_second": round(peer),
        "ratio": round(ours / peer, 1),
        "largest_p_difference": float(np.abs(many.p_values[: given.peer_trials, 1:] - p_values).max()),
        "trials": given.trials,
        "peer_trials": given.peer_trials,
    }
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
