"""Who is called, and when: cases a dermatologist can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from biflora.followup.alerts import alerts_for
from biflora.followup.outcome import AdverseEvent
from biflora.profile.host.instruments import score
from biflora.profile.patient import Condition, InstrumentInput, Patient
from biflora.profile.profile import Profile

CASES = yaml.safe_load((Path(__file__).parents[2] / "rules" / "follow_up.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_a_visit_raises_exactly_these_alerts(case: dict[str, Any]) -> None:
    def scored(values: dict[str, float]) -> list[Any]:
        return [score(InstrumentInput(instrument=key, total=total), 30) for key, total in values.items()]

    profile = Profile(
        patient=Patient(age_years=30, condition=Condition.ATOPIC_DERMATITIS, synthetic=True),
        scores=tuple(scored(case.get("start", {}))),
    )
    found = alerts_for(
        profile,
        week=case["week"],
        scores=scored(case.get("now", {})),
        adverse_events=[AdverseEvent.model_validate(event) for event in case.get("events", [])],
        adherence_percent=case.get("adherence_percent"),
        inside_forecast_80=case.get("inside_forecast_80"),
    )
    assert {f.rule: f.level for f in found} == (case["expect"] or {}), case["because"]
    assert all(f.source and f.verification for f in found)


def test_an_alert_repeats_nothing_that_the_patient_wrote() -> None:
    profile = Profile(patient=Patient(age_years=30, condition=Condition.ATOPIC_DERMATITIS))
    event = AdverseEvent(what="pus near the tattoo of my daughter", severity="severe", serious=True)
    found = alerts_for(
        profile, week=1, scores=[], adverse_events=[event], adherence_percent=None, inside_forecast_80=None
    )
    assert len(found) >= 2
    assert not any(word in f.message + f.subject for f in found for word in ("tattoo", "daughter"))
