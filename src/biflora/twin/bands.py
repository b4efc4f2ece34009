"""What equally likely draws of a patient say: courses, differences, the chances of goals and of being best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import ObservableRow
from biflora.knowledge.rates import observables as observable_table
from biflora.twin.calibrated import effects
from biflora.twin.forecast import ARMS, Arm, BestChance, Course, Difference, Dots, GoalChance
from biflora.twin.observe import OBSERVED, PLACE, measured
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
TIE, TIE_OF_SCORE = 1e-3, 5e-4
"""Arms closer than this do not differ (of a score: this part of its range; it covers the solver's tolerance)."""
DOTS = 20
SCORES = ("scorad", "easi", "oscorad", "itch_nrs", "poem")
GROWN_WEEKS = 4.0
"""Weeks in which what a product does beyond its kind has grown to its full size."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Equally likely patients like this one: `values` (arm, observable, week, draw), latent."""

    values: NDArray[np.float32]
    noise: NDArray[np.float32]
    """One measurement's error (observable, week, draw), the same under every arm."""

    def courses(self) -> tuple[Course, ...]:
        """Each observable as one measurement at that week would show it."""
        return tuple(course for key in OBSERVED for course in self.courses_of(key))

    def courses_of(self, key: str) -> tuple[Course, ...]:
        """One observable under every arm."""
        return tuple(
            Course(arm=arm, observable=key, weeks=self._weeks(), bands=bands(self.seen(arm, key))) for arm in ARMS
        )

    def seen(self, arm: Arm, key: str) -> NDArray[np.float32]:
        """(week, draw): as one measurement at each week would show it."""
        row = observable_table()[key]
        shown = self.values[ARMS.index(arm), PLACE[key]] + self.noise[PLACE[key]]
        return np.asarray(np.clip(shown, row.minimum, row.maximum), dtype=np.float32)

    def differences(self) -> tuple[Difference, ...]:
        """Arm minus arm in the same virtual patients, without measurement error."""
        return tuple(self._difference(arm, against, key) for key in OBSERVED for arm, against in PAIRS)

    def goals(self) -> tuple[GoalChance, ...]:
        """Chances of the goals at the last week, without measurement error."""
        chances = []
        for words, key, kept in GOALS:
            for place, arm in enumerate(ARMS):
                course = self.values[place, PLACE[key]]
                chances.append(
                    GoalChance(
                        arm=arm,
                        goal=f"{words} at week {self._weeks()[-1]}",
                        observable=key,
                        probability=float(np.mean(course[-1] <= kept * course[0])),
                    )
                )
        return tuple(chances)

    def dots(self, keys: tuple[str, ...] = ("scorad", "easi")) -> tuple[Dots, ...]:
        """Twenty equally likely outcomes at the last week: the 1/40, 3/40 ... quantiles of one measurement."""
        levels = (np.arange(DOTS) + 0.5) / DOTS
        return tuple(
            Dots(
                arm=arm, observable=key, week=self._weeks()[-1],
                values=tuple(round(float(v), 2) for v in np.quantile(self.seen(arm, key)[-1], levels)),
            )
            for key in keys
            for arm in ARMS
        )  # fmt: skip

    def best_chances(self, keys: tuple[str, ...] = ("scorad", "easi")) -> tuple[BestChance, ...]:
        """Probability of each arm to be the best at the last week; arms that tie share the draw."""
        chances = []
        for key in keys:
            last = self.values[:, PLACE[key], -1]
            row = observable_table()[key]
            if not row.lower_is_better:
                last = -last
            first = last <= last.min(axis=0) + tie_of(row)
            share = (first / first.sum(axis=0)).mean(axis=1)
            chances += [
                BestChance(arm=arm, observable=key, probability=float(p))
                for arm, p in zip(ARMS, share, strict=True)
            ]
        return tuple(chances)

    def _weeks(self) -> tuple[int, ...]:
        return tuple(range(self.values.shape[2]))

    def _difference(self, arm: Arm, against: Arm, key: str) -> Difference:
        row = observable_table()[key]
        gap = self.values[ARMS.index(arm), PLACE[key]] - self.values[ARMS.index(against), PLACE[key]]
        gain = (-gap if row.lower_is_better else gap)[-1]
        tie = tie_of(row)
        smallest = row.smallest_important_difference
        return Difference(
            arm=arm,
            against=against,
            observable=key,
            weeks=self._weeks(),
            bands=bands(gap),
            probability_better=float(np.mean(gain > tie) + 0.5 * np.mean(np.abs(gain) <= tie)),
            probability_important=None if smallest is None else float(np.mean(gain >= smallest)),
        )


def _products(shape: tuple[int, ...], seed: int, gut_link: bool) -> dict[Arm, NDArray[np.float32]]:
    """Factors on severity (week, draw): one product differs from another, as the active arms of trials do.

    Its size on ln severity is that of the calibration's effect on active arms. It grows over the first weeks; with
    the gut link off an oral product has none. Both products together bring theirs: no term of the pair.
    """
    random = np.random.default_rng([seed, 10])
    weeks, count = shape
    grown = np.minimum(np.arange(weeks) / GROWN_WEEKS, 1.0)[:, None]
    size = effects()[random.integers(0, len(effects()), count), 1]
    oral, topical = size * random.standard_normal((2, count))
    if not gut_link:
        oral = np.zeros(count)
    own: dict[Arm, Array] = {"oral": oral, "topical": topical, "combination": oral + topical}
    return {arm: np.exp(grown * effect).astype(np.float32) for arm, effect in own.items()}


def tie_of(row: ObservableRow) -> float:
    return TIE_OF_SCORE * row.maximum if row.unit == "points" else TIE


def draws_of(values: NDArray[np.float32], seed: int, weeks: int, *, gut_link: bool = True) -> Draws:
    """Latent courses (arm, observable, week, draw) with one measurement's error each.

    Scores of the arms with a product differ by what that product does beyond its kind (`_products`).
    """
    some = values[:, :, : weeks + 1].copy()
    for arm, factor in _products(some.shape[2:], seed, gut_link).items():
        for key in SCORES:
            some[ARMS.index(arm), PLACE[key]] *= factor
    middle = np.ascontiguousarray(some.mean(axis=0).transpose(1, 2, 0))
    noise = measured(middle, np.random.default_rng([seed, 5]), limits=False) - middle
    return Draws(some, np.ascontiguousarray(noise.transpose(2, 0, 1)))


def bands(values: NDArray[np.float32]) -> tuple[Band, ...]:
    """Quantiles of each row of `values` (week, draw), between draws by a straight line."""
    ranked = np.sort(values, axis=1)
    place = np.array(LEVELS) * (values.shape[1] - 1)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, values.shape[1] - 1)
    part = (place - low).astype(np.float32)
    found = np.round((ranked[:, low] * (1 - part) + ranked[:, high] * part).astype(np.float64), 5)
    return tuple(
        Band(median=m, q25=a, q75=b, q10=c, q90=d, q2_5=e, q97_5=f) for m, a, b, c, d, e, f in found.tolist()
    )
