"""The patient's file in its forms, each way in which it can be wrong, and the whole Profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biflora.errors import ClinicianMust
from biflora.profile.intake import read_patient
from biflora.profile.patient import Condition
from biflora.profile.read import read_profile

SHORT = """
patient_id = "made-up-1"
age_years = 34
condition = "atopic_dermatitis"
synthetic = true
allergies = ["parabens"]

[scores]
scorad = 52
itch_nrs = 7

[scores.oscorad]
extent_percent = 20
erythema = 2
oedema_papulation = 1
oozing_crust = 1
excoriation = 2
lichenification = 1
dryness = 2

[sites]
flexures = 6
"""


def patient_file(tmp_path: Path, text: str, name: str = "patient.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def refused(path: Path, *words: str) -> str:
    with pytest.raises(ClinicianMust) as problem:
        read_patient(path)
    text = str(problem.value)
    for word in (path.name, *words):
        assert word in text, text
    return text


def test_the_short_form(tmp_path: Path) -> None:
    patient = read_patient(patient_file(tmp_path, SHORT))
    assert [(s.instrument, s.total) for s in patient.scores] == [
        ("scorad", 52),
        ("itch_nrs", 7),
        ("oscorad", None),
    ]
    assert [(s.site.value, s.area_percent_bsa) for s in patient.sites] == [("flexures", 6)]
    profile = read_profile(patient)
    assert profile.score("oscorad").value == 35.5  # type: ignore[union-attr]  # 20/5 + 3.5*9


def test_the_long_form_and_json_give_the_same_patient(tmp_path: Path) -> None:
    toml = """
