"""How different two samples are: Bray-Curtis, Jaccard, Aitchison and robust Aitchison from a sparse table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.profile.table import LabTable, listed

Numbers = NDArray[np.float64]
Metric = Literal["bray_curtis", "jaccard", "aitchison", "robust_aitchison"]
Amounts = Literal["as given", "shares", "rarefied"]
HALF_A_READ = 0.5
"""Added to every count before logarithms where nothing else is asked for: a convention, not a measurement."""


@dataclass(frozen=True)
class Distances:
    """A distance for every pair of samples."""

    samples: tuple[str, ...]
    matrix: Numbers
    """Shape (samples, samples), symmetric, zero on the diagonal."""
    metric: str
    remarks: tuple[str, ...] = ()
    """What a reader of the numbers must know about how they were made."""

    def of(self, samples: tuple[str, ...]) -> Distances:
        """The same distances for some of the samples, in the order given."""
        place = {name: number for number, name in enumerate(self.samples)}
        absent = [name for name in samples if name not in place]
        if absent:
            raise TrialistMust(f"There are no distances for the samples {listed(absent)}; leave them out.")
        rows = np.array([place[name] for name in samples], dtype=np.int64)
        return replace(self, samples=samples, matrix=self.matrix[np.ix_(rows, rows)])


def distances_between(
    table: LabTable,
    metric: Metric = "bray_curtis",
    *,
    on: Amounts = "shares",
    depth: int | None = None,
    seed: int = 0,
    pseudocount: float | None = None,
    threads: int = 2,
) -> Distances:
    """Distances between all samples of `table`.

    `on` says what Bray-Curtis compares: shares of each sample (so that depth does not count), counts rarefied to
    `depth` reads, or the numbers as they stand. Jaccard compares only which taxa are there. Aitchison takes
    logarithms, so `on="shares"` changes nothing but the meaning of `pseudocount`, which is therefore added to the
    numbers as they stand (half a read, or half the smallest share, unless given). Raises TrialistMust for a
    sample without reads, or too few of them.
    """
    remarks: list[str] = []
    if on == "rarefied":
        if depth is None:
            raise TrialistMust("Rarefying needs a depth; give the number of reads to draw from each sample.")
        table = rarefied(table, depth, seed)
        remarks.append(f"Counts were rarefied to {depth} reads once (seed {seed}).")
    elif depth is not None:
        raise TrialistMust("A depth was given without asking for rarefied counts; say so, or leave it out.")
    rows = _rows_of(table)
    empty = np.asarray(rows.sum(axis=1)).ravel() <= 0
    if empty.any():
        names = [name for name, is_empty in zip(table.samples, empty, strict=True) if is_empty]
        raise TrialistMust(
            f"{table.file_name}: {len(names)} samples hold no reads ({listed(names)}); they have no distance to "
            "anything: leave them out."
        )
    if metric in ("aitchison", "robust_aitchison"):
        matrix, remark = _aitchison(rows, table, robust=metric == "robust_aitchison", pseudocount=pseudocount)
        return Distances(table.samples, matrix, metric, (*remarks, remark))
    if pseudocount is not None:
        raise TrialistMust("A pseudocount belongs to Aitchison distances only; leave it out.")
    if metric == "jaccard":
        rows.data = np.ones_like(rows.data)
        remarks.append("Only presence counts.")
    elif on == "shares":
        rows.data = rows.data / np.repeat(np.asarray(rows.sum(axis=1)).ravel(), np.diff(rows.indptr))
        remarks.append("Each sample's numbers were divided by their sum.")
    from biflora.profile.cohort.overlap import pairwise

    matrix = pairwise(rows, whole_union=metric == "jaccard", threads=max(1, threads))
    return Distances(table.samples, matrix, metric, tuple(remarks))


def rarefied(table: LabTable, depth: int, seed: int) -> LabTable:
    """`depth` reads of each sample, drawn without putting back. Raises TrialistMust when a sample has fewer."""
    rows = _rows_of(table)
    if not table.has_counts or np.any(rows.data != np.floor(rows.data)):
        raise TrialistMust(f"{table.file_name}: rarefying needs whole reads; this table holds none.")
    totals = np.asarray(rows.sum(axis=1)).ravel()
    if depth < 1 or (totals < depth).any():
        names = [name for name, total in zip(table.samples, totals, strict=True) if total < depth]
        raise TrialistMust(
            f"{table.file_name}: {len(names)} samples hold fewer than {depth} reads ({listed(names)}); choose a "
            "smaller depth of at least 1, or leave them out."
        )
    generator = np.random.default_rng(seed)
    for first, last in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
        counts = rows.data[first:last].astype(np.int64)
        rows.data[first:last] = generator.multivariate_hypergeometric(counts, depth, method="marginals")
    rows.eliminate_zeros()
    return replace(
        table,
        starts=rows.indptr.astype(np.int64),
        places=rows.indices.astype(np.int64),
        values=rows.data.astype(np.float64),
    )


def _rows_of(table: LabTable) -> Any:
    """The table as scipy CSR of its own, each taxon once in a sample, zeros left out."""
    from scipy.sparse import csr_matrix

    rows = csr_matrix((table.values.copy(), table.places.copy(), table.starts.copy()), shape=table.shape)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return rows


def _aitchison(rows: Any, table: LabTable, *, robust: bool, pseudocount: float | None) -> tuple[Numbers, str]:
    """Euclidean distances of (robust) centred log-ratios."""
    if robust:
        if pseudocount is not None:
            raise TrialistMust("Robust Aitchison distances take no pseudocount; leave it out.")
        rows.data = np.log(rows.data)
        means = np.asarray(rows.sum(axis=1)).ravel() / np.diff(rows.indptr)
        rows.data -= np.repeat(means, np.diff(rows.indptr))
        # Absent taxa stay at the sample's own mean, as in vegan 2.6 ("robust.aitchison"), without completion.
        inner = np.asarray((rows @ rows.T).toarray(), dtype=np.float64)
        return _from_inner(inner), "Log-ratios of what is there; absent taxa count as average (no completion)."
    smallest = float(rows.data.min())
    added = (HALF_A_READ if table.has_counts else smallest / 2) if pseudocount is None else pseudocount
    if not added > 0:
        raise TrialistMust("The pseudocount must be larger than zero; a zero has no logarithm.")
    log_ratios = np.log(rows.toarray() + added)
    log_ratios -= log_ratios.mean(axis=1, keepdims=True)
    # Centring by taxon changes no distance and keeps the subtraction below exact.
    log_ratios -= log_ratios.mean(axis=0, keepdims=True)
    return _from_inner(
        log_ratios @ log_ratios.T
    ), f"{added:.3g} was added to every number, zeros included (assumed)."


def _from_inner(inner: Numbers) -> Numbers:
    squares = np.diag(inner)
    matrix = squares[:, None] + squares[None, :] - 2 * inner
    np.maximum(matrix, 0.0, out=matrix)
    np.sqrt(matrix, out=matrix)
    np.fill_diagonal(matrix, 0.0)
    return (matrix + matrix.T) / 2
