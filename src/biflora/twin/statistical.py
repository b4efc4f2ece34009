"""Two forecasts of one severity score without a mechanism: what the twin must beat, and what it is stacked with.

Both know the person's last measurement and published numbers (`statistical_forecasts.csv`), nothing of the
arm: they hold no difference between treatments.

* `random_walk`: the score stays where it was last measured; what it may have moved by grows with time. Daily
  steps added up for months would leave the instrument's range (2.9 points a day are 27 in twelve weeks), so
  their sum settles: the latent score is a level that nobody knows plus a stationary first-order process, whose
  change over h days has the variance 2 s^2 (1 - rho^h), with rho set so that one day's change is the published
  step and s the spread within a person over months.
* `last_value`: the last measurement, shrunk towards a cohort's mean by a fixed share a week; what was lost of
  the person returns as the cohort's spread (a first-order process about the cohort mean).

A later week is forecast from the last measurement at or before it; a week before the first from the first.
Draws outside the instrument's range are set to its end, as a score of 0 is read from a clear skin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biflora.errors import ClinicianMust
from biflora.knowledge.rates import ObservableRow
from biflora.knowledge.rates import observables as observable_table
from biflora.knowledge.statistical import statistical_setting
from biflora.twin.observe import from_scale, to_scale

Array = NDArray[np.float64]
Score = Literal["scorad", "easi"]
DAYS_PER_WEEK = 7.0
DRAWS = 4_000


@dataclass(frozen=True, slots=True)
class Seen:
    """The measurements of one person: weeks in rising order and the score at each."""

    observable: Score
    weeks: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        row = observable_table()[self.observable]
        if not self.weeks or len(self.weeks) != len(self.values):
            raise ClinicianMust(f"{row.label}: give at least one measurement, and a week for each.")
        if not np.all(np.isfinite(self.weeks)) or np.any(np.diff(self.weeks) <= 0):
            raise ClinicianMust(f"{row.label}: the weeks of the measurements must rise; put them in order.")
        if not all(row.minimum <= value <= row.maximum for value in self.values):
            raise ClinicianMust(
                f"{row.label}: a measurement lies outside {row.minimum:g} to {row.maximum:g}; correct it."
            )


class StatisticalForecast(Protocol):
    """Draws (n_draws, week of `at`), equally likely, of what one measurement at each week would show."""

    def __call__(self, seen: Seen, at: ArrayLike, *, n_draws: int = DRAWS, seed: int = 0) -> Array: ...


def random_walk(seen: Seen, at: ArrayLike, *, n_draws: int = DRAWS, seed: int = 0) -> Array:
    """The last measurement stays; its change widens by daily steps until it settles."""
    row, noise = observable_table()[seen.observable], _setting(seen, "measurement_sd")
    step, settled = _setting(seen, "daily_step_sd"), _setting(seen, "settled_sd")
    per_week = (1.0 - step**2 / (2.0 * settled**2)) ** DAYS_PER_WEEK
    random = np.random.default_rng(seed)
    start, weeks, anchors, last = _from_last(seen, at, row)
    course = _stationary(np.concatenate([start, weeks]), per_week, settled, n_draws, random)
    moved = course[:, len(start) :] - course[:, anchors]
    latent = last - noise * random.standard_normal((n_draws, len(start)))[:, anchors] + moved
    return from_scale(row, latent + noise * random.standard_normal(latent.shape))


def last_value(seen: Seen, at: ArrayLike, *, n_draws: int = DRAWS, seed: int = 0) -> Array:
    """The last measurement, drawn week by week towards the cohort's mean and spread."""
    row, noise = observable_table()[seen.observable], _setting(seen, "measurement_sd")
    mean, spread = _setting(seen, "cohort_mean"), _setting(seen, "cohort_sd")
    per_week = 1.0 - _setting(seen, "shrink_per_week")
    random = np.random.default_rng(seed)
    start, weeks, anchors, last = _from_last(seen, at, row)
    gain = spread**2 / (spread**2 + noise**2)
    unsure = spread * np.sqrt(1.0 - gain) * random.standard_normal((n_draws, len(start)))[:, anchors]
    kept = per_week ** np.abs(weeks - start[anchors])
    course = _stationary(np.concatenate([start, weeks]), per_week, spread, n_draws, random)
    new = course[:, len(start) :] - kept * course[:, anchors]
    latent = mean + kept * (gain * (last - mean) + unsure) + new
    return from_scale(row, latent + noise * random.standard_normal(latent.shape))


STATISTICAL: Mapping[str, StatisticalForecast] = MappingProxyType(
    {"random walk": random_walk, "last value": last_value}
)
"""Both by the name that tables show."""


def weekly(model: StatisticalForecast, seen: Seen, weeks: int, *, n_draws: int = DRAWS, seed: int = 0) -> Array:
    """Draws (n_draws, weeks + 1) at weeks 0 ... `weeks`."""
    return model(seen, np.arange(weeks + 1), n_draws=n_draws, seed=seed)


def _setting(seen: Seen, what: str) -> float:
    return statistical_setting(f"{seen.observable}_{what}")


def _from_last(seen: Seen, at: ArrayLike, row: ObservableRow) -> tuple[Array, Array, NDArray[np.int64], Array]:
    """Weeks measured, weeks asked for, and for each of these which measurement it starts from and its value."""
    start, weeks = np.asarray(seen.weeks, dtype=float), np.atleast_1d(np.asarray(at, dtype=float))
    anchors = np.maximum(np.searchsorted(start, weeks, side="right") - 1, 0)
    return start, weeks, anchors, to_scale(row, np.asarray(seen.values, dtype=float))[anchors]


def _stationary(weeks: Array, kept_per_week: float, sd: float, n_draws: int, random: np.random.Generator) -> Array:
    """Courses (n_draws, week), in the order of `weeks`, of a first-order process with mean 0 and that sd."""
    times, place = np.unique(weeks, return_inverse=True)
    course = np.empty((n_draws, len(times)))
    course[:, 0] = sd * random.standard_normal(n_draws)
    for number, kept in enumerate(kept_per_week ** np.diff(times), start=1):
        new = sd * np.sqrt(1.0 - kept**2) * random.standard_normal(n_draws)
        course[:, number] = kept * course[:, number - 1] + new
    return course[:, place]
