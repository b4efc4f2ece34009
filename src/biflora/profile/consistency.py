"""What no single field of the patient can show: words that the tables do not hold, and fields that contradict."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import date

from biflora.errors import ClinicianMust
from biflora.knowledge.instruments import instrument_named
from biflora.knowledge.lookup import find_substance
from biflora.knowledge.pharmacy import vehicles
from biflora.knowledge.redflags import sign_words
from biflora.profile.patient import Patient

ALL_STATES = (
    "ALAKAZARCACOCTDEDCFLGAHIIDILINIAKSKYLAMEMDMAMIMNMSMOMTNENVNHNJNMNYNCNDOHOK"
    "ORPARISCSDTNTXUTVTVAWAWVWIWYASGUMPPRVI"
)
STATES = frozenset(ALL_STATES[i : i + 2] for i in range(0, len(ALL_STATES), 2))
"""USPS codes of the states, the District and the territories."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
DAYS_A_YEAR = 365.25


def check_patient(patient: Patient, *, where: str) -> None:
    """Refuse a patient whose words nobody knows or whose fields contradict each other.

    Raises ClinicianMust naming `where` (the file), the field and the mend; never what stood in the field.
    """
    if patient.name is not None and CONTROL.search(patient.name):
        raise ClinicianMust(f"{where}: 'name': holds control characters; write it in letters.")
    _words("signs", patient.signs, sign_words(), "sign", where)
    _words("preferences.vehicles", patient.preferences.vehicles, vehicles(), "vehicle", where)
    for field, entries in (
        ("allergies", patient.allergies),
        ("preferences.avoid_ingredients", patient.preferences.avoid_ingredients),
    ):
        for number, words in enumerate(entries, start=1):
            find_substance(words, where=f"{where}: '{field}', entry {number}")
    if patient.state is not None and patient.state not in STATES:
        raise ClinicianMust(f"{where}: 'state': is no state or territory of the USA; write its two letters.")
    _sites(patient, where)
    _scores(patient, where)
    _birth(patient, where)


def _words(field: str, given: Iterable[str], known: Iterable[str], what: str, where: str) -> None:
    words = sorted(known)
    for number, word in enumerate(given, start=1):
        if word in words:
            continue
        near = difflib.get_close_matches(word.lower().replace(" ", "_").replace("-", "_"), words, n=3, cutoff=0.4)
        meant = f"did you mean {', '.join(near)}?" if near else f"accepted are: {', '.join(words)}."
        raise ClinicianMust(f"{where}: '{field}', entry {number}: this is no {what} that biflora knows; {meant}")


def _sites(patient: Patient, where: str) -> None:
    names = [site.site for site in patient.sites]
    for number, name in enumerate(names, start=1):
        if name in names[: number - 1]:
            raise ClinicianMust(f"{where}: 'sites', entry {number}: the site stands twice; add the two areas up.")
    if sum(site.area_percent_bsa for site in patient.sites) > 100:
        raise ClinicianMust(
            f"{where}: 'sites': the areas add up to more than 100 % of the body surface; correct them (one palm "
            "with fingers is about 1 %)."
        )


def _scores(patient: Patient, where: str) -> None:
    seen = set()
    for number, given in enumerate(patient.scores, start=1):
        row = instrument_named(given.instrument)
        entry = (given.instrument if row is None else row.key, given.on)
        if entry in seen:
            raise ClinicianMust(
                f"{where}: 'scores', entry {number}: the instrument stands twice for one day; keep one, or give "
                "each its date ('on')."
            )
        seen.add(entry)


def _birth(patient: Patient, where: str) -> None:
    born = patient.date_of_birth
    if born is None:
        return
    years = (date.today() - born).days / DAYS_A_YEAR
    if years < 0:
        raise ClinicianMust(f"{where}: 'date_of_birth': lies in the future; correct it.")
    if patient.age_years > years + 1:
        raise ClinicianMust(
            f"{where}: 'age_years': is more than the date of birth allows; correct one of the two."
        )
