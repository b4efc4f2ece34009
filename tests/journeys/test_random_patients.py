"""Many random people through plan and formula: none crashes, formulas pass the checker, refusals say why.

`BIFLORA_PATIENTS=1000` runs the long form; the default keeps the suite short.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from biflora.formula.check import check_formula
from biflora.formula.formula import Formula, Impossible
from biflora.formula.formulate import formulate
from biflora.plan.make_plan import make_plan
from biflora.profile.patient import BodySite, Condition, Patient
from biflora.profile.read import read_profile
from biflora.twin.run import forecast

PATIENTS = int(os.environ.get("BIFLORA_PATIENTS", "24"))

ALLERGIES = [
    "parabens", "lanolin", "fragrance mix", "propylene glycol", "formaldehyde releasers", "benzoates",
    "Phenoxyethanol", "Niacinamide", "propolis", "Compositae", "isothiazolinones", "PEG", "Cetearyl alcohol",
    "Benzyl alcohol",
]  # fmt: skip
INSTRUMENT = {
    Condition.ATOPIC_DERMATITIS: ("scorad", 5, 95),
    Condition.ACNE: ("gags", 1, 44),
    Condition.PSORIASIS: ("pasi", 1, 60),
}


def random_patient(rng: random.Random, number: int) -> Patient:
    condition = rng.choice(list(Condition))
    fields: dict[str, Any] = {
        "patient_id": f"random-{number}",
        "age_years": rng.choice([0.05, 0.5, 1.5, 5, 9, 15, 24, 34, 47, 63, 85]),
        "sex": rng.choice(["female", "male", "unknown"]),
        "condition": condition,
        "allergies": rng.sample(ALLERGIES, rng.choice([0, 0, 1, 2, 3, 5])),
        "pregnancy": rng.choice(["no", "no", "no", "pregnant", "trying", "breastfeeding", "unknown"]),
        "immune_status": rng.choice(["normal", "normal", "normal", "immunosuppressed", "unknown"]),
        "skin_integrity": rng.choice(["intact", "intact", "excoriated", "open_wounds"]),
        "central_line": rng.random() < 0.03,
        "severe_illness": rng.random() < 0.03,
        "anaphylaxis_history": rng.random() < 0.1,
        "state": rng.choice(["CA", "NY", "TX", None]),
        "sites": [
            {"site": site, "area_percent_bsa": round(rng.uniform(0.5, 12), 1)}
            for site in rng.sample(list(BodySite), rng.choice([0, 1, 1, 2, 3]))
        ],
        "synthetic": True,
    }
    if condition in INSTRUMENT and rng.random() < 0.9:
        name, low, high = INSTRUMENT[condition]
        fields["scores"] = [{"instrument": name, "total": float(rng.randint(low, high))}]
    if rng.random() < 0.3:
        fields["preferences"] = {"max_monthly_cost_usd": rng.choice([5.0, 20.0, 60.0])}
    return Patient.model_validate(fields)


@pytest.mark.parametrize("number", range(PATIENTS))
def test_a_random_patient_gets_a_checked_formula_or_reasons(number: int) -> None:
    patient = random_patient(random.Random(7_000 + number), number)
    profile = read_profile(patient)
    plan = make_plan(profile, forecast(profile))
    if plan.needs is None:
        assert plan.red_flags or any(f.level == "stop" for f in plan.findings), "no needs, and nothing says why"
        assert all(flag.message and flag.action and flag.source for flag in plan.red_flags)
        return
    result = formulate(plan.needs, parents=(plan.id,), alternatives=0)
    if isinstance(result, Impossible):
        assert result.reasons
        assert all(reason.message and reason.who for reason in result.reasons)
        return
    assert isinstance(result, Formula)
    assert sum(line.ppm for line in result.lines) == 1_000_000
    stops = [f for f in check_formula(result, plan.needs) if f.level == "stop"]
    assert not stops, [(f.rule, f.subject) for f in stops]
