"""MetaPhlAn 3 and 4 profiles, of one sample or merged."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from biflora.errors import LaboratoryMust
from biflora.knowledge.taxa import limit
from biflora.profile.readers.numbers import lines_of, number, whole_number
from biflora.profile.table import Feature, LabTable, Numbers, checked, from_dense

UNKNOWN = ("UNKNOWN", "UNCLASSIFIED", "unclassified")
LEVELS = "kpcofgst"
NOT_SAMPLES = (
    "ncbi_tax_id",
    "ncbi_taxid",
    "clade_taxid",
    "additional_species",
    "coverage",
    "estimated_number_of_reads_from_the_clade",
)


def read_metaphlan(text: str, file_name: str, because: str, version: str) -> LabTable:
    """The species of a profile, as shares of all that was classified."""
    lines = [line for _, line in lines_of(text)]
    header, body = _header_and_body(lines, file_name)
    columns = [i for i, name in enumerate(header) if i > 0 and name.strip().lower() not in NOT_SAMPLES]
    samples = [header[i].strip() for i in columns]
    if samples == ["relative_abundance"]:
        samples = [_sample_name(lines, file_name)]
    taxid_column = next((i for i, name in enumerate(header) if name.strip().lower() in NOT_SAMPLES[:3]), None)
    clades: list[tuple[str, ...]] = []
    taxids: list[int | None] = []
    rows: list[list[float]] = []
    unknown = np.zeros(len(samples))
    for line_number, cells in body:
        if len(cells) < len(header) - 1:
            raise LaboratoryMust(
                f"{file_name}, line {line_number}: {len(cells)} columns where the header has {len(header)}; the "
                "file is cut off or was edited, send it again."
            )
        values = [number(cells[i] if i < len(cells) else "", file_name, line_number, header[i]) for i in columns]
        clade = cells[0].strip()
        if clade in UNKNOWN:
            unknown = np.array(values)
            continue
        parts = tuple(clade.split("|"))
        if parts[-1].startswith("t__"):
            continue
        clades.append(parts)
        rows.append(values)
        last = cells[taxid_column].split("|")[-1].strip() if taxid_column is not None else ""
        taxids.append(whole_number(last))
    if not clades:
        raise LaboratoryMust(
            f"{file_name}: the profile names no taxon; the run found nothing, or the file is cut off."
        )
    matrix = np.array(rows)
    remarks = _sums(clades, matrix, unknown, samples)
    # Species alone: viral clades skip ranks, so that the deepest rows of a branch are not always its species.
    leaves = [i for i, parts in enumerate(clades) if parts[-1].startswith("s__")]
    if not leaves:
        above = {parts[:-1] for parts in clades}
        leaves = [i for i, parts in enumerate(clades) if parts not in above]
    features = [_feature(clades[i], taxids[i]) for i in leaves]
    starts, places, values_ = from_dense(samples, matrix[leaves].T / 100.0)
    return checked(
        LabTable(
            file_name=file_name,
            format=f"MetaPhlAn {version}" + (" (merged table)" if len(samples) > 1 else ""),
            because=because,
            samples=tuple(samples),
            features=tuple(features),
            starts=starts,
            places=places,
            values=values_,
            has_counts=False,
            assay="shotgun",
            assay_because="MetaPhlAn reads shotgun sequences",
            unclassified_reads={s: float(u) / 100.0 for s, u in zip(samples, unknown, strict=True) if u > 0},
            remarks=tuple(remarks),
            names_fungi=any(parts[0] == "k__Eukaryota" for parts in clades),
            profiler=", ".join(part for part in (f"MetaPhlAn {version}", metaphlan_database(text[:4000])) if part),
        )
    )


def _header_and_body(lines: Sequence[str], file_name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    header: list[str] = []
    body: list[tuple[int, list[str]]] = []
    for line_number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = line.rstrip("\r\n").split("\t")
        if cells[0].startswith("#"):
            if cells[0].lstrip("#").strip().lower() in ("clade_name", "id") or (not header and len(cells) > 2):
                header = [cells[0].lstrip("#").strip(), *cells[1:]]
            continue
        if not header and cells[0].strip().lower() in ("clade_name", "id", "taxon"):
            header = cells
            continue
        if cells[0].strip() in ("SampleID", "sample"):
            header = header or cells
            continue
        body.append((line_number, cells))
    if not header and body:  # MetaPhlAn 2: name and share, no header
        header = ["clade_name", "relative_abundance"]
    if not body:
        raise LaboratoryMust(
            f"{file_name}: a MetaPhlAn header without any taxon under it; send the whole file again."
        )
    return header, body


def _sample_name(lines: Sequence[str], file_name: str) -> str:
    for line in lines[:12]:
        if line.startswith("#") and line.rstrip().endswith("Metaphlan_Analysis"):
            name = line.lstrip("#").split("\t")[0].strip()
            if name and name != "SampleID":
                return name
    return file_name.split(".")[0]


def _feature(parts: tuple[str, ...], taxid: int | None) -> Feature:
    rank = {"s": "species", "g": "genus", "f": "family"}.get(parts[-1][:1], "")
    return Feature(name=parts[-1], lineage=parts, taxid=taxid, rank=rank)


def _sums(
    clades: Sequence[tuple[str, ...]], matrix: Numbers, unknown: Numbers, samples: Sequence[str]
) -> list[tuple[str, str]]:
    """What each rank of cellular life sums to, where that differs from its kingdoms (viral clades skip ranks)."""
    remarks = []
    level = np.array([len(parts) for parts in clades])
    cellular = np.array([parts[0] != "k__Viruses" for parts in clades])
    names = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
    for place, sample in enumerate(samples):
        shares = matrix[:, place]
        kingdoms = float(shares[cellular & (level == 1)].sum())
        wrong = []
        for depth, rank in enumerate(names[1:], start=2):
            total = float(shares[cellular & (level == depth)].sum())
            if (level == depth).any() and abs(total - kingdoms) > limit("metaphlan_sum_tolerance"):
                wrong.append(f"{rank} {total:.1f}")
        whole = float(shares[level == 1].sum()) + float(unknown[place])
        if abs(whole - 100.0) > limit("metaphlan_sum_tolerance"):
            wrong.insert(0, f"kingdoms with the unclassified part {whole:.1f}")
        if wrong:
            remarks.append(
                (
                    "metaphlan_sum",
                    f"The shares of {sample} should sum to 100 (cellular life: {kingdoms:.1f} at each rank) but "
                    f"sum to {', '.join(wrong)}; the laboratory checks whether the file was filtered or edited, "
                    "and sends the whole one.",
                )
            )
    return remarks


def metaphlan_database(head: str) -> str:
    """The marker database's name, e.g. `mpa_v30_CHOCOPhlAn_201901`; empty when the file does not say."""
    found = re.search(r"^#(mpa_v\w{1,60})", head, re.M)
    return found.group(1) if found else ""


def metaphlan_version(text: str) -> str:
    """`3`, `4`, or `2` from the database named in the first lines and the clades' names."""
    head = text[:4000]
    found = re.search(r"#mpa_v(\w+?)_CHOCOPhlAn", head)
    if found:
        return "3" if found.group(1).startswith(("30", "31", "29")) else "4"
    return "4" if "SGB" in text[:200_000] else "3"
