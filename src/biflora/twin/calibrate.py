"""Calibration: which populations the published trials allow, by synthetic likelihood and elliptical slices.

A figure of a trial differs from what a population predicts by sampling, by what the emulator misses, by an
effect of the trial that all its arms share (placebo response, setting, rescue), by an effect of the trial on its
active arms (product, strain, adherence), and for microbes by one of their own. The last three are random effects
whose sizes are learnt; they are what makes one more trial uncertain.
Methods: Wood 2010, Nature 466:1102 (synthetic likelihood); Murray 2010, AISTATS 9:541 (elliptical slices).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.published import PublishedOutcome, arms_of, published_outcomes, published_trials
from biflora.knowledge.rates import calibration_setting
from biflora.twin.campaign import Campaign
from biflora.twin.emulator import PERCENTS, SHARES, Emulator, from_straight, learn, slope_of, to_straight
from biflora.twin.trial_spec import ARM_SIZE

Array = NDArray[np.float64]
MICROBES = ("s_aureus_log10", "commensals_log10", "faecal_butyrate")
CHAINS, ROUNDS, SETTLED = 48, 900, 400
NO_SIGN = 1.96
"""A difference counts as shown beyond so many standard errors."""
EFFECTS = ("trial_effect_prior", "active_effect_prior", "microbe_effect_prior")
"""Rows of forecast_settings: scale of the half-normal prior of each random effect's standard deviation."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The published figures on the straight scale, in the campaign's order, and how each may miss."""

    rows: tuple[PublishedOutcome, ...]
    value: Array
    error: Array
    """Standard error by sampling of patients."""
    loading: Array
    """(figure, 3): how each moves with the trial's effect, the active arms' and the microbes'."""
    trial: NDArray[np.int64]
    trials: tuple[str, ...]
    sign: NDArray[np.bool_]
    """True: only its direction was reported."""
    used: NDArray[np.bool_]
    """True: the calibration learns from it."""

    def of(self, trials: Collection[str]) -> NDArray[np.bool_]:
        return np.array([row.trial in trials for row in self.rows])


def figures_of(campaign: Campaign) -> Figures:
    """What was published beside what the campaign simulated."""
    table = published_outcomes()
    rows = tuple(table[key] for key in campaign.outcomes)
    names = tuple(dict.fromkeys(row.trial for row in rows))
    middle, spread = np.median(campaign.values, axis=0), np.median(campaign.spreads, axis=0)
    error = np.array([_error(row, middle[k], spread[k]) for k, row in enumerate(rows)])
    return Figures(
        rows=rows,
        value=np.array([float(to_straight(row.measure, row.value)) for row in rows]),
        error=error,
        loading=np.array([_loading(row, campaign, k) for k, row in enumerate(rows)]),
        trial=np.array([names.index(row.trial) for row in rows]),
        trials=names,
        sign=np.array([row.measure == "sign" for row in rows]),
        used=np.array([row.use == "calibrate" for row in rows]),
    )  # fmt: skip


def _error(row: PublishedOutcome, simulated: float, spread: float) -> float:
    """Standard error on the straight scale: the printed one, else the simulated patients' spread over the arm."""
    if row.se is not None:
        return row.se * slope_of(row.measure, row.value)
    arms = {arm.key: arm.n or ARM_SIZE for arm in arms_of(row.trial)}
    parts = 1.0 / arms[row.arm] + (1.0 / arms[row.against] if row.against else 0.0)
    measured = simulated if row.measure == "sign" else row.value
    slope = slope_of(row.measure, measured)
    if row.measure == "percent_of_means" and row.observable.endswith("log10"):
        # a mean of CFU is heavy-tailed: the error of its logarithm is that of a log-normal of the patients' spread
        return math.sqrt(parts) * calibration_setting("cfu_ln_spread").value
    return math.sqrt(parts) * spread * slope


def _loading(row: PublishedOutcome, campaign: Campaign, place: int) -> tuple[float, float, float]:
    """How the figure moves, on its straight scale, for one unit of ln severity (or log10 of a microbe)."""
    if row.measure == "mean" and row.week == 0.0:
        return 0.0, 0.0, 0.0
    active = _is_active(row)
    if row.observable in MICROBES:
        scale = math.log(10.0) if row.measure in PERCENTS else 1.0
        return 0.0, 0.0, scale if active or row.against else 0.0
    if row.measure in PERCENTS:
        size = 1.0
    elif row.measure in SHARES:
        size = -_responder_slope(row, campaign, place)
    else:  # points: what is left of the score at that week
        size = _points_left(row)
    if row.against is not None:
        return 0.0, size, 0.0
    return size, size if active else 0.0, 0.0


