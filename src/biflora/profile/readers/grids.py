"""Delimited tables: classic OTU TSV, DADA2 seqtab, phyloseq exports, taxa as columns, QIIME 2 level tables.

Rows are read one at a time and only what is not zero is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from biflora.errors import LaboratoryMust
from biflora.knowledge.taxa import find_taxon, genus_row
from biflora.profile.names import PREFIX, RANKS, SEQUENCE, binomial, clean, split_lineage
from biflora.profile.readers.assay import guess_assay
from biflora.profile.readers.numbers import NO_READS, Delimited, plain, share_of_numbers
from biflora.profile.table import (
    MOST_ENTRIES,
    Feature,
    LabTable,
    Numbers,
    checked,
    from_entries,
    listed,
    looks_like_counts,
    repeated,
    row_sums,
    too_large,
)

RANK_COLUMNS = ("domain", "superkingdom", *RANKS)
TAXONOMY_COLUMNS = ("taxonomy", "taxon", "consensus lineage", "consensuslineage")
SEQUENCE_COLUMNS = ("sequence", "seq", "asv_sequence", "refseq")
BESIDE_NUMBERS = ("confidence", "consensus", "e-value", "evalue", "identity", "bootstrap")
"""Columns of numbers that a taxonomy brings with it and that are no samples."""
TOTALS = ("total", "sum", "totals", "all", "total_reads")
MEASURED = (
    "age", "age_years", "bmi", "height", "weight", "ph", "visit", "time", "timepoint", "day", "week", "month",
    "year", "depth", "read_depth", "shannon", "scorad", "easi", "subject", "patient", "batch", "plate", "run",
)  # fmt: skip
"""Numbers about the sample, not of a taxon, that stand beside taxa in tables with samples in rows."""
LINEAGE_COLUMN = re.compile(r"^(?:[kdpcofgs]|sk)__|^D_\d{1,2}__|^(?:Unassigned|Unclassified)(?:;|$)")
CHARTED = re.compile(r"^(?:[kd]|sk)__|^D_0__")
FEWEST_FOR_TEXT = 3
"""Rows from which a column without any number is taken as words, not as samples full of mistakes."""


def read_feature_rows(text: str, file_name: str, because: str, format_name: str) -> LabTable:
    """Features in rows, samples in columns; columns of ranks, lineages or sequences are taken as such."""
    source = Delimited(text, file_name)
    header = source.header
    low = [name.lower() for name in header]
    rank_at = {name: i for i, name in enumerate(low) if i > 0 and name in RANK_COLUMNS}
    lineage_at = [i for i, name in enumerate(low) if i > 0 and name in TAXONOMY_COLUMNS]
    sequence_at = [i for i, name in enumerate(low) if i > 0 and name in SEQUENCE_COLUMNS]
    charted = bool(lineage_at or rank_at)
    beside = [i for i, name in enumerate(low) if i > 0 and charted and name in BESIDE_NUMBERS]
    skip = {0, *rank_at.values(), *lineage_at, *sequence_at, *beside}
    words = [i for i in _columns_of_words(source.top, len(header)) if i not in skip]
    at = [i for i in range(len(header)) if i not in skip and i not in words]
    features: list[Feature] = []
    collected = _Entries(file_name)
    for line, row in source.rows():
        name = row[0].strip()
        lineage = _ranks(row, rank_at) if rank_at else split_lineage(row[lineage_at[0]]) if lineage_at else ()
        if not any(lineage) and (";" in name or "|" in name):
            lineage = split_lineage(name)
        sequence = row[sequence_at[0]].strip() if sequence_at else name if SEQUENCE.match(name) else ""
        features.append(Feature(name=name, lineage=lineage, sequence=sequence))
        collected.add(source.numbers(row, at, line))
    samples = [header[i] for i in at]
    remarks = [_left_out([header[i] for i in (*beside, *words)])] if beside or words else []
    table = _finished(
        file_name, format_name, because + source.comma_words, samples, features, collected, turned=True
    )
    return _without_totals(replace(table, remarks=(*table.remarks, *remarks)))


def read_sample_rows(text: str, file_name: str, because: str, format_name: str) -> LabTable:
    """Samples in rows, taxa (names, lineages or sequences) in columns; columns of words are left out, and said.

    Where columns are lineages (QIIME 2's exported levels), all others but `Unassigned` are metadata.
    """
    source = Delimited(text, file_name)
    header = source.header
    at = list(range(1, len(header)))
    lineages = [i for i in at if LINEAGE_COLUMN.match(header[i]) or ";" in header[i]]
    if any(CHARTED.match(name) for name in header[1:]) or 2 * len(lineages) > len(at):
        at = lineages
    else:
        words = set(_columns_of_words(source.top, len(header)))
        at = [i for i in at if i not in words and header[i].lower() not in MEASURED]
    samples: list[str] = []
    collected = _Entries(file_name)
    for line, row in source.rows():
        samples.append(row[0].strip())
        collected.add(source.numbers(row, at, line))
    features = [_column_feature(header[i]) for i in at]
    lost = [header[i] for i in range(1, len(header)) if i not in set(at)] if len(at) + 1 < len(header) else []
    table = _finished(
        file_name, format_name, because + source.comma_words, samples, features, collected, turned=False
    )
    return replace(table, remarks=(*table.remarks, *([_left_out(lost)] if lost else [])))


def _column_feature(name: str) -> Feature:
    lineage = split_lineage(name) if (";" in name or "|" in name or name.count(".") >= 3) else ()
    if not lineage and CHARTED.match(name):
        lineage = (name,)
    return Feature(name=name, lineage=lineage, sequence=name if SEQUENCE.match(name) else "")


def _ranks(row: Sequence[str], rank_at: dict[str, int]) -> tuple[str, ...]:
    """Names from kingdom to species; a table that begins at the phylum is padded, so that a genus is sixth."""
    top = next((row[rank_at[name]] for name in ("kingdom", "domain", "superkingdom") if name in rank_at), "")
    return (top, *(row[rank_at[rank]] if rank in rank_at else "" for rank in RANKS[1:]))


def _columns_of_words(top: Sequence[Sequence[str]], width: int) -> list[int]:
    """Columns in whose first rows no cell is a number (an empty cell or NA says nothing)."""
    if len(top) < FEWEST_FOR_TEXT:
        return []
    found = []
    for i in range(1, width):
        said = [row[i] for row in top if len(row) == width and row[i].strip() not in NO_READS]
        if len(said) >= FEWEST_FOR_TEXT and share_of_numbers(said) == 0:
            found.append(i)
    return found


def _left_out(names: Sequence[str]) -> tuple[str, str]:
    return (
        "columns_left_out",
        f"Left out, because they hold no reads of a taxon: {listed([plain(name) for name in names])}. The "
        "laboratory says if one of them does.",
    )


def _without_totals(table: LabTable) -> LabTable:
    """A last column that is the sum of all others is no sample."""
    last = table.samples[-1]
    if len(table.samples) < 3 or last.lower() not in TOTALS:
        return table
    sums = np.bincount(table.places, weights=table.values, minlength=len(table.features))
    if not np.allclose(sums, 2 * table.row(last)):
        return table
    starts = table.starts[:-1]
    end = int(starts[-1])
    return replace(
        table, samples=table.samples[:-1], starts=starts, places=table.places[:end], values=table.values[:end],
        remarks=(*table.remarks, _left_out([last])),
    )  # fmt: skip


class _Entries:
    """What is not zero, row by row."""

    def __init__(self, file_name: str) -> None:
        self.file_name = file_name
        self.places: list[NDArray[np.int32]] = []
        self.values: list[Numbers] = []
        self.count = 0

    def add(self, numbers: Sequence[float]) -> None:
        row = np.array(numbers, dtype=np.float64)
        kept = np.flatnonzero(row)
        self.count += len(kept)
        if self.count > MOST_ENTRIES:
            raise too_large(self.file_name)
        self.places.append(kept.astype(np.int32))
        self.values.append(row[kept])


def _finished(
    file_name: str,
    format_name: str,
    because: str,
    samples: Sequence[str],
    features: Sequence[Feature],
    collected: _Entries,
    *,
    turned: bool,
) -> LabTable:
    """`turned`: the collected rows are features, not samples."""
    if not collected.places or not samples or not features:
        raise LaboratoryMust(f"{file_name}: the table has a header but no numbers; export it again with its rows.")
    twice = repeated([feature.name for feature in features])
    if twice:
        raise LaboratoryMust(
            f"{file_name}: the taxon '{plain(twice)}' stands more than once; add its rows up or give each its own "
            "name."
        )
    rows = np.repeat(np.arange(len(collected.places), dtype=np.int32), [len(part) for part in collected.places])
    columns, values = np.concatenate(collected.places), np.concatenate(collected.values)
    collected.places.clear()
    collected.values.clear()
    at, of = (columns, rows) if turned else (rows, columns)
    starts, places, values = from_entries(len(samples), at, of, values)
    assay, why = guess_assay(features)
    return checked(
        LabTable(
            file_name, format_name, because, tuple(samples), tuple(features), starts, places, values,
            has_counts=looks_like_counts(values, row_sums(starts, values)), assay=assay, assay_because=why,
            names_fungi=any_fungi(features),
        )
    )  # fmt: skip


def any_fungi(features: Sequence[Feature]) -> bool:
    """True when a fungus is named, so that its database could see fungi."""
    return any(
        (row := genus_row(binomial(clean(feature.name))[0])) is not None and row.kingdom == "fungi"
        for feature in features
    )


def looks_like_taxa(names: Sequence[str]) -> float:
    """Which part of the names are taxa: known ones, lineages, sequences or binomials."""
    if not names:
        return 0.0
    return sum(_is_taxon(name) for name in names) / len(names)


def _is_taxon(name: str) -> bool:
    name = name.strip()
    if SEQUENCE.match(name) or PREFIX.match(name) or name.startswith(("Bacteria.", "Archaea.", "Eukaryota.")):
        return True
    text = clean(name)
    genus, epithet = binomial(text)
    if genus_row(genus) is not None or find_taxon(text) is not None:
        return True
    return bool(genus and epithet) or bool(re.search(r"aceae\b|_SGB\d+", name))


def orientation(source: Delimited, taxa_beside: frozenset[str]) -> tuple[str, str]:
    """(`features` when taxa stand in rows or `samples` when samples do, why); LaboratoryMust when neither is seen.

    A taxonomy beside the table decides; without one, the side whose names are taxa.
    """
    file_name = source.file_name
    top = source.header[1:]
    side = [cells[0].strip() for _, cells in source.rows()]
    if taxa_beside:
        on_top, on_side = (len(taxa_beside.intersection(names)) for names in (top, side))
        if on_top or on_side:
            way = "samples" if on_top > on_side else "features"
            return way, f"the taxonomy beside it names {max(on_top, on_side)} of the {_places(way)}"
    on_top_share, on_side_share = looks_like_taxa(top[:400]), looks_like_taxa(side[:400])
    if max(on_top_share, on_side_share) < 0.3:
        raise LaboratoryMust(
            f"{file_name}: a table of numbers, but neither its header ({listed([plain(n)[:24] for n in top[:3]])} "
            "...) nor its first column names taxa; put the taxonomy beside it (same name with _tax or _taxa), or "
            "send taxon names."
        )
    corner = source.header[0].strip()
    if on_side_share >= on_top_share and _is_taxon(corner) and share_of_numbers(top) == 1.0:
        raise LaboratoryMust(
            f"{file_name}, line 1: a taxon and numbers stand where the sample names belong; put a line such as "
            "'taxon,sample-1' above it."
        )
    way = "samples" if on_top_share > on_side_share else "features"
    high, low = max(on_top_share, on_side_share), min(on_top_share, on_side_share)
    doubt = f"; but {100 * low:.0f} % of the other side's names look like taxa too" if low >= 0.3 else ""
    return way, f"{100 * high:.0f} % of the {_places(way)} are taxa{doubt}"


def _places(way: str) -> str:
    return "column names" if way == "samples" else "row names"
