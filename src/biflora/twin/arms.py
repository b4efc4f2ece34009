"""The arms: which lever each one pulls, week by week, and how faithfully."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from biflora.twin import state as at
from biflora.twin.forecast import Arm

LEVERS: dict[Arm, tuple[int, ...]] = {
    "standard_care": (at.USE_EMOLLIENT, at.USE_STEROID),
    "oral": (at.USE_EMOLLIENT, at.USE_STEROID, at.USE_ORAL),
    "topical": (at.USE_EMOLLIENT, at.USE_STEROID, at.USE_TOPICAL),
    "combination": (at.USE_EMOLLIENT, at.USE_STEROID, at.USE_ORAL, at.USE_TOPICAL),
}
"""Standard care is emollient plus reactive topical anti-inflammatory treatment; it goes on in every arm."""
ADHERENCE = {
    at.USE_EMOLLIENT: at.ADHERENCE_EMOLLIENT,
    at.USE_STEROID: at.ADHERENCE_STEROID,
    at.USE_ORAL: at.ADHERENCE_ORAL,
    at.USE_TOPICAL: at.ADHERENCE_TOPICAL,
}


def uses(arm: Arm, rates: NDArray[np.float64], weeks: int, stop_week: int | None = None) -> NDArray[np.float64]:
    """Use of each lever (n, weeks, 4), each patient's adherence in it; oral and topical stop at `stop_week`."""
    return schedule(
        [arm if stop_week is None or week < stop_week else "standard_care" for week in range(weeks)], rates
    )


def schedule(arms: Sequence[Arm], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Use of each lever when the arm may change from week to week."""
    out = np.zeros((rates.shape[0], len(arms), 4))
    for week, arm in enumerate(arms):
        for lever in LEVERS[arm]:
            out[:, week, lever] = rates[:, ADHERENCE[lever]]
    return out
