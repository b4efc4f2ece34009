"""Bad laboratory files: one message that names the file, the place and the mend."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from biflora.errors import LaboratoryMust, NameAnother
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.sample import profile_site

BIOM_1 = {
    "format": "Biological Observation Matrix 1.0.0",
    "rows": [{"id": "Staphylococcus aureus", "metadata": None}, {"id": "Cutibacterium acnes", "metadata": None}],
    "columns": [{"id": "S1", "metadata": None}, {"id": "S2", "metadata": None}],
    "matrix_type": "dense",
    "data": [[5, 0], [7, 3]],
}


def refused(path: Path, *words: str, sample: str | None = "S1") -> str:
    with pytest.raises(LaboratoryMust) as problem:
        profile_site(path, "skin", sample=sample)
    text = str(problem.value)
    assert path.name in text
    for word in words:
        assert word in text, text
    return text


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def biom_1(tmp_path: Path, **changes: object) -> Path:
    return written(tmp_path, "table.biom", json.dumps({**BIOM_1, **changes}))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7 report", "PDF"),
        (b"\x89PNG\r\n\x1a\n....", "PNG"),
        (b"", "empty"),
        (b"   \n \n", "empty"),
        (b">seq1\nACGT\n", "FASTA"),
        (b"@read\nACGT\n+\nIIII\n", "FASTQ"),
        (b"Dear colleague, please find the results attached.\nBest wishes\n", "not a microbiome table"),
        (b"name,age,city\nA,3,X\nB,4,Y\n", "not a microbiome table"),
        (b"\x00\x01\x02\x03binary", "binary"),
        (b'{"a": 1}', "no BIOM table"),
        (b"<html></html>", "HTML"),
    ],
)
def test_foreign_files_are_named(tmp_path: Path, content: bytes, word: str) -> None:
    text = refused(written(tmp_path, "report.dat", content), word)
    assert "Send" in text or "send" in text


def test_an_excel_file_is_told_to_be_saved_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    refused(path, "save the sheet as CSV")


@pytest.mark.parametrize("keep", [200, 20_000, 2_000_000])
def test_a_truncated_hdf5_biom(shared_data: Path, tmp_path: Path, keep: int) -> None:
    content = (shared_data / "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom").read_bytes()
    refused(written(tmp_path, "cut.biom", content[:keep]), "send it again")


def test_truncated_texts_and_zips(shared_data: Path, tmp_path: Path) -> None:
    biom_json = (
        shared_data / "ad_skin_southafrica_chen2025/3_209766_feature_table_dedup_prev-filt-10pct_json.biom"
    ).read_bytes()
    refused(written(tmp_path, "cut_json.biom", biom_json[: len(biom_json) // 2]), "breaks off")
    qza = (shared_data / "moving_pictures_qiime2/table.qza").read_bytes()
    refused(written(tmp_path, "cut.qza", qza[: len(qza) // 2]), "cut off")
    tsv = (
        shared_data / "ad_skin_southafrica_chen2025/3_209766_feature_table_dedup_prev-filt-10pct.tsv"
    ).read_bytes()
    refused(written(tmp_path, "cut.tsv", tsv[: len(tsv) // 2]), "line", "cut off")
    report = (shared_data / "format_examples/kraken2_report_ERR5766174.txt").read_text()
    refused(written(tmp_path, "cut_kraken.txt", report[:-20].rpartition("\t")[0] + "\n"), "cut off", sample=None)


def test_headers_that_are_cut_off(tmp_path: Path) -> None:
    path = written(
        tmp_path, "b.tsv", "name\ttaxonomy_id\ttaxonomy_lvl\tkraken_assigned\nStaphylococcus aureus\t1280\tS\t9\n"
    )
    refused(path, "line 1", "'new_est_reads' is missing", sample=None)


def test_a_qza_whose_packed_bytes_are_damaged(shared_data: Path, tmp_path: Path) -> None:
    content = bytearray((shared_data / "moving_pictures_qiime2/table.qza").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    refused(written(tmp_path, "damaged.qza", bytes(content)), "damaged")


def test_a_qza_with_one_changed_byte_fails_its_checksum(shared_data: Path, tmp_path: Path) -> None:
    source = zipfile.ZipFile(shared_data / "moving_pictures_qiime2/table.qza")
    path = tmp_path / "changed.qza"
    with zipfile.ZipFile(path, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            archive.writestr(name, content[:-1] + b"!" if name.endswith("feature-table.biom") else content)
    refused(path, "checksum", "data/feature-table.biom")


def test_a_zip_bomb_is_not_unpacked(shared_data: Path, tmp_path: Path) -> None:
    source = zipfile.ZipFile(shared_data / "moving_pictures_qiime2/table.qza")
    path = tmp_path / "bomb.qza"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(
                name, b"\0" * 30_000_000 if name.endswith("feature-table.biom") else source.read(name)
            )
    refused(path, "unpacks to 30000000 bytes")


def test_an_artifact_that_is_no_table(shared_data: Path) -> None:
    with pytest.raises(LaboratoryMust, match="FeatureData\\[Taxonomy\\], not a FeatureTable"):
        read_laboratory_file(shared_data / "moving_pictures_qiime2/taxonomy.qza")


def test_a_sample_that_is_not_there_brings_the_near_names(tmp_path: Path) -> None:
    path = biom_1(tmp_path)
    text = refused(path, "no sample of the name", "S1", sample="S11")
    assert "S11" not in text  # what was typed is not repeated
    refused(path, "holds 2 samples and none was named", "S1, S2", sample=None)


@pytest.mark.parametrize(
    ("data", "word"), [([[5, -1], [7, 3]], "negative"), ([[5, 0], [7, float("nan")]], "not a finite number")]
)
def test_impossible_numbers_in_biom(tmp_path: Path, data: list[list[float]], word: str) -> None:
    refused(biom_1(tmp_path, data=data), word, "sample 'S2'")


def test_impossible_numbers_in_text(tmp_path: Path) -> None:
    head = "#OTU ID\tS1\tS2\nStaphylococcus aureus\t4\t2\n"
    refused(
        written(tmp_path, "a.tsv", head + "Cutibacterium acnes\t-3\t1\n"),
        "'S1'",
        "Cutibacterium acnes",
        "negative",
    )
    refused(written(tmp_path, "b.tsv", head + "Cutibacterium acnes\tinf\t1\n"), "not a finite number")
    refused(written(tmp_path, "c.tsv", head + "Cutibacterium acnes\tmany\t1\n"), "line 3", "column 'S1'")


def test_a_sample_name_that_stands_twice(tmp_path: Path) -> None:
    refused(biom_1(tmp_path, columns=[{"id": "S1"}, {"id": "S1"}]), "'S1' stands more than once")


def test_empty_tables_and_samples_without_reads(tmp_path: Path) -> None:
    refused(biom_1(tmp_path, rows=[], columns=[], data=[]), "no samples or no taxa")
    refused(biom_1(tmp_path, data=[[0, 0], [0, 3]]), "'S1' holds no microbial read")
    refused(written(tmp_path, "head.tsv", "#OTU ID\tS1\n"), "no numbers")


def test_a_table_and_taxonomy_of_different_orientation(shared_data: Path, tmp_path: Path) -> None:
    """The real seqtab turned by 90 degrees, saved as an OTU table, beside its own taxa."""
    import pandas as pd

    taxa = (shared_data / "format_examples/dada2_taxa.csv").read_bytes()
    written(tmp_path, "run_taxa.csv", taxa)
    seqtab = pd.read_csv(shared_data / "format_examples/dada2_seqtab_nochim.csv", index_col=0)
    path = tmp_path / "run_otu.csv"
    seqtab.to_csv(path, index_label="OTU ID")
    refused(path, "different orientation", "run_taxa.csv", "turned by 90 degrees")
    lying = pd.read_csv(shared_data / "format_examples/dada2_taxa.csv", index_col=0).T
    lying.to_csv(tmp_path / "run_taxa.csv")
    with pytest.raises(LaboratoryMust, match="the taxonomy stands on its side"):
        read_laboratory_file(path)


def test_a_table_whose_names_are_no_taxa(tmp_path: Path) -> None:
    refused(written(tmp_path, "t.csv", "id,a1,a2\nx9,1,2\ny8,3,4\n"), "names taxa", "taxonomy beside it")


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    refused(tmp_path / "missing.biom", "no such file")
    refused(tmp_path, "folder")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("sample,taxon,count\nS1,Cutibacterium acnes,3\n".encode("utf-16"), "save it as UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00", "a program"),
        (b"[" * 100_000, "no BIOM table"),
        (b'{"matrix_type": ' + b"[" * 100_000, "nested without end"),
        (b"sample,taxon,count\nS1," + b"x" * 200_000 + b",4\n", "quotation mark may be open"),
        (b"sample,taxon,count\nS1,Cutibacterium acnes,5_200\n", "line 2, column 'count': a number is expected"),
        (b"sample,taxon,count\nS1,Cutibacterium acnes," + b"9" * 30 + b"\n", "larger than any sequencer gives"),
        (b"sample,taxon,count\nS1,Cutibacterium\x1b[31m acnes,9\n", "control characters"),
        (b"Staphylococcus aureus,5000\nCutibacterium acnes,100\n", "line 1: a taxon and numbers stand where"),
    ],
)
def test_files_that_would_be_misread_are_refused(tmp_path: Path, content: bytes, word: str) -> None:
    refused(written(tmp_path, "table.csv", content), word)


def test_numbers_may_name_samples(tmp_path: Path) -> None:
    """Only a taxon in the corner makes numbers in the header suspicious: chen2025 names its samples 900344, ..."""
    table = written(tmp_path, "t.csv", "taxon,900344\nStaphylococcus aureus,5000\nCutibacterium acnes,100\n")
    assert profile_site(table, "skin").sample_id == "900344"


@pytest.mark.parametrize("path", ["nowhere.biom", "", "x" * 5000])
def test_a_wrong_name_is_not_the_laboratory_s_to_mend(path: str) -> None:
    with pytest.raises(NameAnother) as problem:
        profile_site(Path(path), "skin")
    assert problem.value.who == "you"
    assert len(str(problem.value)) < 250


def test_a_bracken_table_cut_at_a_row_is_noticed_by_its_shares(tmp_path: Path) -> None:
    """0.6 + 0.25 = 85 % of the reads: the rest of the table is gone."""
    columns = ("name", "taxonomy_id", "taxonomy_lvl", "kraken_assigned_reads", "added_reads", "new_est_reads")
    header = "\t".join((*columns, "fraction_total_reads")) + "\n"
    rows = "Staphylococcus aureus\t1280\tS\t60\t0\t60\t0.6\nCutibacterium acnes\t1747\tS\t25\t0\t25\t0.25\n"
    whole = rows + "Staphylococcus hominis\t1290\tS\t15\t0\t15\t0.15\n"
    for text, expected in ((rows, True), (whole, False)):
        path = tmp_path / "sample.tsv"
        path.write_text(header + text, encoding="utf-8")
        rules = {finding.rule for finding in profile_site(path, "skin").findings}
        assert ("bracken_sum" in rules) is expected


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("emu.tsv", "tax_id\tabundances\tspecies\n1280\t0.6\tStaphylococcus aureus\n", "Emu's column 'abundance'"),
        ("m.txt", "clade_name\trelative_abundance\nk__Bacteria|\t-4\n", "negative"),
        ("k.txt", "88.00\t880\t0\tR\t\u00b2\troot\n", "taxonomy id is no whole number"),
        ("t.csv", "label\x01Group,n\nx9,1\ny8,2\n", "names taxa"),
        ("t.csv", "taxon,S\nBlautia obeum,1\nBlautia obeum,2\n", "stands more than once"),
    ],
)
def test_what_the_fuzzer_found_is_a_sentence_now(tmp_path: Path, name: str, content: str, word: str) -> None:
    text = refused(written(tmp_path, name, content), word, sample=None)
    assert text.isprintable()


def test_rounding_noise_is_no_read(tmp_path: Path) -> None:
    """The fuzzer's 1e-320: its share of the whole would be zero, and its logarithm no number."""
    path = written(tmp_path, "t.csv", "taxon,S1,S2\nBlautia obeum,1e-320,2\nRoseburia faecis,0.4,1e-17\n")
    site = profile_site(path, "gut", sample="S1")
    assert [(taxon.name, taxon.share) for taxon in site.taxa] == [("Roseburia faecis", 1.0)]
    assert [taxon.name for taxon in profile_site(path, "gut", sample="S2").taxa] == ["Blautia obeum"]
    assert any("2 in the table" in finding.message for finding in site.findings)


