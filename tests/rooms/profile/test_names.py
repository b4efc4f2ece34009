"""Old names, today's names and NCBI's numbers: one taxon, one name; nothing without a match is dropped."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from biflora.knowledge.taxa import find_taxon
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.names import contradictions, is_virus, name_feature
from biflora.profile.sample import profile_site
from biflora.profile.table import Feature


@pytest.mark.parametrize(
    ("old", "today"),
    [
        # the four pairs that microbiome-facts 3.4.3 names
        ("Propionibacterium acnes", "Cutibacterium acnes"),
        ("Bacteroides vulgatus", "Phocaeicola vulgatus"),
        ("Lactobacillus fermentum", "Limosilactobacillus fermentum"),
        ("Eubacterium rectale", "Agathobacter rectalis"),
        # the usual other ones
        ("Lactobacillus rhamnosus", "Lacticaseibacillus rhamnosus"),
        ("Lactobacillus plantarum", "Lactiplantibacillus plantarum"),
        ("Lactobacillus reuteri", "Limosilactobacillus reuteri"),
        ("Lactobacillus salivarius", "Ligilactobacillus salivarius"),
        ("Lactobacillus brevis", "Levilactobacillus brevis"),
        ("Lactobacillus sakei", "Latilactobacillus sakei"),
        ("Lactobacillus hilgardii", "Lentilactobacillus hilgardii"),
        ("Bacteroides dorei", "Phocaeicola dorei"),
        ("Propionibacterium granulosum", "Cutibacterium granulosum"),
        ("Propionibacterium jensenii", "Acidipropionibacterium jensenii"),
        ("Prevotella copri", "Segatella copri"),
        ("Prevotella timonensis", "Hoylesella timonensis"),
        ("Ruminococcus gnavus", "Mediterraneibacter gnavus"),
        ("Clostridium difficile", "Clostridioides difficile"),
        ("Clostridium clostridioforme", "Enterocloster clostridioformis"),
        ("Atopobium vaginae", "Fannyhessea vaginae"),
        ("Eubacterium hallii", "Anaerobutyricum hallii"),
        ("Staphylococcus sciuri", "Mammaliicoccus sciuri"),
    ],
)
def test_old_names_in_every_way_of_writing_are_today_s(old: str, today: str) -> None:
    genus, epithet = old.split(" ")
    ways = (
        Feature(old),
        Feature(f"[{genus}] {epithet}"),
        Feature(f"s__{genus}_{epithet}"),
        Feature("1", lineage=("k__Bacteria", "p__", "c__", "o__", "f__", f"g__{genus}", f"s__{epithet}")),
        Feature(
            "2", lineage=("k__Bacteria", "p__", "c__", "o__", "f__", f"g__[{genus}]", f"s__{genus}_{epithet}")
        ),
    )
    assert {name_feature(way).name for way in ways} == {today}
    assert all(name_feature(way).known for way in ways)


def test_both_names_in_one_table_become_one_taxon(tmp_path: Path) -> None:
    """30 + 20 reads under two names of one species are 50 of 100."""
    path = tmp_path / "t.csv"
    path.write_text(
        "sample,taxon,count\nS,Bacteroides vulgatus,30\nS,Phocaeicola vulgatus,20\nS,Alistipes putredinis,50\n"
    )
    assert {t.name: t.reads for t in profile_site(path, "gut").taxa} == {
        "Phocaeicola vulgatus": 50,
        "Alistipes putredinis": 50,
    }


def test_a_number_names_what_the_text_does_not() -> None:
    assert name_feature(Feature("OTU_7", taxid=1280)).name == "Staphylococcus aureus"
    assert name_feature(Feature("strain X9", taxid=165179)).name == "Segatella copri"


def test_a_number_that_ncbi_gave_to_a_synonym_leads_to_the_taxon(shared_data: Path) -> None:
    """The CSB5 table prints 630129 for B. kashiwanohense, which is B. catenulatum (1686) today."""
    with h5py.File(shared_data / "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom") as file:
        names = [name.decode() for name in file["observation/ids"][()]]
        taxids = [int(number) for number in file["observation/metadata/ncbi_taxid"][()]]
    assert taxids[names.index("Bifidobacterium kashiwanohense")] == 630129
    row = find_taxon("", 630129)
    assert row is not None
    assert row.name == "Bifidobacterium catenulatum"
    features = [Feature(name, taxid=number) for name, number in zip(names, taxids, strict=True)]
    assert contradictions(features) == 0  # no real taxon is accused


def test_a_name_and_a_number_of_two_taxa_are_told_and_the_name_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "sample,taxon,taxid,count\nS,Staphylococcus aureus,1747,30\nS,Staphylococcus hominis,1290,5\n"
        "S,Unheard of,999999999,3\n"
    )
    table = read_laboratory_file(path).table
    assert [rule for rule, _ in table.remarks] == ["name_and_number_differ"]
    assert "two different taxa, 1 times" in table.remarks[0][1]
    site = profile_site(path, "skin")
    assert next(t for t in site.taxa if t.reads == 30).name == "Staphylococcus aureus"
    assert any(finding.rule == "name_and_number_differ" for finding in site.findings)


def test_what_nobody_knows_is_kept_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sample,taxon,count\nS,Unheardofia mirabilis,40\nS,Staphylococcus aureus,60\n")
    site = profile_site(path, "skin")
    assert {t.name: t.share for t in site.taxa} == {"Staphylococcus aureus": 0.6, "Unheardofia mirabilis": 0.4}
    assert site.unmatched_names == 1
    assert site.unmatched_share == 0.4


@pytest.mark.parametrize(
    ("written", "name", "known"),
    [
        ("Escherichia/Shigella", "Escherichia", True),  # RDP; SILVA writes Escherichia-Shigella
        ("Methylobacterium-Methylorubrum", "Methylobacterium", True),  # SILVA 138
        ("Allistipes et rel.", "Allistipes et rel.", True),  # the HITChip's own spelling of Alistipes
        ("Klebisiella pneumoniae et rel.", "Klebisiella pneumoniae et rel.", True),
        ("-1", "unassigned (written -1)", False),  # enterotype table of phyloseq
        ("Lactococcus phage jm3", "Lactococcus phage jm3", False),  # a phage is no Lactococcus, and lacks no genus
    ],
)
def test_names_that_real_tables_print(written: str, name: str, known: bool) -> None:
    found = name_feature(Feature(name=written))
    assert (found.name, found.known) == (name, known)


def test_a_phage_below_a_lineage_is_a_virus_and_in_no_guild() -> None:
    lineage = ("Viruses", "Viruses_unclassified", "", "Caudovirales", "Siphoviridae", "", "Lactococcus_phage_jm3")
    found = name_feature(Feature(name="s__Lactococcus_phage_jm3", lineage=lineage))
    assert is_virus(found)
    assert (found.name, found.guilds) == ("Lactococcus phage jm3", frozenset())
