"""Real tables for the tests of cohorts, read without the product's own readers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from biflora.profile.cohort.distances import Distances, distances_between
from biflora.profile.metadata import Metadata, read_metadata
from biflora.profile.table import Feature, LabTable, from_dense


def table_of(samples: list[str], taxa: list[str], matrix: np.ndarray, *, counts: bool = True) -> LabTable:
    starts, places, values = from_dense(samples, matrix)
    features = tuple(Feature(name) for name in taxa)
    return LabTable("table.csv", "CSV", "", tuple(samples), features, starts, places, values, counts)


def read_grid(path: Path, *, taxa_in_rows: bool = False, counts: bool = True) -> LabTable:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    matrix = np.array([[float(cell) for cell in row[1:]] for row in rows])
    names = [row[0] for row in rows]
    if taxa_in_rows:
        return table_of(header[1:], names, matrix.T, counts=counts)
    return table_of(names, header[1:], matrix, counts=counts)


def dune(shared: Path) -> tuple[LabTable, Metadata]:
    folder = shared / "format_examples"
    table = read_grid(folder / "dune.csv")
    return table, read_metadata(folder / "dune_env.csv", wanted=table.samples)


def dune_distances(shared: Path) -> tuple[Distances, Metadata]:
    table, metadata = dune(shared)
    return distances_between(table, on="as given"), metadata


def peerj32(shared: Path) -> tuple[Distances, Metadata]:
    folder = shared / "gut_probiotic_trial_peerj32"
    table = read_grid(folder / "peerj32_otu.csv", taxa_in_rows=True)
    return distances_between(table), read_metadata(folder / "peerj32_samples.csv", wanted=table.samples)


def khadka(shared: Path, visits: str = "1234") -> tuple[Distances, Metadata]:
    """Treated children of the randomised trial, one sample for each subject and visit."""
    folder = shared / "ad_skin_trial_khadka2021"
    table = read_grid(folder / "sample_per_timepoint_no_forearm.csv", counts=False)
    metadata = read_metadata(folder / "meta_sample_per_timepoint_no_forearm.csv", sample_column="SampleName")
    rows = metadata.of(table.samples)
    arms, seen = rows.texts("ChlorineBath"), rows.texts("Visit")
    kept = tuple(
        name for name, arm, visit in zip(table.samples, arms, seen, strict=True) if arm and visit in visits
    )
    return distances_between(table).of(kept), metadata


def made_up(**columns: list[object]) -> Metadata:
    """Sample descriptions s0, s1, ... with these columns."""
    n = len(next(iter(columns.values())))
    samples = tuple(f"s{place}" for place in range(n))
    return Metadata("samples.csv", samples, {name: tuple(map(str, cells)) for name, cells in columns.items()})


def euclidean(points: np.ndarray) -> Distances:
    apart = np.sqrt(np.square(points[:, None, :] - points[None, :, :]).sum(axis=2))
    return Distances(tuple(f"s{place}" for place in range(len(points))), apart, "euclidean")
