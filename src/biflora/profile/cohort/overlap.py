"""The amounts that every pair of samples shares: one pass over the taxa that both hold, compiled by Numba."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


@nb.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def add_shared(
    first: int,
    step: int,
    starts: Places,
    places: Places,
    values: Numbers,
    column_starts: Places,
    column_samples: Places,
    column_values: Numbers,
    at: Places,
    shared: Numbers,
) -> None:
    """Into `shared[i, j]`, j > i: the sum over taxa of the smaller of both amounts; rows first, first + step, ...

    `at`: where each entry of the rows stands among the entries by taxon. Going down a taxon's list costs only
    what both samples hold, where comparing two rows costs what either holds.
    """
    for i in range(first, starts.shape[0] - 1, step):
        row = shared[i]
        for entry in range(starts[i], starts[i + 1]):
            value = values[entry]
            for other in range(at[entry] + 1, column_starts[places[entry] + 1]):
                row[column_samples[other]] += min(value, column_values[other])


@nb.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def finish(first: int, step: int, totals: Numbers, shared: Numbers, whole_union: bool) -> None:
    """Turn shared amounts into distances in place, both triangles, in squares of 64 that stay in the cache.

    Not `whole_union`: 1 - 2 shared / (both totals). `whole_union`: 1 - shared / (both totals - shared).
    """
    n = totals.shape[0]
    side = 64
    for low in range(first * side, n, step * side):
        for left in range(low, n, side):
            for i in range(low, min(low + side, n)):
                for j in range(max(left, i + 1), min(left + side, n)):
                    both = totals[i] + totals[j]
                    if whole_union:
                        distance = 1.0 - shared[i, j] / (both - shared[i, j])
                    else:
                        distance = 1.0 - 2.0 * shared[i, j] / both
                    distance = max(distance, 0.0)
                    shared[i, j] = distance
                    shared[j, i] = distance


def pairwise(rows: Any, *, whole_union: bool, threads: int) -> Numbers:
    """Distances of all pairs of a scipy CSR table without duplicates. Shape (samples, samples).

    The same to the last bit with any number of threads: each pair is summed by one thread, taxon by taxon.
    """
    from concurrent.futures import ThreadPoolExecutor

    n = rows.shape[0]
    numbered = rows.copy()
    numbered.data = np.arange(rows.nnz, dtype=np.int64)
    columns = numbered.tocsc()
    at = np.empty(rows.nnz, dtype=np.int64)
    at[columns.data] = np.arange(rows.nnz)
    by_row = (rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data)
    by_taxon = (columns.indptr.astype(np.int64), columns.indices.astype(np.int64), rows.data[columns.data])
    totals = np.asarray(rows.sum(axis=1), dtype=np.float64).ravel()
    shared = np.zeros((n, n))
    work: tuple[tuple[Any, tuple[Any, ...]], ...] = (
        (add_shared, (*by_row, *by_taxon, at, shared)),
        (finish, (totals, shared, whole_union)),
    )
    with ThreadPoolExecutor(threads) as pool:
        for kernel, given in work:
            for done in [pool.submit(kernel, first, threads, *given) for first in range(threads)]:
                done.result()
    return shared
