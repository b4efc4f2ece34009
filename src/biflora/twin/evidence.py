"""What was measured in a patient, as clues that the twin can weigh."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from biflora.errors import ClinicianMust
from biflora.knowledge.rates import forecast_setting, score_conversions
from biflora.knowledge.rates import observables as observable_table
from biflora.profile.profile import Profile
from biflora.twin.forecast import Arm, Assumption, Observation
from biflora.twin.observe import PLACE, to_scale
from biflora.values import State, Value, parse, read_json_object

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
            name = observable_table()[seen.observable].label
            found.add(
                _clue(seen.observable, seen.value, week=seen.week, arm=seen.arm), f"{name} at week {seen.week:g}"
            )
        else:
            found.missing.append(f"{seen.observable} at week {seen.week:g}: the twin does not model it")
    return found


class Observations(Value):
    """What was measured later, as a file holds it."""

    observations: tuple[Observation, ...]


def read_observations(path: Path) -> tuple[Observation, ...]:
    """Later measurements from JSON: {"observations": [{"week": 4, "observable": "scorad", "value": 30}]}.

    Raises ClinicianMust naming the field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ClinicianMust(f"{path.name}: the file cannot be read as text; name a JSON file.") from None
    found = parse(Observations, read_json_object(text, where=path.name), where=path.name).observations
    unknown = next((seen.observable for seen in found if seen.observable not in PLACE), None)
    if unknown is not None:
        raise ClinicianMust(f"{path.name}: '{unknown[:40]}' is no observable; the twin knows {', '.join(PLACE)}.")
    return found


def _clue(observable: str, value: float, *, week: float = 0.0, arm: Arm = "standard_care") -> Clue:
    row = observable_table()[observable]
    below = row.detection_limit is not None and value <= row.detection_limit
    limit = row.detection_limit if below and row.detection_limit is not None else value
    return Clue(observable, float(to_scale(row, np.array([limit]))[0]), row.noise_sd, week, arm, below)


def _scores(profile: Profile, found: Evidence) -> None:
    given = {score.instrument: score for score in profile.scores if not score.estimated}
    for key in ("scorad", "easi"):
        if key in given:
            found.add(_clue(key, given[key].value), given[key].label)
    if "scorad" not in given and "oscorad" in given:  # SCORAD holds oSCORAD: together they would count twice
        found.add(_clue("oscorad", given["oscorad"].value), given["oscorad"].label)
    signs = bool(found.clues)
    for key in ("itch_nrs", "poem"):
        if key in given:
            found.add(_clue(key, given[key].value), given[key].label)
    if signs:
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
        "no score of the skin's signs (SCORAD, EASI) was given: severity comes from what was, or the population"
    )


def _skin(profile: Profile, found: Evidence) -> None:
    lab = profile.patient.laboratory
    if lab.tewl_g_per_m2_h is not None:
        found.add(_clue("tewl", lab.tewl_g_per_m2_h), "Water loss (TEWL)")
    else:
        found.missing.append("water loss of the skin (TEWL) was not measured")
    for key, value, words in (
        ("skin_ph", lab.skin_ph, "Skin pH"), ("tarc", lab.tarc_pg_per_ml, "TARC"),
        ("total_ige", lab.total_ige_iu_per_ml, "Total IgE"),
    ):  # fmt: skip
        if value is not None:
            found.add(_clue(key, value), words)
        else:
            found.missing.append(f"{words} was not measured")
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
