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
CHAINS, ROUNDS, SETTLED = 48, 600, 200
GAUSS_NEWTON = 8
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
    spread: NDArray[np.bool_]
    """True: ln of the standard deviation between the arm's patients stands here, not the figure of its row."""

    def of(self, trials: Collection[str]) -> NDArray[np.bool_]:
        return np.array([row.trial in trials for row in self.rows])


def figures_of(campaign: Campaign) -> Figures:
    """What was published beside what the campaign simulated."""
    table = published_outcomes()
    rows = tuple(table[key] for key in campaign.outcomes)
    names = tuple(dict.fromkeys(row.trial for row in rows))
    middle, spread = np.median(campaign.values, axis=0), np.median(campaign.spreads, axis=0)
    error = np.array([_error(row, middle[k], spread[k]) for k, row in enumerate(rows)])
    wide = [rows[k] for k in spreads_of(rows)]
    deviations = [math.log(row.se * math.sqrt(row.n)) for row in wide if row.se and row.n]
    missing = calibration_setting("spread_model_error").value
    both = (*rows, *wide)
    return Figures(
        rows=both,
        value=np.array([*(float(to_straight(row.measure, row.value)) for row in rows), *deviations]),
        error=np.array(
            [*error, *(math.hypot(missing, 1.0 / math.sqrt(2.0 * (row.n or 2) - 2.0)) for row in wide)]
        ),
        loading=np.concatenate([
            np.array([_loading(row, campaign, k) for k, row in enumerate(rows)]), np.zeros((len(wide), 3))
        ]),
        trial=np.array([names.index(row.trial) for row in both]),
        trials=names,
        sign=np.array([row.measure == "sign" for row in both]) & (np.arange(len(both)) < len(rows)),
        used=np.array([row.use == "calibrate" for row in both]),
        spread=np.arange(len(both)) >= len(rows),
    )  # fmt: skip


def spreads_of(rows: Sequence[PublishedOutcome]) -> list[int]:
    """Places of the figures whose printed standard error tells how much the arm's patients differed."""
    return [
        k for k, row in enumerate(rows)
        if row.measure in ("percent_change", "change") and row.se_status == "reported" and row.n
    ]  # fmt: skip


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
    """Draw populations that the published figures allow, leaving out the trials in `without`.

    Elliptical slices about a Gaussian that already knows where the figures pull (Nishihara 2014, JMLR 15:2087),
    so that chains move far; the sizes of the random effects by Metropolis steps.
    """
    likelihood = _Likelihood(emulator, figures, figures.used & ~figures.of(without))
    random = np.random.default_rng([seed, 42])
    scales = np.array([calibration_setting(key).value for key in EFFECTS])
    about = _Gaussian.near(likelihood, scales)
    shifts = about.middle + random.standard_normal((chains, len(emulator.active))) @ about.root.T
    effects = scales * np.abs(random.standard_normal((chains, 3)))
    covering = likelihood.covering(effects)
    score = likelihood(shifts, covering)
    kept_shifts, kept_effects = [], []
    for turn in range(rounds):
        shifts, score = _slice(shifts, score, likelihood, covering, about, random)
        proposed = effects * np.exp(0.35 * random.standard_normal(effects.shape))
        other = likelihood.covering(proposed)
        new = likelihood(shifts, other)
        gain = new - score + _prior_of(proposed, scales) - _prior_of(effects, scales)
        taken = np.log(random.random(chains)) < gain
        effects, score = np.where(taken[:, None], proposed, effects), np.where(taken, new, score)
        covering = covering.where(taken, other)
        if turn >= settled:
            kept_shifts.append(shifts.copy())
            kept_effects.append(effects.copy())
        on_progress((turn + 1) / rounds)
    all_shifts, all_effects = np.array(kept_shifts), np.array(kept_effects)
    return Posterior(
        all_shifts.reshape(-1, shifts.shape[1]), all_effects.reshape(-1, 3), _between(all_shifts)
    )  # fmt: skip


def _prior_of(effects: Array, scales: Array) -> Array:
    """ln half-normal density of the effects' sizes on the scale of their logarithm."""
    return np.asarray(np.sum(np.log(effects) - 0.5 * (effects / scales) ** 2, axis=1))


def _between(draws: Array) -> float:
    """R-hat of the worst rate; `draws` (round, chain, rate)."""
    rounds = draws.shape[0]
    within = draws.var(axis=0, ddof=1).mean(axis=0)
    means = draws.mean(axis=0).var(axis=0, ddof=1)
    return float(np.sqrt((within * (rounds - 1) / rounds + means) / within).max())


@dataclass(frozen=True, slots=True)
class _Gaussian:
    """A normal distribution near the posterior: by Gauss–Newton steps on the figures that were printed."""

    middle: Array
    root: Array
    """Square root of its covariance."""
    precision: Array

    @classmethod
    def near(cls, likelihood: _Likelihood, scales: Array) -> _Gaussian:
        count = len(likelihood.emulator.active)
        middle, step = np.zeros(count), 1e-3
        covering = likelihood.covering(0.7 * scales[None, :])
        precision = np.eye(count)
        for _ in range(GAUSS_NEWTON):
            around = np.concatenate([middle[None, :], middle + step * np.eye(count)])
            found = likelihood.emulator(around)[:, likelihood.plain]
            slopes = ((found[1:] - found[0]) / step).T
            pull = slopes.T @ covering.inverse[0]
            precision = np.eye(count) + pull @ slopes
            off = likelihood.figures.value[likelihood.plain] - found[0]
            middle = np.linalg.solve(precision, pull @ (off + slopes @ middle))
        return cls(middle, np.linalg.cholesky(np.linalg.inv(precision)), precision)

    def beyond(self, shifts: Array) -> Array:
        """ln of the standard normal prior over this density, but for a constant."""
        off = shifts - self.middle
        return np.asarray(
            -0.5 * np.sum(shifts**2, axis=1)
            + 0.5 * np.einsum("ci,ij,cj->c", off, self.precision, off, optimize=True)
        )


