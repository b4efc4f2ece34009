"""What a laboratory file is, and how that was seen. A file that cannot be read is named, with the mend."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from biflora.errors import LaboratoryMust
from biflora.profile.foreign import (
    RAW_READS,
    foreign_bytes,
    foreign_json,
    foreign_lines,
    foreign_zip,
    is_zip,
    refusal,
)
from biflora.profile.names import SEQUENCE
from biflora.profile.readers.grids import BESIDE_NUMBERS, CHARTED, TAXONOMY_COLUMNS, looks_like_taxa
from biflora.profile.readers.long import SAMPLE_NAMES, SHARED_LEAD, TAXON_NAMES, VALUE_NAMES
from biflora.profile.readers.metaphlan import metaphlan_version
from biflora.profile.readers.numbers import Delimited, delimiter_of, lines_of, share_of_numbers
from biflora.profile.readers.ubiome import KEY as UBIOME
from biflora.profile.readers.ubiome import NEEDED as UBIOME_COLUMNS

Kind = Literal[
    "biom_hdf5", "biom_json", "qza", "metaphlan", "kraken2", "bracken", "emu", "otu_tsv", "seqtab", "feature_rows",
    "number_grid", "long", "level_table", "shared", "ubiome_json", "ubiome_csv",
]  # fmt: skip
GZIP = b"\x1f\x8b"
LARGEST_FILE = 300_000_000
"""Bytes of a file that is opened, and of what it may unpack to: a cohort's table is far smaller."""
LARGEST_UNPACKED = LARGEST_FILE
LARGEST_WIDE_TEXT = 100_000_000
"""Bytes of a text with letters outside ASCII, which takes up to four times its size in memory."""
LOOKED_AT = 400_000
"""Characters that are looked at to recognise a text."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The format's kind, its name for people, and what gave it away."""

    kind: Kind
    name: str
    because: str


def too_big(size: int, file_name: str) -> LaboratoryMust:
    """The refusal of a file by its size alone, before a byte of it is read."""
    reads = " By its name it holds raw reads: classify them first." if RAW_READS.search(file_name) else ""
    return LaboratoryMust(
        f"{file_name}: the file has {size / 1e9:.1f} GB and biflora opens tables up to {LARGEST_FILE / 1e9:.1f} "
        f"GB; send the one patient's samples only.{reads}"
    )


def unpacked(content: bytes, file_name: str) -> bytes:
    """The bytes themselves, or what is inside when the file is gzipped."""
    if content[:2] != GZIP:
        return content
    try:
        with gzip.open(io.BytesIO(content)) as packed:
            head = packed.read(100_000)
            # A gzipped FASTQ is named as such even when it would unpack beyond the limit.
            lines = [line for _, line in lines_of(head.decode("latin-1")) if line.strip()]
            what = foreign_bytes(head) or (foreign_lines(lines) if lines and b"\x00" not in head else "")
            if what:
                raise refusal(file_name, what)
            packed.seek(0)  # unpacking the head twice costs less than copying the whole
            inside = packed.read(LARGEST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise LaboratoryMust(f"{file_name}: the gzip file is cut off or damaged; send it again.") from None
    if len(inside) > LARGEST_UNPACKED:
        raise LaboratoryMust(
            f"{file_name}: the gzip file unpacks to more than {LARGEST_UNPACKED / 1e9:.1f} GB; send the one "
            "patient's samples only."
        )
    return inside


def recognise(content: bytes, file_name: str) -> Recognised:
    """What the (unpacked) bytes are. Raises LaboratoryMust for empty, foreign and unrecognised files."""
    if not content[:LOOKED_AT].strip() and not content.strip():
        raise LaboratoryMust(f"{file_name}: the file is empty; send it again.")
    if content[:8] == b"\x89HDF\r\n\x1a\n":
        return Recognised("biom_hdf5", "BIOM 2.1 (HDF5)", "the file begins with the HDF5 signature")
    if is_zip(content):
        what = foreign_zip(content, file_name)
        if what:
            raise refusal(file_name, what)
        return Recognised("qza", "QIIME 2 artifact", "a zip file with a QIIME 2 folder")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise LaboratoryMust(f"{file_name}: the text is in UTF-16 (Excel's 'Unicode text'); save it as UTF-8 CSV.")
    what = foreign_bytes(content, file_name)
    if what:
        raise refusal(file_name, what)
    head = content[:LOOKED_AT]
    if b"\x00" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) > 0.4 * len(head) / 2 and min(even, odd) == 0:
            raise LaboratoryMust(f"{file_name}: the text is in UTF-16 without its mark; save it as UTF-8 CSV.")
        raise refusal(file_name, "a binary file of an unknown kind")
    return _recognise_text(as_text(content, file_name), file_name)


