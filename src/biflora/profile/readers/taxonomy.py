"""A taxonomy that lies beside a table: QIIME 2 taxonomy, DADA2 taxa, phyloseq tax_table, mothur cons.taxonomy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from biflora.errors import LaboratoryMust
from biflora.profile.names import RANKS, split_lineage
from biflora.profile.readers.assay import guess_assay
from biflora.profile.readers.numbers import grid, plain
from biflora.profile.readers.provenance import profiler_of, provenance_lines, region_of
from biflora.profile.readers.qiime2 import Artifact
from biflora.profile.table import LabTable

LARGEST_TAXONOMY = 100_000_000
CONFIDENCE = re.compile(r"\(\d{1,3}\)$")
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


@dataclass(frozen=True)
class Taxonomy:
    """Lineage by feature, and what the file says of its own making."""

    name: str
    lineages: Mapping[str, tuple[str, ...]]
    provenance: tuple[str, ...] = ()
    profiler: str = ""
    region: tuple[str, str] = ("", "")
    """(assay, why) where its provenance names the primers."""


def taxonomy_beside(path: Path) -> Path | None:
    """The taxonomy file that belongs to this table by its name, or None."""
    for candidate in _candidates(path):
        if candidate != path and candidate.is_file():
            return candidate
    return None


def _candidates(path: Path) -> Iterator[Path]:
    stem = path.name.split(".")[0]
    stems = [stem, *(stem[: -len(word)] for word in TABLE_WORDS if stem.endswith(word))]
    if path.suffix == ".shared":  # mothur puts the cut-off between: final.opti_mcc.0.03.cons.taxonomy
        start = path.name.removesuffix(".shared")
        yield from sorted(other for other in path.parent.iterdir() if other.name.startswith(start + ".")
                          and other.name.endswith(".cons.taxonomy"))  # fmt: skip
        yield path.with_name(start + ".taxonomy")
    for s in stems:
        yield from (path.with_name(s + ending) for ending in (*ENDINGS, ".cons.taxonomy"))
    yield from (path.with_name(name) for name in COMMON)


def read_taxonomy(path: Path) -> Taxonomy:
    """Lineage by feature; LaboratoryMust when the file is no taxonomy or stands on its side."""
    try:
        if path.stat().st_size > LARGEST_TAXONOMY:
            raise LaboratoryMust(
                f"{path.name}: lies beside the table as its taxonomy and is larger than "
                f"{LARGEST_TAXONOMY / 1e9:.1f} GB; take it away, or send the taxonomy of this table alone."
            )
        content = path.read_bytes()
    except OSError as problem:
        raise LaboratoryMust(
            f"{path.name}: lies beside the table but cannot be read ({problem.strerror}); mend it, or take it "
            "away."
        ) from None
    if path.suffix == ".qza":
        artifact = Artifact(content, path.name)
        if not artifact.kind.startswith("FeatureData[Taxonomy"):
            raise LaboratoryMust(
                f"{path.name}: a QIIME 2 artifact of the type {plain(artifact.kind) or 'unknown'} where "
                "FeatureData[Taxonomy] is expected; put the taxonomy there, or take the file away."
            )
        actions = artifact.actions()
        text = artifact.read(artifact.data_file(".tsv")).decode("utf-8", "replace")
        return Taxonomy(
            path.name,
            _lineages(text, path.name),
            provenance_lines(artifact.uuid, artifact.kind, actions),
            profiler_of(actions),
            region_of(actions),
        )
    return Taxonomy(path.name, _lineages(content.decode("utf-8-sig", "replace"), path.name))


def _lineages(text: str, file_name: str) -> dict[str, tuple[str, ...]]:
    rows = grid(text, file_name)
    low = [name.strip().strip('"').lower() for name in rows[0]]
    if low == ["otu", "size", "taxonomy"]:
        return {row[0].strip(): mothur_lineage(row[2]) for row in rows[1:]}
    if len(low) == 2 and all(";" in row[1] for row in rows[:50]):  # mothur's .taxonomy has no header
        return {row[0].strip(): mothur_lineage(row[1]) for row in rows}
    if len(low) > 1 and low[1] in ("taxon", "taxonomy"):
        return {row[0].strip(): split_lineage(row[1]) for row in rows[1:]}
    rank_at = [i for i, name in enumerate(low) if name in (*RANKS, "domain")]
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
            f"{file_name}: the taxonomy stands on its side (ranks in rows, features in columns), so it does not "
            "fit the table; export it with one row per feature."
        )
    raise LaboratoryMust(
        f"{file_name}: lies beside the table as its taxonomy, but has no columns Kingdom ... Species and no "
        "column Taxon; mend it, or take it away."
    )


def mothur_lineage(text: str) -> tuple[str, ...]:
    """Names without mothur's confidences; `Lachnospiraceae_unclassified(100)` says nothing of its rank."""
    parts = [CONFIDENCE.sub("", part.strip()).strip('"') for part in text.strip().strip(";").split(";")]
    return tuple("" if part.lower().endswith("unclassified") else part for part in parts)


def with_taxonomy(table: LabTable, taxonomy: Taxonomy) -> LabTable:
    """The table with lineages where the feature has none; LaboratoryMust when the two do not fit together."""
    lineages = taxonomy.lineages
    names = [feature.name for feature in table.features]
    matched = sum(name in lineages for name in names)
    if not matched:
        turned = sum(sample in lineages for sample in table.samples)
        if turned:
            raise LaboratoryMust(
                f"{table.file_name}: its sample names are the features of {taxonomy.name}, so the two are of "
                "different orientation; export the table turned by 90 degrees."
            )
        remark = (
            "taxonomy_unrelated",
            f"{taxonomy.name} lies beside the table but names none of its features; it was not used. Put the "
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
                f"{taxonomy.name} names {matched} of {len(names)} features; the others stay unnamed.",
            ),
        )
    assay, why = table.assay, table.assay_because
    if assay == "unknown":
        assay, why = guess_assay(features)
    if assay == "16S" and taxonomy.region[0]:
        assay, why = taxonomy.region
    return replace(
        table, features=features, remarks=remarks, assay=assay, assay_because=why,
        because=f"{table.because}; taxonomy from {taxonomy.name}",
        provenance=(*table.provenance, *(line for line in taxonomy.provenance if line not in table.provenance)),
        profiler="; ".join(_distinct((table.profiler, taxonomy.profiler))),
    )  # fmt: skip


def _distinct(texts: Sequence[str]) -> list[str]:
    """Each said once: a taxonomy's provenance names the denoiser again."""
    parts = [part for text in texts for part in text.split("; ") if part]
    return list(dict.fromkeys(parts))
