"""Kraken2 reports, Bracken tables and Emu tables: one sample each."""

from __future__ import annotations

import re

import numpy as np

from biflora.errors import LaboratoryMust
from biflora.knowledge.taxa import limit
from biflora.profile.readers.numbers import grid, lines_of, number, whole_number
from biflora.profile.table import Feature, LabTable, checked, from_dense

RANK_OF_CODE = {
    "D": "kingdom",
    "K": "kingdom",
    "P": "phylum",
    "C": "class",
    "O": "order",
    "F": "family",
    "G": "genus",
    "S": "species",
}
EMU_LINEAGE = ("superkingdom", "phylum", "class", "order", "family", "genus", "species")


def read_kraken2(text: str, file_name: str, because: str) -> LabTable:
    """Reads by species, and at each higher rank those that got no further; strains count to their species."""
    path: list[tuple[int, str, str, int]] = []
    """(depth, rank code, name, taxid) from the root to here."""
    reads: dict[int, float] = {}
    features: list[Feature] = []
    place_of: dict[tuple[str, int], int] = {}
    unclassified = 0.0
    fungi = False
    root_clade = 0.0
    for line_number, line in lines_of(text):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) not in (6, 8):
            raise LaboratoryMust(
                f"{file_name}, line {line_number}: {len(cells)} columns where a Kraken2 report has 6 (or 8 with "
                "minimizers); the file is cut off, send it again."
            )
        code, taxid_text, name = cells[-3].strip(), cells[-2].strip(), cells[-1]
        clade = number(cells[1], file_name, line_number, "clade reads")
        direct = number(cells[2], file_name, line_number, "direct reads")
        taxid = whole_number(taxid_text)
        if taxid is None:
            raise LaboratoryMust(
                f"{file_name}, line {line_number}: the taxonomy id is no whole number; send the report again."
            )
        if code == "U":
            unclassified += clade
            continue
        depth = (len(name) - len(name.lstrip(" "))) // 2
        name = name.strip()
        if depth == 0:
            root_clade += clade
        while path and path[-1][0] >= depth:
            path.pop()
        path.append((depth, code, name, taxid))
        fungi = fungi or name == "Fungi"
        if direct <= 0:
            continue
        owner = next((step for step in path if step[1] == "S"), path[-1])
        key = (owner[2], owner[3])
        if key not in place_of:
            place_of[key] = len(features)
            features.append(_kraken_feature(path, owner))
        reads[place_of[key]] = reads.get(place_of[key], 0.0) + direct
    if not features:
        raise LaboratoryMust(
            f"{file_name}: the report holds no classified read; check the database, or send another sample."
        )
    total = sum(reads.values())
    remarks = []
    if abs(total - root_clade) > 0.5:
        remarks.append(
            (
                "kraken_sum",
                f"The report's taxa sum to {total:.0f} reads but its root counts {root_clade:.0f}; the laboratory "
                "sends the whole report.",
            )
        )
    return _one_sample(
        file_name, "Kraken2 report", because, features, [reads[i] for i in range(len(features))],
        assay="shotgun", why="Kraken2 classifies shotgun reads", fungi=fungi, unclassified=unclassified,
        remarks=tuple(remarks), profiler="Kraken2 (database not in the file)",
    )  # fmt: skip


def _kraken_feature(path: list[tuple[int, str, str, int]], owner: tuple[int, str, str, int]) -> Feature:
    lineage = {RANK_OF_CODE[code]: name for _, code, name, _ in path if code in RANK_OF_CODE}
    if "Fungi" in (name for _, _, name, _ in path):
        lineage["kingdom"] = "Fungi"
    order = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
    deepest = max((order.index(rank) for rank in lineage), default=-1)
    return Feature(
        name=owner[2],
        lineage=tuple(lineage.get(rank, "") for rank in order[: deepest + 1]),
        taxid=owner[3],
        rank=RANK_OF_CODE.get(re.sub(r"\d", "", owner[1]), ""),
    )


