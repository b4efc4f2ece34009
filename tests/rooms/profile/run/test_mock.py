"""Mock communities: what is missing, what is foreign, how far each member is bent; hand sums."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from biflora.errors import NameAnother
from biflora.knowledge.mock_communities import find_mock, mocks
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.run.mock import check_mock
from biflora.profile.table import Feature, LabTable, from_dense

D6300_16S = {
    "Pseudomonas": 4.2, "Escherichia-Shigella": 10.1, "Salmonella": 10.4, "Lactobacillus": 18.4,
    "Enterococcus": 9.9, "Staphylococcus": 15.5, "Listeria": 14.1, "Bacillus": 17.4,
}  # fmt: skip


def sample(reads: dict[str, float], *, assay: str, lineage: bool = False) -> LabTable:
    starts, places, values = from_dense(["M"], np.array([list(reads.values())], dtype=float))
    features = tuple(
        Feature(name, lineage=("Bacteria", "", "", "", "", name) if lineage else ()) for name in reads
    )
    return LabTable(
        file_name="mock.tsv", format="made up", because="a test", samples=("M",), features=features, starts=starts,
        places=places, values=values, has_counts=True, assay=assay,
    )  # fmt: skip


def species_reads(scale: float = 100.0) -> dict[str, float]:
    return {row.species: scale * row.share_dna_percent for row in mocks()["zymo_d6300"]}


def test_the_maker_s_shares_sum_to_a_hundred() -> None:
    """D6331's 16S column sums to 99.996 as printed."""
    for members in mocks().values():
        assert sum(row.share_dna_percent for row in members) == pytest.approx(100, abs=0.02)
        assert sum(row.share_16s_percent or 0 for row in members) == pytest.approx(100, abs=0.02)


def test_catalogue_numbers_name_the_same_community() -> None:
    assert [find_mock(text) for text in ("D6300", "d6305", "D6306", "zymo_d6300", "D9999")] == [
        "zymo_d6300", "zymo_d6300", "zymo_d6300", "zymo_d6300", None,
    ]  # fmt: skip


def test_a_perfect_16s_mock_passes_under_old_and_joined_genus_names() -> None:
    """SILVA's Escherichia-Shigella; Lactobacillus is today's Limosilactobacillus only by its species."""
    reads = {
        ("Limosilactobacillus" if name == "Lactobacillus" else name): 100 * p for name, p in D6300_16S.items()
    }
    check = check_mock(sample(reads, assay="16S V4", lineage=True), "M")
    assert check.mock == "zymo_d6300"
    assert check.by == "16S genes, by genus"
    assert len(check.members) == 8  # no yeast has 16S
    assert all(member.fold == pytest.approx(1.0) for member in check.members)
    assert check.mean_fold_error == pytest.approx(1.0)
    assert check.aitchison_distance == pytest.approx(0.0, abs=1e-9)
    assert [finding.rule for finding in check.findings] == ["mock_passed"]


def test_an_old_umbrella_lactobacillus_counts_as_the_member() -> None:
    check = check_mock(sample({name: 100 * p for name, p in D6300_16S.items()}, assay="16S V4", lineage=True), "M")
    assert check.missing == ()
    assert check.unexpected_share == 0


def test_missing_bent_and_foreign_are_each_said() -> None:
    """Reads: P. aeruginosa 0, L. monocytogenes a quarter, Ralstonia 500 on top.

    Members' reads: six at 1,200 = 7,200, Listeria 300, two yeasts at 200 = 400, so 7,900. Listeria is seen at
    300 / 7,900 and expected at 0.12: fold 0.3165.
    """
    reads = species_reads() | {"Pseudomonas aeruginosa": 0.0, "Listeria monocytogenes": 300.0}
    reads["Ralstonia pickettii"] = 500.0
    check = check_mock(sample(reads, assay="shotgun"), "M", "D6300")
    by_name = {member.species: member for member in check.members}
    assert check.missing == ("Pseudomonas aeruginosa",)
    assert by_name["Listeria monocytogenes"].fold == pytest.approx(300 / 7_900 / 0.12)
    assert by_name["Bacillus subtilis"].fold == pytest.approx(1_200 / 7_900 / 0.12)
    assert check.unexpected == (("Ralstonia pickettii", pytest.approx(500 / 8_400)),)
    assert [finding.rule for finding in check.findings] == ["mock_missing", "mock_bent", "mock_unexpected"]


def test_the_aitchison_distance_is_that_of_centred_log_ratios() -> None:
    """One of ten members doubled: log-ratios (ln 2, 0 x 9), centred; norm = ln 2 x sqrt(1 - 1/10)."""
    reads = species_reads()
    reads["Escherichia coli"] *= 2
    check = check_mock(sample(reads, assay="shotgun"), "M")
    assert check.aitchison_distance == pytest.approx(math.log(2) * math.sqrt(0.9), rel=1e-9)


def test_a_database_without_fungi_does_not_lack_the_yeasts() -> None:
    reads = {name: n for name, n in species_reads().items() if n > 200}
    check = check_mock(sample(reads, assay="shotgun"), "M")
    assert check.missing == ()
    assert [m.species for m in check.members if m.state == "not measured"] == [
        "Saccharomyces cerevisiae", "Cryptococcus neoformans",
    ]  # fmt: skip
    assert check.members[0].expected == pytest.approx(1 / 8)


def test_a_member_too_rare_for_the_depth_is_not_missing() -> None:
    """D6331 holds Clostridium perfringens at 1e-4 %: at 10,000 reads 0.01 are expected."""
    reads = {
        row.species: round(100 * row.share_dna_percent)
        for row in mocks()["zymo_d6331"]
        if row.share_dna_percent >= 1
    }
    check = check_mock(sample(reads, assay="shotgun"), "M", "D6331")
    rare = next(member for member in check.members if member.species == "Clostridium perfringens")
    assert not rare.could_be_seen
    assert "Clostridium perfringens" not in check.missing
    # Methanobrevibacter smithii at 0.1 % should have given ten
    assert check.missing == ("Methanobrevibacter smithii",)


def test_a_sample_that_is_no_known_mock_is_refused(shared_data: Path) -> None:
    """taxpasta's MOCK_001 is another community (archaea and thermophiles); no row describes it."""
    table = read_laboratory_file(shared_data / "format_examples/metaphlan3_MOCK_001.txt").table
    with pytest.raises(NameAnother, match="no mock community that biflora knows"):
        check_mock(table, table.samples[0])


def test_an_unknown_community_is_refused() -> None:
    with pytest.raises(NameAnother, match="zymo_d6300"):
        check_mock(sample(species_reads(), assay="shotgun"), "M", "D9999")
