"""Held-out trials: each usable trial is left out in turn, predicted from the others, and compared with the print.

Left out with a trial are all rows that count some of its patients. Two baselines see the same other trials: a
random-effects meta-regression on what the arms were given, and the mean of the other trials' arms of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.published import PublishedOutcome, left_out_with, published_arms, published_trials
from biflora.twin.calibrate import Figures, Posterior, predicted, sample, told
from biflora.twin.emulator import PERCENTS, SHARES, Emulator, from_straight
from biflora.twin.scores import crps, pit

Array = NDArray[np.float64]
LEVELS = (0.5, 0.8, 0.95)
SCORES = ("scorad", "easi", "itch_nrs")
DRAWS = 4000
CHAINS, ROUNDS, SETTLED = 32, 500, 200
"""A shorter run than the calibration's: one for each trial left out."""
CLEAR_WIN = 0.975
"""A trial is predicted to be a clear win when its estimate favours the active arm with this probability."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One figure of a trial that was left out."""

    row: PublishedOutcome
    limits: Array
    """(levels, 2) predicted interval, as printed."""
    median: float
    crps: float
    """In the units of the figure."""
    pit: float
    regression: float | None = None
    """CRPS of the meta-regression; None where it has nothing to learn from."""
    mean_of_others: float | None = None

    def inside(self, level: float) -> bool:
        low, high = self.limits[LEVELS.index(level)]
        return bool(low <= self.row.value <= high)


@dataclass(frozen=True, slots=True)
class HeldOutSign:
    """One trial of which only the direction was reported."""

    row: PublishedOutcome
    lower: float
    none: float
    higher: float
    """Predicted probabilities: shown lower, no difference shown, shown higher."""
    favours: float
    """Predicted probability that the estimate favours the active arm."""


@dataclass(frozen=True, slots=True)
class HeldOutTrials:
    figures: tuple[HeldOut, ...]
    signs: tuple[HeldOutSign, ...]
    contrasts: tuple[tuple[str, float], ...]
    """Trials with two arms and printed figures: key, and the predicted probability that active is better."""

    def coverage(self, level: float, *, use: str = "calibrate") -> tuple[int, int]:
        """How many figures fell inside, of how many."""
        of = [f for f in self.figures if f.row.use == use]
        return sum(f.inside(level) for f in of), len(of)

    def clear_wins_on_null_trials(self) -> tuple[tuple[str, ...], int]:
        """Null trials that were predicted to be a clear win, and how many null trials there were."""
        null = [key for key, row in published_trials().items() if row.null_result]
        chances = {s.row.trial: s.favours for s in self.signs if s.row.observable in (*SCORES, "poem")}
        chances |= dict(self.contrasts)
        judged = [key for key in null if key in chances]
        return tuple(key for key in judged if chances[key] > CLEAR_WIN), len(judged)


def hold_out(
    emulator: Emulator, figures: Figures, seed: int, *, on_progress: Callable[[float], None] = lambda share: None
) -> HeldOutTrials:
    """Leave every usable trial out once."""
    found, signs, contrasts = [], [], []
    asked = [t for t in figures.trials if published_trials()[t].design != "entry"]
    for place, trial in enumerate(asked):
        out = left_out_with(trial)
        posterior = sample(emulator, figures, seed + place, without=out, rounds=ROUNDS, settled=SETTLED,
                           chains=CHAINS)  # fmt: skip
        places = np.flatnonzero((figures.trial == figures.trials.index(trial)) & ~figures.spread)
        drawn = predicted(emulator, figures, posterior, places, DRAWS, seed + place)
        for column, k in enumerate(places):
            if figures.sign[k]:
                signs.append(_sign(figures, int(k), drawn[:, column]))
            else:
                found.append(_figure(figures, int(k), drawn[:, column], out))
        contrasts += _contrast(figures, places, drawn, trial)
        on_progress((place + 1) / len(asked))
    return HeldOutTrials(tuple(found), tuple(signs), tuple(contrasts))


def _figure(figures: Figures, k: int, straight: Array, out: frozenset[str]) -> HeldOut:
    row = figures.rows[k]
    drawn = told(figures, k, straight)
    levels = [(0.5 - level / 2.0, 0.5 + level / 2.0) for level in LEVELS]
    limits = np.array([np.quantile(drawn, pair) for pair in levels])
    regression, mean = None, None
    if row.observable in SCORES and row.measure in (*PERCENTS, *SHARES):
        regression = _meta_regression(figures, k, out)
        mean = _mean_of_others(figures, k, out)
    return HeldOut(
        row, limits, float(np.median(drawn)), float(crps(drawn[:, None], [row.value])[0]),
        float(pit(drawn[:, None], [row.value])[0]), regression, mean,
    )  # fmt: skip


def _sign(figures: Figures, k: int, drawn: Array) -> HeldOutSign:
    shown = 1.96 * figures.error[k]
    lower, higher = float(np.mean(drawn < -shown)), float(np.mean(drawn > shown))
    good = drawn > 0 if figures.rows[k].observable in ("commensals_log10", "faecal_butyrate") else drawn < 0
    return HeldOutSign(figures.rows[k], lower, 1.0 - lower - higher, higher, float(np.mean(good)))


