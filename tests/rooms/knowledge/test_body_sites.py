"""Places of the body by every word of the shared tables, and age bands without gaps."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from biflora.errors import ClinicianMust
from biflora.knowledge.body_sites import age_band, age_bands, body_site_named, body_sites, find_body_site
from biflora.knowledge.references import reference_limits, reference_rows


@pytest.mark.parametrize(
    ("words", "key", "site_class"),
    [
        ("AC", "antecubital_fossa", "moist"),  # CSB5
        ("VF", "volar_forearm", "dry"),
        ("CH", "cheek", "sebaceous"),
        ("LE", "lesion", "mixed"),
        ("elbow", "elbow", "mixed"),  # Khadka 2021 does not say which side
        ("knee", "knee", "mixed"),
        ("Active_dermatitis_area", "lesion", "mixed"),
        ("forearm", "volar_forearm", "dry"),
        ("Back", "back", "sebaceous"),  # Rauer 2023
        ("Inner Arm", "upper_arm", "dry"),
        ("Flank", "flank", "dry"),
        ("lesional skin", "lesion", "mixed"),  # Chen 2025
        ("nonlesional skin", "non_lesional_skin", "mixed"),
        ("anterior nares", "nares", "nares"),
        ("nares", "nares", "nares"),
        ("left palm", "hypothenar_palm", "dry"),  # moving pictures
        ("gut", "stool", "gut"),
        ("Antecubital-Fossa", "antecubital_fossa", "moist"),
        ("volar  forearm", "volar_forearm", "dry"),
    ],
)
def test_the_words_of_published_tables_are_known(words: str, key: str, site_class: str) -> None:
    row = find_body_site(words)
    assert row is not None
    assert (row.key, row.site_class) == (key, site_class)


def test_no_word_names_two_places() -> None:
    words = [
        word.replace("_", " ").replace("-", " ").lower()
        for row in body_sites().values()
        for word in {row.key, row.label, *row.synonyms}
    ]
    distinct = {(word, find_body_site(word).key) for word in words}  # type: ignore[union-attr]
    assert len(distinct) == len(set(words))
    for row in body_sites().values():
        for word in (row.key, row.label, *row.synonyms):
            assert find_body_site(word) is row, word


def test_an_unknown_place_lists_near_ones_and_not_itself() -> None:
    assert find_body_site("") is None
    with pytest.raises(ClinicianMust, match="antecubital_fossa") as problem:
        body_site_named("antecubitalfosssa", where="'skin_sampling.body_site'")
    assert "fosssa" not in str(problem.value)
    with pytest.raises(ClinicianMust, match="stool"):
        body_site_named("zzzz", where="here")


@pytest.mark.parametrize("site", ["skin", "gut"])
def test_age_bands_have_no_gap(site: str) -> None:
    bands = [row for row in age_bands().values() if row.site == site]
    assert bands[0].age_at_least == 0
    for one, after in pairwise(bands):
        assert one.age_below == after.age_at_least
    assert bands[-1].age_below is None
    for age in (0.0, 0.99, 1.0, 2.99, 3.0, 9.9, 10.0, 17.99, 18.0, 64.9, 65.0, 119.0):
        band = age_band(site, age)
        assert band is not None
        assert band.age_at_least <= age < (band.age_below or math.inf)


def test_places_of_the_summaries_are_known_places() -> None:
    assert all(find_body_site(row.body_site) is not None for row in reference_rows().values())


def test_the_limits_that_placing_needs_are_rows() -> None:
    assert {
        "novelty_neighbours", "novelty_percentile", "novelty_min_n", "novelty_taxon_share", "novelty_unseen_share",
        "pseudocount_share", "clr_prevalence", "distance_min_n", "distance_most_n", "unseen_share",
    } == set(reference_limits())  # fmt: skip


def test_the_how_to_lists_every_place() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "place-a-sample.md"
    text = page.read_text(encoding="utf-8")
    assert [key for key in body_sites() if f"`{key}`" not in text] == []
