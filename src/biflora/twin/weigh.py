"""Personalising: what was measured in a patient, and how much each virtual patient of the bank is like her."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import forecast_setting, score_conversions
from biflora.knowledge.rates import observables as observable_table
from biflora.profile.profile import Profile
from biflora.twin.bank import Bank
from biflora.twin.forecast import ARMS, Arm, Assumption, Observation
from biflora.twin.observe import PLACE, TAILS, to_scale
from biflora.values import State

Array = NDArray[np.float64]
RATIO = "s_aureus_to_commensals"


@dataclass(frozen=True, slots=True)
class Clue:
    """One measured value, on the scale of its observable, with its standard deviation."""

    observable: str
    """Key of an observable, or `RATIO`."""
    value: float
    sd: float
    week: float = 0.0
    arm: Arm = "standard_care"
    below: bool = False
    """True: only known to lie below `value`."""


@dataclass(slots=True)
class Evidence:
    """The clues of one patient, in words what they are, and what was missing."""

    clues: list[Clue] = field(default_factory=list)
    informed_by: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    assumptions: list[Assumption] = field(default_factory=list)

    def add(self, clue: Clue, words: str) -> None:
        self.clues.append(clue)
        self.informed_by.append(words)


def evidence_of(profile: Profile, observations: Sequence[Observation] = ()) -> Evidence:
    """Everything in the profile and in later observations that the twin can use."""
    found = Evidence()
    _scores(profile, found)
    _skin(profile, found)
    _gut(profile, found)
    for seen in observations:
        if seen.observable in PLACE:
            name = observable_table()["scorad" if seen.observable == "oscorad" else seen.observable].label
            found.add(
                _clue(seen.observable, seen.value, week=seen.week, arm=seen.arm), f"{name} at week {seen.week:g}"
            )
        else:
            found.missing.append(f"{seen.observable} at week {seen.week:g}: the twin does not model it")
    return found


def _clue(observable: str, value: float, *, week: float = 0.0, arm: Arm = "standard_care") -> Clue:
    row = observable_table()["scorad" if observable == "oscorad" else observable]
    below = row.detection_limit is not None and value <= row.detection_limit
    limit = row.detection_limit if below and row.detection_limit is not None else value
    return Clue(observable, float(to_scale(row, np.array([limit]))[0]), row.noise_sd, week, arm, below)


def _scores(profile: Profile, found: Evidence) -> None:
    given = {score.instrument: score for score in profile.scores if not score.estimated}
    for key in ("scorad", "easi"):
        if key in given:
            found.add(_clue(key, given[key].value), given[key].label)
    if "scorad" not in given and "oscorad" in given:
        found.add(_clue("oscorad", given["oscorad"].value), given["oscorad"].label)
    if found.clues:
        return
    for row in score_conversions().values():
        if row.instrument in given:
            score = given[row.instrument]
            found.add(
                Clue(row.observable, row.intercept + row.slope * score.value, row.sd),
                f"{score.label} (converted to {row.observable.upper()}, an estimate)",
            )
            found.assumptions.append(
                Assumption(
                    what=f"{score.label} was converted to {row.observable.upper()} by a rough line with a "
                    f"standard deviation of {row.sd:g} points",
                    status="assumed",
                    source=row.source,
                )
            )
            return
    found.missing.append(
        "no severity score was given: the patient is taken as any of the bank (SCORAD about 18 to 82)"
    )


def _skin(profile: Profile, found: Evidence) -> None:
    lab = profile.patient.laboratory
    if lab.tewl_g_per_m2_h is not None:
        found.add(_clue("tewl", lab.tewl_g_per_m2_h), "Water loss (TEWL)")
    else:
        found.missing.append("water loss of the skin (TEWL) was not measured")
    if lab.commensal_log10_copies_per_cm2 is not None:
        found.add(_clue("commensals_log10", lab.commensal_log10_copies_per_cm2), "Commensal load")
    if lab.s_aureus_log10_copies_per_cm2 is not None:
        found.add(_clue("s_aureus_log10", lab.s_aureus_log10_copies_per_cm2), "S. aureus load")
        return
    if profile.skin is None:
        found.missing.append("the skin microbiome was not measured, nor the load of S. aureus")
        return
    ratio_sd = forecast_setting("sequenced_ratio_sd").value
    aureus, cons = profile.skin.guild("s_aureus"), profile.skin.guild("cons")
    if aureus is None or cons is None or cons.state is not State.MEASURED or not cons.share:
        found.missing.append(
            "the skin sample does not tell staphylococci apart: S. aureus was left as in the population"
        )
    elif aureus.state is State.MEASURED and aureus.share:
        found.add(
            Clue(RATIO, math.log10(aureus.share / cons.share), ratio_sd),
            "Ratio of S. aureus to other staphylococci (weak: shares, no load)",
        )
    elif aureus.state is State.BELOW_DETECTION and aureus.detection_limit:
        found.add(
            Clue(RATIO, math.log10(aureus.detection_limit / cons.share), ratio_sd, below=True),
            "S. aureus below detection beside other staphylococci (weak)",
        )
    else:
        found.missing.append("S. aureus is not resolved in the skin sample: left as in the population")
    found.missing.append("the load of S. aureus (qPCR or culture) was not measured")


def _gut(profile: Profile, found: Evidence) -> None:
    butyrate = profile.patient.laboratory.faecal_butyrate_mmol_per_kg
    if butyrate is not None:
        found.add(_clue("faecal_butyrate", butyrate), "Faecal butyrate")
    else:
        found.missing.append("faecal butyrate was not measured")
    bifido = None if profile.gut is None else profile.gut.guild("bifidobacterium")
    if bifido is None:
        found.missing.append("the gut microbiome was not measured")
    elif bifido.state is State.MEASURED and bifido.share is not None:
        found.add(_clue("bifidobacterium", 100.0 * bifido.share), "Bifidobacterium share")
    elif bifido.state is State.BELOW_DETECTION:
        found.add(_clue("bifidobacterium", 0.0), "Bifidobacterium below detection")
    else:
        found.missing.append("Bifidobacterium is not resolved in the gut sample")


@dataclass(frozen=True, slots=True)
class Weights:
    values: Array
    """(patient,) sum 1."""
    effective: float
    tempered: float = 1.0
    """Power of the likelihood that was kept; 1: all of it."""


def weigh(held: Bank, clues: Sequence[Clue]) -> Weights:
    """Importance weights by a Student t likelihood, tempered until enough virtual patients count."""
    total = np.zeros(held.size)
    for clue in clues:
        total += _log_likelihood(clue, _expected(held, clue))
    full = _normalised(total)
    effective = effective_size(full)
    enough = min(enough_patients(), held.size / 4.0)
    if effective >= enough:
        return Weights(full, effective)
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective_size(_normalised(middle * total)) >= enough else (low, middle)
    kept = _normalised(low * total)
    return Weights(kept, effective_size(kept), low)


def enough_patients() -> float:
    """Smallest effective sample size; below it the evidence is tempered."""
    return forecast_setting("enough_patients").value


def effective_size(weights: Array) -> float:
    """How many equally weighted patients would say as much (Kish)."""
    return float(1.0 / np.sum(weights**2))


def _normalised(log_weights: Array) -> Array:
    raised = np.exp(log_weights - log_weights.max())
    return np.asarray(raised / raised.sum())


def _expected(held: Bank, clue: Clue) -> Array:
    """What each virtual patient would show, on the clue's scale, between visits by a straight line."""
    week = min(max(clue.week, 0.0), float(held.weeks))
    before = min(int(week), held.weeks - 1)
    part = week - before
    arm = held.on[ARMS.index(clue.arm)].astype(np.float64)
    both = (1.0 - part) * arm[:, before, :] + part * arm[:, before + 1, :]
    if clue.observable == RATIO:
        return np.asarray(both[:, PLACE["s_aureus_log10"]] - both[:, PLACE["commensals_log10"]])
    row = observable_table()["scorad" if clue.observable == "oscorad" else clue.observable]
    return to_scale(row, both[:, PLACE[clue.observable]])


def _log_likelihood(clue: Clue, expected: Array) -> Array:
    z = (clue.value - expected) / clue.sd
    if clue.below:
        return np.asarray(-np.logaddexp(0.0, -1.702 * z))  # ln of a logistic curve, close to the normal one
    return np.asarray(-0.5 * (TAILS + 1.0) * np.log1p(z**2 / (TAILS - 2.0)))
