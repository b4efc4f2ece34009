"""A laboratory's table as taxa of today's names: features of one name added up, the host left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from biflora.profile.names import name_feature
from biflora.profile.table import Feature, LabTable, Numbers

Rank = Literal["feature", "species", "genus"]


def taxon_table(table: LabTable, samples: Sequence[str], rank: Rank = "species") -> LabTable:
    """These samples with one column for each taxon, in the order of `samples`.

    `species`: today's name, or the deepest one that the file gives; `genus`: genera, what has none stays apart
    under its own name; `feature`: as the file has them. Taxa that no sample holds are left out.
    """
    named = [name_feature(feature) for feature in table.features]
    labels = [
        feature.name if rank == "feature" else (name.genus or name.name) if rank == "genus" else name.name
        for feature, name in zip(table.features, named, strict=True)
    ]
    order: dict[str, int] = {}
    column = np.array(
        [
            -1 if name.is_host else order.setdefault(label, len(order))
            for name, label in zip(named, labels, strict=True)
        ],
        dtype=np.int64,
    )
    place = {name: number for number, name in enumerate(table.samples)}
    matrix = np.zeros((len(samples), len(order)))
    for row, sample in enumerate(samples):
        part = slice(int(table.starts[place[sample]]), int(table.starts[place[sample] + 1]))
        at = column[table.places[part]]
        np.add.at(matrix[row], at[at >= 0], table.values[part][at >= 0])
    held: NDArray[np.bool_] = np.asarray(matrix.any(axis=0))
    rows, columns = np.nonzero(matrix[:, held])
    starts = np.zeros(len(samples) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(samples)), out=starts[1:])
    names = [name for name, stays in zip(order, held, strict=True) if stays]
    return replace(
        table,
        samples=tuple(samples),
        features=tuple(Feature(name=name) for name in names),
        starts=starts,
        places=columns.astype(np.int64),
        values=matrix[:, held][rows, columns],
        unclassified_reads={},
    )


def dense(table: LabTable) -> Numbers:
    """The numbers as (samples, taxa)."""
    matrix = np.zeros(table.shape)
    rows = np.repeat(np.arange(len(table.samples)), np.diff(table.starts))
    np.add.at(matrix, (rows, table.places), table.values)
    return matrix
