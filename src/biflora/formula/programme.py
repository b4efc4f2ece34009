"""An integer programme as plain data: bounded whole numbers, linear rows that may hold only when others do.

It knows no solver, so that the same model can be given to CP-SAT, to another solver, or enumerated by hand.
A literal is a variable's index (true when it is 1) or its complement `~index` (true when it is 0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Terms = Mapping[int, int]
"""Coefficient by variable index."""


@dataclass(frozen=True, slots=True)
class Row:
    """`low <= sum of coefficient * variable <= high`, demanded only when every literal in `when` is true."""

    terms: tuple[tuple[int, int], ...]
    low: int | None
    high: int | None
    when: tuple[int, ...] = ()


@dataclass(slots=True)
class Programme:
    """Variables, rows and what is to be made as large as possible."""

    names: list[str] = field(default_factory=list)
    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    maximise: dict[int, int] = field(default_factory=dict)

    def whole(self, name: str, low: int, high: int) -> int:
        """A new whole number in `low..high`; returns its index."""
        self.names.append(name)
        self.lows.append(low)
        self.highs.append(high)
        return len(self.names) - 1

    def yes_no(self, name: str) -> int:
        return self.whole(name, 0, 1)

    def demand(
        self, terms: Terms, *, low: int | None = None, high: int | None = None, when: Iterable[int] = ()
    ) -> None:
        self.rows.append(Row(tuple((v, c) for v, c in terms.items() if c), low, high, tuple(when)))

    def one_of(self, literals: Iterable[int], *, when: Iterable[int] = ()) -> None:
        """At least one of `literals` is true, whenever all of `when` are."""
        self._clause(literals, when)

    def forbid(self, literals: Iterable[int], *, when: Iterable[int] = ()) -> None:
        """Not all of `literals` together, whenever all of `when` are true."""
        self._clause([~literal for literal in literals], when)

    def _clause(self, literals: Iterable[int], when: Iterable[int]) -> None:
        terms: dict[int, int] = {}
        low = 1
        for literal in literals:
            if literal >= 0:
                terms[literal] = terms.get(literal, 0) + 1
            else:
                terms[~literal] = terms.get(~literal, 0) - 1
                low -= 1
        self.demand(terms, low=low, when=when)

    def reward(self, variable: int, points: int) -> None:
        self.maximise[variable] = self.maximise.get(variable, 0) + points

    def value_of(self, values: Mapping[int, int] | list[int]) -> int:
        """The objective's value at `values`."""
        return sum(points * values[variable] for variable, points in self.maximise.items())
