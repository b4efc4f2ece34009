"""PERMDISP: whether groups differ in spread, by distances to a group's middle as in vegan's betadisper."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.profile.cohort.design import Design, exchange_for, read_design
from biflora.profile.cohort.distances import Distances
from biflora.profile.cohort.formula import Codes, Model, Term, read_variable
from biflora.profile.cohort.ordination import ALL_AXES_UP_TO, all_axes
from biflora.profile.cohort.permutations import deal
from biflora.profile.cohort.projection import DealtTerm, Squares
from biflora.profile.metadata import Metadata
from biflora.values import Value

Numbers = NDArray[np.float64]
Axes = tuple[Numbers, Numbers]
Middle = Literal["spatial median", "centroid"]


class GroupSpread(Value):
    group: str
    n: int
    mean_distance: float
    """Mean distance of the group's samples to its middle."""


class Dispersion(Value):
    """Whether the groups of one factor differ in spread."""

    groups_of: str
    middle: Middle
    groups: tuple[GroupSpread, ...]
    df: int
    residual_df: int
    f: float | None
    p: float | None
    permutations: int
    permuted_units: str
    scheme: str
    null: str
    notes: tuple[str, ...] = ()


def dispersion_of(
    distances: Distances,
    column: str,
    metadata: Metadata,
    design: Design,
    *,
    permutations: int = 999,
    seed: int = 0,
    wanted_p: float = 0.05,
    middle: Middle | None = None,
    axes: Axes | None = None,
) -> Dispersion:
    """PERMDISP of the groups in `column`; the same units are dealt anew as PERMANOVA deals for it.

    The middle is the spatial median, or the centroid where there are too many samples for all axes. `axes`: what
    `all_axes` gave for these distances, where it is known already. Raises TrialistMust as `permanova` does.
    """
    described = metadata.of(distances.samples)
    variable = read_variable(column, described, as_groups=True)
    term = Term(column, (column,), variable.columns)
    n = len(distances.samples)
    model = Model(column, n, (term,), {column: variable})
    sampled = read_design(design, described)
    exchange = exchange_for(term, model, sampled)
    chosen: Middle = middle or ("spatial median" if n <= ALL_AXES_UP_TO else "centroid")
    spread = distances_to_middle(distances.matrix, variable.codes, chosen, axes)
    counts = np.bincount(variable.codes)
    means = np.bincount(variable.codes, weights=spread) / counts
    df, residual_df = len(counts) - 1, n - len(counts)
    between = float((counts * (means - spread.mean()) ** 2).sum())
    residual = float(((spread - means[variable.codes]) ** 2).sum())
    if residual_df < 1:
        raise TrialistMust(f"{column}: every group is one sample, so no spread can be seen; leave it out.")
    arrangements = deal(
        exchange.labels, exchange.strata, permutations, np.random.default_rng([seed, 1_000_000]), groups=True,
        wanted_p=wanted_p, what=column,
    )  # fmt: skip
    first = np.unique(exchange.unit_of, return_index=True)[1]
    ready = DealtTerm(
        Squares(np.subtract.outer(spread, spread)),
        exchange,
        sampled.subjects,
        variable.columns[first],
        np.ones((n, 1)),
        np.zeros((n, 0)),
    )
    found = ready.test(arrangements.places)
    notes = []
    if (counts < 2).any():
        notes.append("A group of one sample has no spread; its distance of zero says nothing.")
    if chosen == "centroid" and middle is None:
        notes.append(f"With more than {ALL_AXES_UP_TO:,} samples the centroid stands in for the spatial median.")
    return Dispersion(
        groups_of=column,
        middle=chosen,
        groups=tuple(
            GroupSpread(group=level, n=int(count), mean_distance=float(mean))
            for level, count, mean in zip(variable.levels, counts, means, strict=True)
        ),
        df=df,
        residual_df=residual_df,
        f=between / df / (residual / residual_df) if residual > 0 else None,
        p=(1 + found.at_least_as_large) / (1 + found.permutations),
        permutations=found.permutations,
        permuted_units=exchange.units,
        scheme=exchange.scheme.replace("subject's mean", "subject's mean distance"),
        null=f"Samples lie as far from the middle of their group in every group of {column}.",
        notes=tuple(notes),
    )


def distances_to_middle(
    matrix: Numbers, groups: Codes, middle: Middle = "spatial median", axes: Axes | None = None
) -> Numbers:
    """Distance of each sample to the middle of its group in the space of all axes.

    Axes with negative eigenvalues are taken off: sqrt(|real^2 - imaginary^2|), each part about its own spatial
    median, as vegan 2.6 does.
    """
    if middle == "centroid":
        return _to_centroid(matrix, groups)
    eigenvalues, coordinates = all_axes(matrix) if axes is None else axes
    squares = np.zeros(len(groups))
    for sign, part in ((1.0, coordinates[:, eigenvalues > 0]), (-1.0, coordinates[:, eigenvalues < 0])):
        if not part.shape[1]:
            continue
        for group in range(int(groups.max()) + 1):
            members = np.flatnonzero(groups == group)
            points = part[members]
            squares[members] += sign * np.square(points - spatial_median(points)).sum(axis=1)
    found: Numbers = np.sqrt(np.abs(squares))
    return found


def spatial_median(points: Numbers) -> Numbers:
    """The point with the smallest sum of distances to all `points`. Shape (axes,).

    Weiszfeld's steps, with the step of Vardi and Zhang (2000, 10.1073/pnas.97.4.1423) where one lands on a point.
    """
    middle: Numbers = points.mean(axis=0)
    if len(points) < 3:
        return middle
    size = float(np.linalg.norm(points - middle, axis=1).mean())
    for _ in range(10_000):
        away = np.linalg.norm(points - middle, axis=1)
        on_it = away <= 1e-14 * size
        weights = np.where(on_it, 0.0, 1.0 / np.where(on_it, 1.0, away))
        if not weights.any():
            return middle
        towards = weights @ points / weights.sum()
        pull = float(np.linalg.norm((weights[:, None] * (points - middle)).sum(axis=0)))
        stay = min(1.0, on_it.sum() / pull) if pull > 0 else 1.0
        moved: Numbers = (1 - stay) * towards + stay * middle
        if np.linalg.norm(moved - middle) <= 1e-12 * size:
            return moved
        middle = moved
    return middle


def _to_centroid(matrix: Numbers, groups: Codes) -> Numbers:
    """Without any axes: d(i, centroid)^2 = mean of d(i, j)^2 - half the mean of d(j, k)^2 inside the group."""
    squares = np.zeros(len(groups))
    for group in range(int(groups.max()) + 1):
        members = np.flatnonzero(groups == group)
        inside = np.square(matrix[np.ix_(members, members)])
        squares[members] = inside.mean(axis=1) - inside.mean() / 2
    return np.asarray(np.sqrt(np.abs(squares)), dtype=np.float64)