def _is_active(row: PublishedOutcome) -> bool:
    """Whether the arm is given more than the trial's control arm is."""
    if published_trials()[row.trial].design in ("uncontrolled", "entry"):
        return published_trials()[row.trial].design == "uncontrolled"
    control = next((arm for arm in arms_of(row.trial) if arm.arm in ("control", "usual")), None)
    return control is not None and row.arm != control.key


def _points_left(row: PublishedOutcome) -> float:
    trial = published_trials()[row.trial]
    start = {
        "scorad": trial.baseline_scorad_mean, "easi": trial.baseline_easi_mean,
        "itch_nrs": calibration_setting("itch_at_entry").value, "poem": calibration_setting("poem_at_entry").value,
    }.get(row.observable)  # fmt: skip
    return calibration_setting("severity_left").value * (start or 1.0)


def _responder_slope(row: PublishedOutcome, campaign: Campaign, place: int) -> float:
    """How far the logit of responders moves for one unit of ln severity, over the campaign's populations."""
    table = published_outcomes()
    partner = next(
        (k for k, key in enumerate(campaign.outcomes) if table[key].arm == row.arm
         and table[key].observable == row.observable and table[key].measure in PERCENTS),
        None,
    )  # fmt: skip
    if partner is None:
        return calibration_setting("responder_slope").value
    x = to_straight("percent_change", campaign.values[:, partner])
    y = to_straight(row.measure, campaign.values[:, place])
    return float(abs(np.cov(x, y)[0, 1] / np.var(x)))


@dataclass(frozen=True, slots=True)
class Posterior:
    """Draws of where the population lies, and of the sizes of the random effects."""

    shifts: Array
    """(draw, active rates)."""
    effects: Array
    """(draw, 3) standard deviations."""
    between: float
    """Largest ratio of between-chain to within-chain spread (R-hat) over the rates."""


def sample(
    emulator: Emulator, figures: Figures, seed: int, *, without: Collection[str] = (), rounds: int = ROUNDS,
    settled: int = SETTLED, chains: int = CHAINS, on_progress: Callable[[float], None] = lambda share: None,
) -> Posterior:  # fmt: skip
    """Draw populations that the published figures allow, leaving out the trials in `without`."""
    likelihood = _Likelihood(emulator, figures, figures.used & ~figures.of(without))
    random = np.random.default_rng([seed, 42])
    scales = np.array([calibration_setting(key).value for key in EFFECTS])
    shifts = 0.5 * random.standard_normal((chains, len(emulator.active)))
    effects = scales * np.abs(random.standard_normal((chains, 3)))
    likelihood.set_effects(effects)
    score = likelihood(shifts)
    kept_shifts, kept_effects = [], []
    for turn in range(rounds):
        shifts, score = _slice(shifts, score, likelihood, random)
        proposed = effects * np.exp(0.35 * random.standard_normal(effects.shape))
        before = score - 0.5 * np.sum((effects / scales) ** 2, axis=1) + np.sum(np.log(effects), axis=1)
        likelihood.set_effects(proposed)
        new = likelihood(shifts)
        after = new - 0.5 * np.sum((proposed / scales) ** 2, axis=1) + np.sum(np.log(proposed), axis=1)
        taken = np.log(random.random(chains)) < after - before
        effects, score = np.where(taken[:, None], proposed, effects), np.where(taken, new, score)
        likelihood.set_effects(effects)
        if turn >= settled:
            kept_shifts.append(shifts.copy())
            kept_effects.append(effects.copy())
        on_progress((turn + 1) / rounds)
    all_shifts, all_effects = np.array(kept_shifts), np.array(kept_effects)
    return Posterior(
        all_shifts.reshape(-1, shifts.shape[1]), all_effects.reshape(-1, 3), _between(all_shifts)
    )  # fmt: skip


def _between(draws: Array) -> float:
    """R-hat of the worst rate; `draws` (round, chain, rate)."""
    rounds = draws.shape[0]
    within = draws.var(axis=0, ddof=1).mean(axis=0)
    means = draws.mean(axis=0).var(axis=0, ddof=1)
    return float(np.sqrt((within * (rounds - 1) / rounds + means) / within).max())


