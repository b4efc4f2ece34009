"""How good a forecast was: proper scores of draws and intervals, calibration of ranks, and stacking weights.

Draws have the shape (draw, case), observations (case,); every score comes back per case. Lower is better
except for `log_score`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
SMALLEST_EXPECTED = 5.0
"""Fewest ranks expected in a bin for which the chi-square approximation is commonly trusted."""
MOST_BINS = 20
EM_ROUNDS = 20_000
EM_STEP = 1e-10
"""The weights have settled when none moved by more than this in one round."""


def crps(draws: ArrayLike, observed: ArrayLike, *, weights: ArrayLike | None = None, fair: bool = False) -> Array:
    """Continuous ranked probability score per case (Gneiting and Raftery 2007, eq. 21), in the score's own unit.

    Standard: E|X - y| - E|X - X'| / 2 of the draws as they are, the score of the forecast that is issued.
    `fair`: the second mean runs over pairs of different draws (Ferro 2014), which is unbiased for the score of
    the distribution behind the draws; use it to compare forecasts with different numbers of draws.
    `weights`: (draw,) or (draw, case), not negative; they are normalised.
    """
    drawn, seen = _draws(draws, observed)
    share = _shares(weights, drawn.shape)
    miss = np.sum(share * np.abs(drawn - seen), axis=0)
    order = np.argsort(drawn, axis=0, kind="stable")
    values, mass = np.take_along_axis(drawn, order, axis=0), np.take_along_axis(share, order, axis=0)
    spread = np.sum(mass * values * (2.0 * np.cumsum(mass, axis=0) - mass - 1.0), axis=0)
    if fair:
        others = 1.0 - np.sum(share**2, axis=0)
        if np.any(others <= 0.0):
            raise ValueError("the fair score needs at least two draws with weight")
        spread = spread / others
    return np.asarray(miss - spread)


def coverage(low: ArrayLike, high: ArrayLike, observed: ArrayLike) -> float:
    """Share of the observations that lie in their interval, its ends included."""
    below, above, seen = np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in (low, high, observed)))
    if seen.size == 0:
        raise ValueError("no observation to cover")
    return float(np.mean((below <= seen) & (seen <= above)))


def interval_score(low: ArrayLike, high: ArrayLike, observed: ArrayLike, *, level: float) -> Array:
    """Width plus 2 / (1 - level) times the distance by which it was missed (Gneiting and Raftery 2007, eq. 43)."""
    if not 0.0 < level < 1.0:
        raise ValueError("the level of an interval lies between 0 and 1")
    below, above, seen = (np.asarray(each, dtype=float) for each in (low, high, observed))
    missed = np.maximum(below - seen, 0.0) + np.maximum(seen - above, 0.0)
    return np.asarray((above - below) + 2.0 / (1.0 - level) * missed)


def pit(draws: ArrayLike, observed: ArrayLike, *, weights: ArrayLike | None = None) -> Array:
    """Share of the draws below each observation, equal ones counted half; uniform when calibrated."""
    drawn, seen = _draws(draws, observed)
    share = _shares(weights, drawn.shape)
    return np.asarray(np.sum(share * ((drawn < seen) + 0.5 * (drawn == seen)), axis=0))


@dataclass(frozen=True, slots=True)
class Uniformity:
    """A chi-square test that ranks are uniform."""

    statistic: float
    degrees: int
    p: float


def rank_uniformity(ranks: ArrayLike, n_draws: int, *, bins: int | None = None) -> Uniformity:
    """Pearson's chi-square of ranks 0 ... n_draws (how many draws lie below the truth) against uniform.

    Bins are as equal as whole ranks allow and the expected counts follow them exactly. By default as many bins,
    up to `MOST_BINS`, as leave `SMALLEST_EXPECTED` ranks to each.
    """
    held = np.asarray(ranks)
    if held.size == 0 or np.any(held != np.floor(held)) or np.any(held < 0) or np.any(held > n_draws):
        raise ValueError("ranks are whole numbers from 0 to the number of draws")
    if bins is None:
        bins = min(MOST_BINS, n_draws + 1, int(held.size / SMALLEST_EXPECTED))
    if not 2 <= bins <= n_draws + 1:
        raise ValueError("too few ranks, or too many bins, to test for uniformity")
    from scipy.special import gammaincc

    place = held.astype(np.int64) * bins // (n_draws + 1)
    counts = np.bincount(place.ravel(), minlength=bins)
    sizes = np.bincount(np.arange(n_draws + 1) * bins // (n_draws + 1), minlength=bins)
    expected = held.size * sizes / (n_draws + 1)
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    return Uniformity(statistic, bins - 1, float(gammaincc((bins - 1) / 2.0, statistic / 2.0)))


def log_score(
    draws: ArrayLike, observed: ArrayLike, sd: ArrayLike | None = None, *, weights: ArrayLike | None = None
) -> Array:
    """Log density of each observation under the draws, each spread by a normal kernel; higher is better.

    `sd`: the kernel's standard deviation, scalar or (case,): the measurement's own when the draws are latent.
    None: the draws are measurements and the kernel is Silverman's rule of thumb,
    0.9 min(sd, interquartile range / 1.34) n^(-1/5), which needs draws that differ.
    """
    drawn, seen = _draws(draws, observed)
    share = _shares(weights, drawn.shape)
    kernel = _silverman(drawn, share) if sd is None else np.broadcast_to(np.asarray(sd, dtype=float), seen.shape)
    if not np.all(kernel > 0.0):
        raise ValueError("the kernel needs a standard deviation above zero")
    with np.errstate(divide="ignore"):
        terms = np.log(share) - 0.5 * ((seen - drawn) / kernel) ** 2
    top = terms.max(axis=0)
    return np.asarray(
        top + np.log(np.sum(np.exp(terms - top), axis=0)) - np.log(kernel) - 0.5 * math.log(2.0 * math.pi)
    )


def stacking_weights(log_scores: ArrayLike) -> Array:
    """Weights (model,), sum 1, that maximise the mean log of the mixture's density (Yao 2018).

    `log_scores` (case, model): held-out log densities. The optimum is found by expectation-maximisation from equal
    weights, which raises the (concave) mean at every round and has no chance in it. Where several weights are
    equally good, those nearest to its start are given. Raises ValueError for a case that no model allows.
    """
    scores = np.asarray(log_scores, dtype=float)
    if scores.ndim != 2 or 0 in scores.shape:
        raise ValueError("log scores have the shape (case, model)")
    top = scores.max(axis=1, keepdims=True)
    if not np.all(np.isfinite(top)) or np.any(np.isnan(scores)):
        raise ValueError("each case needs a finite log score of at least one model")
    density = np.exp(scores - top)
    weights = np.full(scores.shape[1], 1.0 / scores.shape[1])
    for _ in range(EM_ROUNDS):
        before = weights
        weights = weights * np.mean(density / (density @ weights)[:, None], axis=0)
        weights = weights / weights.sum()
        if np.max(np.abs(weights - before)) < EM_STEP:
            break
    return np.asarray(weights)


def _draws(draws: ArrayLike, observed: ArrayLike) -> tuple[Array, Array]:
    drawn, seen = np.asarray(draws, dtype=float), np.atleast_1d(np.asarray(observed, dtype=float))
    if drawn.ndim == 1 and seen.shape == (1,):
        drawn = drawn[:, None]
    if drawn.ndim != 2 or len(drawn) == 0 or drawn.shape[1:] != seen.shape:
        raise ValueError("draws have the shape (draw, case) and observations (case,)")
    if not (np.all(np.isfinite(drawn)) and np.all(np.isfinite(seen))):
        raise ValueError("draws and observations must be finite")
    return drawn, seen


def _shares(weights: ArrayLike | None, shape: tuple[int, ...]) -> Array:
    """Weights (draw, case) that sum to 1 per case."""
    if weights is None:
        return np.full(shape, 1.0 / shape[0])
    given = np.asarray(weights, dtype=float)
    full = np.broadcast_to(given[:, None] if given.ndim == 1 else given, shape)
    total = full.sum(axis=0)
    if np.any(full < 0.0) or not np.all(total > 0.0) or not np.all(np.isfinite(total)):
        raise ValueError("weights are finite, not negative, and above zero for some draw")
    return np.asarray(full / total)


def _silverman(drawn: Array, share: Array) -> Array:
    mean = np.sum(share * drawn, axis=0)
    sd = np.sqrt(np.sum(share * (drawn - mean) ** 2, axis=0))
    order = np.argsort(drawn, axis=0, kind="stable")
    values = np.take_along_axis(drawn, order, axis=0)
    reached = np.cumsum(np.take_along_axis(share, order, axis=0), axis=0)
    ends = [
        np.take_along_axis(values, np.argmax(reached >= part - 1e-12, axis=0)[None], axis=0)[0]
        for part in (0.25, 0.75)
    ]
    middle = (ends[1] - ends[0]) / 1.34
    width = np.where(middle > 0.0, np.minimum(sd, middle), sd)
    return np.asarray(0.9 * width * (1.0 / np.sum(share**2, axis=0)) ** -0.2)
