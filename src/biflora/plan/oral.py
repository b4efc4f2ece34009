"""Taking an oral strain: interactions, storage, missed dose; and the gut signs to ask for."""

from __future__ import annotations

from biflora.knowledge.oral import OralAdvice, gut_signs, oral_advice, treatment_groups
from biflora.plan.considered import GutPrompt, OralLine
from biflora.plan.plan import StrainChoice
from biflora.profile.patient import Patient
from biflora.twin.forecast import Arm

YEASTS = ("saccharomyces",)


def oral_lines(patient: Patient, chosen: StrainChoice | None, proposed: Arm | None) -> tuple[OralLine, ...]:
    """How the strain is taken; what meets this patient's treatments or circumstances first.

    Without a strain to discuss and an oral arm proposed, only what meets the patient is said. Lines on yeasts come
    only with a yeast, or where the patient's circumstances meet them.
    """
    wanted = chosen is not None or proposed in ("oral", "combination")
    yeast = chosen is not None and any(name in chosen.species.lower() for name in YEASTS)
    met = circumstances(patient)
    lines = []
    for row in oral_advice().values():
        now = bool(set(row.applies_with) & met)
        if not wanted and not now:
            continue
        if row.kind == "yeast" and not yeast and not now:
            continue
        if row.kind == "bacteria" and yeast:
            continue
        lines.append(_line(row, now))
    return tuple(sorted(lines, key=lambda line: not line.applies_now))


def circumstances(patient: Patient) -> set[str]:
    """What in the patient an oral strain can meet, by the words of knowledge's oral_advice."""
    treatments = [entry.lower() for entry in patient.current_treatments]
    met = {
        row.group
        for row in treatment_groups().values()
        if any(word in treatment for word in row.words for treatment in treatments)
    }
    if patient.central_line:
        met.add("central_line")
    if patient.severe_illness:
        met.add("severe_illness")
    if patient.immune_status == "immunosuppressed":
        met.add("immunosuppressed")
    return met


def gut_prompts(patient: Patient) -> tuple[GutPrompt, ...]:
    """Signs that articles tie to the gut in this condition: to ask and examine, never a diagnosis."""
    return tuple(
        GutPrompt(
            key=row.key, sign=row.sign, ask=row.ask, then=row.then, because=row.because, source=row.source,
            verification=row.verification,
        )
        for row in gut_signs().values()
        if patient.condition in row.conditions
    )  # fmt: skip


def _line(row: OralAdvice, now: bool) -> OralLine:
    return OralLine(
        topic=row.topic.replace("_", " "), text=row.text, because=row.because, applies_now=now, source=row.source,
        verification=row.verification,
    )  # fmt: skip
