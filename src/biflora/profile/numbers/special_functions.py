"""Quantiles of the beta distribution and the logarithm of the gamma function, with NumPy alone.

SciPy has both, but its import takes longer than reading a sample and summing its guilds, and one sample needs
nothing else of it. Its betaincinv (1.17) is also wrong for a parameter of exactly 1,000 beside millions; the
tests show it.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biflora.profile.table import Numbers

FARTHEST = 36.0
"""Where the density has fallen by exp(-36), 2e-16 of its height, nothing is left to add."""
PANELS = 8
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
"""Terms of Stirling's series: from 10 on they leave less than 1e-15 (Abramowitz and Stegun 6.1.41)."""


def log_gamma(x: NDArray[np.floating[Any]] | float) -> Numbers:
    """ln of the gamma function for x of 1 and more, by Stirling's series; below 10 from x + 9."""
    given = np.asarray(x, dtype=np.float64)
    small = given < 10
    y, back = np.where(small, given + 9, given), np.zeros_like(given)
    back[small] = np.log((given[small][:, None] + np.arange(9)).prod(axis=1))
    series = np.zeros_like(y)
    for term in reversed(STIRLING):
        series = series / (y * y) + term
    return np.asarray((y - 0.5) * np.log(y) - y + 0.5 * math.log(2 * math.pi) + series / y - back)


def beta_quantiles(p: tuple[float, ...], a: Numbers | float, b: Numbers | float) -> Numbers:
    """The quantiles p (each 0.001 to 0.999) of Beta(a, b), one row for each p; a and b are 0.5 or more.

    In the log odds the density is log-concave, with its peak at a / (a + b), and falls exponentially on both
    sides: a few panels of Gauss and Legendre's rule give its integral, and Newton's steps that begin on the peak's
    side cannot overshoot. Measured from the peak, no gamma function is needed and no large numbers cancel.
    """
    a, b = np.atleast_1d(np.asarray(a, dtype=np.float64)), np.atleast_1d(np.asarray(b, dtype=np.float64))
    turned = a > b  # the smaller of the two is worked out: one minus it would lose its digits
    total, peak = a + b, np.minimum(a, b) / (a + b)
    width = np.sqrt(2 * FARTHEST / (total * peak * (1 - peak)))
    left, right = -(width + FARTHEST / (total * peak)), width + FARTHEST / (total * (1 - peak))
    steps = (np.arange(PANELS + 1) / PANELS) ** 2  # narrow where the density turns
    edges = np.concatenate([left[:, None] * steps[:0:-1], right[:, None] * steps], axis=1)
    below = _integral(edges[:, :-1], edges[:, 1:], peak[:, None], total[:, None]).cumsum(axis=1)
    rows = np.arange(len(a))
    found = []
    for chance in p:
        wanted = np.where(turned, 1 - chance, chance) * below[:, -1]
        panel = (below <= wanted[:, None]).sum(axis=1)
        start = edges[rows, panel]
        missing = wanted - np.where(panel > 0, below[rows, panel - 1], 0.0)
        x = edges[rows, np.where(panel < PANELS, panel + 1, panel)]
        for _ in range(50):
            step = (_integral(start, x, peak, total) - missing) / _density(x, peak, total)
            x = x - step
            if np.all(np.abs(step) <= 1e-8 * width):  # the next step would be about the square of this one
                break
        whole = 1 + peak * np.expm1(x)
        found.append(np.where(turned, (1 - peak) / whole, peak * np.exp(x) / whole))
    return np.array(found)


def _density(x: Numbers, peak: Numbers, total: Numbers) -> Numbers:
    """Height of the density in the log odds `x` from the peak, which has the height 1."""
    return np.asarray(np.exp(total * (peak * x - np.log1p(peak * np.expm1(x)))))


def _integral(start: Numbers, stop: Numbers, peak: Numbers, total: Numbers) -> Numbers:
    nodes, weights = _gauss_legendre()
    half = (stop - start) / 2
    values = _density(start[..., None] + half[..., None] * (1 + nodes), peak[..., None], total[..., None])
    return np.asarray((values @ weights) * half)


@cache
def _gauss_legendre() -> tuple[Numbers, Numbers]:
    """Twelve nodes and weights on -1 to 1, after Golub and Welsch (1969); numpy.polynomial costs an import."""
    k = np.arange(1, 12)
    beside = k / np.sqrt(4.0 * k**2 - 1)
    nodes, vectors = np.linalg.eigh(np.diag(beside, 1) + np.diag(beside, -1))
    return nodes, 2 * vectors[0] ** 2
