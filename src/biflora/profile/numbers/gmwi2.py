"""GMWI2: a published index of the gut from the clades that MetaPhlAn 3 finds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from biflora.knowledge.indices import gmwi2_coefficients, index_definitions, setting
from biflora.profile.composition import Composition
from biflora.profile.profile import Quantity, SiteName
from biflora.values import State


def gmwi2_score(shares: Mapping[str, float]) -> float:
    """Sum of the coefficients of the clades whose share of what was classified (0-1) is above the cut-off.

    `shares` by clade as MetaPhlAn 3 writes it (`k__Bacteria|p__...`), all ranks. Chang 2024.
    """
    cut = setting("gmwi2_presence")
    return math.fsum(row.coefficient for row in gmwi2_coefficients().values() if shares.get(row.clade, 0.0) > cut)


def gmwi2_of(text: str) -> float:
    """The score of one MetaPhlAn 3 profile as the program wrote it; raises ValueError when it names no clade."""
    percents: dict[str, float] = {}
    unknown = 0.0
    for line in text.splitlines():
        cells = line.split("\t")
        if line.startswith("#") or len(cells) < 3:
            continue
        if cells[0] == "UNKNOWN":
            unknown = float(cells[2])
        elif "__" in cells[0]:
            percents[cells[0]] = float(cells[2])
    if not percents or unknown >= 100:
        raise ValueError("the profile names no clade")
    return gmwi2_score({clade: percent / (100.0 - unknown) for clade, percent in percents.items()})


def clade_shares(composition: Composition) -> dict[str, float]:
    """Share of every clade of the sample, all ranks: the sums of its species, the host's included."""
    table = composition.table
    values = table.row(composition.sample)
    total = float(values.sum())
    sums: dict[str, float] = {}
    for place in values.nonzero()[0].tolist():
        value = float(values[place]) / total
        clade = ""
        for part in table.features[place].lineage:
            clade = f"{clade}|{part}" if clade else part
            sums[clade] = sums.get(clade, 0.0) + value
    return sums


def gmwi2(composition: Composition, site: SiteName) -> Quantity:
    """The index with its licence and limits, or why it cannot be given."""
    row = index_definitions()["gmwi2"]
    blank = {
        "key": row.key,
        "label": row.label,
        "unit": row.unit,
        "source": f"{row.source}; licence {row.licence}",
        "verification": row.verification,
    }
    refusal = _why_not(composition, site)
    if refusal:
        return Quantity(**blank, state=State.NOT_MEASURED, note=refusal)
    note = f"{row.meaning} {row.limits}"
    if not any(feature.lineage[0] == "k__Viruses" for feature in composition.features):
        note += " This profile names no virus: two of the 95 clades could not count."
    return Quantity(**blank, value=gmwi2_score(clade_shares(composition)), note=note)


def _why_not(composition: Composition, site: SiteName) -> str:
    if site != "gut":
        return "GMWI2 was made for stool."
    written = composition.table.format
    if not written.startswith("MetaPhlAn 3"):
        program = written if written.startswith("MetaPhlAn") else "another program"
        return (
            f"GMWI2 knows the names of MetaPhlAn 3 (database mpa_v30) only; this file is from {program}. Other "
            "names would score clades as absent that are there."
        )
    if not all(feature.lineage and feature.lineage[0].startswith("k__") for feature in composition.features):
        return "GMWI2 needs the lineage of each species as MetaPhlAn writes it."
    return ""
