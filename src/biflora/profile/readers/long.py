"""One row for each sample and taxon: the simple long CSV, phyloseq's psmelt, and mothur's shared table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biflora.errors import LaboratoryMust
from biflora.profile.names import RANKS, split_lineage
from biflora.profile.readers.assay import guess_assay
from biflora.profile.readers.grids import any_fungi
from biflora.profile.readers.numbers import Delimited, plain, whole_number
from biflora.profile.table import (
    MOST_ENTRIES,
    Feature,
    LabTable,
    Numbers,
    checked,
    from_entries,
    listed,
    looks_like_counts,
    row_sums,
    too_large,
)

SAMPLE_NAMES = ("sample", "sample_id", "sampleid", "sample id", "sample-id")
FEATURE_NAMES = ("otu", "asv", "feature", "feature_id")
TAXON_NAMES = (*FEATURE_NAMES, "taxon", "taxa", "species", "name", "genus", "clade_name", "organism")
"""A feature's own code goes before the name of a rank, which may stand in many rows."""
COUNT_NAMES = ("count", "counts", "reads", "read_count")
VALUE_NAMES = (*COUNT_NAMES, "share", "abundance", "relative_abundance", "fraction", "percent")
TAXID_NAMES = ("taxid", "ncbi_taxid", "tax_id", "taxonomy_id")
SHARED_LEAD = ("label", "group")
USUAL_LABELS = ("0.03", "asv")
"""mothur's cut-off of 3 % is the customary OTU; one label is read where a file holds several."""


def read_long(text: str, file_name: str, because: str) -> LabTable:
    """`sample,taxon,count` (or a share in place of the count), with columns of ranks where psmelt gives them."""
    source = Delimited(text, file_name)
    low = [name.lower() for name in source.header]
    sample_at = next(low.index(name) for name in SAMPLE_NAMES if name in low)
    taxon_at = next(low.index(name) for name in TAXON_NAMES if name in low)
    value_at = next(low.index(name) for name in VALUE_NAMES if name in low)
    taxid_at = next((low.index(name) for name in TAXID_NAMES if name in low), None)
    rank_at = [low.index(rank) if rank in low else -1 for rank in RANKS] if low[taxon_at] in FEATURE_NAMES else []
    ranked = any(i >= 0 for i in rank_at)
    samples: dict[str, int] = {}
    places: dict[str, int] = {}
    features: list[Feature] = []
    entries: dict[tuple[int, int], float] = {}
    for line, row in source.rows():
        sample, taxon = row[sample_at].strip(), row[taxon_at].strip()
        if not sample or not taxon:
            raise LaboratoryMust(f"{file_name}, line {line}: the sample's or the taxon's name is empty; add it.")
        s = samples.setdefault(sample, len(samples))
        if taxon not in places:
            places[taxon] = len(features)
            lineage = tuple(row[i] if i >= 0 else "" for i in rank_at) if ranked else ()
            if not lineage and (";" in taxon or "|" in taxon):
                lineage = split_lineage(taxon)
            taxid = whole_number(row[taxid_at]) if taxid_at is not None else None
            features.append(Feature(name=taxon, lineage=lineage, taxid=taxid))
        key = (s, places[taxon])
        if key in entries:
            raise LaboratoryMust(
                f"{file_name}, line {line}: the same sample and taxon stand twice; add the two rows up or remove "
                "one."
            )
        entries[key] = source.numbers(row, [value_at], line)[0]
        if len(entries) > MOST_ENTRIES // 10:
            raise too_large(file_name)
    at = np.array(list(entries), dtype=np.int64).reshape(-1, 2)
    starts, of, values = from_entries(len(samples), at[:, 0], at[:, 1], np.array(list(entries.values())))
    counted = low[value_at] in COUNT_NAMES or (ranked and low[value_at] == "abundance")
    assay, why = guess_assay(features)
    return checked(
        LabTable(
            file_name,
            "phyloseq psmelt (long CSV)" if ranked else "long CSV (sample, taxon, value)",
            because + source.comma_words,
            tuple(samples),
            tuple(features),
            starts,
            of,
            values,
            has_counts=counted and looks_like_counts(values, row_sums(starts, values)),
            assay=assay,
            assay_because=why,
            names_fungi=any_fungi(features),
        )
    )


def read_shared(text: str, file_name: str, because: str) -> LabTable:
    """mothur's shared table: label, Group (the sample), numOtus, then one column for each OTU."""
    source = Delimited(text, file_name)
    header = source.header
    taxa_at = list(range(3, len(header)))
    labels: dict[str, list[str]] = {}
    for line, row in source.rows():
        if not row[1].strip():
            raise LaboratoryMust(f"{file_name}, line {line}: the sample's name (Group) is empty; add it.")
        labels.setdefault(row[0].strip(), []).append(row[1].strip())
    if not labels or not taxa_at:
        raise LaboratoryMust(f"{file_name}: the shared table holds no sample or no OTU; run make.shared again.")
    chosen = next((label for label in labels if label.lower() in USUAL_LABELS), next(iter(labels)))
    if len(labels) > 1 and chosen.lower() not in USUAL_LABELS:
        raise LaboratoryMust(
            f"{file_name}: the shared table holds {len(labels)} clusterings of the same reads "
            f"({listed([plain(label) for label in labels])}); send the one that the report rests on."
        )
    samples = labels[chosen]
    at: list[NDArray[np.int64]] = []
    of: list[NDArray[np.int64]] = []
    values: list[Numbers] = []
    for line, row in source.rows():
        if row[0].strip() != chosen:
            continue
        reads = np.array(source.numbers(row, taxa_at, line))
        kept = np.flatnonzero(reads)
        at.append(np.full(len(kept), len(at), dtype=np.int64))
        of.append(kept)
        values.append(reads[kept])
        if sum(map(len, of)) > MOST_ENTRIES:
            raise too_large(file_name)
    parts = from_entries(len(samples), np.concatenate(at), np.concatenate(of), np.concatenate(values))
    remarks = (
        (
            "one_label_read",
            f"The shared table holds {len(labels)} clusterings of the same reads; the one labelled "
            f"{plain(chosen)} was read.",
        ),
    )
    return checked(
        LabTable(
            file_name,
            "mothur shared table",
            f"{because}; label {plain(chosen)}",
            tuple(samples),
            tuple(Feature(name=header[i]) for i in taxa_at),
            *parts,
            has_counts=looks_like_counts(parts[2], row_sums(parts[0], parts[2])),
            assay="16S",
            assay_because="mothur clusters marker genes; the region is not written in the file",
            remarks=remarks if len(labels) > 1 else (),
            profiler=f"mothur, OTUs at {plain(chosen)}",
        )
    )
