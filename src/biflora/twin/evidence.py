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
from biflora.profile.profile import Profile, SiteProfile
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


def _below(observable: str, limit: float) -> Clue:
    """Only known to lie below `limit`, or below the observable's own where that is the higher one."""
    row = observable_table()[observable]
    top = limit if row.detection_limit is None else max(limit, row.detection_limit)
    return Clue(observable, float(to_scale(row, np.array([top]))[0]), row.noise_sd, below=True)


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
    elif lab.commensal_below_limit_log10 is not None:
        found.add(
            _below("commensals_log10", lab.commensal_below_limit_log10),
            "Commensal load below the assay's limit",
        )
    if lab.s_aureus_log10_copies_per_cm2 is not None:
        found.add(_clue("s_aureus_log10", lab.s_aureus_log10_copies_per_cm2), "S. aureus load")
        return
    if lab.s_aureus_below_limit_log10 is not None:
        found.add(
            _below("s_aureus_log10", lab.s_aureus_below_limit_log10), "S. aureus load below the assay's limit"
        )
        return
    if profile.skin is None:
        found.missing.append("the skin microbiome was not measured, nor the load of S. aureus")
        return
    if _load_from_share(profile.skin, found):
        return
    ratio_sd = forecast_setting("sequenced_ratio_sd").value
    aureus, cons = profile.skin.guild("s_aureus"), profile.skin.guild("cons")
    blind = (State.NOT_RESOLVED, State.NOT_MEASURED)
    if aureus is None or cons is None or aureus.state in blind or cons.state in blind:
        found.missing.append(
            "the skin sample does not tell staphylococci apart: S. aureus was left as in the population"
        )
    elif cons.state is not State.MEASURED or not cons.share:
        found.missing.append(
            "the skin sample holds no commensal staphylococci to set S. aureus against: S. aureus was left as in "
            "the population"
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
        found.missing.append(
            "S. aureus was not found in the skin sample, whose file gives no limit of detection: left as in the "
            "population"
        )
    found.missing.append("the load of S. aureus (qPCR or culture) was not measured")


def _load_from_share(skin: SiteProfile, found: Evidence) -> bool:
    """The load of S. aureus by the 16S total or an added organism; False where neither was measured per cm²."""
    load = skin.quantity("s_aureus_load")
    if load is None or not load.unit.endswith("/cm²"):
        return False
    if load.state is State.MEASURED and load.value is not None:
        found.add(_clue("s_aureus_log10", load.value), "S. aureus load (the sample's total x its share)")
        return True
    if load.state is State.BELOW_DETECTION and load.high is not None:
        found.add(
            _below("s_aureus_log10", load.high), "S. aureus load below detection (the sample's total x its limit)"
        )
        return True
    return False


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
        found.add(
            _below("bifidobacterium", 100.0 * (bifido.detection_limit or 0.0)), "Bifidobacterium below detection"
        )
        if bifido.detection_limit is None:
            row = observable_table()["bifidobacterium"]
            found.assumptions.append(
                Assumption(
                    what=f"the gut file gives no limit of detection: Bifidobacterium is taken as below "
                    f"{row.detection_limit:g} {row.unit}",
                    status="assumed",
                    source=row.source,
                )
            )
    else:
        found.missing.append("Bifidobacterium is not resolved in the gut sample")
