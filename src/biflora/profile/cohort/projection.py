"""Sums of squares of a distance matrix under a linear model, as observed and with a term's values dealt anew.

With A = -D^2/2 and Q an orthonormal basis of what a term adds to those before it, its sum of squares is the trace
of Q'AQ (McArdle and Anderson 2001, Ecology 82:290). A need not be centred, because the intercept always stands
before the term. A term whose values are dealt among units (subjects, or samples) touches A only through sums over
units, so A is summed once and each arrangement costs units x units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biflora.profile.cohort.design import Exchange
from biflora.profile.cohort.formula import Codes
from biflora.profile.cohort.permutations import Places

Numbers = NDArray[np.float64]
NEGLIGIBLE = 1e-9
"""Directions and differences below this share of the largest are taken for rounding."""
SINGLE_PRECISION_ABOVE = 2e9
"""Multiplications above which arrangements are first weighed in single precision (speed only, not the answer)."""
NUMBERS_AT_ONCE = 8_000_000
"""How many dealt values are held in memory at a time."""


@dataclass(frozen=True)
class Tested:
    """What testing one term gave."""

    rank: int
    """Columns of the term that are left; 0: none, and nothing could be tested."""
    sum_of_squares: float
    """Of the term after what was taken out before it, as observed."""
    f: float | None
    """Pseudo-F against what is then left; none: nothing is left."""
    at_least_as_large: int
    permutations: int


def scaled(columns: Numbers) -> Numbers:
    """Columns about their means, each of length one (or zero, when it does not vary)."""
    left = columns - columns.mean(axis=0)
    lengths = np.linalg.norm(left, axis=0)
    found: Numbers = left / np.where(lengths > 1e-12 * np.linalg.norm(columns, axis=0), lengths, np.inf)
    return found


def basis(columns: Numbers, before: Numbers) -> Numbers:
    """An orthonormal basis of what `columns`, of length about one, add to the orthonormal `before`.

    Shape (samples, rank added).
    """
    left = columns
    for _ in range(2):  # once more, because the first time leaves rounding of the size of what was removed
        left = left - before @ (before.T @ left)
    directions, sizes, _ = np.linalg.svd(left, full_matrices=False)
    found: Numbers = directions[:, sizes > 1e-7]
    return found


def intercept(n: int) -> Numbers:
    return np.full((n, 1), 1 / np.sqrt(n))


def without_means(columns: Numbers, groups: Codes) -> Numbers:
    """The columns less the mean of each group."""
    sums = np.zeros((int(groups.max()) + 1, columns.shape[1]))
    np.add.at(sums, groups, columns)
    return columns - (sums / np.bincount(groups)[:, None])[groups]


class Squares:
    """A = -D^2/2 less its mean, and the sums over units that several terms share."""

    def __init__(self, matrix: Numbers) -> None:
        a = np.square(matrix)
        a *= -0.5
        # A constant changes no sum of squares; without it single precision keeps more digits.
        a -= a.mean()
        self.a: Numbers = a
        self._known: dict[str, Numbers] = {}
        self._rounded: dict[str, NDArray[np.float32]] = {}

    def over_units(self, key: str, spread: Any, n_kept: int) -> Numbers:
        """A summed over units on both sides. Shape (kept, kept, units, units). `key` names the way of summing."""
        if key not in self._known:
            n_units = spread.shape[1] // n_kept
            once = np.ascontiguousarray((spread.T.tocsr() @ self.a).T)
            both = np.asarray(spread.T.tocsr() @ once).reshape(n_kept, n_units, n_kept, n_units)
            self._known[key] = np.ascontiguousarray(both.transpose(0, 2, 1, 3))
        return self._known[key]

    def over_samples(self) -> Numbers:
        return self.a[None, None]

    def rounded(self, key: str, sums: Numbers) -> NDArray[np.float32]:
        """The same in single precision."""
        if key not in self._rounded:
            self._rounded[key] = sums.astype(np.float32)
        return self._rounded[key]


class DealtTerm:
    """One term ready to be tested: the sums over units, and what each arrangement is divided by.

    `dealt`: the term's columns that move, one row for each unit. `kept`: those that stay with their samples (ones,
    for a term that moves as a whole); the term is their product. `before`: columns of the terms taken out first.
    """

    def __init__(
        self,
        squares: Squares,
        exchange: Exchange,
        subjects: Codes,
        dealt: Numbers,
        kept: Numbers,
        before: Numbers,
    ) -> None:
        a = squares.a
        n = a.shape[0]
        # Moving the origin only adds columns that are taken out before; it keeps the sums below well conditioned.
        self.dealt = scaled(dealt)
        first = intercept(n)
        self.left = float(np.trace(a))
        self.left_df = n
        if exchange.takes_subjects_out:
            nothing = np.zeros((n, 0))
            removed = basis(without_means(before, subjects), nothing) if before.shape[1] else nothing
            self.left -= _inside_means(a, subjects)
            self.left_df -= int(subjects.max()) + 1
            # What moves, or stays, sums to zero in every subject, and a deal inside subjects keeps it so: then
            # taking each subject's mean out of A as well would change nothing.
            if exchange.kind == "courses":
                kept = without_means(kept, subjects)
            else:
                self.dealt = without_means(self.dealt, subjects)
        else:
            removed = np.hstack([first, basis(before, first)]) if before.shape[1] else first
        self.n_dealt, self.n_kept, self.n_units = dealt.shape[1], kept.shape[1], exchange.n_units
        spread = _spread(exchange, kept)
        a_removed = a @ removed
        self.left -= float(np.sum(removed * a_removed))
        self.left_df -= removed.shape[1]
        self.squares = squares
        if n == self.n_units and bool(np.all(kept == 1)):
            self.key, self.sums = "samples", squares.over_samples()
        else:
            self.key = f"{exchange.kind}: {', '.join(exchange.kept)}"
            self.sums = squares.over_units(self.key, spread, self.n_kept)
        shape = (self.n_kept, self.n_units, removed.shape[1])
        self.across = np.asarray(spread.T @ removed).reshape(shape)
        self.a_across = np.asarray(spread.T @ a_removed).reshape(shape)
        self.a_removed = removed.T @ a_removed
        self.inner = np.zeros((self.n_units, self.n_kept, self.n_kept))
        np.add.at(self.inner, exchange.unit_of, kept[:, :, None] * kept[:, None, :])

    def test(self, arrangements: Places, *, single: bool | None = None) -> Tested:
        """How many arrangements give at least the observed sum of squares; exact ties count.

        In single precision, every arrangement near the observed value is weighed again in double.
        """
        work = 2.0 * self.n_dealt * (self.n_kept * self.n_units) ** 2 * len(arrangements)
        use_single = work > SINGLE_PRECISION_ABOVE if single is None else single
        as_it_is = np.arange(self.n_units, dtype=np.int32)[None, :]
        observed, rank = (float(x[0]) for x in self._weigh(as_it_is, self.sums))
        if rank == 0:
            return Tested(0, 0.0, None, len(arrangements), len(arrangements))
        if use_single:
            values, ranks = self._weigh(arrangements, self.squares.rounded(self.key, self.sums))
            some = arrangements[:: max(1, len(arrangements) // 8)]
            exact, _ = self._weigh(some, self.sums)
            error = float(np.abs(exact - values[:: max(1, len(arrangements) // 8)]).max())
            near = np.abs(values - observed) <= 50 * error + 1e-4 * abs(observed)
            if near.any():
                values[near], ranks[near] = self._weigh(arrangements[near], self.sums)
        else:
            values, ranks = self._weigh(arrangements, self.sums)
        # An arrangement that leaves cells empty spans fewer directions; each is then judged by its mean square.
        reached = values / np.maximum(ranks, 1) >= (observed - NEGLIGIBLE * abs(observed)) / rank
        left_df = self.left_df - rank
        residual = self.left - observed
        f = observed / rank / (residual / left_df) if left_df > 0 and residual > 0 else None
        return Tested(int(rank), observed, f, int(reached.sum()), len(arrangements))

    def _weigh(self, arrangements: Places, sums: NDArray[Any]) -> tuple[Numbers, Numbers]:
        """(sum of squares, rank) of each arrangement."""
        size = self.n_dealt * self.n_kept
        at_once = max(1, NUMBERS_AT_ONCE // (self.n_units * self.n_dealt))
        values, ranks = np.empty(len(arrangements)), np.empty(len(arrangements))
        columns = np.ascontiguousarray(self.dealt.T)
        for start in range(0, len(arrangements), at_once):
            part = arrangements[start : start + at_once]
            moved = columns[:, part]
            quadratic, gram = self._quadratic(moved, sums), self._gram(moved)
            if self.across.shape[2]:
                along, a_along = self._along(moved, self.across), self._along(moved, self.a_across)
                cross = np.matmul(a_along, along.transpose(0, 2, 1))
                quadratic -= cross + cross.transpose(0, 2, 1)
                quadratic += along @ self.a_removed @ along.transpose(0, 2, 1)
                gram -= np.matmul(along, along.transpose(0, 2, 1))
            eigenvalues, vectors = np.linalg.eigh(gram.reshape(len(part), size, size))
            held = eigenvalues > np.maximum(1e-7 * eigenvalues[:, -1:], 1e-12)
            turned = np.matmul(vectors.transpose(0, 2, 1), np.matmul(quadratic, vectors))
            own = np.diagonal(turned, axis1=1, axis2=2)
            explained = np.divide(own, eigenvalues, out=np.zeros_like(eigenvalues), where=held)
            values[start : start + at_once] = explained.sum(axis=1)
            ranks[start : start + at_once] = held.sum(axis=1)
        return values, ranks

    def _quadratic(self, moved: Numbers, sums: NDArray[Any]) -> Numbers:
        """X'AX of each arrangement. `moved`: (dealt, arrangements, units)."""
        n, k, m = moved.shape[1], self.n_dealt, self.n_kept
        found = np.empty((n, m, k, m, k))
        moved = moved.astype(sums.dtype, copy=False)
        flat = moved.reshape(-1, self.n_units)
        for i in range(m):
            for j in range(i, m):
                through = (flat @ sums[i, j]).reshape(moved.shape)
                for p in range(k):
                    for q in range(k):
                        cell = np.einsum("bu,bu->b", moved[p], through[q])
                        found[:, j, p, i, q] = cell
                        found[:, i, q, j, p] = cell
        return found.reshape(n, m * k, m * k)

    def _gram(self, moved: Numbers) -> Numbers:
        """X'X of each arrangement."""
        n, k, m = moved.shape[1], self.n_dealt, self.n_kept
        found = np.empty((n, m, k, m, k))
        inner = self.inner.reshape(self.n_units, m * m)
        for p in range(k):
            for q in range(p, k):
                cell = ((moved[p] * moved[q]) @ inner).reshape(n, m, m)
                found[:, :, p, :, q] = cell
                found[:, :, q, :, p] = cell
        return found.reshape(n, m * k, m * k)

    def _along(self, moved: Numbers, across: Numbers) -> Numbers:
        """X' times what was taken out before, for each arrangement. Shape (arrangements, columns, taken out)."""
        n, k, m = moved.shape[1], self.n_dealt, self.n_kept
        found = np.empty((n, m, k, across.shape[2]))
        flat = moved.reshape(-1, self.n_units)
        for i in range(m):
            found[:, i] = (flat @ across[i]).reshape(k, n, -1).transpose(1, 0, 2)
        return found.reshape(n, m * k, -1)


def _spread(exchange: Exchange, kept: Numbers) -> Any:
    """Sparse (samples, kept x units): where a unit's value reaches each sample, times what the sample keeps."""
    from scipy.sparse import csr_matrix

    n, m = kept.shape
    columns = exchange.unit_of[:, None] + exchange.n_units * np.arange(m)[None, :]
    starts = np.arange(0, n * m + 1, m)
    return csr_matrix((kept.ravel(), columns.ravel(), starts), shape=(n, m * exchange.n_units))


def _inside_means(a: Numbers, subjects: Codes) -> float:
    """The sum over subjects of A's mean inside the subject times its samples: what subjects' means explain."""
    order = np.argsort(subjects, kind="stable")
    ends = np.cumsum(np.bincount(subjects))
    members = np.split(order, ends[:-1])
    return float(sum(a[np.ix_(own, own)].sum() / len(own) for own in members))
