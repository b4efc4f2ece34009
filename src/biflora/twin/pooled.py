"""What trials of one arm found, on one scale: each trial's standardised difference, and their pooled one.

Standardised mean differences are Hedges' g; shares of responders come in as log odds ratios times root 3 over pi
(Cochrane Handbook 10.6). Pooling is a random-effects model: the spread between trials by REML, the interval by
Hartung and Knapp, never narrower than the ordinary one (Knapp and Hartung 2003, with the truncation that the
Handbook advises); the prediction interval takes the t distribution with k - 2 degrees (Higgins 2009).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from biflora.knowledge.trials import ArmName, ConditionTrial, condition_trials
from biflora.values import Value

ODDS_TO_STANDARD = math.sqrt(3) / math.pi
FEWEST_FOR_PREDICTION = 3
FEW = 5
"""Below so many trials the spread between them is hardly known, and the words say so."""
ROUNDS = 10_000
CLOSE = 1e-12


class TrialEffect(Value):
    """One trial's difference to its comparator in standard deviations; negative is better for the arm."""

    trial: str
    year: int
    n: int
    weeks: float | None
    against: str
    outcome: str
    effect: float
    error: float
    low: float
    high: float
    sign: str
    how: str
    """How the number was made of what the source prints."""
    note: str = ""
    source: str
    verification: str


class PooledEffect(Value):
    """All that trials say of one arm in one condition, in standard deviations; negative is better for the arm."""

    arm: ArmName
    trials: tuple[TrialEffect, ...] = ()
    """Those that count."""
    n: int = 0
    weeks: float | None = None
    """Longest of those that count."""
    effect: float | None = None
    """None when no trial's number could be read."""
    error: float | None = None
    degrees: int | None = None
    """Of the t distribution of the interval; None: normal, one trial."""
    low: float | None = None
    high: float | None = None
    prediction_low: float | None = None
    prediction_high: float | None = None
    """95 % interval of what a next trial would find; None with fewer than three trials."""
    tau2: float | None = None
    i2_percent: float | None = None
    not_counted: tuple[str, ...] = ()
    """Trials that do not count, each with what it said and why."""
    not_positive: tuple[str, ...] = ()
    """Every trial or meta-analysis that found no difference, or a worse result, counted or not."""
    published: tuple[str, ...] = ()
    """Published meta-analyses, as their abstracts put it."""
    from_review: str = ""
    """The published meta-analysis whose number stands here because no single trial's number could be read."""
    words: str
    """One or two plain sentences."""


def pooled_effects(condition: str) -> tuple[PooledEffect, ...]:
    """One for each arm that any trial was found of, in the order of the table; empty: no trial found."""
    rows = [row for row in condition_trials().values() if row.condition == condition]
    return tuple(_of_arm(arm, [r for r in rows if r.arm == arm]) for arm in dict.fromkeys(row.arm for row in rows))


def trial_effect(row: ConditionTrial) -> TrialEffect:
    """The trial on the common scale. A row whose numbers do not fit its `statistic` raises ValueError."""
    effect, error, how = _estimate(row)
    if row.better == "more":
        effect = -effect
    return TrialEffect(
        trial=row.trial, year=row.year, n=(row.n_active or 0) + (row.n_control or 0), weeks=row.weeks,
        against=row.against, outcome=row.outcome, effect=effect, error=error, low=effect - 1.959964 * error,
        high=effect + 1.959964 * error, sign=row.sign, how=how, note=row.note, source=row.source,
        verification=row.verification,
    )  # fmt: skip


def random_effects(effects: Sequence[float], variances: Sequence[float]) -> tuple[float, float, float, float]:
    """Mean, its Hartung-Knapp error (k - 1 degrees), tau2 by REML, I2 in percent, of at least two trials."""
    tau2 = between_trials_reml(effects, variances)
    mean, ordinary, q = mean_at(effects, variances, tau2)
    return mean, math.sqrt(max(1.0, q) * ordinary), tau2, _i2(effects, variances)


def mean_at(effects: Sequence[float], variances: Sequence[float], tau2: float) -> tuple[float, float, float]:
    """Weighted mean at this tau2, its ordinary variance, and Hartung and Knapp's factor for that variance."""
    weights = [1 / (v + tau2) for v in variances]
    mean = _mean(effects, weights)
    q = sum(w * (y - mean) ** 2 for w, y in zip(weights, effects, strict=True)) / (len(effects) - 1)
    return mean, 1 / sum(weights), q