def test_a_clade_without_a_name_is_read_as_the_file_writes_it(tmp_path: Path) -> None:
    """The fuzzer's `k__Bacteria|`: an empty deepest rank."""
    path = written(tmp_path, "m.txt", "clade_name\trelative_abundance\nk__Bacteria|\t100\n")
    assert [taxon.share for taxon in profile_site(path, "gut").taxa] == [1.0]


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha512"])
def test_every_kind_of_checksum_is_verified(tmp_path: Path, algorithm: str) -> None:
    root = "0a1b2c3d-0000-4000-8000-00000000abcd/"
    inside = {
        "metadata.yaml": b"uuid: x\ntype: FeatureTable[Frequency]\n",
        "data/feature-table.biom": json.dumps(BIOM_1).encode(),
    }
    sums = "".join(f"{hashlib.new(algorithm, content).hexdigest()}  {name}\n" for name, content in inside.items())
    whole = inside["data/feature-table.biom"]
    for name, table in (("good.qza", whole), ("bad.qza", whole + b" ")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, content in {**inside, "data/feature-table.biom": table}.items():
                archive.writestr(root + member, content)
            archive.writestr(root + f"checksums.{algorithm}", sums)
    assert profile_site(tmp_path / "good.qza", "skin", sample="S1").taxa
    refused(tmp_path / "bad.qza", "checksum", "data/feature-table.biom")


def test_an_artifact_whose_checksums_name_odd_files(tmp_path: Path) -> None:
    root = "0a1b2c3d-0000-4000-8000-00000000abcd/"
    path = tmp_path / "odd.qza"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(root + "metadata.yaml", "uuid: x\ntype: FeatureTable[Frequency]\n")
        archive.writestr(root + "checksums.md5", "0" * 32 + "  metadata.yaml" + "A" * 3000 + "\x1b[31m\n")
    assert len(refused(path, "lacks")) < 200
