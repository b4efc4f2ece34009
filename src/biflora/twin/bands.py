"""Weighted quantiles of the bank: courses, differences and the chances of goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import observables as observable_table
from biflora.twin.forecast import ARMS, Arm, Course, Difference, GoalChance
from biflora.twin.observe import PLACE, SHOWN, measured
from biflora.values import Band

Array = NDArray[np.float64]
LEVELS = (0.5, 0.25, 0.75, 0.1, 0.9, 0.025, 0.975)
PAIRS: tuple[tuple[Arm, Arm], ...] = (
    ("oral", "standard_care"),
    ("topical", "standard_care"),
    ("combination", "standard_care"),
    ("combination", "oral"),
    ("combination", "topical"),
)
GOALS: tuple[tuple[str, str, float], ...] = (
    ("SCORAD at least halved", "scorad", 0.5),
    ("SCORAD lower by at least 35 %", "scorad", 0.65),
    ("EASI at least halved (EASI-50)", "easi", 0.5),
)
FORGOTTEN = 1e-6
"""Virtual patients who hold together less than this weight are left out of the quantiles."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """Members of the bank that count, with their weights: `values` (arm, patient, week, observable)."""

    values: NDArray[np.float32]
    noise: NDArray[np.float32]
    """One measurement's error (patient, week, observable), the same under every arm."""
    weights: Array

    def courses(self) -> tuple[Course, ...]:
        """Each observable as one measurement at that week would show it."""
        return tuple(course for key in SHOWN for course in self.courses_of(key))

    def courses_of(self, key: str) -> tuple[Course, ...]:
        """One observable under every arm."""
        return tuple(
            Course(arm=arm, observable=key, weeks=self._weeks(), bands=self._seen(place, key))
            for place, arm in enumerate(ARMS)
        )

    def differences(self) -> tuple[Difference, ...]:
        """Arm minus arm in the same virtual patients, without measurement error."""
        return tuple(self._difference(arm, against, key) for key in SHOWN for arm, against in PAIRS)

    def goals(self) -> tuple[GoalChance, ...]:
        chances = []
        for words, key, kept in GOALS:
            for place, arm in enumerate(ARMS):
                course = self.values[place, :, :, PLACE[key]]
                reached = course[:, -1] <= kept * course[:, 0]
                chances.append(
                    GoalChance(
                        arm=arm,
                        goal=f"{words} at week {self._weeks()[-1]}",
                        observable=key,
                        probability=self._share(reached),
                    )
                )
        return tuple(chances)

    def _weeks(self) -> tuple[int, ...]:
        return tuple(range(self.values.shape[2]))

    def _seen(self, place: int, key: str) -> tuple[Band, ...]:
        row = observable_table()[key]
        seen = self.values[place, :, :, PLACE[key]] + self.noise[:, :, PLACE[key]]
        return bands(np.clip(seen, row.minimum, row.maximum), self.weights)

    def _difference(self, arm: Arm, against: Arm, key: str) -> Difference:
        row = observable_table()[key]
        place = PLACE[key]
        gap = self.values[ARMS.index(arm), :, :, place] - self.values[ARMS.index(against), :, :, place]
        gain = (-gap if row.lower_is_better else gap)[:, -1]
        smallest = row.smallest_important_difference
        return Difference(
            arm=arm,
            against=against,
            observable=key,
            weeks=self._weeks(),
            bands=bands(gap, self.weights),
            probability_better=self._share(gain > TIE) + 0.5 * self._share(np.abs(gain) <= TIE),
            probability_important=None if smallest is None else self._share(gain >= smallest),
        )

    def _share(self, which: NDArray[np.bool_]) -> float:
        return float(min(max(self.weights[which].sum(), 0.0), 1.0))


TIE = 1e-3
"""Arms closer than this do not differ: half of such patients count as better, half as worse."""


def weighted(values: NDArray[np.float32], weights: Array, seed: int, weeks: int) -> Weighted:
    """The members that hold the weight, with one measurement's error each."""
    order = np.argsort(-weights)
    count = int(np.searchsorted(np.cumsum(weights[order]), 1.0 - FORGOTTEN)) + 1
    kept = np.sort(order[:count])
    some = np.ascontiguousarray(values[:, kept, : weeks + 1, :])
    middle = some.mean(axis=0)
    noise = measured(middle, np.random.default_rng([seed, 5]), limits=False) - middle
    return Weighted(some, noise, weights[kept] / weights[kept].sum())


def bands(values: NDArray[np.float32], weights: Array) -> tuple[Band, ...]:
    """Weighted quantiles of each column of `values` (patient, week)."""
    order = np.argsort(values, axis=0)
    ranked = np.take_along_axis(values, order, axis=0)
    below = np.cumsum(weights[order], axis=0)
    found: list[Sequence[float]] = []
    for column in range(values.shape[1]):
        at = np.minimum(np.searchsorted(below[:, column], LEVELS), values.shape[0] - 1)
        found.append([round(float(v), 5) for v in ranked[at, column]])
    return tuple(
        Band(median=m, q25=a, q75=b, q10=c, q90=d, q2_5=e, q97_5=f) for m, a, b, c, d, e, f in found
    )  # fmt: skip
