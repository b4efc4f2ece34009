"""A microbial quantity against a clinical score: over all samples, and within persons as both change.

Within persons: the repeated-measures correlation of Bakdash and Marusich 2017 (10.3389/fpsyg.2017.00456), an
analysis of covariance with one line per person and a common slope.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from biflora.values import Value

Array = NDArray[np.float64]
DRAWS = 2000
"""The ends of the interval then scatter by about 0.01 from seed to seed."""
MOST_CELLS = 2_000_000
Z95 = 1.959963984540054


class Association(Value):
    """One quantity against one score. Correlations are None where too few samples or persons answer."""

    quantity: str
    label: str
    score: str
    samples: int
    persons: int
    spearman: float | None = None
    low: float | None = None
    high: float | None = None
    """95 % interval by drawing whole persons anew, so that a person's samples stay together."""
    within: float | None = None
    """Repeated-measures correlation."""
    within_low: float | None = None
    within_high: float | None = None
    within_p: float | None = None
    within_df: int | None = None
    note: str = ""


def associate(
    quantity: str, label: str, values: Array, score: str, scores: Array, persons: Sequence[str], *,
    seed: int = 2026, note: str = "",
) -> Association:  # fmt: skip
    """Spearman's correlation over samples with an interval by persons, and the correlation within persons.

    `values` and `scores` (sample,) may hold NaN where nothing is known; those samples are left out and counted so.
    """
    known = ~np.isnan(values) & ~np.isnan(scores)
    x, y = values[known], scores[known]
    who = np.unique(np.array(persons)[known], return_inverse=True)[1]
    count = int(who.max()) + 1 if who.size else 0
    blank = {"quantity": quantity, "label": label, "score": score, "samples": len(x), "persons": count}
    if count < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
        few = note or "fewer than five persons with both, or one of them never varies"
        return Association.model_validate({**blank, "note": few})
    low, high = _by_persons(x, y, who, count, seed)
    found = {**blank, "spearman": spearman(x, y), "low": low, "high": high, "note": note}
    return Association.model_validate(found | _within(x, y, who, count))


def spearman(x: Array, y: Array) -> float:
    """Correlation of the ranks, ties by their middle."""
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _by_persons(x: Array, y: Array, who: NDArray[np.int64], count: int, seed: int) -> tuple[float, float]:
    """2.5 % and 97.5 % of Spearman's correlation over draws of as many persons, each with all its samples.

    A person drawn twice stands there twice, so a draw is a weight for each sample, and ranks are weighted ranks.
    """
    random = np.random.default_rng(seed)
    drawn: list[Array] = []
    at_once = max(1, MOST_CELLS // len(x))
    for start in range(0, DRAWS, at_once):
        chosen = random.integers(0, count, (min(at_once, DRAWS - start), count))
        times = np.zeros(chosen.shape)
        np.add.at(times, (np.arange(len(chosen))[:, None], chosen), 1.0)
        weights = times[:, who]
        ranks = [_weighted_ranks(values, weights) for values in (x, y)]
        total = weights.sum(axis=1, keepdims=True)
        a, b = (rank - (weights * rank).sum(axis=1, keepdims=True) / total for rank in ranks)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = (weights * a * b).sum(axis=1) / np.sqrt(
                (weights * a**2).sum(axis=1) * (weights * b**2).sum(axis=1)
            )
        drawn.append(r[np.isfinite(r)])
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    return float(low), float(high)


def _weighted_ranks(values: Array, weights: Array) -> Array:
    """Middle ranks of `values` where sample i stands there `weights[draw, i]` times; (draws, samples)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ties = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(ties, axis=1) - ties + (ties + 1.0) / 2.0
    found = np.empty_like(weights)
    found[:, order] = np.repeat(middle, np.diff(np.append(starts, len(ordered))), axis=1)
    return found


def _within(x: Array, y: Array, who: NDArray[np.int64], count: int) -> dict[str, float | int | None]:
    """Repeated-measures correlation: deviations from each person's own mean, df = samples - persons - 1."""
    sizes = np.bincount(who, minlength=count)
    repeated = np.isin(who, np.flatnonzero(sizes >= 2))
    x, y, who = x[repeated], y[repeated], np.unique(who[repeated], return_inverse=True)[1]
    persons = int(who.max()) + 1 if who.size else 0
    df = len(x) - persons - 1
    if persons < 3 or df < 3:
        return {}
    totals = np.bincount(who)
    dx = x - (np.bincount(who, x) / totals)[who]
    dy = y - (np.bincount(who, y) / totals)[who]
    if not (dx**2).sum() > 0 or not (dy**2).sum() > 0:
        return {}
    from scipy.stats import t as student

    r = float((dx * dy).sum() / math.sqrt((dx**2).sum() * (dy**2).sum()))
    p = float(2 * student.sf(abs(r) * math.sqrt(df / max(1 - r**2, 1e-15)), df))
    z, half = math.atanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)), Z95 / math.sqrt(df - 1)
    return {
        "within": r, "within_low": math.tanh(z - half), "within_high": math.tanh(z + half), "within_p": p,
        "within_df": df,
    }  # fmt: skip
