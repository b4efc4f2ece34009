"""Which samples may be compared with which persons: every key that differs stops the comparison, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from biflora.errors import ClinicianMust
from biflora.profile.names import name_feature
from biflora.profile.patient import Sampling
from biflora.profile.reference.library import ReferenceCard, WholeReference
from biflora.profile.reference.match import (
    SampleKeys,
    assay_mismatch,
    card_mismatches,
    match,
    more_exact,
    profiler_mismatch,
    sample_keys,
)
from biflora.profile.table import Feature

KEYS = SampleKeys(
    site="skin", assay="16S V1-V3", profiler="DADA2, SILVA 138", body_site="antecubital_fossa", age_years=30,
    lesional=False, reads=20_000,
)  # fmt: skip


def card(**fields: Any) -> ReferenceCard:
    told: dict[str, Any] = {
        "name": "made-up", "label": "Made up", "site": "skin", "body_sites": {"antecubital_fossa": 50},
        "assay": "16S V1-V3", "profiler": "DADA2, SILVA 138", "healthy": True, "group": "healthy adults",
        "age_min": 18, "age_max": 60, "ages_known": True, "persons": 50, "samples": 50, "taxa": 2,
        "has_reads": True, "licence": "own", "source": "made up", "table_file": "t.csv", "table_sha256": "0",
        "names_of": "0", "knowledge_release": "0", "added_on": "2026-11-26", "data_file": "-", "data_sha256": "-",
    }  # fmt: skip
    return ReferenceCard.model_validate({**told, **fields})


def whole(
    places: list[str], ages: list[float], persons: list[int] | None = None, order: list[float] | None = None,
    reads: float = 10_000.0, **fields: Any,
) -> WholeReference:  # fmt: skip
    n = len(places)
    return WholeReference(
        card=card(
            **{"body_sites": dict.fromkeys(places, n), "age_min": min(ages), "age_max": max(ages), **fields}
        ),
        names=(name_feature(Feature("Staphylococcus aureus")), name_feature(Feature("Cutibacterium acnes"))),
        starts=np.arange(n + 1, dtype=np.int64) * 2,
        places=np.tile([0, 1], n).astype(np.int64),
        values=np.tile([reads / 4, 3 * reads / 4], n),
        person=np.array(persons if persons is not None else range(n), dtype=np.int64),
        order=np.array(order if order is not None else [1.0] * n),
        age=np.array(ages, dtype=np.float64),
        body_site=tuple(places),
        lesional=np.zeros(n, dtype=np.int8),
    )


def test_a_sample_that_agrees_in_all_has_no_mismatch() -> None:
    assert card_mismatches(KEYS, card()) == ()


@pytest.mark.parametrize(
    ("told", "of_reference", "phrase"),
    [
        ({"site": "gut", "body_site": "stool"}, {}, "site: sample gut, reference skin"),
        ({"assay": "shotgun"}, {}, "platform: sample shotgun, reference 16S V1-V3"),
        ({"assay": "16S V4"}, {}, "region: sample 16S V4, reference 16S V1-V3"),
        ({"assay": "16S"}, {}, "region: sample 16S, reference 16S V1-V3"),
        ({"assay": "unknown"}, {}, "assay: reference 16S V1-V3, the sample's is not known"),
        ({"profiler": ""}, {}, "profiler: reference DADA2, SILVA 138, the sample's is not told"),
        ({"profiler": "DADA2, Greengenes 13.8"}, {}, "profiler: sample DADA2, Greengenes 13.8, reference DADA2"),
        ({"body_site": ""}, {}, "body site: reference Bend of the elbow (antecubital fossa), the sample's is not"),
        ({"body_site": "cheek"}, {}, "body site: sample Cheek, reference Bend of the elbow"),
        ({"body_site": "lesion"}, {}, "body site: sample Inflamed skin, place not told"),
        ({"age_years": None}, {}, "age: reference 18-60 years, the sample's is not given"),
        ({"age_years": 5}, {}, "age: reference 18-60 years, sample 5"),
        ({"age_years": 61}, {}, "age: reference 18-60 years, sample 61"),
        ({}, {"age_min": None, "age_max": None}, "age: the reference's is not known"),
        ({}, {"healthy": False, "lesional": True}, "inflamed skin: reference yes, sample no"),
        ({"lesional": None}, {"healthy": False, "lesional": True}, "inflamed skin: reference yes, the sample's"),
        ({}, {"healthy": False, "lesional": None}, "inflamed skin: not told for the reference"),
        ({"laboratory": "A"}, {"laboratory": "B"}, "laboratory: sample A, reference B"),
        ({"extraction": "PowerSoil"}, {"extraction": "QIAamp"}, "extraction: sample PowerSoil, reference QIAamp"),
        ({"reads": 400}, {}, "depth: the sample holds fewer than 500 reads"),
        ({"names_taxa": False}, {}, "names: the sample's file names no taxon"),
    ],
)
def test_each_key_that_differs_is_named(told: dict[str, Any], of_reference: dict[str, Any], phrase: str) -> None:
    found = card_mismatches(replace(KEYS, **told), card(**of_reference))
    assert len(found) == 1
    assert found[0].startswith(phrase)


def test_inflamed_skin_is_compared_with_healthy_persons_and_that_is_said() -> None:
    """The question of a flare is how far it is from healthy skin, so a healthy reference is no mismatch."""
    found = match(replace(KEYS, lesional=True), whole(["antecubital_fossa"] * 3, [20, 30, 40]))
    assert found.mismatches == ()
    assert "healthy persons, beside a sample of inflamed skin" in found.agreed


def test_a_patient_is_of_an_age_until_the_next_birthday() -> None:
    assert card_mismatches(replace(KEYS, age_years=60.9), card()) == ()


@pytest.mark.parametrize(
    ("reference", "sample", "phrase"),
    [
        ("MetaPhlAn 4", "MetaPhlAn 4.0.6, mpa_vOct22_CHOCOPhlAnSGB_202212", ""),
        ("MetaPhlAn 4.0.6", "MetaPhlAn v4", ""),
        ("MetaPhlAn 4", "MetaPhlAn 3", "profiler version: sample"),
        ("MetaPhlAn 4", "MetaPhlAn", "profiler version: reference MetaPhlAn 4, the sample's is not told"),
        ("MetaPhlAn", "MetaPhlAn 3", ""),
        ("MetaPhlAn 4, mpa_vOct22", "MetaPhlAn 4, mpa_vJan21", "profiler: sample"),
        ("DADA2, SILVA 138", "DADA2 1.26, SILVA 138.1", ""),
        ("DADA2, SILVA 138", "DADA2, SILVA 132", "profiler version: sample"),
        ("DADA2, SILVA 138", "Deblur, SILVA 138", "profiler: sample"),
        ("Kraken2, Bracken", "Bracken 2.5, Kraken2 standard 2020-09", "profiler: sample"),
        ("Kraken2, Bracken", "Bracken 2.5, Kraken2 2.1", ""),
        ("Kraken2, Bracken", "Bracken on Kraken2 (database not in the file)", ""),
        ("Kraken2, Bracken, PlusPF", "Bracken on Kraken2 (database not in the file)", "profiler: sample"),
        ("Kraken2, Bracken, PlusPF", "Bracken on Kraken2 (database not in the file); PlusPF", ""),
        ("MetaPhlAn 4", "MetaPhlAn 3, mpa_v30_CHOCOPhlAn_201901; MetaPhlAn 4", "profiler version: sample"),
        ("DADA2 2019.1", "DADA2 2019.1.0; feature-classifier classify-sklearn 2019.1.0", ""),
        ("HITChip", "", "profiler: reference HITChip, the sample's is not told"),
        ("", "anything", ""),
    ],
)
def test_profilers_agree_as_far_as_the_reference_tells(reference: str, sample: str, phrase: str) -> None:
    found = profiler_mismatch(sample, reference)
    assert found.startswith(phrase)
    assert bool(found) == bool(phrase)


def test_a_region_that_nobody_told_never_agrees() -> None:
    assert assay_mismatch("16S", "16S") == "region: of neither is it known"
    assert assay_mismatch("16S V4", "16S V4") == ""


def test_the_file_goes_before_what_is_told() -> None:
    assert more_exact("unknown", "shotgun") == "shotgun"
    assert more_exact("16S", "16S V4") == "16S V4"
    assert more_exact("shotgun", "16S V4") == "shotgun"
    assert more_exact("16S V1-V3", "16S V4") == "16S V1-V3"
    assert more_exact("", "") == "unknown"


def test_what_the_clinic_says_becomes_keys() -> None:
    told = Sampling(body_site="AC", assay="16S V4", profiler="Deblur", lesional=None)
    keys = sample_keys("skin", assay="16S", age_years=3, sampling=told)
    assert (keys.body_site, keys.assay, keys.profiler) == ("antecubital_fossa", "16S V4", "Deblur")
    assert sample_keys("skin", assay="16S", sampling=Sampling(body_site="LE")).lesional is True
    assert sample_keys("gut", assay="shotgun", profiler="MetaPhlAn 4").body_site == "stool"
    assert sample_keys("skin", assay="shotgun").body_site == ""
    both = sample_keys("gut", assay="shotgun", profiler="Bracken on Kraken2", sampling=Sampling(profiler="PlusPF"))
    assert both.profiler == "Bracken on Kraken2; PlusPF"
    assert (
        sample_keys("gut", assay="16S", profiler="DADA2", sampling=Sampling(profiler="DADA2")).profiler == "DADA2"
    )
    with pytest.raises(ClinicianMust, match=r"skin_sampling.body_site.*no body site") as problem:
        sample_keys("skin", assay="16S", sampling=Sampling(body_site="chek of Anna"))
    assert "Anna" not in str(problem.value)
    with pytest.raises(ClinicianMust, match="a place of the skin, not of the gut"):
        sample_keys("gut", assay="16S", sampling=Sampling(body_site="cheek"))


def test_persons_count_and_not_their_samples() -> None:
    """Person 0 was sampled three times; the visit of the smallest order counts, here the second row."""
    reference = whole(["antecubital_fossa"] * 4, [30.0] * 4, persons=[0, 0, 0, 1], order=[3, 1, 2, 9])
    found = match(KEYS, reference)
    assert found.chosen.tolist() == [1, 3]
    assert (found.persons, found.samples) == (2, 4)


def test_the_same_place_goes_first_and_its_class_helps_when_it_is_too_small() -> None:
    """39 persons at the elbow are too few, 40 are enough; with 20 of the knee's hollow (moist too) it is 59."""
    elbow, knee, palm = "antecubital_fossa", "popliteal_fossa", "hypothenar_palm"
    few = match(KEYS, whole([elbow] * 39 + [knee] * 20 + [palm] * 30, [30.0] * 89))
    assert (few.persons, few.same_place) == (59, False)
    assert any(text.startswith("site class moist") and "Palm" not in text for text in few.agreed)
    enough = match(KEYS, whole([elbow] * 40 + [knee] * 20, [30.0] * 60))
    assert (enough.persons, enough.same_place) == (40, True)
    neither = match(KEYS, whole([elbow] * 10 + [knee] * 20, [30.0] * 30))
    assert (neither.persons, neither.same_place) == (10, True)


def test_only_persons_of_the_same_age_band_are_used() -> None:
    reference = whole(["antecubital_fossa"] * 5, [4.0, 30.0, 64.0, 66.0, float("nan")], age_min=4, age_max=66)
    assert match(KEYS, reference).chosen.tolist() == [1, 2]
    assert (
        match(replace(KEYS, age_years=12), reference).mismatches[0].startswith("age: nobody of the sample's age")
    )


def test_a_band_told_for_all_is_enough_where_ages_are_not_known() -> None:
    reference = whole(["antecubital_fossa"] * 3, [18.0, 70.0, 40.0], ages_known=False)
    assert match(KEYS, reference).persons == 3
    assert match(replace(KEYS, age_years=5), reference).persons == 0


def test_shallow_persons_are_left_out_and_counted() -> None:
    """A 16S sample needs 2,000 reads (knowledge's quality limits)."""
    deep = whole(["antecubital_fossa"] * 3, [30.0] * 3)
    mixed = replace(deep, values=deep.values * np.repeat([1.0, 0.1, 0.2], 2))  # 10,000, 1,000 and 2,000 reads
    found = match(KEYS, mixed)
    assert found.chosen.tolist() == [0, 2]
    assert "1 samples under 2000 reads left out" in found.agreed
