"""Whether a given strain's species shows; what the assay cannot say; real kefir and probiotic samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from biflora.errors import NameAnother
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.over_time.engraftment import Engraftment, GivenSample, Phase, engraftment, species_in
from biflora.profile.profile import SiteProfile
from biflora.profile.sample import profile_sample, profile_site

RHAMNOSUS = "Lacticaseibacillus rhamnosus"


def gut(tmp_path: Path, name: str, reads: dict[str, float], assay: str = "shotgun") -> SiteProfile:
    path = tmp_path / f"{name}.csv"
    rest = {"Bacteroides uniformis": 10_000 - sum(reads.values())}
    lines = [f"S1,{taxon},{number}" for taxon, number in (reads | rest).items()]
    path.write_text("sample,taxon,count\n" + "\n".join(lines) + "\n")
    return profile_site(path, "gut").model_copy(update={"assay": assay})


def given(tmp_path: Path, *courses: tuple[Phase, dict[str, float]], assay: str = "shotgun") -> Engraftment:
    return engraftment(
        "lgg_viljanen",
        [
            GivenSample(phase=phase, profile=gut(tmp_path, f"s{i}", reads, assay))
            for i, (phase, reads) in enumerate(courses)
        ],
    )


@pytest.mark.parametrize(
    ("courses", "verdict"),
    [
        ([("before", {}), ("during", {RHAMNOSUS: 40})], "seen only once it was given"),
        ([("before", {}), ("during", {RHAMNOSUS: 40}), ("after", {})], "seen while it was given, not afterwards"),
        ([("before", {}), ("during", {}), ("after", {})], "not seen"),
        # 20 reads: Jeffreys up to 30.4; 200: from 173
        ([("before", {RHAMNOSUS: 20}), ("during", {RHAMNOSUS: 200})], "seen before, and more once it was given"),
        ([("before", {RHAMNOSUS: 20}), ("after", {RHAMNOSUS: 25})], "seen before, and no more once it was given"),
        ([("during", {RHAMNOSUS: 40})], "cannot be told"),
        ([("before", {RHAMNOSUS: 40})], "cannot be told"),
        # below the first sample's limit of 3/10,000: whether it was there before is not known
        ([("before", {}), ("during", {RHAMNOSUS: 2})], "cannot be told"),
    ],
)
def test_verdicts(tmp_path: Path, courses: list[tuple[Phase, dict[str, float]]], verdict: str) -> None:
    found = given(tmp_path, *courses)
    assert found.strain == "ATCC 53103 (LGG)"
    assert [each.species for each in found.species] == [RHAMNOSUS]
    assert found.species[0].verdict == verdict
    assert found.strain_level == "not measured"
    assert "not a strain" in found.caution


def test_below_detection_carries_its_limit(tmp_path: Path) -> None:
    """3 / 10,000 reads (rule of three)."""
    found = given(tmp_path, ("during", {}))
    assert found.species[0].seen[0].detection_limit == pytest.approx(3e-4)
    assert "0.03 %" in found.species[0].why


def test_a_16s_assay_with_relatives_only_does_not_resolve(tmp_path: Path) -> None:
    found = given(tmp_path, ("before", {}), ("during", {"Lactobacillus": 40.0}), assay="16S V4")
    assert found.species[0].seen[1].state == "not resolved"
    assert found.species[0].verdict == "cannot be told"


def test_an_old_name_in_the_table_is_the_same_species(tmp_path: Path) -> None:
    found = given(tmp_path, ("before", {}), ("during", {"Lactobacillus rhamnosus": 40.0}))
    assert found.species[0].verdict == "seen only once it was given"


def test_a_strain_specific_qpcr_is_shown_as_such(tmp_path: Path) -> None:
    profile = gut(tmp_path, "a", {RHAMNOSUS: 40})
    found = engraftment("lgg_viljanen", [GivenSample(phase="during", profile=profile, strain_log10_copies=6.2)])
    assert found.strain_level == "strain-specific qPCR entered"
    assert found.strain_log10_copies == (("during", 6.2),)


def test_a_killed_product_is_said_to_be_dead(tmp_path: Path) -> None:
    profile = gut(tmp_path, "a", {"Lactobacillus acidophilus": 40})
    assert engraftment("l92_heat_killed", [GivenSample(phase="during", profile=profile)]).dead


@pytest.mark.parametrize(
    ("text", "species", "rest"),
    [
        ("L. salivarius + Bifidobacterium breve", ["Ligilactobacillus salivarius", "Bifidobacterium breve"], ()),
        (
            "Bifidobacterium longum + B. animalis lactis",
            ["Bifidobacterium longum", "Bifidobacterium animalis"],
            (),
        ),
        ("L. paracasei or B. lactis", ["Lacticaseibacillus paracasei", "Bifidobacterium animalis"], ()),
        ("Lacticaseibacillus rhamnosus + cyanobacterium", [RHAMNOSUS], ("cyanobacterium",)),
        ("L. lactis", [], ("L. lactis",)),  # Lactococcus lactis and Lactobacillus lactis: it cannot be told which
        ("mixed", [], ("mixed",)),
    ],
)
def test_species_of_a_product_s_words(text: str, species: list[str], rest: tuple[str, ...]) -> None:
    found, not_told = species_in(text)
    assert [row.name for row in found] == species
    assert not_told == rest


def test_an_unknown_strain_is_refused(tmp_path: Path) -> None:
    profile = gut(tmp_path, "a", {})
    with pytest.raises(NameAnother, match="oral_strains"):
        engraftment("no_such_strain", [GivenSample(phase="during", profile=profile)])
    with pytest.raises(NameAnother, match="No sample"):
        engraftment("lgg_viljanen", [])


def test_kefir_brings_lactococcus_to_one_person_and_not_to_others(shared_data: Path) -> None:
    """Witness: grep of the profiles. Subject 30 has s__Lactococcus_lactis at 0.25 % at time 3 only; 11 never."""
    folder = shared_data / "gut_kefir_metaphlan3_gmwi2"
    files = {
        "Subj030": ("Subj030_time1_S18", "Subj030_time2_S19", "Subj030_time3_S20"),
        "Subj011": ("Subj011_time1_S8", "Subj011_time2_S9"),
    }
    verdicts = {}
    for subject, names in files.items():
        samples = [
            GivenSample(phase="during" if i else "before", profile=profile_site(path, "gut"))
            for i, path in enumerate(folder / f"{name}_metaphlan.txt" for name in names)
        ]
        verdicts[subject] = engraftment("Lactococcus lactis", samples).species[0].verdict
    assert verdicts == {"Subj030": "seen only once it was given", "Subj011": "not seen"}


def test_the_array_of_the_lgg_trial_cannot_tell_lgg(shared_data: Path) -> None:
    """HITChip reads groups such as `Lactobacillus plantarum et rel.`: neither seen nor absent may be said."""
    file = read_laboratory_file(shared_data / "gut_probiotic_trial_peerj32/peerj32_otu.csv")
    samples = [
        GivenSample(phase=phase, profile=profile_sample(file, "gut", sample=name))
        for phase, name in (("before", "sample-1"), ("during", "sample-2"))
    ]
    found = engraftment("lgg_viljanen", samples)  # type: ignore[arg-type]
    assert {each.state for each in found.species[0].seen} == {"not resolved"}
    assert found.species[0].verdict == "cannot be told"
