"""What a laboratory file is, and how that was seen. A file that cannot be read is named, with the mend."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from dataclasses import dataclass
from typing import Literal

from biflora.errors import LaboratoryMust
from biflora.profile.names import SEQUENCE
from biflora.profile.readers.grids import SAMPLE_NAMES, TAXON_NAMES, VALUE_NAMES, is_number_grid
from biflora.profile.readers.metaphlan import metaphlan_version
from biflora.profile.readers.numbers import delimiter_of, grid, share_of_numbers

Kind = Literal[
    "biom_hdf5", "biom_json", "qza", "metaphlan", "kraken2", "bracken", "emu", "otu_tsv", "seqtab", "feature_rows",
    "number_grid", "long",
]  # fmt: skip
LARGEST_FILE = 1_500_000_000
LARGEST_UNPACKED = 2_000_000_000
READ = (
    "BIOM, QIIME 2 .qza, MetaPhlAn, Kraken2, Bracken, Emu, DADA2 or phyloseq CSV, an OTU TSV, "
    "or a CSV sample,taxon,count"
)
FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RDX", "an R data file (.RData)"),
    (b"X\n\x00\x00", "an R data file (.rds)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
    (b"BAM\x01", "a BAM file of aligned reads"),
    (b"SQLite format 3", "a database file"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """The format's kind, its name for people, and what gave it away."""

    kind: Kind
    name: str
    because: str


def unpacked(content: bytes, file_name: str) -> bytes:
    """The bytes themselves, or what is inside when the file is gzipped."""
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.open(io.BytesIO(content)) as packed:
            inside = packed.read(LARGEST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise LaboratoryMust(f"{file_name}: the gzip file is cut off or damaged; send it again.") from None
    if len(inside) > LARGEST_UNPACKED:
        raise LaboratoryMust(
            f"{file_name}: the gzip file unpacks to more than 2 GB; send the one patient's samples only."
        )
    return inside


def recognise(content: bytes, file_name: str) -> Recognised:
    """What the (unpacked) bytes are. Raises LaboratoryMust for empty, foreign and unrecognised files."""
    if not content.strip():
        raise LaboratoryMust(f"{file_name}: the file is empty; send it again.")
    if content[:8] == b"\x89HDF\r\n\x1a\n":
        return Recognised("biom_hdf5", "BIOM 2.1 (HDF5)", "the file begins with the HDF5 signature")
    if content[:4] == b"PK\x03\x04":
        if b"xl/workbook" in content or b"[Content_Types].xml" in content[:4000]:
            raise _foreign(file_name, "an Excel or Word document; save the sheet as CSV")
        return Recognised("qza", "QIIME 2 artifact", "a zip file with a QIIME 2 folder")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise LaboratoryMust(f"{file_name}: the text is in UTF-16 (Excel's 'Unicode text'); save it as UTF-8 CSV.")
    for signature, what in FOREIGN:
        if content.startswith(signature):
            raise _foreign(file_name, what)
    head = content[:200_000]
    if b"\x00" in head:
        raise _foreign(file_name, "a binary file of an unknown kind")
    return _recognise_text(as_text(content, file_name), file_name)


def as_text(content: bytes, file_name: str) -> str:
    """The text in UTF-8 (with or without mark) or, where that fails, Latin-1."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _foreign(file_name: str, what: str) -> LaboratoryMust:
    return LaboratoryMust(f"{file_name}: this is {what}, not a microbiome table. Send {READ}.")


def _recognise_text(text: str, file_name: str) -> Recognised:
    first = text.lstrip()[:1]
    if first in "{[":
        return _recognise_json(text, file_name)
    if first == ">":
        raise _foreign(file_name, "a FASTA file of sequences; classify them first")
    if first == "@" and "\n+" in text[:4000]:
        raise _foreign(file_name, "a FASTQ file of reads; classify them first")
    if first == "<":
        raise _foreign(file_name, "an HTML or XML page")
    lines = [line for line in text[:400_000].splitlines() if line.strip()]
    top = lines[:8]
    if any(line.startswith("#mpa_v") for line in top) or any(
        line.lstrip("#").split("\t")[0] in ("clade_name",) for line in top
    ):
        version = metaphlan_version(text)
        return Recognised(
            "metaphlan", f"MetaPhlAn {version}", "the header names a MetaPhlAn database or clade_name"
        )
    data = next((line for line in lines if not line.startswith("#")), "")
    if re.match(r"^k__\w+(?:\||\t)", data) and "\t" in data:
        return Recognised(
            "metaphlan", f"MetaPhlAn {metaphlan_version(text)}", "rows are clades k__...|p__... with shares"
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
    return _recognise_grid(text, header, file_name)


def _recognise_json(text: str, file_name: str) -> Recognised:
    if re.search(r'"format"\s*:\s*"Biological Observation Matrix', text) or '"matrix_type"' in text:
        return Recognised("biom_json", "BIOM 1.0 (JSON)", "the JSON says Biological Observation Matrix")
    try:
        json.loads(text)
    except json.JSONDecodeError as problem:
        raise LaboratoryMust(
            f"{file_name}: JSON that breaks off or is damaged at line {problem.lineno}; send the file again."
        ) from None
    except (RecursionError, ValueError):
        raise _foreign(file_name, "JSON, but no BIOM table") from None
    raise _foreign(file_name, "JSON, but no BIOM table")


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


def _recognise_grid(text: str, header: str, file_name: str) -> Recognised:
    mark = delimiter_of(header)
    cells = [cell.strip().strip('"') for cell in header.split(mark)]
    low = [cell.lower() for cell in cells]
    if len(cells) < 2:
        raise _foreign(file_name, "a text without columns")
    if (
        any(n in low for n in SAMPLE_NAMES)
        and any(n in low for n in TAXON_NAMES)
        and any(n in low for n in VALUE_NAMES)
    ):
        return Recognised("long", "long CSV", "the header names a sample, a taxon and a value")
    ranks = sum(name in ("kingdom", "phylum", "class", "order", "family", "genus", "species") for name in low)
    if low[1:2] in (["taxon"], ["taxonomy"]) or (ranks >= 2 and len(cells) <= ranks + 3):
        raise LaboratoryMust(
            f"{file_name}: this is a taxonomy, not a table of reads; give the table, and leave the taxonomy "
            "beside it."
        )
    sequences = sum(bool(SEQUENCE.match(cell)) for cell in cells)
    if 2 * sequences > len(cells):
        return Recognised("seqtab", "DADA2 sequence table (CSV)", "the columns are DNA sequences")
    if ranks >= 2:
        return Recognised(
            "feature_rows",
            "feature table with taxonomy columns",
            "numbers per sample and the columns Kingdom ... Species",
        )
    second = next((line for line in text.splitlines()[1:200] if line.strip() and not line.startswith("#")), "")
    if share_of_numbers([cell.strip('" ') for cell in second.split(mark)[1:]]) < 0.5:
        raise _foreign(file_name, "a text table whose cells are not counts or shares (metadata, perhaps)")
    rows = grid(text, file_name)
    if is_number_grid(rows):
        if rows[1:] and SEQUENCE.match(rows[1][0].strip()):
            return Recognised("feature_rows", "DADA2 sequence table (CSV), turned", "the rows are DNA sequences")
        return Recognised("number_grid", "table of taxa and samples", "a header, a column of names, and numbers")
    raise _foreign(file_name, "a text table whose cells are not counts or shares (metadata, perhaps)")
