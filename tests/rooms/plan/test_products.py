"""Products by their labels: cases of tests/rules/products.yaml, and files that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import made_up
import pytest
import yaml

from biflora.errors import OperatorMust
from biflora.knowledge.oral import strain_key, tried_doses
from biflora.knowledge.strains import oral_strains
from biflora.plan.products import PRODUCTS_VARIABLE, Product, match_of, matches, named_shelf, read_products
from biflora.plan.strains import strains_tried

RULES = Path(__file__).resolve().parents[2] / "rules"
CASES: list[dict[str, Any]] = yaml.safe_load((RULES / "products.yaml").read_text(encoding="utf-8"))
LIST = """
[[product]]
name = "Made-up capsules"
cfu_per_day = 2e9
counted = "end of shelf life"
allergens = ["soy"]
storage = "below 25 °C"
usd_per_month = 24.0
read_on = 2026-11-26
strains = [{species = "Ligilactobacillus salivarius", strain_id = "LS01"}]

[[product]]
name = "Made-up sachets"
strains = [{species = "Lacticaseibacillus rhamnosus"}]
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_products(case: dict[str, Any]) -> None:
    person = made_up.patient(**case.get("patient", {}))
    row = oral_strains()[case["trial"]]
    choice = next(c for c in strains_tried(person) if c.strain_id == row.strain_id)
    found = match_of(Product.model_validate(case["product"]), choice, person)
    expect = case["expect"]
    assert found.match == expect["match"]
    assert found.usable is expect["usable"]
    for word in expect.get("words", []):
        assert word in " ".join(found.because)
    for word in expect.get("cautions", []):
        assert word in " ".join(found.cautions)
    if "allergens" in expect:
        assert list(found.allergens) == expect["allergens"]


def test_a_list_is_read_from_toml_and_json_alike(tmp_path: Path) -> None:
    toml = tmp_path / "products.toml"
    toml.write_text(LIST, encoding="utf-8")
    found = read_products(toml)
    assert [product.name for product in found] == ["Made-up capsules", "Made-up sachets"]
    same = tmp_path / "products.json"
    same.write_text(json.dumps({"product": [p.model_dump(mode="json") for p in found]}), encoding="utf-8")
    assert read_products(same) == found


def test_an_adult_with_eczema_meets_what_was_tried_in_adults(tmp_path: Path) -> None:
    """LS01 alone (Drago 2011) matches; LS01 with BR03 (Iemoli 2012) does not; trials in children do not count."""
    path = tmp_path / "products.toml"
    path.write_text(LIST, encoding="utf-8")
    person = made_up.patient()
    found = matches(read_products(path), strains_tried(person), person)
    assert [(m.product, m.strain_id) for m in found if m.usable] == [("Made-up capsules", "LS01")]
    assert found[0].usable
    assert {m.strain_id for m in found} == {"LS01", "LS01 + BR03"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.toml", "[[product]\n", "no valid TOML or JSON"),
        ("a.json", "[1, 2]", "a list named 'product'"),
        ("a.toml", '[[product]]\nname = "x"\nstrains = []\n', "'product.0.strains'"),
        ("a.toml", '[[product]]\nname = "x"\nstrain = "LGG"\n', "not a field that biflora knows"),
        ("a.toml", LIST + LIST.replace("capsules", "CAPSULES"), "stands twice"),
    ],
)
def test_a_list_that_cannot_be_read_says_who_mends_it(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OperatorMust) as caught:
        read_products(path)
    assert words in str(caught.value)
    with pytest.raises(OperatorMust):
        read_products(tmp_path / "absent.toml")


def test_every_tried_dose_belongs_to_a_trial_and_its_interval_holds_its_effect() -> None:
    for key, row in tried_doses().items():
        assert key in oral_strains()
        if row.effect is not None and row.effect_low is not None and row.effect_high is not None:
            assert row.effect_low <= row.effect <= row.effect_high
    assert strain_key("LGG") == strain_key("ATCC 53103") == strain_key("atcc53103")
    assert strain_key("HN001") != strain_key("LGG")


def test_the_list_that_the_operator_names_is_found_and_a_bad_one_stops_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PRODUCTS_VARIABLE, raising=False)
    assert "keeps no list of oral products" in named_shelf().told
    path = tmp_path / "products.toml"
    path.write_text(LIST, encoding="utf-8")
    monkeypatch.setenv(PRODUCTS_VARIABLE, str(path))
    shelf = named_shelf()
    assert [product.name for product in shelf.products] == ["Made-up capsules", "Made-up sachets"]
    assert shelf.told == ""
    path.write_text("[[product]", encoding="utf-8")
    told = named_shelf()
    assert told.products == ()
    assert "products.toml: this is no valid TOML or JSON" in told.told
    assert str(tmp_path) not in told.told
