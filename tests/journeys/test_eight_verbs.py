"""The eight verbs as in a notebook: one synthetic patient from two laboratory files to a jar and a visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

import biflora
from biflora.dispensary.batch import Batch
from biflora.dispensary.worksheet import make_worksheet
from biflora.followup.outcome import Outcome
from biflora.formula.formula import Formula
from biflora.knowledge.rows import release
from biflora.plan.plan import Plan
from biflora.prescription.prescription import Draft, Prescriber, Signed
from biflora.prescription.signing import sign
from biflora.profile.intake import read_patient
from biflora.profile.patient import InstrumentInput
from biflora.profile.profile import Profile
from biflora.trial.evidence import Evidence
from biflora.twin.forecast import Forecast
from biflora.values import Record

PATIENT = """
patient_id = "SYN-8"
age_years = 34
sex = "female"
condition = "atopic_dermatitis"
pregnancy = "no"
immune_status = "normal"
state = "CA"
allergies = ["parabens"]
synthetic = true

[scores]
scorad = 52

[sites]
flexures = 6
"""
SKIN = """sample,taxon,count
S1,Staphylococcus aureus,5200
S1,Staphylococcus epidermidis,1800
S1,Cutibacterium acnes,1400
S1,Corynebacterium tuberculostearicum,600
"""
GUT = """taxon,G1
Bacteroides uniformis,5200
Faecalibacterium prausnitzii,900
Bifidobacterium longum,300
Akkermansia muciniphila,100
"""
TRIAL = """subject,arm,baseline,week12
1,standard_care,50,40
2,standard_care,60,47
3,standard_care,40,33
4,standard_care,55,41
5,oral,52,30
6,oral,61,36
7,oral,43,27
8,oral,56,31
"""
DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Journey:
    profile: Profile
    forecast: Forecast
    plan: Plan
    formula: Formula
    draft: Draft
    signed: Signed
    batch: Batch
    outcome: Outcome
    redrawn: Forecast
    evidence: Evidence

    @property
    def records(self) -> tuple[Record, ...]:
        found = [value for value in vars(self).values() if isinstance(value, Record)]
        sites = [site for site in (self.profile.skin, self.profile.gut) if site is not None]
        return (*sites, *found, make_worksheet(self.signed, made_on=DAY), self.batch.worksheet)


def travel(folder: Path) -> Journey:
    for name, text in (("p.toml", PATIENT), ("skin.csv", SKIN), ("gut.csv", GUT), ("trial.csv", TRIAL)):
        (folder / name).write_text(text)
    patient = read_patient(folder / "p.toml")
    profile = biflora.read_profile(patient, skin=folder / "skin.csv", gut=folder / "gut.csv")
    forecast = biflora.forecast(profile)
    plan = biflora.make_plan(profile, forecast)
    assert plan.needs is not None
    formula = biflora.formulate(plan.needs, parents=(plan.id,), alternatives=0, time_limit_seconds=20)
    assert isinstance(formula, Formula)
    draft = biflora.prescribe(
        formula, patient_id=patient.patient_id, patient_name="Synthetic Eight", patient_state="CA",
        sites=[(site.site, site.area_percent_bsa) for site in patient.sites], age_years=patient.age_years,
        written_on=DAY, needs=plan.needs, synthetic=True,
    )  # fmt: skip
    warnings = tuple(finding.rule for finding in draft.findings if finding.level == "warn")
    prescriber = Prescriber(name="Synthetic Prescriber", licence_number="SYN-0", licence_state="CA")
    signed = sign(draft, prescriber, NOON, warnings)
    batch = biflora.compound(
        signed, made_on=DAY, made_at=NOON + timedelta(hours=2), lot_number="L1", made_by="A. Maker",
        checked_by="B. Checker", pharmacy="Synthetic Pharmacy", pharmacy_contact="not a real number",
    )  # fmt: skip
    outcome, redrawn = biflora.record_outcome(
        profile, forecast, arm="topical", week=4, on=DAY + timedelta(days=28),
        scores=(InstrumentInput(instrument="scorad", total=41),),
    )  # fmt: skip
    return Journey(
        profile, forecast, plan, formula, draft, signed, batch, outcome, redrawn,
        biflora.analyse(folder / "trial.csv"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    return travel(tmp_path_factory.mktemp("notebook"))


def test_why_is_this_in_the_jar(journey: Journey) -> None:
    """From the batch every parent's id leads back to the two files; no link is missing."""
    by_id = {record.id: record for record in journey.records}
    chain: list[str] = []
    open_ids = [journey.batch.id]
    while open_ids:
        record = by_id[open_ids.pop()]
        chain.append(type(record).__name__)
        open_ids.extend(record.parent_ids)
    assert {"Batch", "Worksheet", "Signed", "Draft", "Formula", "Plan", "Forecast", "Profile"} <= set(chain)
    assert chain.count("SiteProfile") >= 2
    in_jar = {line.ingredient for line in journey.batch.worksheet.lines}
    assert in_jar <= {line.ingredient for line in journey.formula.lines}
    assert all(line.why for line in journey.formula.lines)
    assert set(journey.outcome.parent_ids) >= {journey.profile.id, journey.forecast.id}


