"""Many tests at once: false discoveries, family-wise error, several arms against one control, gatekeeping."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Rule = Callable[[Numbers, int, NDArray[np.int64]], Numbers]
FACTOR_NODES, SCALE_NODES = 32, 48
"""Quadrature for Dunnett's p; within 3e-5 of SciPy's integration from 5 degrees of freedom. A list of taxa asks
for thousands of them, and more nodes of the factor add nothing."""
SEED = 20_261_126
"""Of the quasi-random integration, so that the same data give the same p."""


def benjamini_hochberg(p: ArrayLike) -> Numbers:
    """P adjusted for the false discovery rate; NaN stays NaN and is not counted as a test."""
    return _stepped(p, lambda ordered, count, rank: np.minimum.accumulate((ordered * count / rank)[::-1])[::-1])


def holm(p: ArrayLike) -> Numbers:
    """P adjusted for the family-wise error by Holm's step-down; NaN stays NaN and is not counted."""
    return _stepped(p, lambda ordered, count, rank: np.maximum.accumulate(ordered * (count - rank + 1)))


def fixed_sequence(p: ArrayLike) -> Numbers:
    """P adjusted for testing in the given order and stopping at the first that fails; NaN stops the sequence."""
    values = np.asarray(p, dtype=np.float64)
    return np.maximum.accumulate(np.where(np.isnan(values), 1.0, values))


def serial_gatekeeping(families: Sequence[ArrayLike]) -> list[Numbers]:
    """P of families in order: Holm inside each, and a family opens only when all before it were rejected.

    Keeps the family-wise error over all families (Dmitrienko and Tamhane 2007, serial gatekeeping). A NaN
    counts as a test that failed.
    """
    gate = 0.0
    adjusted = []
    for family in families:
        values = np.asarray(family, dtype=np.float64)
        inside = holm(np.where(np.isnan(values), 1.0, values))
        inside = np.maximum(inside, gate)
        adjusted.append(inside)
        gate = float(inside.max(initial=gate))
    return adjusted


def dunnett(t: ArrayLike, covariance: ArrayLike, degrees_of_freedom: ArrayLike) -> Numbers:
    """Two-sided p of k contrasts that share a control, adjusted by the multivariate t distribution.

    `t` (k,), `covariance` (k, k) of the estimates. Where the degrees of freedom differ, the least is taken,
    which errs towards larger p. NaN where a statistic is NaN.
    """
    from scipy import stats

    statistics = np.abs(np.asarray(t, dtype=np.float64))
    spread = np.asarray(covariance, dtype=np.float64)
    df = np.asarray(degrees_of_freedom, dtype=np.float64)
    adjusted = np.full(len(statistics), np.nan)
    good = np.isfinite(statistics)
    if not good.any():
        return adjusted
    error = np.sqrt(np.diag(spread))[good]
    correlation = spread[np.ix_(good, good)] / np.outer(error, error)
    least = float(np.min(np.broadcast_to(df, statistics.shape)[good]))
    single = 2.0 * stats.t.sf(statistics[good], least)
    if good.sum() == 1:
        adjusted[good] = single
        return adjusted
    loadings = _common_factor(correlation)
    if loadings is not None:
        inside = _inside_by_factor(statistics[good], loadings, least)
    else:
        joint = stats.multivariate_t(shape=correlation, df=least, allow_singular=True, seed=SEED)
        boxes = [np.full(len(single), bound) for bound in statistics[good]]
        inside = np.array([joint.cdf(box, lower_limit=-box, random_state=SEED) for box in boxes])
    # between the single test and Bonferroni, whatever the integration error
    adjusted[good] = np.clip(1.0 - inside, single, np.minimum(1.0, single * len(single)))
    return adjusted


def _common_factor(correlation: Numbers) -> Numbers | None:
    """Loadings with correlation[i, j] = l[i] l[j], as two or three contrasts with one control have; else None."""
    count = len(correlation)
    off = correlation[np.triu_indices(count, 1)]
    if count > 3 or (off < 1e-6).any():
        return None
    if count == 2:
        loadings = np.full(2, np.sqrt(off[0]))
    else:
        first, second, third = off  # of (0, 1), (0, 2), (1, 2)
        loadings = np.sqrt(np.array([first * second / third, first * third / second, second * third / first]))
    return loadings if (loadings < 0.999).all() else None


def _inside_by_factor(bounds: Numbers, loadings: Numbers, df: float) -> Numbers:
    """Chance that all |t| stay below each bound, by quadrature over the common factor and the residual SD."""
    from scipy import special, stats

    nodes, weights = np.polynomial.hermite_e.hermegauss(FACTOR_NODES)
    weights = weights / weights.sum()
    places, shares = np.polynomial.legendre.leggauss(SCALE_NODES)
    scales = np.sqrt(stats.chi2.ppf(0.5 * (places + 1.0), df) / df)
    left = np.sqrt(1.0 - loadings**2)
    reach = (bounds[:, None] * scales)[:, :, None, None]
    shift = nodes[:, None] * loadings
    between = special.ndtr((reach + shift) / left) - special.ndtr((shift - reach) / left)
    found: Numbers = np.einsum("bsz,s,z->b", between.prod(axis=-1), 0.5 * shares, weights)
    return found


def _stepped(p: ArrayLike, rule: Rule) -> Numbers:
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        return adjusted
    order = known[np.argsort(values[known], kind="stable")]
    ordered = values[order]
    stepped = rule(ordered, len(order), np.arange(1, len(order) + 1))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