def between_trials_reml(effects: Sequence[float], variances: Sequence[float]) -> float:
    """tau2 by restricted maximum likelihood, found by its fixed point (Viechtbauer 2005); never below zero."""
    tau2 = max(0.0, _variance(effects) - sum(variances) / len(variances))
    for _ in range(ROUNDS):
        weights = [1 / (v + tau2) for v in variances]
        mean = _mean(effects, weights)
        squares = [w * w * ((y - mean) ** 2 - v) for w, y, v in zip(weights, effects, variances, strict=True)]
        found = max(0.0, sum(squares) / sum(w * w for w in weights) + 1 / sum(weights))
        if abs(found - tau2) < CLOSE:
            return found
        tau2 = found
    return tau2


def _estimate(row: ConditionTrial) -> tuple[float, float, str]:
    """Active minus control in standard deviations, its error, and how it was made."""
    if row.statistic == "events":
        return *_from_events(row), "log odds ratio of the responders times root 3 over pi"
    if row.statistic in ("smd", "ratio"):
        return _from_published(row)
    one, two = row.n_active, row.n_control
    if one is None or two is None or row.active is None or row.control is None:
        raise ValueError(f"condition_trials.csv, row {row.key}: changes need both means and both arm sizes")
    if row.statistic == "changes with p":
        t = math.copysign(_t_of_p(_known(row.p), one + two - 2), row.active - row.control)
        return *_hedges(t * math.sqrt(1 / one + 1 / two), one, two), "from the p between the groups"
    if row.statistic == "changes with intervals":
        sds = [
            _known(half) / _t_quantile(0.975, n - 1) * math.sqrt(n)
            for half, n in ((row.spread_active, one), (row.spread_control, two))
        ]
        how = "spreads from the 95 % intervals of the changes"
    elif row.statistic == "changes with own p":
        sds = [
            abs(change) / _t_of_p(_known(p), n - 1) * math.sqrt(n)
            for change, p, n in ((row.active, row.spread_active, one), (row.control, row.spread_control, two))
        ]
        how = "spreads from the p of each group against its own start"
    else:
        raise ValueError(f"condition_trials.csv, row {row.key}: '{row.statistic}' holds no number")
    spread = math.sqrt(((one - 1) * sds[0] ** 2 + (two - 1) * sds[1] ** 2) / (one + two - 2))
    return *_hedges((row.active - row.control) / spread, one, two), how


def _hedges(d: float, one: int, two: int) -> tuple[float, float]:
    g = d * (1 - 3 / (4 * (one + two) - 9))
    return g, math.sqrt(1 / one + 1 / two + g * g / (2 * (one + two)))


def _from_events(row: ConditionTrial) -> tuple[float, float]:
    a, c = _known(row.active), _known(row.control)
    b, d = _known(row.n_active) - a, _known(row.n_control) - c
    if min(a, b, c, d) == 0:  # an empty cell has no log odds; half a person in each cell is the usual way out
        a, b, c, d = a + 0.5, b + 0.5, c + 0.5, d + 0.5
    ratio = math.log(a * d / (b * c))
    return ODDS_TO_STANDARD * ratio, ODDS_TO_STANDARD * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def _from_published(row: ConditionTrial) -> tuple[float, float, str]:
    effect, low, high = _known(row.effect), _known(row.low), _known(row.high)
    if row.statistic == "smd":
        return effect, (high - low) / (2 * 1.959964), "as published"
    scale = ODDS_TO_STANDARD
    return (
        scale * math.log(effect),
        scale * math.log(high / low) / (2 * 1.959964),
        "log ratio times root 3 over pi",
    )


def _of_arm(arm: ArmName, rows: Sequence[ConditionTrial]) -> PooledEffect:
    counted = [trial_effect(row) for row in rows if row.pool == "yes" and not row.only_remembered]
    rest = [row for row in rows if row.level == "trial" and (row.pool == "no" or row.only_remembered)]
    reviews = [row for row in rows if row.level == "meta-analysis"]
    found = PooledEffect(
        arm=arm,
        trials=tuple(counted),
        n=sum(trial.n for trial in counted),
        weeks=max((trial.weeks for trial in counted if trial.weeks is not None), default=None),
        not_counted=tuple(_told(row) for row in rest),
        published=tuple(_told(row) for row in reviews),
        not_positive=tuple(_named(row.trial, row.year) for row in rows if row.sign in ("null", "negative")),
        words="",
    )
    if len(counted) > 1:
        return found.model_copy(update=_pooled(found))
    if counted:
        return found.model_copy(update=_single(counted[0]))
    return found.model_copy(update=_without_numbers(rest, reviews))


