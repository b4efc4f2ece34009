"""A sample and the matched persons of a reference on one set of names, at one depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.references import reference_limit
from biflora.profile.composition import Composition
from biflora.profile.names import Named
from biflora.profile.numbers.balances import clr
from biflora.profile.reference.library import WholeReference
from biflora.profile.reference.match import Match
from biflora.profile.reference.novelty import Integers, evenly_spaced, to_depth, whole_reads
from biflora.profile.table import Numbers

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class SideBySide:
    """The same taxa in the sample (one row) and in the persons (persons by taxa)."""

    names: tuple[Named, ...]
    sample: Numbers
    """Reads or shares as the file gives them, one per name."""
    persons: Numbers
    in_reference: Flags
    """Names that the reference's table holds at all."""
    has_reads: bool
    """Both sides hold reads; else both are compared as shares."""
    depth: int | None
    """Reads that both were drawn down to; None for shares."""
    sample_even: Numbers
    """At that depth (or as shares)."""
    persons_even: Numbers

    @property
    def unseen_share(self) -> float:
        """Share of the sample in taxa that the reference's table does not hold."""
        return float(self.sample[~self.in_reference].sum() / self.sample.sum())

    @property
    def nobodys_share(self) -> float:
        """Share of the sample in genera that none of the matched persons has."""
        sample, persons = self.genera()
        return float(sample[~(persons > 0).any(axis=0)].sum())

    @property
    def pseudocount(self) -> float:
        """Share added to each part before logarithms; at a shallow depth never less than half a read."""
        share = reference_limit("pseudocount_share")
        return share if self.depth is None else max(share, 0.5 / self.depth)

    @property
    def near(self) -> Integers:
        """The persons to whom distances are measured: all, or some of a large reference."""
        return evenly_spaced(len(self.persons), int(reference_limit("distance_most_n")))

    def of_guild(self, key: str) -> Flags:
        return np.array([key in name.guilds for name in self.names], dtype=bool)

    @cached_property
    def even_shares(self) -> tuple[Numbers, Numbers]:
        """(sample, persons) at one depth, each summing to 1."""
        persons = self.persons_even / self.persons_even.sum(axis=1, keepdims=True)
        return self.sample_even / self.sample_even.sum(), persons

    def genera(self) -> tuple[Numbers, Numbers]:
        """(sample, persons) at one depth as shares of genera; a name without genus stands for itself."""
        places: dict[str, int] = {}
        column = [places.setdefault(name.genus or name.name, len(places)) for name in self.names]
        sample, persons = self.even_shares
        return summed(sample[None, :], column, len(places))[0], summed(persons, column, len(places))

    def log_ratios_of_genera(self) -> tuple[Numbers, Numbers]:
        """Centred log-ratios of the genera that reach the least share in the sample or in one person."""
        sample, persons = self.genera()
        persons = persons[self.near]
        least = reference_limit("novelty_taxon_share")
        counted = (sample >= least) | (persons >= least).any(axis=0)
        return (
            clr(sample[counted] + self.pseudocount),
            clr(persons[:, counted] + self.pseudocount),
        )


def side_by_side(composition: Composition, whole: WholeReference, match: Match) -> SideBySide:
    """Names of both sides joined: 16S by genus, since its species are a best guess, other assays by name."""
    by_genus = whole.card.assay.startswith("16S")
    persons = whole.rows(match.chosen)
    places: dict[tuple[str, str, frozenset[str]], int] = {}
    names: list[Named] = []
    of_reference = [_place(name, by_genus, places, names) for name in whole.names]
    known = len(names)
    of_sample = [_place(name, by_genus, places, names) for name in composition.named]
    theirs = summed(persons, of_reference, len(names))
    mine = summed(composition.values[None, :], of_sample, len(names))[0]
    used = (mine > 0) | (theirs > 0).any(axis=0)
    has_reads = whole.card.has_reads and composition.has_counts
    mine, theirs = mine[used], theirs[:, used]
    depth: int | None = None
    if has_reads:
        depth = int(min(whole_reads(mine).sum(), whole_reads(theirs).sum(axis=1).min()))
        mine_even, theirs_even = to_depth(mine[None, :], depth)[0], to_depth(theirs, depth)
    else:
        mine, theirs = mine / mine.sum(), theirs / theirs.sum(axis=1, keepdims=True)
        mine_even, theirs_even = mine, theirs
    return SideBySide(
        names=tuple(name for name, kept in zip(names, used, strict=True) if kept),
        sample=mine,
        persons=theirs,
        in_reference=(np.arange(len(names)) < known)[used],
        has_reads=has_reads,
        depth=depth,
        sample_even=mine_even,
        persons_even=theirs_even,
    )


def summed(rows: Numbers, column: Sequence[int], width: int) -> Numbers:
    """Each row's entries added up into the columns named for them."""
    out = np.zeros((len(rows), width))
    if not column:
        return out
    into = np.asarray(column)
    order = np.argsort(into, kind="stable")
    targets, starts = np.unique(into[order], return_index=True)
    out[:, targets] = np.add.reduceat(rows[:, order], starts, axis=1)
    return out


def _place(
    name: Named, by_genus: bool, places: dict[tuple[str, str, frozenset[str]], int], names: list[Named]
) -> int:
    """The column of a name; species of one genus share it where they belong to the same guilds."""
    alike = (name.genus, "genus") if by_genus and name.genus else (name.name, name.rank)
    key = (*alike, name.guilds)
    if key not in places:
        places[key] = len(names)
        names.append(name)
    return places[key]
