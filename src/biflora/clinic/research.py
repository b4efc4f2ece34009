"""What the researcher does: replicate a trial, read the evidence, see the cohort."""

from __future__ import annotations

from dataclasses import dataclass

from biflora.clinic.access import Role, User, require
from biflora.clinic.decide import consultation_of, decision_of
from biflora.clinic.review import outcomes_of
from biflora.knowledge.trials import trial_designs
from biflora.store.store import Store
from biflora.trial.evidence import Evidence
from biflora.twin.forecast import Arm


def known_trials() -> dict[str, str]:
    """Published trials that can be replicated: key and label."""
    return {
        key: f"{row.label}: {row.patients} patients, {row.weeks} weeks" for key, row in trial_designs().items()
    }


@dataclass(frozen=True)
class CohortRow:
    """One patient without name or date of birth."""

    patient_id: str
    condition: str
    age_years: float
    severity: float | None
    severity_instrument: str
    skin_file: bool
    gut_file: bool
    arm: Arm | None
    outcomes: int
    last_severity: float | None
    inside_80: int
    judged: int


def replicate_trial(store: Store, trial: str, *, by: User, seed: int = 2026, repeats: int = 200) -> Evidence:
    """Run the virtual trial and keep its evidence beside the published figures."""
    require(by, Role.RESEARCHER)
    return keep_replication(store, trial, by=by.username, seed=seed, repeats=repeats)


def keep_replication(store: Store, trial: str, *, by: str, seed: int, repeats: int) -> Evidence:
    from biflora.trial.replicate import replicate

    evidence = replicate(trial, seed=seed, repeats=repeats)
    with store.act(by, "trial replicated") as act:
        act.keep(evidence, kind="evidence", patient_id=None)
    return evidence


def evidence_kept(store: Store) -> list[Evidence]:
    """Newest first."""
    return list(reversed(store.records_without_patient(Evidence, kind="evidence")))


def cohort(store: Store) -> list[CohortRow]:
    """The patients as a researcher may see them: numbers, no names."""
    rows = []
    for patient in store.patients():
        consultation = consultation_of(store, patient.patient_id)
        profile = consultation.profile if consultation else None
        score = profile.scores[0] if profile and profile.scores else None
        outcomes = outcomes_of(store, patient.patient_id)
        last = next((o.scores[0].value for o in reversed(outcomes) if o.scores), None)
        judged = [o.inside_forecast_80 for o in outcomes if o.inside_forecast_80 is not None]
        decision = decision_of(store, patient.patient_id)
        rows.append(
            CohortRow(
                patient_id=patient.patient_id,
                condition=patient.condition.value,
                age_years=patient.age_years,
                severity=score.value if score else None,
                severity_instrument=score.label if score else "",
                skin_file=bool(profile and profile.skin),
                gut_file=bool(profile and profile.gut),
                arm=decision.arm if decision else None,
                outcomes=len(outcomes),
                last_severity=last,
                inside_80=sum(judged),
                judged=len(judged),
            )
        )
    return rows
