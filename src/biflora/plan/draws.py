"""Equally likely virtual patients like this one, as the forecast was told from, for what the plan computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import forecast_setting
from biflora.knowledge.rates import observables as observable_table
from biflora.profile.profile import Profile
from biflora.twin.evidence import RATIO, evidence_of
from biflora.twin.forecast import ARMS, Forecast
from biflora.twin.observe import PLACE, to_scale

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alike:
    """Virtual patients weighed by what is known of this one."""

    latent: NDArray[np.float32]
    """(arm, observable, week, draw) without what a product does beyond its kind."""
    values: NDArray[np.float32]
    """The same with it, as the forecast's differences are told from."""
    patients: NDArray[np.int64]
    """(draw,) which patient of the bank each draw is; one may stand several times."""
    widening: float
    """Factor by which the forecast tells its bands wider, for what was not measured."""
    softened: bool
    """True where few of the bank are like this patient and the evidence was weighed less, to keep enough."""

    @property
    def weeks(self) -> int:
        return int(self.values.shape[2]) - 1

    def severity(self, observable: str) -> Array:
        """(draw, arm) gain over standard care at the last week; positive is better."""
        last = self.values[:, PLACE[observable], -1].astype(np.float64)
        return np.asarray((last[ARMS.index("standard_care")] - last).T)

    def now(self, key: str) -> Array:
        """(draw,) what a measurement today would show without error, on the scale of its noise."""
        today = self.latent[ARMS.index("standard_care"), :, 0].astype(np.float64)
        if key == RATIO:
            return np.asarray(today[PLACE["s_aureus_log10"]] - today[PLACE["commensals_log10"]])
        return to_scale(observable_table()[key], today[PLACE[key]])


def alike(profile: Profile, forecast: Forecast) -> Alike | None:
    """The draws behind this forecast; None where it was not told from the bank.

    They are the forecast's own draws, except where that one had to make new patients: then bank patients weighed
    by softened evidence stand in, which costs a fraction of the time.
    """
    if not forecast.mechanistic or not forecast.bank_size or not forecast.weeks:
        return None
    from biflora.twin.bands import draws_of
    from biflora.twin.bank import bank
    from biflora.twin.weigh import DRAWS, enough_patients, resampled, weigh
    from biflora.twin.widen import Widening

    weeks = forecast.weeks[-1]
    held = bank(weeks)
    weights = weigh(held, evidence_of(profile).clues)
    enough = min(enough_patients(), held.size / 4.0)
    softened = weights.effective < enough
    values = _softened(weights.values, enough) if softened else weights.values
    places = resampled(values, DRAWS, np.random.default_rng([forecast.seed, 7]))
    latent = held.on[..., places]
    return Alike(
        latent, draws_of(latent, forecast.seed, weeks).values, places, Widening(profile).factor, softened
    )  # fmt: skip


def noise_of(key: str) -> float:
    """Standard deviation of one measurement, on the scale of its noise."""
    return forecast_setting("sequenced_ratio_sd").value if key == RATIO else observable_table()[key].noise_sd


def _softened(weights: Array, enough: float) -> Array:
    """The weights to the largest power at which they are worth `enough` patients."""
    logs = np.log(np.maximum(weights, 1e-300))
    low, high = 0.0, 1.0
    for _ in range(30):
        power = 0.5 * (low + high)
        raised = np.exp(power * (logs - logs.max()))
        raised /= raised.sum()
        low, high = (power, high) if 1.0 / np.sum(raised**2) >= enough else (low, power)
    raised = np.exp(low * (logs - logs.max()))
    return np.asarray(raised / raised.sum())
