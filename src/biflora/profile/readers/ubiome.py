"""uBiome's exports (JSON and CSV): one sample, every taxon with the reads of all taxa below it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from biflora.errors import LaboratoryMust
from biflora.profile.names import RANKS
from biflora.profile.readers.grids import any_fungi
from biflora.profile.readers.numbers import grid, number, whole_number
from biflora.profile.table import MOST_NAMES, Feature, LabTable, checked, from_dense, too_large

KEY = "ubiome_bacteriacounts"
RANK_OF = {"superkingdom": "kingdom", "domain": "kingdom"} | {rank: rank for rank in RANKS}
NEEDED = ("count", "parent", "tax_rank", "taxon", "tax_name")
DEEPEST = 60
"""Steps from a strain to the root; more would be a circle of parents."""


@dataclass(frozen=True, slots=True)
class Clade:
    """One line of the export; `reads` are its own and those of all taxa below it."""

    taxid: int
    parent: int
    rank: str
    name: str
    reads: float


def read_ubiome_json(text: str, file_name: str, because: str) -> LabTable:
    """The export in JSON (`ubiome_bacteriacounts`)."""
    if text.count("{") > MOST_NAMES:
        raise too_large(file_name)
    try:
        given = json.loads(text)
    except json.JSONDecodeError as problem:
        raise LaboratoryMust(
            f"{file_name}: the uBiome JSON breaks off or is damaged at line {problem.lineno}; send the file again."
        ) from None
    except (RecursionError, ValueError):
        raise LaboratoryMust(f"{file_name}: the uBiome JSON is nested without end; download it again.") from None
    rows = given.get(KEY) if isinstance(given, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LaboratoryMust(f"{file_name}: '{KEY}' is no list of taxa; download the file again.")
    clades = [_clade(row, file_name, place) for place, row in enumerate(rows, start=1)]
    return _table(clades, file_name, because, "uBiome JSON")


def read_ubiome_csv(text: str, file_name: str, because: str) -> LabTable:
    """The same export in CSV."""
    rows = grid(text, file_name)
    clades = [
        _clade(dict(zip(rows[0], row, strict=True)), file_name, place)
        for place, row in enumerate(rows[1:], start=2)
    ]
    return _table(clades, file_name, because, "uBiome CSV")


def _clade(row: Mapping[str, Any], file_name: str, place: int) -> Clade:
    lost = [name for name in NEEDED if name not in row]
    taxid, parent = (whole_number(str(row.get(name, ""))) for name in ("taxon", "parent"))
    if lost or taxid is None or parent is None:
        what = f"'{lost[0]}' is missing" if lost else "'taxon' and 'parent' must be whole numbers"
        raise LaboratoryMust(f"{file_name}, taxon {place}: {what}; download the file again.")
    count = row["count"]
    if (
        not isinstance(count, str | int | float)
        or isinstance(count, bool)
        or (isinstance(count, float) and not math.isfinite(count))
    ):
        raise LaboratoryMust(f"{file_name}, taxon {place}: 'count' is no number; download the file again.")
    return Clade(
        taxid=taxid,
        parent=parent,
        rank=str(row["tax_rank"]),
        name=str(row["tax_name"]).strip(),
        reads=number(str(count), file_name, place, "count"),
    )


def _table(clades: list[Clade], file_name: str, because: str, format_name: str) -> LabTable:
    """Each read counted once, at the deepest taxon that it reached; a strain's count to its species."""
    by_taxid = {clade.taxid: clade for clade in clades}
    if not clades or len(by_taxid) < len(clades):
        what = "names no taxon" if not clades else "names a taxon twice"
        raise LaboratoryMust(f"{file_name}: the uBiome export {what}; download the file again.")
    below: dict[int, float] = {}
    for clade in clades:
        if clade.parent != clade.taxid:
            below[clade.parent] = below.get(clade.parent, 0.0) + clade.reads
    reads: dict[int, float] = {}
    excess = 0.0
    for clade in clades:
        own = clade.reads - below.get(clade.taxid, 0.0)
        if own < 0:
            excess -= own
        elif own > 0:
            owner = _species_of(clade, by_taxid)
            reads[owner.taxid] = reads.get(owner.taxid, 0.0) + own
    features = [_feature(by_taxid[taxid], by_taxid) for taxid in reads]
    sample = file_name.split(".")[0]
    if not features:
        raise LaboratoryMust(f"{file_name}: the uBiome export holds no read; download the file again.")
    parts = from_dense([sample], np.array([list(reads.values())], dtype=np.float64))
    remarks = (
        (
            "nested_sum",
            f"Taxa hold {excess:.0f} reads more than the taxa above them, so the export was edited or cut; "
            "download the whole one again.",
        ),
    )
    return checked(
        LabTable(
            file_name,
            format_name,
            f"{because}; counts are nested, each read was counted once at its deepest taxon",
            (sample,),
            tuple(features),
            *parts,
            has_counts=True,
            assay="16S V4",
            assay_because="uBiome sequenced the V4 region of 16S (remembered, not written in the file)",
            remarks=remarks if excess > 0.5 else (),
            names_fungi=any_fungi(features),
            profiler="uBiome's own pipeline (version not in the file)",
        )
    )


def _way_up(clade: Clade, by_taxid: Mapping[int, Clade]) -> list[Clade]:
    """The clade and those above it, up to the root."""
    way = [clade]
    while len(way) < DEEPEST and way[-1].parent in by_taxid and way[-1].parent != way[-1].taxid:
        way.append(by_taxid[way[-1].parent])
    return way


def _species_of(clade: Clade, by_taxid: Mapping[int, Clade]) -> Clade:
    return next((step for step in _way_up(clade, by_taxid) if step.rank == "species"), clade)


def _feature(clade: Clade, by_taxid: Mapping[int, Clade]) -> Feature:
    names = {RANK_OF[step.rank]: step.name for step in _way_up(clade, by_taxid) if step.rank in RANK_OF}
    deepest = max((RANKS.index(rank) for rank in names), default=-1)
    return Feature(
        name=clade.name,
        lineage=tuple(names.get(rank, "") for rank in RANKS[: deepest + 1]),
        taxid=clade.taxid,
        rank=RANK_OF.get(clade.rank, ""),
    )
