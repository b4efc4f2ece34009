"""Oral strains that were tried in the patient's condition: what each trial found, positive or not."""

from __future__ import annotations

from biflora.knowledge.oral import tried_doses
from biflora.knowledge.strains import OralStrain, oral_strains
from biflora.plan.plan import StrainChoice
from biflora.profile.patient import Patient

EVIDENCE_ORDER = {"A": 0, "B": 1, "C": 2, "D": 3}


def strains_tried(patient: Patient, *, oral_blocked_because: tuple[str, ...] = ()) -> tuple[StrainChoice, ...]:
    """Every trial of an oral strain in this condition, those that cover this patient's age first.

    Within an age group the order is by evidence level and then as in the table, never by result: a trial that
    found nothing stands beside one that found something.
    """
    rows = [
        row
        for row in oral_strains().values()
        if row.condition == patient.condition and row.kind in ("strain", "meta")
    ]
    found = [_choice(row, patient, oral_blocked_because) for row in rows]
    return tuple(sorted(found, key=lambda c: (not c.suits, EVIDENCE_ORDER.get(c.evidence_level, 9))))


def strain_to_discuss(choices: tuple[StrainChoice, ...]) -> StrainChoice | None:
    """The strain of a controlled trial that found a benefit in this age group; None when there is none."""
    for choice in choices:
        pooled = choice.strain_id.startswith("META")
        if choice.suits and not pooled and choice.sign == "positive" and choice.evidence_level in ("A", "B"):
            return choice
    return None


def _choice(row: OralStrain, patient: Patient, blocked: tuple[str, ...]) -> StrainChoice:
    closed = bool(blocked) and row.live == "yes"
    cautions = [row.cautions] if row.cautions else []
    if closed:
        cautions.append("not for this patient: " + " ".join(blocked))
    if row.age_at_least is None and row.age_below is None:
        cautions.append("the trial's ages are not stated")
    tried = tried_doses().get(row.key)
    told = {} if tried is None else {
        "strains": tried.strain_ids, "cfu_low": tried.cfu_per_day_low, "cfu_high": tried.cfu_per_day_high,
        "effect_value": tried.effect, "effect_low": tried.effect_low, "effect_high": tried.effect_high,
        "effect_unit": tried.unit, "effect_meaning": tried.meaning,
        "effect_verification": "" if tried.effect is None else tried.verification,
    }  # fmt: skip
    return StrainChoice(
        **told, strain_id=row.strain_id, species=row.species, cfu_per_day=row.cfu_per_day,
        weeks=row.duration_weeks,
        population=row.population, trial=row.trial, n=row.n, effect=row.effect, sign=row.sign,
        evidence_level=row.evidence_level, suits=row.suits_age(patient.age_years) and not closed,
        cautions="; ".join(cautions), source=row.source, verification=row.verification,
    )  # fmt: skip
