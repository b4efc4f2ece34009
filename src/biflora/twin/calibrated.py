"""The calibrated population that ships with biflora: members, each one set of medians that the trials allow."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biflora.errors import OperatorMust
from biflora.twin.state import RATES

Array = NDArray[np.float64]
FILE = "atopic_dermatitis.json"
UNCALIBRATED = 256
"""Members where nothing was calibrated: draws of the prior."""


@cache
def artefact() -> dict[str, Any]:
    """What `biflora twin calibrate` wrote: rates, members, seed, command, fit; empty where absent."""
    path = resources.files("biflora.twin") / "populations" / FILE
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    missing = [key for key in found["rates"] if key not in RATES]
    if missing:
        raise OperatorMust(
            f"{FILE}: the calibrated population names rates that the twin no longer has ({', '.join(missing)}); "
            "run `biflora twin calibrate` again."
        )
    return found


def name() -> str:
    """Name of the population in use, for the record."""
    found = artefact()
    return str(found["name"]) if found else "prior (not calibrated)"


@cache
def members() -> Array:
    """(members, rates): where each possible population lies on each rate's standard normal scale.

    Rates that no trial informs keep draws of their prior; the calibrated ones are posterior draws.
    """
    found = artefact()
    count = len(found["members"]) if found else UNCALIBRATED
    shift = prior_members(count, int(found["seed"]) if found else 2026)
    for place, key in enumerate(found.get("rates", ())):
        shift[:, RATES.index(key)] = [row[place] for row in found["members"]]
    shift.flags.writeable = False
    return shift


@cache
def effects() -> Array:
    """(members, 3): size of the trials' random effects that goes with each member (ln severity of all arms and
    of active ones, log10 of microbes); without a calibration the scale of their priors."""
    found = artefact()
    if not found:
        from biflora.knowledge.rates import calibration_setting

        keys = ("trial_effect_prior", "active_effect_prior", "microbe_effect_prior")
        return np.tile([calibration_setting(key).value for key in keys], (UNCALIBRATED, 1))
    return np.array(found["effects"])


def prior_members(count: int, seed: int) -> Array:
    """`count` draws of every median's prior: standard normal."""
    return np.random.default_rng([seed, 21]).standard_normal((count, len(RATES)))