def read_bracken(text: str, file_name: str, because: str) -> LabTable:
    """Bracken's re-estimated reads (`new_est_reads`) at the rank that it was run for."""
    rows = grid(text, file_name)
    header = rows[0]
    wanted = ("name", "taxonomy_id", "taxonomy_lvl", "new_est_reads")
    lost = [name for name in wanted if name not in header]
    if lost:
        raise LaboratoryMust(
            f"{file_name}, line 1: Bracken's column '{lost[0]}' is missing; send the whole file again."
        )
    at = {name: header.index(name) for name in wanted}
    features, reads = [], []
    for line, row in enumerate(rows[1:], start=2):
        features.append(
            Feature(
                name=row[at["name"]].strip(),
                taxid=whole_number(row[at["taxonomy_id"]]),
                rank=RANK_OF_CODE.get(row[at["taxonomy_lvl"]].strip()[:1], ""),
            )
        )
        reads.append(number(row[at["new_est_reads"]], file_name, line, "new_est_reads"))
    if not features:
        raise LaboratoryMust(f"{file_name}: the Bracken table names no taxon; send the whole file again.")
    shares = "fraction_total_reads"
    column = [
        number(row[header.index(shares)], file_name, line, shares)
        for line, row in enumerate(rows[1:], start=2)
        if shares in header
    ]
    fungi = any(
        f.name.split(" ")[0] in ("Saccharomyces", "Malassezia", "Candida", "Aspergillus") for f in features
    )
    return _one_sample(
        file_name,
        "Bracken",
        because,
        features,
        reads,
        assay="shotgun",
        why="Bracken re-estimates Kraken2's shotgun reads",
        fungi=fungi,
        remarks=_whole("bracken_sum", shares, column),
        profiler="Bracken on Kraken2 (database not in the file)",
    )


def read_emu(text: str, file_name: str, because: str) -> LabTable:
    """Emu's estimated counts, or its shares where the counts are not in the file."""
    rows = grid(text, file_name)
    header = rows[0]
    counts = "estimated counts" in header
    lost = [
        name for name in ("tax_id", "abundance") if name not in header and not (counts and name == "abundance")
    ]
    if lost:
        raise LaboratoryMust(
            f"{file_name}, line 1: Emu's column '{lost[0]}' is missing; send the whole file again."
        )
    column = header.index("estimated counts" if counts else "abundance")
    features, values = [], []
    shares: list[float] = []
    for line, row in enumerate(rows[1:], start=2):
        cells = dict(zip(header, row, strict=True))
        if cells.get("abundance", "").strip():
            shares.append(number(cells["abundance"], file_name, line, "abundance"))
        if cells["tax_id"].strip().lower() in ("unassigned", "unmapped", "mapped_filtered", "mapped_unclassified"):
            continue
        lineage = tuple(cells.get(rank, "") for rank in EMU_LINEAGE)
        features.append(
            Feature(
                name=cells.get("species", "")
                or next((part for part in reversed(lineage) if part), cells["tax_id"]),
                lineage=lineage,
                taxid=whole_number(cells["tax_id"]),
                rank="species" if cells.get("species") else "",
            )
        )
        values.append(number(row[column], file_name, line, header[column]))
    if not features:
        raise LaboratoryMust(f"{file_name}: the Emu table names no taxon; send the whole file again.")
    return _one_sample(
        file_name,
        "Emu",
        because,
        features,
        values,
        assay="16S",
        why="Emu classifies full-length 16S reads",
        fungi=False,
        counts=counts,
        remarks=_whole("emu_sum", "abundance", shares),
        profiler="Emu (database not in the file)",
    )


def _whole(rule: str, column: str, shares: list[float]) -> tuple[tuple[str, str], ...]:
    """A remark when a column of shares does not sum to the whole: a cut at a row's end shows only here."""
    total = 100.0 * sum(shares)
    if not shares or abs(total - 100.0) <= limit("share_sum_tolerance"):
        return ()
    text = f"The column '{column}' sums to {total:.1f} %, not to 100: the table was cut or filtered. "
    return ((rule, text + "The laboratory sends the whole one."),)


def _one_sample(
    file_name: str,
    format_name: str,
    because: str,
    features: list[Feature],
    values: list[float],
    *,
    assay: str,
    why: str,
    fungi: bool,
    counts: bool = True,
    unclassified: float = 0.0,
    remarks: tuple[tuple[str, str], ...] = (),
    profiler: str = "",
) -> LabTable:
    sample = re.sub(r"\.(?:txt|tsv|csv|kreport2?|report|bracken|kraken2?|gz)$", "", file_name)
    starts, places, kept = from_dense([sample], np.array([values], dtype=np.float64))
    return checked(
        LabTable(
            file_name=file_name,
            format=format_name,
            because=because,
            samples=(sample,),
            features=tuple(features),
            starts=starts,
            places=places,
            values=kept,
            has_counts=counts,
            assay=assay,
            assay_because=why,
            unclassified_reads={sample: unclassified} if unclassified else {},
            remarks=remarks,
            names_fungi=fungi,
            profiler=profiler,
        )
    )
