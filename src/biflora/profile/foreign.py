"""Files that are no microbiome table: what each is, and what to send instead."""

from __future__ import annotations

import io
import re
import zipfile

from biflora.errors import LaboratoryMust
from biflora.profile.readers.qiime2 import opened_zip

READ = (
    "BIOM, QIIME 2 .qza, MetaPhlAn, Kraken2, Bracken, Emu, uBiome, mothur, DADA2 or phyloseq CSV, an OTU TSV, or "
    "a CSV sample,taxon,count"
)
R_LINES = "; ".join(f'write.csv(as({part}_table(ps), "matrix"), "NAME_{part}.csv")' for part in ("otu", "tax"))
R_DATA = (
    "an R data file{kind}, which biflora does not open. In R, {load}, then for a phyloseq object ps: "
    f"{R_LINES}; give NAME_otu.csv, and leave NAME_tax.csv beside it"
)
SAVED_RDS = R_DATA.format(kind=" (.rds)", load='run ps <- readRDS("NAME.rds")')
SAVED_RDATA = R_DATA.format(kind=" (.RData)", load='run load("NAME.RData")')
SIGNATURES = (
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "a text processor's document (RTF)"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"RDX", SAVED_RDATA),
    (b"RDA", SAVED_RDATA),
    (b"X\n\x00\x00", SAVED_RDS),
    (b"A\n2\n", SAVED_RDS),
    (b"A\n3\n", SAVED_RDS),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document; save the sheet as CSV"),
    (b"BAM\x01", "a BAM file of aligned reads; classify the reads first"),
    (b"CRAM", "a CRAM file of aligned reads; classify the reads first"),
    (b"SQLite format 3", "a database file"),
    (b"PAR1", "a Parquet file; export it as CSV"),
    (b"ARROW1", "an Arrow or Feather file; export it as CSV"),
    (b"\x93NUMPY", "a NumPy array without names; export it as CSV with samples and taxa"),
    (b"\x80\x04", "a Python pickle, which biflora does not open; export it as CSV"),
    (b"\x80\x05", "a Python pickle, which biflora does not open; export it as CSV"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it and give the table inside"),
    (b"Rar!", "a RAR archive; unpack it and give the table inside"),
    (b"BZh", "a bzip2 file; unpack it and give the table inside"),
    (b"\xfd7zXZ", "an xz file; unpack it and give the table inside"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; unpack it and give the table inside"),
    (b"\x1f\x8b", "a gzip file inside a gzip file; unpack it once"),
)
FIRST_LINES = (
    (re.compile(r"##fileformat=VCF"), "a VCF file of genetic variants; it holds no taxa"),
    (re.compile(r"##gff-version"), "a GFF file of gene annotations; it holds no taxa"),
    (re.compile(r"@(?:HD|SQ|RG|PG|CO)\t"), "a SAM file of aligned reads; classify the reads first"),
    (re.compile(r"\[Header\]", re.I), "an Illumina sample sheet; it names the samples but holds no reads"),
    (re.compile(r"(?:#NEXUS|\(.*\)[^\t]*;\s*$)", re.I), "a tree; give the table, and leave the tree out"),
    (re.compile(r">"), "a FASTA file of sequences; classify them first"),
)
PER_READ = re.compile(r"[CU]\t\S+\t[^\t]*\t\d+(?:\|\d+)?\t(?:[\dA|:\- ]|A:\d)*$")
BOWTIE2 = re.compile(r"\S+\t\S*(?:\|SGB\d+|\|[kt]__|UniRef90_\S+\||__\w+\|)\S*$")
NESTED_COUNTS = re.compile(r"[kd]__[^\t]+\t\d{1,15}$")
RAW_READS = re.compile(r"\.(?:fastq|fq|bam|sam|cram|fast5|pod5|sra)(?:\.gz|\.bz2)?$", re.I)


def refusal(file_name: str, what: str) -> LaboratoryMust:
    """`FILE: this is WHAT, not a microbiome table. Send ...`"""
    if what in (SAVED_RDS, SAVED_RDATA):  # says all that there is to do
        return LaboratoryMust(f"{file_name}: this is {what}.")
    return LaboratoryMust(f"{file_name}: this is {what}; it is not a microbiome table. Send {READ}.")


def foreign_bytes(content: bytes, file_name: str = "") -> str:
    """What a foreign file is by its first bytes; empty when they say nothing.

    R packs its data files with gzip, bzip2 or xz: there the name tells.
    """
    if content.startswith((b"BZh", b"\xfd7zXZ")) and re.search(r"\.(?:rda|rdata|rds)$", file_name, re.I):
        return SAVED_RDS if file_name.lower().endswith(".rds") else SAVED_RDATA
    for signature, what in SIGNATURES:
        if content.startswith(signature):
            return what
    if content[257:262] == b"ustar":
        return "a tar archive; unpack it and give the table inside"
    return ""


def foreign_lines(lines: list[str]) -> str:
    """What a foreign text is by its first lines (not empty ones); empty when they say nothing."""
    first = lines[0]
    for pattern, what in FIRST_LINES:
        if pattern.match(first):
            return what
    if first.startswith("@") and any(line.startswith("+") for line in lines[1:4]):
        return "a FASTQ file of reads; classify them first"
    if first.lstrip().startswith("<"):
        return "an HTML or XML page (a download that needed a login, perhaps); fetch the file itself"
    few = lines[:5]
    if all(PER_READ.match(line) for line in few):
        return "Kraken2's output read by read, not its report; send the file of --report, or Bracken's table"
    if all(NESTED_COUNTS.match(line) for line in few) and any(int(line.split("\t")[1]) > 100 for line in few):
        return (
            "Kraken2's report in MetaPhlAn's style, whose counts are nested; send the ordinary report (without "
            "--use-mpa-style), or Bracken's table"
        )
    if all(BOWTIE2.match(line) for line in few):
        return "MetaPhlAn's bowtie2 output (reads against markers), not its profile; send the file named with -o"
    return ""


def foreign_json(keys: set[str]) -> str:
    """What a JSON file without a table is, by the names in its outermost object."""
    if "resourceType" in keys:
        return "a FHIR resource (JSON), but no BIOM table"
    if {"summary", "read1_before_filtering"} & keys and "command" in keys:
        return "fastp's quality report (JSON), but no BIOM table"
    return "JSON, but no BIOM table (metadata, perhaps)"


def foreign_zip(content: bytes, file_name: str) -> str:
    """What a zip file is when it is no QIIME 2 artifact; empty when it is one."""
    try:
        opened = opened_zip(content, file_name)
    except LaboratoryMust:
        # A damaged workbook still shows its parts' names.
        if b"xl/workbook" in content or b"[Content_Types].xml" in content[:4000]:
            return "an Excel or Word document; save the sheet as CSV"
        raise
    names = [name for name in opened.namelist() if not name.endswith("/") and "__MACOSX" not in name]
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook; save the sheet as CSV"
    if any(name.startswith("word/") or name == "[Content_Types].xml" for name in names):
        return "an Excel or Word document; save the sheet as CSV"
    if "mimetype" in names and any(name == "content.xml" for name in names):
        return "an OpenDocument file; save the sheet as CSV"
    roots = {name.split("/")[0] for name in names}
    if len(roots) == 1 and any(name.endswith("/metadata.yaml") for name in names):
        return ""
    if any(name.endswith(".npy") for name in names):
        return "a NumPy archive; export it as CSV with samples and taxa"
    what = "one file" if len(names) == 1 else f"{len(names)} files"
    return f"a zip file of {what} and no QIIME 2 artifact; unpack it and give the table inside"


def is_zip(content: bytes) -> bool:
    """True for a zip file with or without members."""
    return content[:4] in (b"PK\x03\x04", b"PK\x05\x06") or (
        content[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(content))
    )
