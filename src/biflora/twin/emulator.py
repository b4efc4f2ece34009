"""The emulator: each published figure as a quadratic function of where a population lies.

It is learnt from the campaign's simulations; what it misses is measured on populations it has not seen and is
added to every error. It stands in for the simulation in the calibration alone: forecasts are always simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.published import PublishedOutcome
from biflora.twin.campaign import AT_ONCE, Campaign
from biflora.twin.state import RATES

Array = NDArray[np.float64]
PAIRED = 16
"""Rates whose products with each other are terms too: those that move the figures most."""
FOLDS = 5
RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0)
LEAST, MOST = 0.02, 0.985
"""Shares of responders are kept within these, so that their logits exist."""
SHARES = ("responders_50", "responders_75", "improved", "mild")
PERCENTS = ("percent_change", "percent_of_means")


def to_straight(measure: str, value: Array | float) -> Array:
    """The figure on the scale on which effects add up: ln of what is left, logit of a share, else itself."""
    given = np.asarray(value, dtype=np.float64)
    if measure in PERCENTS:
        return np.log(np.maximum(1.0 + given / 100.0, 0.02))
    if measure in SHARES:
        share = np.clip(given / 100.0, LEAST, MOST)
        return np.log(share / (1.0 - share))
    return given


def from_straight(measure: str, value: Array | float) -> Array:
    """The way back from `to_straight`."""
    given = np.asarray(value, dtype=np.float64)
    if measure in PERCENTS:
        return 100.0 * (np.exp(given) - 1.0)
    if measure in SHARES:
        return 100.0 / (1.0 + np.exp(-given))
    return given


def slope_of(measure: str, value: float) -> float:
    """How much the straight scale moves for one unit of the figure, for errors."""
    if measure in PERCENTS:
        return 1.0 / max(100.0 + value, 2.0)
    if measure in SHARES:
        share = min(max(value / 100.0, LEAST), MOST)
        return 1.0 / (100.0 * share * (1.0 - share))
    return 1.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """Predicts all figures (population, outcome), on the straight scale, from shifts (population, rates)."""

    active: NDArray[np.int64]
    """Columns of the rates that vary."""
    pairs: NDArray[np.int64]
    """(pairs, 2) places among the active ones whose products are terms."""
    weights: Array
    """(terms, outcome)."""
    missed: Array
    """(outcome,) standard deviation of what it misses on populations not seen, sampling of patients included."""
    explained: Array
    """(outcome,) share of the variance between populations that it explains there."""

    def __call__(self, shifts: Array) -> Array:
        return np.asarray(terms(shifts, self.pairs) @ self.weights)


def terms(shifts: Array, pairs: NDArray[np.int64]) -> Array:
    """1, every shift, its square, and the chosen products."""
    products = shifts[:, pairs[:, 0]] * shifts[:, pairs[:, 1]]
    return np.concatenate([np.ones((len(shifts), 1)), shifts, shifts**2 - 1.0, products], axis=1)


def _within(values: Array, together: NDArray[np.int64]) -> Array:
    """Values less their mean over the populations that belong together."""
    count = np.bincount(together)[:, None]
    sums = np.zeros((len(count), values.shape[1]))
    np.add.at(sums, together, values)
    return np.asarray(values - (sums / count)[together])


def active_rates() -> NDArray[np.int64]:
    """Columns of the rates that differ between populations."""
    from biflora.knowledge.rates import rates

    return np.array([i for i, key in enumerate(RATES) if rates()[key].distribution != "constant"])


def learn(
    campaign: Campaign, rows: Sequence[PublishedOutcome], seed: int, spreads: Sequence[int] = ()
) -> Emulator:
    """Ridge regression with the ridge of each figure chosen on populations left out.

    After the figures of `rows` come the logarithms of the standard deviations of those at `spreads`.
    """
    active = active_rates()
    shifts = campaign.design[:, active]
    measures = ["difference_of_change" if row.measure == "sign" else row.measure for row in rows]
    wanted = np.stack([to_straight(m, campaign.values[:, k]) for k, m in enumerate(measures)], axis=1)
    if len(spreads):
        deviations = np.log(np.maximum(campaign.spreads[:, list(spreads)], 1e-6))
        wanted = np.concatenate([wanted, deviations], axis=1)
    low, high = np.quantile(wanted, (0.002, 0.998), axis=0)
    wanted = np.clip(wanted, low, high)
    strong = _strongest(shifts, wanted)
    pairs = np.array([(a, b) for i, a in enumerate(strong) for b in strong[i + 1 :]])
    known = terms(shifts, pairs)
    # populations made of the same patients share those patients' luck: it is taken out as a constant
    together = np.arange(len(shifts)) // AT_ONCE
    centre, middle, known = wanted.mean(axis=0), known.mean(axis=0), _within(known, together)
    wanted = _within(wanted, together)
    fold = np.random.default_rng([seed, 41]).permutation(len(shifts)) % FOLDS
    misses = np.empty((len(RIDGES), wanted.shape[1]))
    left = np.zeros((len(RIDGES), *wanted.shape))
    for place in range(FOLDS):
        out = fold == place
        for r, ridge in enumerate(RIDGES):
            left[r, out] = wanted[out] - known[out] @ _ridge(known[~out], wanted[~out], ridge)
    misses = np.sqrt(np.mean(left**2, axis=1))
    best = np.argmin(misses, axis=0)
    weights = np.empty((known.shape[1], wanted.shape[1]))
    for r, ridge in enumerate(RIDGES):
        here = best == r
        if here.any():
            weights[:, here] = _ridge(known, wanted[:, here], ridge)
    missed = misses[best, np.arange(len(best))]
    spread = wanted.std(axis=0)
    weights[0] = centre - middle[1:] @ weights[1:]
    return Emulator(active, pairs, weights, missed, 1.0 - (missed / np.maximum(spread, 1e-9)) ** 2)


def _strongest(shifts: Array, wanted: Array) -> NDArray[np.int64]:
    scaled = (wanted - wanted.mean(axis=0)) / np.maximum(wanted.std(axis=0), 1e-9)
    slopes = _ridge(np.concatenate([np.ones((len(shifts), 1)), shifts], axis=1), scaled, 10.0)[1:]
    return np.sort(np.argsort(-np.sum(slopes**2, axis=1))[:PAIRED])


def _ridge(known: Array, wanted: Array, ridge: float) -> Array:
    hold = ridge * np.eye(known.shape[1])
    hold[0, 0] = 1e-9  # a constant is not held back; where it was taken out it stays nothing
    return np.asarray(np.linalg.solve(known.T @ known + hold, known.T @ wanted))