def _single(one: TrialEffect) -> dict[str, object]:
    return {
        "effect": one.effect, "error": one.error, "low": one.low, "high": one.high,
        "words": f"One trial counts ({_named(one.trial, one.year)}, n = {one.n}): "
        f"{_interval(one.effect, one.low, one.high)} against its comparator. One cannot tell how trials differ.",
    }  # fmt: skip


def _pooled(found: PooledEffect) -> dict[str, object]:
    k = len(found.trials)
    mean, error, tau2, i2 = random_effects(
        [trial.effect for trial in found.trials], [trial.error**2 for trial in found.trials]
    )
    half = _t_quantile(0.975, k - 1) * error
    words = (
        f"{k} trials count (n = {found.n}): {_interval(mean, mean - half, mean + half)} against the comparator."
    )
    update: dict[str, object] = {
        "effect": mean, "error": error, "degrees": k - 1, "low": mean - half, "high": mean + half, "tau2": tau2,
        "i2_percent": i2,
    }  # fmt: skip
    if k < FEWEST_FOR_PREDICTION:
        return update | {"words": f"{words} Two trials cannot tell how trials differ, and the interval says so."}
    next_half = _t_quantile(0.975, k - 2) * math.sqrt(tau2 + error**2)
    few = " (so few trials hardly tell)" if k < FEW else ""
    words += f" A next trial may find {mean - next_half:.1f} to {mean + next_half:.1f}{few}; I2 is {i2:.0f} %."
    return update | {"prediction_low": mean - next_half, "prediction_high": mean + next_half, "words": words}


def _without_numbers(rest: Sequence[ConditionTrial], reviews: Sequence[ConditionTrial]) -> dict[str, object]:
    """A published review's number where one was read, else that trials were found without one."""
    read = [row for row in reviews if row.statistic in ("smd", "ratio") and not row.only_remembered]
    if read:
        # the least certain outcome leads: two outcomes of the same trials are no two chances to be right
        row, effect = max(((row, trial_effect(row)) for row in read), key=lambda pair: pair[1].error)
        return {
            "effect": effect.effect, "error": effect.error, "low": effect.low, "high": effect.high,
            "weeks": max((r.weeks for r in rest if r.weeks is not None), default=None), "from_review": row.trial,
            "words": f"No single trial's number could be read. A review ({_named(row.trial, row.year)}): "
            f"{_interval(effect.effect, effect.low, effect.high)}.",
        }  # fmt: skip
    if not rest:
        if all(row.only_remembered for row in reviews):
            return {"words": "Only a review was found, and its number is only remembered: it does not count."}
        return {"words": "Only a review was found, without a number that could be counted."}
    many = "One trial was found, without" if len(rest) == 1 else f"{len(rest)} trials were found, none with"
    return {"words": f"{many} a number that could be counted."}


def _named(trial: str, year: int) -> str:
    """Some trials are known by their journal and year: the year is said once."""
    return trial if re.search(rf"\b{year}\b", trial) else f"{trial} {year}"


def _told(row: ConditionTrial) -> str:
    size = (row.n_active or 0) + (row.n_control or 0)
    many = f", n = {size}" if size else ""
    remembered = " (only remembered)" if row.only_remembered else ""
    what = f"{row.intervention} against {row.against}, {row.outcome}"
    text = f"{_named(row.trial, row.year)}{many}: {row.sign}{remembered}; {what}"
    return f"{text}. {row.note[:1].upper()}{row.note[1:]}." if row.note else f"{text}."


def _interval(effect: float, low: float, high: float) -> str:
    return f"{effect:.2f} standard deviations (95 % {low:.2f} to {high:.2f}; below zero is better)"


def _known(value: float | None) -> float:
    if value is None:
        raise ValueError("condition_trials.csv: a number that its statistic needs is missing")
    return value


def _mean(effects: Sequence[float], weights: Sequence[float]) -> float:
    return sum(w * y for w, y in zip(weights, effects, strict=True)) / sum(weights)


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _i2(effects: Sequence[float], variances: Sequence[float]) -> float:
    """Percent of the spread that chance does not explain, from Cochran's Q."""
    weights = [1 / v for v in variances]
    mean = _mean(effects, weights)
    q = sum(w * (y - mean) ** 2 for w, y in zip(weights, effects, strict=True))
    return 0.0 if q <= 0 else max(0.0, 100 * (q - (len(effects) - 1)) / q)


def _t_quantile(probability: float, degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def _t_of_p(p: float, degrees: int) -> float:
    """|t| of a two-sided p."""
    return _t_quantile(1 - p / 2, degrees)
