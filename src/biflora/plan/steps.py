"""The plan line by line: what, how much, when, why."""

from __future__ import annotations

from biflora.knowledge.checking import effects
from biflora.knowledge.oral import fibre_grams
from biflora.knowledge.planning import Advice, care_steps, diet_advice
from biflora.plan.plan import Measure, Needs, RedFlag, Step, StrainChoice
from biflora.plan.strains import strain_to_discuss
from biflora.profile.patient import Patient
from biflora.twin.forecast import Arm

MILK = ("milk", "casein", "whey", "lactose")


def steps_for(
    patient: Patient, *, flags: tuple[RedFlag, ...], proposed: Arm | None, needs: Needs | None,
    oral_open: bool, strains: tuple[StrainChoice, ...], measures: tuple[Measure, ...],
) -> tuple[Step, ...]:  # fmt: skip
    """All lines: referrals first, then care, topical, oral, diet, measurements."""
    steps = [_refer(flag) for flag in flags if flag.level != "ask"]
    if any(flag.level == "stop" for flag in flags):
        return tuple(steps)
    steps.extend(_advice(row, "care") for row in care_steps().values() if applies(row, patient))
    if needs is not None:
        steps.append(_topical(needs))
    if proposed in ("oral", "combination"):
        steps.append(_oral(strains, "Discuss"))
    elif oral_open and strains:
        steps.append(_oral(strains, "Not proposed, an option to discuss:"))
    fibre = _fibre(patient)
    steps.extend(_advice(row, "diet", fibre) for row in diet_advice().values() if applies(row, patient))
    steps.extend(
        Step(
            kind="measure", text=f"Week {m.week}: {m.what}.", because=m.because, source=m.source,
            verification=m.verification,
        )
        for m in measures
    )  # fmt: skip
    return tuple(steps)


def applies(row: Advice, patient: Patient) -> bool:
    """Whether a line of advice is for this patient: condition, age, and none of its exclusions."""
    if patient.condition not in row.conditions or set(row.not_when) & _exclusions(patient):
        return False
    if row.age_at_least is not None and patient.age_years < row.age_at_least:
        return False
    return row.age_below is None or patient.age_years < row.age_below


def _exclusions(patient: Patient) -> set[str]:
    held = {
        "immunosuppressed": patient.immune_status == "immunosuppressed",
        "pregnant": patient.pregnancy == "pregnant",
        "central_line": patient.central_line,
        "severe_illness": patient.severe_illness,
        "milk_allergy": any(word in entry.lower() for entry in patient.allergies for word in MILK),
    }
    return {name for name, holds in held.items() if holds}


def _refer(flag: RedFlag) -> Step:
    return Step(
        kind="refer", text=flag.action, because=flag.message, source=flag.source, verification=flag.verification
    )


def _fibre(patient: Patient) -> str:
    """The amount a day of this age, as part of the sentence; empty where the source names none."""
    row = fibre_grams(patient.age_years)
    return "" if row is None else f", about {row.grams_per_day:g} g a day"


def _advice(row: Advice, kind: str, fibre: str = "") -> Step:
    return Step.model_validate(
        {
            "kind": kind, "text": row.text.replace("{fibre}", fibre), "because": row.because,
            "evidence": row.evidence, "source": row.source, "verification": row.verification,
        }
    )  # fmt: skip


def _topical(needs: Needs) -> Step:
    wanted = ", ".join(effects()[need.effect].label for need in needs.needs[:4])
    sites = ", ".join(needs.sites)
    without = "live cells" if needs.prescription_actives_ok else "live cells, steroid or calcineurin inhibitor"
    return Step(
        kind="topical",
        text=f"A topical without {without}, mixed by the pharmacy, "
        f"about {needs.grams_per_day:g} g a day on: {sites}.",
        because=f"Wanted most: {wanted}. {needs.needs[0].because}",
        evidence="Each effect is supported ingredient by ingredient; the mixture as a whole was not tried.",
        source="biflora developers, decision 11: live bacteria with a disease claim are never compounded",
        verification="assumed",
    )


def _oral(strains: tuple[StrainChoice, ...], opening: str) -> Step:
    chosen = strain_to_discuss(strains)
    if chosen is None:
        return Step(
            kind="oral",
            text="No strain can be named: no controlled trial with a benefit covers this age.",
            because="A result in another age group or species does not carry over.",
            evidence=f"{len(strains)} trials listed",
            source="; ".join(dict.fromkeys(strain.source for strain in strains)) or "knowledge's strain table",
            verification="computed",
        )
    others = [s for s in strains if s.suits and s.sign in ("null", "negative")]
    against = f"{len(others)} trial(s) of other strains at this age found no difference." if others else ""
    return Step(
        kind="oral",
        text=f"{opening} {chosen.strain_id} ({chosen.species}), {chosen.cfu_per_day} CFU a day "
        f"for {chosen.weeks} weeks.",
        because=f"{chosen.trial} (n = {chosen.n}, {chosen.population}): {chosen.effect}.",
        evidence=" ".join(
            x for x in (f"Level {chosen.evidence_level}, {chosen.sign}.", against, chosen.cautions) if x
        ),
        source=chosen.source,
        verification=chosen.verification,
    )