def _slice(
    shifts: Array, score: Array, likelihood: _Likelihood, covering: _Covering, about: _Gaussian,
    random: np.random.Generator,
) -> tuple[Array, Array]:  # fmt: skip
    """One elliptical slice of every chain at once, on ellipses about the near Gaussian."""
    chains = len(shifts)
    other = random.standard_normal(shifts.shape) @ about.root.T
    level = score + about.beyond(shifts) + np.log(random.random(chains))
    angle = random.uniform(0.0, 2.0 * math.pi, chains)
    low, high = angle - 2.0 * math.pi, angle.copy()
    out, found = shifts.copy(), score.copy()
    waiting = np.ones(chains, dtype=bool)
    while waiting.any():
        tried = about.middle + np.cos(angle)[:, None] * (shifts - about.middle) + np.sin(angle)[:, None] * other
        new = likelihood(tried, covering)
        done = waiting & (new + about.beyond(tried) >= level)
        out[done], found[done] = tried[done], new[done]
        waiting &= ~done
        low = np.where(waiting & (angle < 0.0), angle, low)
        high = np.where(waiting & (angle >= 0.0), angle, high)
        angle = np.where(waiting, random.uniform(low, high), angle)
    return out, found


@dataclass(frozen=True, slots=True)
class _Covering:
    """Covariances of every chain under its sizes of the random effects."""

    inverse: Array
    """(chain, figure, figure)."""
    constant: Array
    sign_sd: Array

    def where(self, taken: NDArray[np.bool_], other: _Covering) -> _Covering:
        """The other one in the chains where it was taken."""
        return _Covering(
            np.where(taken[:, None, None], other.inverse, self.inverse),
            np.where(taken, other.constant, self.constant), np.where(taken[:, None], other.sign_sd, self.sign_sd),
        )  # fmt: skip


class _Likelihood:
    """ln of how well each chain's population explains the figures in use."""

    def __init__(self, emulator: Emulator, figures: Figures, used: NDArray[np.bool_]) -> None:
        self.emulator = emulator
        self.plain = np.flatnonzero(used & ~figures.sign)
        self.signs = np.flatnonzero(used & figures.sign)
        self.figures = figures
        self.noise = figures.error**2 + emulator.missed**2
        same = figures.trial[self.plain][:, None] == figures.trial[self.plain][None, :]
        loading = figures.loading[self.plain]
        self.outer = (loading[:, None, :] * loading[None, :, :] * same[:, :, None]).reshape(-1, 3)
        self.blocks = [
            np.flatnonzero(figures.trial[self.plain] == t) for t in np.unique(figures.trial[self.plain])
        ]
        self.null = calibration_setting("reported_when_null").value

    def covering(self, effects: Array) -> _Covering:
        """Trials are independent of each other: each one's block is inverted by itself."""
        count = len(self.plain)
        covariance = (effects**2 @ self.outer.T).reshape(len(effects), count, count)
        covariance[:, np.arange(count), np.arange(count)] += self.noise[self.plain]
        inverse, constant = np.zeros_like(covariance), np.zeros(len(effects))
        for block in self.blocks:
            part = covariance[:, block[:, None], block[None, :]]
            inverse[:, block[:, None], block[None, :]] = np.linalg.inv(part)
            constant -= 0.5 * np.linalg.slogdet(part)[1]
        wide = effects**2 @ (self.figures.loading[self.signs] ** 2).T
        return _Covering(inverse, constant, np.sqrt(wide + self.noise[self.signs]))

    def __call__(self, shifts: Array, covering: _Covering) -> Array:
        from scipy.special import ndtr

        found = self.emulator(shifts)
        off = self.figures.value[self.plain] - found[:, self.plain]
        total = covering.constant - 0.5 * np.sum(
            np.matmul(covering.inverse, off[:, :, None])[:, :, 0] * off, axis=1
        )
        shown = NO_SIGN * self.figures.error[self.signs]
        middle, sd = found[:, self.signs], covering.sign_sd
        lower, higher = ndtr((-shown - middle) / sd), ndtr((middle - shown) / sd)
        none = self.null * (1.0 - lower - higher)  # a trial without a difference is reported less often
        direction = self.figures.value[self.signs]
        this = np.where(direction == 0.0, none, np.where(direction < 0.0, lower, higher))
        each = np.log(np.maximum(this, 1e-12)) - np.log(lower + higher + none)
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
    emulator = emulator_of(campaign, seed)
    return (
        emulator,
        figures,
        sample(emulator, figures, seed, rounds=rounds, settled=settled, on_progress=on_progress),
    )


def emulator_of(campaign: Campaign, seed: int) -> Emulator:
    """The emulator of a campaign's figures and spreads, in the order of `figures_of`."""
    table = published_outcomes()
    rows = [table[key] for key in campaign.outcomes]
    return learn(campaign, rows, seed, spreads_of(rows))


def told(figures: Figures, place: int, values: Array | Sequence[float]) -> Array:
    """Values of the straight scale as the trial's table prints them."""
    row = figures.rows[place]
    return from_straight(row.measure, np.asarray(values))
