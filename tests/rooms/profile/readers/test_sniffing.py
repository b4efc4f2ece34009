"""What a file is and why; a foreign one is named, with what to send instead and who sends it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import h5py
import pytest

from biflora.errors import LaboratoryMust
from biflora.profile.laboratory_file import read_laboratory_file


def refused(path: Path, *words: str) -> str:
    with pytest.raises(LaboratoryMust) as problem:
        read_laboratory_file(path)
    text = str(problem.value)
    assert text.startswith(path.name)
    for word in words:
        assert word in text, text
    assert problem.value.who == "the laboratory"
    return text


SAM = "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:248956422\nr1\t0\tchr1\t100\t60\t4M\t*\t0\t0\tACGT\tIIII\n"
PER_READ = "C\tM01:1:1101\t1280\t151\t1280:117\nU\tM01:1:1102\t0\t151\t0:117\n"
PER_READ += "C\tM01:1:1103\t1747\t151|151\t0:3 |:| 1747:9\n"
BOWTIE2 = "M01:1:1101__1\t239935__A8V__COG1|k__Bacteria|SGB4712\nM01:1:1102__2\tUniRef90_A0A|1__4|SGB9226\n"
SHEET = "[Header]\nIEMFileVersion,4\n[Reads]\n151\n[Data]\nSample_ID,index\nS1,ACGT\n"
FASTQ = "@M01:1:1101\nACGT\n+\nIIII\n" * 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\n1\t5\trs1\n", ("VCF", "holds no taxa")),
        ("##gff-version 3\nctg\tRefSeq\tgene\t1\t9\t.\t+\t.\tID=g\n", ("GFF",)),
        (SAM, ("SAM file", "classify the reads first")),
        (SHEET, ("Illumina sample sheet",)),
        (PER_READ, ("read by read", "--report")),
        ("k__Bacteria\t9000\nk__Bacteria|p__Firmicutes\t4000\n", ("MetaPhlAn's style", "nested")),
        (BOWTIE2, ("bowtie2 output", "profile")),
        (FASTQ, ("FASTQ", "classify them first")),
        ("<!DOCTYPE html>\n<html><body>Please log in</body></html>\n", ("HTML", "login")),
        ("((A:1,B:2):3,C:4);\n", ("a tree",)),
        ('{"resourceType": "Patient", "id": "x"}', ("FHIR",)),
        ('{"samples": [{"id": "S1", "age": 4}]}', ("metadata, perhaps",)),
        ("sample\tage\tsex\nS1\t4\tf\nS2\t6\tm\nS3\t9\tf\n", ("metadata, perhaps",)),
        ("OTU\tSize\tTaxonomy\nOtu1\t5\tBacteria(100);\n", ("a taxonomy, not a table",)),
    ],
)
def test_foreign_texts_say_what_they_are(tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    path = tmp_path / "file.txt"
    path.write_text(content)
    refused(path, *words)
    packed = tmp_path / "file.txt.gz"
    packed.write_bytes(gzip.compress(content.encode()))
    refused(packed, *words)


def archive(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        file.addfile(tarfile.TarInfo("table.tsv"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "t.xlsx",
            archive({"[Content_Types].xml": "", "xl/workbook.xml": ""}),
            ("Excel workbook", "save the sheet as CSV"),
        ),
        ("t.docx", archive({"[Content_Types].xml": "", "word/document.xml": ""}), ("Word document",)),
        ("t.ods", archive({"mimetype": "", "content.xml": ""}), ("OpenDocument", "CSV")),
        ("t.zip", archive({"a.tsv": "", "b.tsv": ""}), ("zip file of 2 files", "unpack it")),
        ("t.zip", archive({"a.tsv": ""}), ("zip file of one file", "unpack it")),
        ("t.zip", archive({}), ("zip",)),
        ("t.tar", tar(), ("tar archive", "unpack it")),
        ("t.bz2", bz2.compress(b"x"), ("bzip2",)),
        ("t.xz", lzma.compress(b"x"), ("xz file",)),
        ("t.rds", lzma.compress(b"X\n\x00\x00"), ("readRDS", "otu_table", "NAME_otu.csv")),
        ("t.rds", gzip.compress(b"X\n\x00\x00\x00\x03"), ("readRDS", "otu_table", "tax_table")),
        ("t.RData", gzip.compress(b"RDX3\nX\n"), ("load(", "otu_table")),
        ("t.gz", gzip.compress(gzip.compress(b"x" * 50)), ("inside a gzip file",)),
        ("t.csv", "taxon,S1\nStaphylococcus aureus,4\n".encode("utf-16"), ("UTF-16", "UTF-8")),
        ("t.csv", "taxon,S1\nstaphylococcus aureus,4\n".encode("utf-16-le"), ("UTF-16", "UTF-8")),
        ("t.bam", gzip.compress(b"BAM\x01" + bytes(40)), ("BAM",)),
        ("t.pkl", b"\x80\x04\x95", ("pickle",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # packed bytes hold the time of day
)
def test_foreign_binaries_say_what_they_are(
    tmp_path: Path, name: str, content: bytes, words: tuple[str, ...]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, *words)


def test_real_r_files_are_told_how_to_be_exported(shared_data: Path) -> None:
    folder = shared_data / "phyloseq_globalpatterns_enterotype"
    refused(folder / "gp_feces_skin_tongue.rds", 'readRDS("NAME.rds")', "leave NAME_tax.csv beside it")
    refused(folder / "GlobalPatterns.RData", 'load("NAME.RData")')
    refused(shared_data / "gut_healthy_atlas1006/atlas1006.rda", 'load("NAME.RData")')


def test_other_hdf5_files_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "cells.h5ad", "w") as file:
        file.create_group("obs")
        file.create_group("var")
        file["X"] = [1.0]
    refused(tmp_path / "cells.h5ad", "AnnData", "CSV or BIOM")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["weights"] = [1.0]
    refused(tmp_path / "other.h5", "holds no BIOM table")


def test_the_metadata_beside_real_tables_is_not_taken_for_one(shared_data: Path) -> None:
    for name in (
        "ad_skin_southafrica_chen2025/16S_AD_South-Africa_metadata_full.tsv",
        "moving_pictures_qiime2/sample-metadata.tsv",
        "phyloseq_globalpatterns_enterotype/enterotype_samples.csv",
        "gut_healthy_atlas1006/atlas1006_samples.csv",
        "ad_skin_antiIL22_rauer2023/Anti-IL22-baseline_metafile.txt",
    ):
        refused(shared_data / name, "metadata, perhaps")


def test_headerless_kingdom_rows_are_said_to_be_ambiguous(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("k__Bacteria\t90.0\nk__Eukaryota\t10.0\n")
    assert "would look the same" in read_laboratory_file(path).table.because