def _contrast(figures: Figures, places: NDArray[np.int64], drawn: Array, trial: str) -> list[tuple[str, float]]:
    """Predicted probability that the first active arm's severity figure beats the control's."""
    control = {
        key for key, arm in published_arms().items() if arm.trial == trial and arm.arm in ("control", "usual")
    }
    rows = [figures.rows[k] for k in places]
    for a, row in enumerate(rows):
        if (
            row.observable not in SCORES
            or row.against
            or row.arm in control
            or row.measure == "sign"
            or not row.week
        ):
            continue
        for b, other in enumerate(rows):
            same = (other.observable, other.measure, other.week) == (row.observable, row.measure, row.week)
            if same and other.arm in control:
                gap = drawn[:, a] - drawn[:, b]
                better = gap > 0 if row.measure in SHARES else gap < 0
                return [(trial, float(np.mean(better)))]
    return []


def _arm_terms(row: PublishedOutcome) -> Array:
    """What the arm was given, as the meta-regression sees it."""
    words = " ".join(published_arms()[row.arm].interventions)
    given = [
        name in words for name in ("topical_steroid", "type_2_blockade", "oral_probiotic", "topical_commensal")
    ]
    given += [row.observable == "easi", row.observable == "itch_nrs"]
    given += [row.measure == "responders_75", row.measure in ("improved", "mild")]
    return np.array([1.0, *map(float, given), np.log((row.week + 1.0) / 13.0)])


def _others(figures: Figures, k: int, out: frozenset[str]) -> list[int]:
    group = PERCENTS if figures.rows[k].measure in PERCENTS else SHARES
    return [
        i for i, row in enumerate(figures.rows)
        if not figures.spread[i] and row.measure in group and row.observable in SCORES
        and row.use == "calibrate" and row.trial not in out
    ]  # fmt: skip


def _meta_regression(figures: Figures, k: int, out: frozenset[str]) -> float | None:
    """CRPS of a Bayesian random-effects regression over the other trials (prior sd .5, of the mean 1.5)."""
    learnt = _others(figures, k, out)
    if len(learnt) < 6:
        return None
    x = np.array([_arm_terms(figures.rows[i]) for i in learnt])
    y, error = figures.value[learnt], figures.error[learnt]
    prior = np.diag([1.5**2, *([0.5**2] * (x.shape[1] - 1))])
    best = max(np.linspace(0.03, 0.8, 40), key=lambda tau: _evidence(x, y, error, prior, tau))
    covariance = x @ prior @ x.T + np.diag(error**2 + best**2)
    here = _arm_terms(figures.rows[k])
    gain = prior @ x.T @ np.linalg.inv(covariance)
    mean = float(here @ gain @ y)
    variance = float(here @ (prior - gain @ x @ prior) @ here) + best**2 + figures.error[k] ** 2
    return _crps_of_normal(figures, k, mean, np.sqrt(variance))


def _evidence(x: Array, y: Array, error: Array, prior: Array, tau: float) -> float:
    covariance = x @ prior @ x.T + np.diag(error**2 + tau**2)
    return float(-0.5 * np.linalg.slogdet(covariance)[1] - 0.5 * y @ np.linalg.solve(covariance, y))


def _mean_of_others(figures: Figures, k: int, out: frozenset[str]) -> float | None:
    """CRPS of the mean of the other trials' arms of the same kind (control or active), and their spread."""
    arms = published_arms()
    control = arms[figures.rows[k].arm].arm in ("control", "usual")
    same = [
        i for i in _others(figures, k, out)
        if (arms[figures.rows[i].arm].arm in ("control", "usual")) == control
        and (figures.rows[i].measure == figures.rows[k].measure or figures.rows[k].measure in PERCENTS)
    ]  # fmt: skip
    if len(same) < 3:
        return None
    values = figures.value[same]
    spread = float(values.std(ddof=1)) * np.sqrt(1.0 + 1.0 / len(same))
    return _crps_of_normal(figures, k, float(values.mean()), spread)


def _crps_of_normal(figures: Figures, k: int, mean: float, sd: float) -> float:
    from scipy.special import ndtri

    straight = mean + sd * ndtri((np.arange(2000) + 0.5) / 2000)
    drawn = from_straight(figures.rows[k].measure, straight)
    return float(crps(drawn[:, None], [figures.rows[k].value])[0])


def errors(found: Sequence[HeldOut], measures: Sequence[str]) -> tuple[float, float, int]:
    """Root mean square and mean error of the medians over figures of these measures, and how many."""
    off = np.array([f.median - f.row.value for f in found if f.row.measure in measures])
    if not len(off):
        return float("nan"), float("nan"), 0
    return float(np.sqrt(np.mean(off**2))), float(off.mean()), len(off)


__all__ = ["HeldOut", "HeldOutSign", "HeldOutTrials", "Posterior", "errors", "hold_out"]