def test_every_record_says_with_which_knowledge_it_was_made(journey: Journey) -> None:
    assert {record.knowledge_release for record in journey.records} == {release()}


def test_no_record_can_be_changed(journey: Journey) -> None:
    for record in journey.records:
        with pytest.raises(ValidationError, match="frozen"):
            record.id = "other"


def test_every_record_survives_json(journey: Journey) -> None:
    for record in journey.records:
        again = type(record).model_validate_json(record.model_dump_json())
        assert again == record, type(record).__name__


def test_equal_inputs_give_equal_ids_and_a_changed_count_another(journey: Journey, tmp_path: Path) -> None:
    again = travel(tmp_path)
    assert [record.id for record in again.records] == [record.id for record in journey.records]
    (tmp_path / "skin.csv").write_text(SKIN.replace("5200", "5201"))
    other = biflora.read_profile(read_patient(tmp_path / "p.toml"), skin=tmp_path / "skin.csv")
    assert other.skin is not None
    assert journey.profile.skin is not None
    assert other.skin.id != journey.profile.skin.id


def test_the_trial_is_the_hand_sum(journey: Journey) -> None:
    """Changes of standard care -10, -13, -7, -14 and oral -22, -25, -16, -25 points: oral is clearly lower."""
    (contrast,) = journey.evidence.contrasts
    assert (contrast.arm, contrast.against) == ("oral", "standard_care")
    assert contrast.estimate == pytest.approx(-11, abs=1.5)  # means differ by 11 at baselines 51.25 and 53
    assert contrast.ci_low < contrast.estimate < contrast.ci_high < 0


def test_only_the_eight_verbs_are_public() -> None:
    assert set(biflora.__all__) == {
        "__version__", "analyse", "compound", "forecast", "formulate", "make_plan", "prescribe", "read_profile",
        "record_outcome",
    }  # fmt: skip
    with pytest.raises(AttributeError, match="no attribute 'cure'"):
        _ = biflora.cure


def test_every_statement_names_its_source_and_how_far_it_was_checked(journey: Journey) -> None:
    """Walks the whole JSON of profile, plan and formula: no finding, step, flag or measure is without a source."""
    bare: list[str] = []
    marks: set[str] = set()

    def walk(value: object, place: str) -> None:
        if isinstance(value, dict):
            if "source" in value and "verification" in value:
                marks.add(str(value["verification"]))
                if not value["source"] or not value["verification"]:
                    bare.append(place)
            for key, inner in value.items():
                walk(inner, f"{place}.{key}")
        elif isinstance(value, list):
            for inner in value:
                walk(inner, f"{place}[]")

    for record in (journey.profile, journey.plan, journey.evidence):
        walk(record.model_dump(mode="json"), type(record).__name__)
    assert bare == []
    assert any("memory" in mark for mark in marks)
    assert "assumed" in marks


def test_negative_trials_stand_beside_the_positive_ones(journey: Journey) -> None:
    signs = {strain.sign for strain in journey.plan.strains}
    assert "positive" in signs
    assert signs & {"null", "negative"}
