"""Populations that differ: part of each rate's spread is ignorance of the median, and moves everybody at once.

The literature gives each rate of the twin one spread, in which differences between patients and uncertainty of
the population are mixed. A share of that variance (a row of knowledge) is given to the population here, so that
virtual trials differ among each other by more than sampling.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from biflora.knowledge.rates import Rate
from biflora.knowledge.rates import rates as rate_table
from biflora.knowledge.trials import trial_setting
from biflora.twin import state as at
from biflora.twin.population import LIVED_WEEKS, SETTLING_WEEKS, TENTH, Patients, flares, start_states

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def shift_rates(rates: Floats, shared: Floats, random: np.random.Generator) -> Floats:
    """Drawn rates (patients, rates) with `shared` (same shape; equal rows within a population) moving them.

    On the scale on which a rate is normal: z' = sqrt(1 - share) z + sqrt(share) c. Over populations each rate
    keeps its distribution; a yes-or-no rate keeps its probability.
    """
    share = trial_setting("shared_variance")
    own, common = math.sqrt(1 - share), math.sqrt(share)
    table = rate_table()
    out = rates.copy()
    for place, key in enumerate(at.RATES):
        row, c = table[key], shared[:, place]
        match row.distribution:
            case "constant":
                continue
            case "bernoulli":
                out[:, place] = _normal_below(own * random.standard_normal(len(rates)) + common * c) < row.median
            case _:
                out[:, place] = _rate(row, own * _normal(row, rates[:, place]) + common * c)
    return out


def settle(rates: Floats, seed: int, random: np.random.Generator) -> tuple[Patients, Places]:
    """Patients with these rates at their first visit: settled without flares, then lived with them.

    As the twin does for its own population. A patient whose trajectory failed is left out; the second value
    holds the places of those who are left.
    """
    from biflora.twin.engine import run

    n, weeks = len(rates), SETTLING_WEEKS + LIVED_WEEKS
    uses = np.zeros((n, weeks, 4))
    uses[:, :, at.USE_EMOLLIENT] = rates[:, [at.USUAL_EMOLLIENT]]
    lived, last = flares(rates, LIVED_WEEKS, rates[:, at.FLARE_SD] * random.standard_normal(n), random)
    drive = np.concatenate([np.ones((n, SETTLING_WEEKS)), lived], axis=1)
    ends, _, _, status = run(start_states(rates), rates, uses, drive, started=-7.0 * (weeks + 1), want_seen=False)
    good = np.flatnonzero(status == 0)
    return Patients(rates, ends, last, seed, tried=n, failed=n - good.size).some(good), good


def _normal(row: Rate, values: Floats) -> Floats:
    """The standard normal draw that gave this value."""
    z: Floats
    if row.distribution == "lognormal":
        z = np.log(values / row.median) * TENTH / math.log(row.spread)
    elif row.distribution == "logit":
        z = (np.log(values / (1 - values)) - math.log(row.median / (1 - row.median))) / row.spread
    else:
        z = (values - row.median) / row.spread
    return z


def _rate(row: Rate, z: Floats) -> Floats:
    """The way back from `_normal`."""
    values: Floats
    if row.distribution == "lognormal":
        values = row.median * np.exp(z * math.log(row.spread) / TENTH)
    elif row.distribution == "logit":
        values = 1 / (1 + np.exp(-(math.log(row.median / (1 - row.median)) + row.spread * z)))
    else:
        values = row.median + row.spread * z
    return values


def _normal_below(z: Floats) -> Floats:
    from scipy.special import ndtr

    below: Floats = ndtr(z)
    return below