patient_id = "made-up-2"
age_years = 6.5
condition = "psoriasis"
[[scores]]
instrument = "pasi"
total = 12.4
on = 2026-11-02
[[sites]]
site = "legs"
area_percent_bsa = 4
[preferences]
max_monthly_cost_usd = 40
"""
    first = read_patient(patient_file(tmp_path, toml))
    data = first.model_dump(mode="json")
    second = read_patient(patient_file(tmp_path, json.dumps(data), "patient.json"))
    assert first == second == read_patient(patient_file(tmp_path, json.dumps({"patient": data}), "wrapped.json"))
    assert first.condition is Condition.PSORIASIS


def test_a_patient_without_a_condition(tmp_path: Path) -> None:
    refused(patient_file(tmp_path, "age_years = 30\n"), "'condition': is missing")


def test_wrong_fields_are_named_and_their_values_are_not_repeated(tmp_path: Path) -> None:
    text = refused(
        patient_file(tmp_path, 'age_years = 731\ncondition = "leprosy"\nallergie = ["wool"]\n'),
        "'age_years'", "'condition': must be one of", "'allergie': is not a field",
    )  # fmt: skip
    for secret in ("731", "leprosy", "wool"):
        assert secret not in text


def test_an_impossible_score_names_the_file_and_the_field(tmp_path: Path) -> None:
    text = refused(
        patient_file(tmp_path, SHORT.replace("scorad = 52", "scorad = 152")), "scorad, total", "0 and 103"
    )
    assert "152" not in text


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("patient.toml", "", "empty"),
        ("patient.toml", "age_years = \n", "TOML cannot be read"),
        ("patient.json", '{"age_years": 3', "line 1: not valid JSON"),
        ("patient.json", "[1, 2]", "one JSON object"),
        ("patient.toml", 'age_years = 3\ncondition = "acne"\nscores = 4\n', "'scores' must be a table"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: str, word: str) -> None:
    refused(patient_file(tmp_path, content, name), word)


def test_no_file_a_folder_and_a_binary(tmp_path: Path) -> None:
    refused(tmp_path / "nobody.toml", "no such patient file")
    refused(tmp_path, "folder")
    (tmp_path / "scan.toml").write_bytes(b"\xff\xfe\x00binary")
    refused(tmp_path / "scan.toml", "no text file")


def test_missing_sites_are_none_and_said(tmp_path: Path) -> None:
    profile = read_profile(read_patient(patient_file(tmp_path, SHORT)))
    assert profile.skin is None
    assert profile.gut is None
    assert [f.rule for f in profile.findings] == ["no_skin_file", "no_gut_file"]
    assert "wider" in profile.findings[0].message


def test_a_patient_without_a_severity_score_is_told(tmp_path: Path) -> None:
    bare = read_patient(
        patient_file(tmp_path, 'age_years = 12\ncondition = "atopic_dermatitis"\n[scores]\ndlqi = 9\n')
    )
    found = {f.rule: f for f in read_profile(bare).findings}
    assert found["no_severity_score"].level == "warn"
    assert found["instrument_age"].subject == "DLQI"  # made for people of 16 years and older


def test_the_whole_profile_from_two_real_files(shared_data: Path, tmp_path: Path) -> None:
    patient = read_patient(patient_file(tmp_path, SHORT))
    skin = shared_data / "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom"
    gut = shared_data / "gut_kefir_metaphlan3_gmwi2/Subj004_time1_S4_metaphlan.txt"
    profile = read_profile(patient, skin=skin, gut=gut, skin_sample="MBT273")
    assert profile.skin is not None
    assert profile.gut is not None
    assert profile.parent_ids == (profile.skin.id, profile.gut.id)
    assert profile.knowledge_release
    again = read_profile(patient, skin=skin, gut=gut, skin_sample="MBT273")
    assert again.id == profile.id  # the same input, the same id
    other = read_profile(patient, skin=skin, gut=gut, skin_sample="MBT272")
    assert other.id != profile.id


CONTRADICTIONS = {
    "areas over 100 %": ("sites = {trunk = 60, legs = 60}", "'sites': the areas add up to more than 100 %"),
    "a site twice": (
        '[[sites]]\nsite = "face"\narea_percent_bsa = 2\n[[sites]]\nsite = "face"\narea_percent_bsa = 2',
        "'sites', entry 2: the site stands twice",
    ),
    "an instrument twice": (
        '[[scores]]\ninstrument = "easi"\ntotal = 9\n[[scores]]\ninstrument = "easi"\ntotal = 30',
        "'scores', entry 2: the instrument stands twice",
    ),
    "an instrument twice under two names": (
        '[[scores]]\ninstrument = "itch_nrs"\ntotal = 4\n[[scores]]\ninstrument = "PP-NRS"\ntotal = 5',
        "'scores', entry 2: the instrument stands twice",
    ),
    "an impossible laboratory value": (
        '[laboratory.values]\ntarc = "999999 ng/mL"',
        "laboratory, tarc: the value is impossible",
    ),
    "a laboratory value without a unit": (
        '[laboratory.values]\ntarc = "999999"',
        "laboratory, tarc: the unit is missing",
    ),
    "a bare number": (
        "[laboratory.values]\ntarc = 999999",
        "'laboratory.values.tarc': must be a number with its unit",
    ),
    "an unknown allergen": ('allergies = ["nickel", "Zzq"]', "'allergies', entry 2"),
    "an unknown wish": ('[preferences]\navoid_ingredients = ["Zzq"]', "'preferences.avoid_ingredients', entry 1"),
    "an unknown vehicle": ('[preferences]\nvehicles = ["Zzq"]', "'preferences.vehicles', entry 1"),
    "an unknown sign": ('signs = ["Zzq"]', "'signs', entry 1"),
    "no state": ('state = "ZZ"', "'state': is no state"),
    "born in the future": ("date_of_birth = 2999-01-01", "'date_of_birth': lies in the future"),
    "older than she can be": ("date_of_birth = 2020-01-01", "'age_years': is more than the date of birth allows"),
    "control characters": ('name = "Zzq\\u001b[31m"', "'name': holds control characters"),
    "a text for a number": ('weight_kg = "Zzq"', "'weight_kg': must be a number"),
    "a text for a list": ('allergies = "Zzq"', "'allergies': must be a list"),
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_contradictions_name_file_field_and_mend_and_repeat_nothing(what: str, tmp_path: Path) -> None:
    text, place = CONTRADICTIONS[what]
    said = refused(patient_file(tmp_path, f'age_years = 67\ncondition = "acne"\n{text}\n'), place)
    assert "\n" not in said
    assert "Zzq" not in said
    assert "67" not in said


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"age_years": 34, "age_years": 5, "condition": "acne"}', "'age_years' stands twice"),
        ('{"a":' * 100_000, "nested too deep"),
        ('{"age_years": ' + "9" * 5_000 + ', "condition": "acne"}', "endless number"),
    ],
)
def test_json_that_python_reads_but_nobody_meant(text: str, place: str, tmp_path: Path) -> None:
    refused(patient_file(tmp_path, text, "patient.json"), place)


def test_a_wrong_file_gives_six_sentences_at_most(tmp_path: Path) -> None:
    fields = ", ".join(f'"field_{n}": 1' for n in range(30))
    said = refused(patient_file(tmp_path, "{" + fields + "}", "patient.json"), "is this the right file?")
    assert len(said.splitlines()) == 7