def _slice(
    shifts: Array, score: Array, likelihood: _Likelihood, random: np.random.Generator
) -> tuple[Array, Array]:
    """One elliptical slice of every chain at once; the prior of `shifts` is standard normal."""
    chains = len(shifts)
    other = random.standard_normal(shifts.shape)
    level = score + np.log(random.random(chains))
    angle = random.uniform(0.0, 2.0 * math.pi, chains)
    low, high = angle - 2.0 * math.pi, angle.copy()
    out, found = shifts.copy(), score.copy()
    waiting = np.ones(chains, dtype=bool)
    while waiting.any():
        tried = np.cos(angle)[:, None] * shifts + np.sin(angle)[:, None] * other
        new = likelihood(tried)
        done = waiting & (new >= level)
        out[done], found[done] = tried[done], new[done]
        waiting &= ~done
        low = np.where(waiting & (angle < 0.0), angle, low)
        high = np.where(waiting & (angle >= 0.0), angle, high)
        angle = np.where(waiting, random.uniform(low, high), angle)
    return out, found


class _Likelihood:
    """ln of how well each chain's population explains the figures in use."""

    def __init__(self, emulator: Emulator, figures: Figures, used: NDArray[np.bool_]) -> None:
        self.emulator = emulator
        self.plain = np.flatnonzero(used & ~figures.sign)
        self.signs = np.flatnonzero(used & figures.sign)
        self.figures = figures
        self.same = (figures.trial[self.plain][:, None] == figures.trial[self.plain][None, :]).astype(float)
        self.noise = figures.error**2 + emulator.missed**2
        self.inverse, self.constant, self.sign_sd = np.empty(0), np.empty(0), np.empty(0)

    def set_effects(self, effects: Array) -> None:
        """Covariances of every chain under its sizes of the random effects (chain, 3)."""
        loading = self.figures.loading[self.plain]
        outer = loading[:, None, :] * loading[None, :, :] * self.same[:, :, None]
        covariance = np.einsum("ce,ije->cij", effects**2, outer)
        covariance[:, np.arange(len(self.plain)), np.arange(len(self.plain))] += self.noise[self.plain]
        self.inverse = np.linalg.inv(covariance)
        self.constant = -0.5 * np.linalg.slogdet(covariance)[1]
        wide = np.einsum("ce,ie->ci", effects**2, self.figures.loading[self.signs] ** 2)
        self.sign_sd = np.sqrt(wide + self.noise[self.signs])

    def __call__(self, shifts: Array) -> Array:
        from scipy.special import log_ndtr, ndtr

        predicted = self.emulator(shifts)
        off = self.figures.value[self.plain] - predicted[:, self.plain]
        total = self.constant - 0.5 * np.einsum("ci,cij,cj->c", off, self.inverse, off)
        shown = NO_SIGN * self.figures.error[self.signs]
        middle, sd = predicted[:, self.signs], self.sign_sd
        lower, upper = (-shown - middle) / sd, (shown - middle) / sd
        direction = self.figures.value[self.signs]
        none = np.log(np.maximum(ndtr(upper) - ndtr(lower), 1e-12))
        each = np.where(direction == 0.0, none, np.where(direction < 0.0, log_ndtr(lower), log_ndtr(-upper)))
        return np.asarray(total + each.sum(axis=1))


def predicted(
    emulator: Emulator, figures: Figures, posterior: Posterior, places: NDArray[np.int64], draws: int, seed: int
) -> Array:
    """What the figures at `places`, all of one trial, could come out as (draw, figure), on the straight scale.

    A new trial: its random effects are drawn anew, as are its patients.
    """
    random = np.random.default_rng([seed, 43])
    chosen = random.integers(0, len(posterior.shifts), draws)
    middle = emulator(posterior.shifts[chosen])[:, places]
    effects = posterior.effects[chosen] * random.standard_normal((draws, 3))
    shared = effects @ figures.loading[places].T
    noise = np.sqrt(figures.error[places] ** 2 + emulator.missed[places] ** 2)
    return np.asarray(middle + shared + noise * random.standard_normal(middle.shape))


def calibrate(
    campaign: Campaign, seed: int, *, rounds: int = ROUNDS, settled: int = SETTLED,
    on_progress: Callable[[float], None] = lambda share: None,
) -> tuple[Emulator, Figures, Posterior]:  # fmt: skip
    """Emulate the campaign and draw the populations that all usable trials allow."""
    figures = figures_of(campaign)
    emulator = learn(campaign, figures.rows, seed)
    return (
        emulator,
        figures,
        sample(emulator, figures, seed, rounds=rounds, settled=settled, on_progress=on_progress),
    )


def told(figures: Figures, place: int, values: Array | Sequence[float]) -> Array:
    """Values of the straight scale as the trial's table prints them."""
    row = figures.rows[place]
    return from_straight(row.measure, np.asarray(values))