def as_text(content: bytes, file_name: str) -> str:
    """The text in UTF-8 (with or without mark) or, where that fails, Latin-1."""
    if len(content) > LARGEST_WIDE_TEXT and not content.isascii():
        raise LaboratoryMust(
            f"{file_name}: the text is larger than {LARGEST_WIDE_TEXT / 1e9:.1f} GB and not plain ASCII; send the "
            "one patient's samples only."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _recognise_text(text: str, file_name: str) -> Recognised:
    head = text[:LOOKED_AT]
    start = head.lstrip()[:8]
    if start[:1] in ("{", "[") and start.lower() != "[header]":
        return _recognise_json(text, file_name)
    lines = [line for _, line in lines_of(head) if line.strip()]
    if not lines:
        raise LaboratoryMust(f"{file_name}: the file begins with a long empty stretch; export it again.")
    what = foreign_lines(lines)
    if what:
        raise refusal(file_name, what)
    top = lines[:8]
    if any(line.startswith("#mpa_v") for line in top) or any(
        line.lstrip("#").split("\t")[0] in ("clade_name",) for line in top
    ):
        return Recognised(
            "metaphlan",
            f"MetaPhlAn {metaphlan_version(head)}",
            "the header names a MetaPhlAn database or clade_name",
        )
    data = [line for line in lines[:LOOKED_AT] if not line.startswith("#")]
    if data and re.match(r"^k__\w+(?:\||\t)", data[0]) and "\t" in data[0]:
        doubt = (
            "" if any("|p__" in line for line in data[:50]) else "; a plain table of kingdoms would look the same"
        )
        return Recognised(
            "metaphlan",
            f"MetaPhlAn {metaphlan_version(head)}",
            f"rows are clades k__...|p__... with shares, without a header{doubt}",
        )
    header = lines[0]
    if header.startswith("name\ttaxonomy_id\ttaxonomy_lvl\t"):
        return Recognised("bracken", "Bracken", "the header is Bracken's (name, taxonomy_id, taxonomy_lvl, ...)")
    if header.startswith("tax_id\tabundance"):
        return Recognised("emu", "Emu", "the header is Emu's (tax_id, abundance, ...)")
    if _is_kraken(lines):
        return Recognised(
            "kraken2", "Kraken2 report", "columns are percent, reads, reads, rank code, taxonomy id, name"
        )
    if header.startswith("# Constructed from biom file") or header.lstrip("#").lower().startswith("otu id"):
        return Recognised("otu_tsv", "OTU table (TSV)", "the header is the classic '#OTU ID'")
    return _recognise_grid(text, header, lines, file_name)


def _recognise_json(text: str, file_name: str) -> Recognised:
    if re.search(r'"format"\s*:\s*"Biological Observation Matrix', text) or '"matrix_type"' in text:
        return Recognised("biom_json", "BIOM 1.0 (JSON)", "the JSON says Biological Observation Matrix")
    if f'"{UBIOME}"' in text[:10_000]:
        return Recognised("ubiome_json", "uBiome JSON", f"the JSON's list is named {UBIOME}")
    if len(text) > 20_000_000:
        raise refusal(file_name, foreign_json(set()))
    try:
        given = json.loads(text)
    except json.JSONDecodeError as problem:
        raise LaboratoryMust(
            f"{file_name}: JSON that breaks off or is damaged at line {problem.lineno}; send the file again."
        ) from None
    except (RecursionError, ValueError):
        raise refusal(file_name, foreign_json(set())) from None
    raise refusal(file_name, foreign_json(set(given) if isinstance(given, dict) else set()))


def _is_kraken(lines: list[str]) -> bool:
    seen = 0
    for line in lines[:5]:
        cells = line.split("\t")
        if len(cells) not in (6, 8) or not re.fullmatch(r"\s*\d+(?:\.\d+)?", cells[0]):
            return False
        if not re.fullmatch(r"\s*(?:[URDKPCOFGS]\d*|-)\s*", cells[-3]):
            return False
        seen += 1
    return seen > 0


def _recognise_grid(text: str, header: str, lines: list[str], file_name: str) -> Recognised:
    mark = delimiter_of(header)
    cells = [cell.strip().strip('"') for cell in header.split(mark)]
    low = [cell.lower() for cell in cells]
    if len(cells) < 2:
        raise refusal(file_name, "a text without columns")
    if set(UBIOME_COLUMNS) <= set(low):
        return Recognised(
            "ubiome_csv", "uBiome CSV", "the header is uBiome's (count, parent, tax_rank, taxon, tax_name)"
        )
    if tuple(low[:2]) == SHARED_LEAD and low[2:3] and low[2].startswith("num"):
        return Recognised("shared", "mothur shared table", "the header is mothur's (label, Group, numOtus, ...)")
    if (
        any(n in low for n in SAMPLE_NAMES)
        and any(n in low for n in TAXON_NAMES)
        and any(n in low for n in VALUE_NAMES)
    ):
        return Recognised("long", "long CSV", "the header names a sample, a taxon and a value")
    if any(CHARTED.match(cell) for cell in cells[1:]):
        return Recognised(
            "level_table", "table of lineages in columns (QIIME 2 level)", "column names are lineages"
        )
    ranks = sum(name in ("kingdom", "phylum", "class", "order", "family", "genus", "species") for name in low)
    lineages = any(name in TAXONOMY_COLUMNS for name in low[1:])
    few = len(cells) <= ranks + 3
    if all(_is_rank(name) for name in low[1:]) or (
        (lineages or ranks >= 2) and few and not _any_number_column(lines, mark, low)
    ):
        raise LaboratoryMust(
            f"{file_name}: this is a taxonomy, not a table of reads; give the table, and leave the taxonomy "
            "beside it."
        )
    sequences = sum(bool(SEQUENCE.match(cell)) for cell in cells)
    if 2 * sequences > len(cells):
        return Recognised("seqtab", "DADA2 sequence table (CSV)", "the columns are DNA sequences")
    if ranks >= 2 or lineages:
        columns = "a column of lineages" if lineages else "the columns Kingdom ... Species"
        return Recognised(
            "feature_rows", "feature table with taxonomy columns", f"numbers per sample and {columns}"
        )
    return _recognise_numbers(text, file_name)


def _any_number_column(lines: list[str], mark: str, low: list[str]) -> bool:
    """True when a column that is no rank and not the first holds numbers: a table with few samples."""
    at = [i for i, name in enumerate(low) if i > 0 and name not in _NO_SAMPLES and not _is_rank(name)]
    rows = [line.split(mark) for line in lines[1:50]]
    return any(share_of_numbers([row[i].strip('" ') for row in rows if len(row) == len(low)]) == 1 for i in at)


_NO_SAMPLES = (*TAXONOMY_COLUMNS, *BESIDE_NUMBERS, "size", "taxid", "tax_id", "ncbi_taxid")


def _is_rank(name: str) -> bool:
    return name in ("domain", "superkingdom", "kingdom", "phylum", "class", "order", "family", "genus", "species")


def _recognise_numbers(text: str, file_name: str) -> Recognised:
    source = Delimited(text, file_name)
    width = len(source.header)
    body = [row for row in source.top if len(row) == width]
    if not body:
        if any(share_of_numbers([cell.strip() for cell in row[1:]]) >= 0.5 for row in source.top[:20]):
            for _ in islice(source.rows(), 1):  # says which row is too short or too long
                pass
        raise refusal(file_name, "a text, or a table without rows of numbers")
    cells = [cell.strip() for row in body[:40] for cell in row[1:60] if cell.strip()]
    columns = [[row[i].strip() for row in body if row[i].strip()] for i in range(1, min(width, 200))]
    numeric = sum(share_of_numbers(column) > 0.5 for column in columns)
    few_numbers = share_of_numbers(cells) <= 0.5 and 2 * numeric <= len(columns)
    if few_numbers and (not numeric or looks_like_taxa([row[0] for row in body]) < 0.5):
        raise refusal(file_name, "a text table whose cells are not counts or shares (metadata, perhaps)")
    if SEQUENCE.match(body[0][0].strip()):
        return Recognised("feature_rows", "DADA2 sequence table (CSV), turned", "the rows are DNA sequences")
    return Recognised("number_grid", "table of taxa and samples", "a header, a column of names, and numbers")
