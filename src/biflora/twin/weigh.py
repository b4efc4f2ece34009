"""How much each virtual patient of the bank is like this one, and equally likely draws of her."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import forecast_setting
from biflora.knowledge.rates import observables as observable_table
from biflora.twin.bank import Bank
from biflora.twin.evidence import RATIO, Clue
from biflora.twin.forecast import ARMS
from biflora.twin.observe import PLACE, TAILS, to_scale

Array = NDArray[np.float64]
DRAWS = 1024
"""Equally likely draws that a forecast is told from."""


@dataclass(frozen=True, slots=True)
class Weights:
    values: Array
    """(patient,) sum 1."""
    effective: float


def weigh(held: Bank, clues: Sequence[Clue]) -> Weights:
    """Importance weights of the bank's patients by a Student t likelihood."""
    full = normalised(log_likelihood(held.on, clues))
    return Weights(full, effective_size(full))


def log_likelihood(values: NDArray[np.float32], clues: Sequence[Clue]) -> Array:
    """Of each patient in `values` (arm, observable, week, patient)."""
    total = np.zeros(values.shape[3])
    for clue in clues:
        total += _of_clue(clue, _expected(values, clue))
    return total


def enough_patients() -> float:
    """Smallest effective sample size; below it new patients are made (`moves.py`)."""
    return forecast_setting("enough_patients").value


def effective_size(weights: Array) -> float:
    """How many equally weighted patients would say as much (Kish)."""
    return float(1.0 / np.sum(weights**2))


def normalised(log_weights: Array) -> Array:
    raised = np.exp(log_weights - log_weights.max())
    return np.asarray(raised / raised.sum())


def resampled(weights: Array, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Places of `count` equally likely draws (systematic resampling)."""
    points = (np.arange(count) + random.random()) / count
    places = np.searchsorted(np.cumsum(weights), points)
    return np.minimum(places, len(weights) - 1).astype(np.int64)


def _expected(values: NDArray[np.float32], clue: Clue) -> Array:
    """What each virtual patient would show, on the clue's scale, between visits by a straight line."""
    weeks = values.shape[2] - 1
    week = min(max(clue.week, 0.0), float(weeks))
    before = min(int(week), max(weeks - 1, 0))
    part = week - before
    arm = values[ARMS.index(clue.arm)]

    def at(key: str) -> Array:
        course = arm[PLACE[key]]
        first = course[before].astype(np.float64)
        return first if part == 0.0 else np.asarray((1.0 - part) * first + part * course[before + 1])

    if clue.observable == RATIO:
        return np.asarray(at("s_aureus_log10") - at("commensals_log10"))
    return to_scale(observable_table()[clue.observable], at(clue.observable))


def _of_clue(clue: Clue, expected: Array) -> Array:
    z = (clue.value - expected) / clue.sd
    if clue.below:
        return np.asarray(-np.logaddexp(0.0, -1.702 * z))  # ln of a logistic curve, close to the normal one
    return np.asarray(-0.5 * (TAILS + 1.0) * np.log1p(z**2 / (TAILS - 2.0)))
