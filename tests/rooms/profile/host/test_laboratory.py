"""Laboratory values: conversions by hand, what is questioned or refused, what a value is held against."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from biflora.errors import ClinicianMust
from biflora.knowledge.laboratory import folded, laboratory_quantities, laboratory_units, units_of
from biflora.profile.host.laboratory import (
    LaboratoryValue,
    laboratory_findings,
    laboratory_values,
    with_laboratory_fields,
)
from biflora.profile.intake import read_patient
from biflora.profile.patient import Condition, Laboratory, MeasuredValue, Patient

CASES = yaml.safe_load((Path(__file__).parents[3] / "rules" / "laboratory.yaml").read_text(encoding="utf-8"))


def patient(age: float = 30, **laboratory: Any) -> Patient:
    return Patient.model_validate(
        {"age_years": age, "condition": Condition.ATOPIC_DERMATITIS, "laboratory": laboratory}
    )


def one(age: float = 30, **values: str) -> LaboratoryValue:
    return laboratory_values(patient(age, values=values))[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_case(case: dict[str, Any]) -> None:
    values = {case["quantity"]: case["entered"], **case.get("beside", {})}
    person = patient(values=values)
    if "refused" in case:
        with pytest.raises(ClinicianMust) as problem:
            laboratory_values(person)
        text = str(problem.value)
        assert all(word in text for word in case["refused"]), text
        number = re.search(r"\d+(?:\.\d+)?", case["entered"])
        assert number is not None
        assert not re.search(rf"(?<![\d.]){re.escape(number[0])}(?![\d.])", text)
        return
    key = case.get("is", case["quantity"])
    (found,) = (value for value in laboratory_values(person) if value.key == key)
    assert found.value == pytest.approx(case["expect"], rel=1e-6)
    assert found.unit == case["unit"]
    questioned = [finding for finding in laboratory_findings(person) if finding.rule == "laboratory_implausible"]
    assert bool(questioned) is case.get("questioned", False)
    if questioned:
        assert questioned[0].level == "warn"
        assert "Check the unit" in questioned[0].message


def test_every_quantity_has_a_case() -> None:
    named = {case["quantity"] for case in CASES} | {case.get("is", "") for case in CASES}
    named |= {key for case in CASES for key in case.get("beside", {})}
    alike = {"il_4", "il_13", "il_22"}  # as il_31
    assert set(laboratory_quantities()) - alike <= named


@pytest.mark.parametrize(
    "text", ["1,2 ng/mL", "1,200 pg/mL", "1.200.000 pg/mL", "about 3 pg/mL", "", "pg/mL", "1.", "NaN"]
)
def test_a_number_with_two_meanings_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "patient.toml"
    path.write_text(f'age_years = 30\ncondition = "acne"\n[laboratory.values]\ntarc = "{text}"\n')
    with pytest.raises(ClinicianMust) as problem:
        read_patient(path)
    assert "patient.toml: 'laboratory.values.tarc': must be a number with its unit in quotes" in str(problem.value)
    assert "1200" not in str(problem.value)


def test_spellings_of_one_unit() -> None:
    for text in ("10^9/L", "x10^9/L", "1e9/L", "10*9/l", "10⁹/L", "×10⁹/L", "10 ^9 /L", "10**9/L"):
        assert folded(text) == "1e9/l", text
    for text in ("µmol/g", "μmol/g", "umol/g", "UMOL/G"):
        assert folded(text) == "umol/g"
    assert folded("g·m-2·h-1") == folded("g m-2 h-1")
    assert folded("cells/mm³") == "cells/mm3"


def test_no_two_units_of_a_quantity_fold_into_one_with_two_factors() -> None:
    for key in laboratory_quantities():
        for row in laboratory_units().values():
            if row.quantity == key:
                kept = units_of(key)[folded(row.accepted)]
                assert (kept.factor, kept.needs, kept.reads_as) == (row.factor, row.needs, row.reads_as), row.key


def test_limits_of_the_table_are_those_of_the_patients_own_fields() -> None:
    for row in laboratory_quantities().values():
        assert row.impossible_low <= row.plausible_low < row.plausible_high <= row.impossible_high, row.key
        if row.patient_field:
            limits = {type(x).__name__: x for x in Laboratory.model_fields[row.patient_field].metadata}
            assert limits["Ge"].ge == row.impossible_low, row.key
            assert limits["Le"].le == row.impossible_high, row.key


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (1.9, "not above 1431 pg/mL, diagnostic cut-off"),
        (2, "above 803 pg/mL, diagnostic cut-off"),
        (5.9, "above 803 pg/mL, diagnostic cut-off"),
        (6, "above 510 pg/mL, diagnostic cut-off"),
        (40, "above 510 pg/mL, diagnostic cut-off"),
    ],
)
def test_tarc_is_held_against_the_cut_off_of_its_age(age: float, words: str) -> None:
    assert one(age, tarc="900 pg/mL").references[0].startswith(words)


@pytest.mark.parametrize(
    ("age", "words"),
    [(0.5, "1367 pg/mL"), (1.5, "998 pg/mL"), (2, "743 pg/mL"), (14.9, "743 pg/mL")],
)
def test_upper_normal_of_tarc_by_age(age: float, words: str) -> None:
    assert words in one(age, tarc="900 pg/mL").references[1]


def test_no_reference_for_an_age_is_no_words() -> None:
    assert len(one(30, tarc="900 pg/mL").references) == 1  # the children's normal values say nothing of adults
    assert one(30, il_31="12 pg/mL").references == ()
    assert one(30, eosinophils="600 /µL").references[0].endswith("(only remembered)")


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ("<2 kU/L", "not above 127"), ("<500 kU/L", "cannot be told against 127"), (">50 kU/L", "cannot be told"),
        (">127 kU/L", "above 127"), (">5000 kU/L", "above 127"), ("127 kU/L", "not above 127"),
    ],
)  # fmt: skip
def test_a_limit_of_the_assay_is_no_measurement(entered: str, words: str) -> None:
    value = one(30, total_ige=entered)
    assert value.references[0].startswith(words)
    person = patient(values={"total_ige": entered})
    noted = [finding.rule for finding in laboratory_findings(person)]
    assert ("laboratory_limit_only" in noted) is bool(value.limit)
    filled = with_laboratory_fields(person).laboratory.total_ige_iu_per_ml
    assert filled == (None if value.limit else 127)


def test_a_file_with_units_fills_the_fields_that_the_forecast_reads(tmp_path: Path) -> None:
    path = tmp_path / "patient.toml"
    path.write_text(
        'age_years = 30\ncondition = "atopic_dermatitis"\n[laboratory]\nskin_ph = 5.4\n[laboratory.values]\n'
        'tarc = "1.2 ng/mL"\nfaecal_butyrate = "0.88106 mg/g"\ntewl = "28.7 g/m²/h"\nvitamin_d = "20 ng/mL"\n'
    )
    read = read_patient(path).laboratory
    assert (read.tarc_pg_per_ml, read.tewl_g_per_m2_h, read.skin_ph) == (1200, 28.7, 5.4)
    assert read.faecal_butyrate_mmol_per_kg == pytest.approx(10)
    again = tmp_path / "again.json"
    again.write_text(read_patient(path).model_dump_json())
    assert read_patient(again) == read_patient(path)  # what was read, written out, reads as itself
    (tarc,) = (v for v in laboratory_values(read_patient(path)) if v.key == "tarc")
    assert tarc.as_entered == "1.2 ng/mL"


def test_twice_the_same_is_taken_and_twice_something_else_is_refused() -> None:
    assert len(laboratory_values(patient(tarc_pg_per_ml=1200, values={"tarc": "1.2 ng/mL"}))) == 1
    for second in ("1.3 ng/mL", "<1.2 ng/mL"):
        with pytest.raises(ClinicianMust, match="entered twice and the two values differ"):
            laboratory_values(patient(tarc_pg_per_ml=1200, values={"tarc": second}))


def test_the_fields_alone_work_as_before() -> None:
    person = patient(tewl_g_per_m2_h=95, tarc_pg_per_ml=900)
    assert [value.key for value in laboratory_values(person)] == ["tewl", "tarc"]
    assert [finding.subject for finding in laboratory_findings(person)] == ["Water loss (TEWL)"]
    assert with_laboratory_fields(person) == person
    assert patient().laboratory == Laboratory()


def test_a_measured_value_reads_its_text() -> None:
    for text, limit, value, unit in (
        ("1.2 ng/mL", "", 1.2, "ng/mL"), ("<5pg/mL", "<", 5, "pg/mL"), ("> 200 kU/L", ">", 200, "kU/L"),
        ("0.45 x10^9/L", "", 0.45, "x10^9/L"), ("0.45e9/L", "", 0.45e9, "/L"), ("7%", "", 7, "%"),
        ("5.4", "", 5.4, ""), ("1 200 pg/mL", "", 1, "200 pg/mL"),
    ):  # fmt: skip
        assert MeasuredValue.model_validate(text) == MeasuredValue(value=value, unit=unit, limit=limit)  # type: ignore[arg-type]
    with pytest.raises(ClinicianMust, match="unit is missing or not one"):
        one(tarc="1 200 pg/mL")  # a space between thousands is no unit, so it is not read as 1
