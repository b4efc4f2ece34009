"""A taxonomy that lies beside a table: QIIME 2 taxonomy, DADA2 taxa, phyloseq tax_table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from biflora.errors import LaboratoryMust
from biflora.profile.names import RANKS, split_lineage
from biflora.profile.readers.assay import guess_assay
from biflora.profile.readers.numbers import grid
from biflora.profile.readers.qiime2 import Artifact
from biflora.profile.table import LabTable

Lineages = Mapping[str, tuple[str, ...]]
ENDINGS = (
    "_tax.csv",
    "_taxa.csv",
    "_taxonomy.csv",
    "_tax.tsv",
    "_taxa.tsv",
    "_taxonomy.tsv",
    "_taxonomy.qza",
    "-taxonomy.qza",
)
COMMON = ("taxonomy.qza", "taxonomy.tsv", "taxonomy.csv")
TABLE_WORDS = (
    "_otu",
    "_asv",
    "_seqtab_nochim",
    "_seqtab",
    "_counts",
    "_table",
    "-table",
    "_feature_table",
    "_features",
)


def taxonomy_beside(path: Path) -> Path | None:
    """The taxonomy file that belongs to this table by its name, or None."""
    stem = path.name.split(".")[0]
    stems = [stem, *(stem[: -len(word)] for word in TABLE_WORDS if stem.endswith(word))]
    for candidate in [
        *(path.with_name(s + ending) for s in stems for ending in ENDINGS),
        *(path.with_name(n) for n in COMMON),
    ]:
        if candidate.is_file() and candidate != path:
            return candidate
    return None


def read_taxonomy(path: Path) -> Lineages:
    """Lineage by feature; LaboratoryMust when the file is no taxonomy or stands on its side."""
    if path.suffix == ".qza":
        artifact = Artifact(path.read_bytes(), path.name)
        if not artifact.kind.startswith("FeatureData[Taxonomy"):
            raise LaboratoryMust(
                f"{path.name}: a QIIME 2 artifact of the type {artifact.kind or 'unknown'} where "
                "FeatureData[Taxonomy] is "
                "expected; put the taxonomy there, or take the file away."
            )
        text = artifact.read(artifact.data_file(".tsv")).decode("utf-8", "replace")
    else:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    rows = grid(text, path.name)
    low = [name.strip().strip('"').lower() for name in rows[0]]
    rank_at = [i for i, name in enumerate(low) if name in (*RANKS, "domain")]
    if len(low) > 1 and low[1] in ("taxon", "taxonomy"):
        return {row[0].strip(): split_lineage(row[1]) for row in rows[1:]}
    if rank_at:
        # phyloseq exports of arrays begin at the phylum: pad, so that a genus is always sixth.
        places = {("kingdom" if low[i] == "domain" else low[i]): i for i in rank_at}
        return {
            row[0].strip(): tuple(row[places[rank]] if rank in places else "" for rank in RANKS)
            for row in rows[1:]
        }
    side = [row[0].strip().lower() for row in rows[1:]]
    if sum(name in RANKS for name in side) >= 2:
        raise LaboratoryMust(
            f"{path.name}: the taxonomy stands on its side (ranks in rows, features in columns), so it does "
            "not fit the "
            "table; export it with one row per feature."
        )
    raise LaboratoryMust(
        f"{path.name}: lies beside the table as its taxonomy, but has no columns Kingdom ... Species and no "
        "column Taxon; "
        "mend it, or take it away."
    )


def with_taxonomy(table: LabTable, lineages: Lineages, taxonomy_name: str) -> LabTable:
    """The table with lineages where the feature has none; LaboratoryMust when the two do not fit together."""
    names = [feature.name for feature in table.features]
    matched = sum(name in lineages for name in names)
    if not matched:
        turned = sum(sample in lineages for sample in table.samples)
        if turned:
            raise LaboratoryMust(
                f"{table.file_name}: its sample names are the features of {taxonomy_name}, so the two are of "
                "different "
                "orientation; export the table turned by 90 degrees."
            )
        remark = (
            "taxonomy_unrelated",
            f"{taxonomy_name} lies beside the table but names none of its features; it was not used. Put the "
            "right one there.",
        )
        return replace(table, remarks=(*table.remarks, remark))
    features = tuple(
        replace(feature, lineage=lineages[feature.name])
        if not feature.lineage and feature.name in lineages
        else feature
        for feature in table.features
    )
    remarks = table.remarks
    if matched < len(names):
        remarks = (
            *remarks,
            (
                "taxonomy_incomplete",
                f"{taxonomy_name} names {matched} of {len(names)} features; the others stay unnamed.",
            ),
        )
    assay, why = table.assay, table.assay_because
    if assay == "unknown":
        assay, why = guess_assay(features)
    return replace(
        table, features=features, remarks=remarks, assay=assay, assay_because=why,
        because=f"{table.because}; taxonomy from {taxonomy_name}",
    )  # fmt: skip
