"""Delimited tables: classic OTU TSV, DADA2 seqtab, phyloseq exports, taxa as columns, and the simple long form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from biflora.errors import LaboratoryMust
from biflora.knowledge.taxa import find_taxon, genus_row
from biflora.profile.names import PREFIX, RANKS, SEQUENCE, binomial, clean, split_lineage
from biflora.profile.readers.assay import guess_assay
from biflora.profile.readers.numbers import grid, number, share_of_numbers
from biflora.profile.table import (
    Feature,
    LabTable,
    Numbers,
    checked,
    from_dense,
    from_entries,
    listed,
    looks_like_counts,
    repeated,
)

RANK_COLUMNS = ("domain", "superkingdom", *RANKS)
TAXONOMY_COLUMNS = ("taxonomy", "taxon", "consensus lineage", "consensuslineage")
SEQUENCE_COLUMNS = ("sequence", "seq", "asv_sequence")
SAMPLE_NAMES = ("sample", "sample_id", "sampleid", "sample id", "sample-id")
TAXON_NAMES = ("taxon", "taxa", "species", "name", "feature", "otu", "genus", "clade_name", "organism")
VALUE_NAMES = (
    "count",
    "counts",
    "reads",
    "read_count",
    "share",
    "abundance",
    "relative_abundance",
    "fraction",
    "percent",
)


def read_feature_rows(text: str, file_name: str, because: str, format_name: str) -> LabTable:
    """Features in rows, samples in columns; columns of ranks, lineages or sequences are taken as such."""
    rows = grid(text, file_name)
    header = rows[0]
    low = [name.lower() for name in header]
    rank_at = [i for i, name in enumerate(low) if i > 0 and name in RANK_COLUMNS]
    lineage_at = [i for i, name in enumerate(low) if i > 0 and name in TAXONOMY_COLUMNS]
    sequence_at = [i for i, name in enumerate(low) if i > 0 and name in SEQUENCE_COLUMNS]
    skip = {0, *rank_at, *lineage_at, *sequence_at}
    at = [i for i in range(len(header)) if i not in skip]
    samples = [header[i] for i in at]
    matrix = _numbers(rows, at, file_name)
    features = []
    for row in rows[1:]:
        name = row[0].strip()
        lineage = tuple(row[i] for i in rank_at) or (split_lineage(row[lineage_at[0]]) if lineage_at else ())
        if not lineage and (";" in name or "|" in name):
            lineage = split_lineage(name)
        sequence = row[sequence_at[0]].strip() if sequence_at else name if SEQUENCE.match(name) else ""
        features.append(Feature(name=name, lineage=lineage, sequence=sequence))
    return _finished(file_name, format_name, because, samples, features, matrix.T)


def read_sample_rows(text: str, file_name: str, because: str, format_name: str) -> LabTable:
    """Samples in rows, taxa (names, lineages or sequences) in columns."""
    rows = grid(text, file_name)
    header = rows[0]
    matrix = _numbers(rows, list(range(1, len(header))), file_name)
    samples = [row[0].strip() for row in rows[1:]]
    features = []
    for name in header[1:]:
        lineage = split_lineage(name) if (";" in name or "|" in name or name.count(".") >= 3) else ()
        features.append(Feature(name=name, lineage=lineage, sequence=name if SEQUENCE.match(name) else ""))
    return _finished(file_name, format_name, because, samples, features, matrix)


def read_long(text: str, file_name: str, because: str) -> LabTable:
    """One row for each sample and taxon: `sample,taxon,count` (or a share in place of the count)."""
    rows = grid(text, file_name)
    low = [name.lower() for name in rows[0]]
    sample_at = next(low.index(name) for name in SAMPLE_NAMES if name in low)
    taxon_at = next(low.index(name) for name in TAXON_NAMES if name in low)
    value_at = next(low.index(name) for name in VALUE_NAMES if name in low)
    taxid_at = next(
        (low.index(name) for name in ("taxid", "ncbi_taxid", "tax_id", "taxonomy_id") if name in low), None
    )
    samples: dict[str, int] = {}
    places: dict[str, int] = {}
    features: list[Feature] = []
    entries: dict[tuple[int, int], float] = {}
    for line, row in enumerate(rows[1:], start=2):
        sample, taxon = row[sample_at].strip(), row[taxon_at].strip()
        if not sample or not taxon:
            raise LaboratoryMust(f"{file_name}, line {line}: the sample's or the taxon's name is empty; add it.")
        s = samples.setdefault(sample, len(samples))
        if taxon not in places:
            places[taxon] = len(features)
            taxid = row[taxid_at].strip() if taxid_at is not None else ""
            lineage = split_lineage(taxon) if (";" in taxon or "|" in taxon) else ()
            features.append(Feature(name=taxon, lineage=lineage, taxid=int(taxid) if taxid.isdigit() else None))
        key = (s, places[taxon])
        if key in entries:
            raise LaboratoryMust(
                f"{file_name}, line {line}: the same sample and taxon stand twice; add the two rows up or "
                "remove one."
            )
        entries[key] = number(row[value_at], file_name, line, rows[0][value_at])
    starts, at, values = from_entries(len(samples), ((s, f, v) for (s, f), v in entries.items()))
    sums = np.array([values[a:b].sum() for a, b in pairwise(starts)])
    counts = low[value_at] in ("count", "counts", "reads", "read_count") and looks_like_counts(values, sums)
    assay, why = guess_assay(features)
    return checked(
        LabTable(
            file_name, "long CSV (sample, taxon, value)", because,
            tuple(samples), tuple(features), starts, at, values,
            has_counts=counts, assay=assay, assay_because=why, names_fungi=_fungi(features),
        )
    )  # fmt: skip


def _numbers(rows: Sequence[Sequence[str]], at: Sequence[int], file_name: str) -> Numbers:
    body = rows[1:]
    if not body or not at:
        raise LaboratoryMust(f"{file_name}: the table has a header but no numbers; export it again with its rows.")
    try:
        matrix = np.array([[row[i] or "0" for i in at] for row in body], dtype=np.float64)
    except ValueError:
        matrix = np.array(
            [[number(row[i], file_name, line, rows[0][i]) for i in at] for line, row in enumerate(body, start=2)]
        )
    return matrix


def _finished(
    file_name: str,
    format_name: str,
    because: str,
    samples: Sequence[str],
    features: Sequence[Feature],
    matrix: Numbers,
) -> LabTable:
    twice = repeated([feature.name for feature in features])
    if twice:
        raise LaboratoryMust(
            f"{file_name}: the taxon '{twice[:60]}' stands more than once; add its rows up or give each its "
            "own name."
        )
    starts, places, values = from_dense(samples, matrix)
    assay, why = guess_assay(features)
    return checked(
        LabTable(
            file_name, format_name, because, tuple(samples), tuple(features), starts, places, values,
            has_counts=looks_like_counts(values, np.nansum(matrix, axis=1)), assay=assay, assay_because=why,
            names_fungi=_fungi(features),
        )
    )  # fmt: skip


def _fungi(features: Sequence[Feature]) -> bool:
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


def orientation(rows: Sequence[Sequence[str]], taxa_beside: frozenset[str], file_name: str) -> str:
    """`features` when taxa stand in rows, `samples` when samples do; LaboratoryMust when neither can be seen.

    A taxonomy beside the table decides; without one, the side whose names are taxa.
    """
    top = [name.strip() for name in rows[0][1:]]
    side = [row[0].strip() for row in rows[1:]]
    if taxa_beside:
        on_top, on_side = (len(taxa_beside.intersection(names)) for names in (top, side))
        if on_top or on_side:
            return "samples" if on_top > on_side else "features"
    on_top_share, on_side_share = looks_like_taxa(top[:400]), looks_like_taxa(side[:400])
    if max(on_top_share, on_side_share) < 0.3:
        raise LaboratoryMust(
            f"{file_name}: a table of numbers, but neither its header ({listed([n[:24] for n in top[:3]])} "
            "...) nor its "
            "first column names taxa; put the taxonomy beside it (same name with _tax or _taxa), or send "
            "taxon names."
        )
    corner = rows[0][0].strip()
    if on_side_share >= on_top_share and _is_taxon(corner) and share_of_numbers(top) == 1.0:
        raise LaboratoryMust(
            f"{file_name}, line 1: a taxon and numbers stand where the sample names belong; put a line such as "
            "'taxon,sample-1' above it."
        )
    return "samples" if on_top_share > on_side_share else "features"


def is_number_grid(rows: Sequence[Sequence[str]]) -> bool:
    """True when the cells right of the first column are numbers."""
    sample = [cell for row in rows[1:40] for cell in row[1:60] if cell.strip()]
    return bool(sample) and share_of_numbers(sample) > 0.95
