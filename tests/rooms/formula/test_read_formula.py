"""Formulas and needs that people write: names, INCI names, `qs`, and what is wrong said by file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biflora.errors import ClinicianMust, PharmacistMust
from biflora.formula.read import read_formula, read_needs

CSV = """vehicle,O/W cream
ph,5.0
preservative_system,organic_acids
# a comment
ingredient,percent
Aqua,qs
Glycerine,5
Liquid paraffin,10
Cetearyl Glucoside,2
Sodium benzoate,0.4
Potassium sorbate,0.25 %
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_with_names_and_a_line_that_fills_up(tmp_path: Path) -> None:
    formula = read_formula(written(tmp_path, "mine.csv", CSV))
    assert (formula.vehicle, formula.ph, formula.name) == ("ow_cream", 5.0, "mine")
    amounts = {line.ingredient: line.ppm for line in formula.lines}
    # 100 - 5 - 10 - 2 - 0.4 - 0.25 = 82.35 %
    assert amounts["purified_water"] == 823_500
    assert amounts["mineral_oil"] == 100_000
    assert sum(amounts.values()) == 1_000_000
    assert [line.ingredient for line in formula.lines if line.quantum_satis] == ["purified_water"]


def test_json_by_hand_and_as_biflora_wrote_it_read_the_same(tmp_path: Path) -> None:
    by_hand = {
        "vehicle": "ow_cream",
        "ph": 5.0,
        "preservative_system": "organic_acids",
        "name": "mine",
        "lines": [
            {"ingredient": "Aqua", "quantum_satis": True},
            {"name": "Glycerin", "percent": 5},
            {"ingredient": "mineral_oil", "ppm": 100_000},
            {"inci": "Cetearyl Glucoside", "percent": 2},
            {"ingredient": "sodium_benzoate", "percent": 0.4},
            {"ingredient": "potassium_sorbate", "percent": 0.25},
        ],
    }
    first = read_formula(written(tmp_path, "hand.json", json.dumps(by_hand)))
    assert first == read_formula(written(tmp_path, "mine.csv", CSV))
    assert read_formula(written(tmp_path, "dumped.json", first.model_dump_json())) == first


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CSV.replace("Glycerine,5", "Glicerol,5"), r"line 7: .*closest names are 'gly"),
        (CSV.replace("Glycerine,5", "Glycerine,five"), "line 7: an amount must be a number"),
        (CSV.replace("Glycerine,5", "Glycerine,-5"), "line 7: the percentage must lie between 0 and 100"),
        (CSV.replace("Glycerine,5", "Glycerine,nan"), "line 7: an amount must be finite"),
        (CSV.replace("Glycerine,5", "Glycerine,0.00001"), "line 7: amounts go in steps"),
        (CSV.replace("Glycerine,5", "Glycerine,95"), "more than 100 %"),
        (CSV.replace("Glycerine,5", "Glycerine,qs"), "line 7: a second line says 'qs'"),
        (CSV.replace("ph,5.0", "colour,5.0"), "line 2: not a field of a formula"),
        (CSV.replace("ph,5.0", "ph,50"), "mine.csv: 'ph'"),
        (CSV.replace("O/W cream", "cream"), "'vehicle': is not known; the closest keys"),
        (CSV.replace("ingredient,percent", "ingredient,grams"), "line 5: the second column must be 'percent'"),
        ("vehicle,ow_cream\n", "no ingredient found"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PharmacistMust, match=f"(?i){says}"):
        read_formula(written(tmp_path, "mine.csv", text))


def test_broken_files(tmp_path: Path) -> None:
    with pytest.raises(PharmacistMust, match="no such file"):
        read_formula(tmp_path / "nowhere.json")
    with pytest.raises(PharmacistMust, match="line 1: not valid JSON"):
        read_formula(written(tmp_path, "cut.json", '{"vehicle": "ow_'))
    with pytest.raises(PharmacistMust, match="'lines'"):
        read_formula(written(tmp_path, "empty.json", "{}"))
    with pytest.raises(ClinicianMust, match="no object"):
        read_needs(written(tmp_path, "list.json", "[]"))
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(PharmacistMust, match="cannot be read as text"):
        read_formula(tmp_path / "bytes.csv")


def test_needs_from_json_toml_and_a_plan(tmp_path: Path) -> None:
    needs = {
        "condition": "acne",
        "age_years": 20,
        "needs": [{"effect": "c_acnes_control", "weight": 0.8, "confidence": 0.7}],
        "must_include": ["Azelaic acid", "nicotinamide"],
    }
    read = read_needs(written(tmp_path, "needs.json", json.dumps(needs)))
    assert read.must_include == ("azelaic_acid", "niacinamide")
    assert read_needs(written(tmp_path, "plan.json", json.dumps({"id": "plan-1", "needs": needs}))) == read
    toml = (
        'condition = "acne"\nage_years = 20\nmust_include = ["azelaic_acid", "niacinamide"]\n'
        '[[needs]]\neffect = "c_acnes_control"\nweight = 0.8\nconfidence = 0.7\n'
    )
    assert read_needs(written(tmp_path, "needs.toml", toml)) == read
    with pytest.raises(ClinicianMust, match="'age_years'"):
        read_needs(written(tmp_path, "bad.json", json.dumps(needs | {"age_years": 200})))


def test_an_edited_formula_gets_another_id_and_an_unedited_one_keeps_its_own(tmp_path: Path) -> None:
    """The id is the hash of the content: a file with amounts changed by hand is another formula."""
    first = read_formula(written(tmp_path, "mine.csv", CSV)).model_copy(update={"solve_seconds": 1.5})
    assert read_formula(written(tmp_path, "same.json", first.model_dump_json())).id == first.id
    edited = json.loads(first.model_dump_json())
    edited["lines"][0]["ppm"] -= 10
    edited["lines"][1]["ppm"] += 10
    assert read_formula(written(tmp_path, "edited.json", json.dumps(edited))).id != first.id


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("deep.json", '{"a":' * 100_000, "nested too deep"),
        ("twice.json", '{"vehicle": "ow_cream", "vehicle": "balm", "lines": []}', "'vehicle' stands twice"),
        ("empty.json", " ", "empty"),
        ("long.csv", "vehicle,ow_cream\ningredient,percent\n" + "x" * 200_000 + ",3\n", "longer than 2,000"),
    ],
)
def test_files_that_python_s_readers_choke_on(name: str, text: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(PharmacistMust, match=word):
        read_formula(written(tmp_path, name, text))


def test_unknown_words_in_needs_are_named_by_file_and_field(tmp_path: Path) -> None:
    needs = {
        "condition": "acne", "age_years": 20, "grams_per_day": 3, "sites": ["face"], "avoid_ingredients": ["Zzq"],
        "needs": [{"effect": "hydration", "weight": 1, "confidence": 1, "because": "dry"}],
    }  # fmt: skip
    with pytest.raises(ClinicianMust, match=r"n\.json: avoid_ingredients, entry 1: not a substance"):
        read_needs(written(tmp_path, "n.json", json.dumps(needs)))
