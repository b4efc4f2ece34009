"""The registry of what the formula room proves, the bases of bulk substances, and soaps made in the jar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from biflora.knowledge.rows import Row, read_table
from biflora.values import Level, Who

Group = Literal["amounts", "vehicle", "preservation", "clashes", "person", "law", "keeping", "live", "pharmacy"]


class FormulaRule(Row):
    """One rule of the formula room. Its key is `Finding.rule`, unless the row stands for a family of rows."""

    group: Group
    label: str
    statement: str
    """The rule in one sentence that a pharmacist can judge."""
    severity: tuple[Level, ...]
    """The levels that its findings may have."""
    how: str = ""
    """On what the level depends, where there are several."""
    who: tuple[Who, ...]
    """Who can lift it: one for all levels, or one for each, in the order of `severity`."""
    proved_by: tuple[Literal["optimiser", "checker"], ...]
    tables: tuple[str, ...] = ()
    """The tables that hold its numbers."""
    family_of: str = ""
    """Name of the table whose rows carry their own keys as rules; empty: the rule itself is named."""

    def who_at(self, level: Level) -> Who:
        """Who can lift it at this level. Raises ValueError for a level that the rule does not have."""
        return self.who[self.severity.index(level)] if len(self.who) > 1 else self.who[0]


class BulkBasis(Row):
    """On what basis a pharmacy may compound a substance from bulk (section 503A), by a mark of its route."""

    mark: str
    """What one of the parts of `Ingredient.us_route` begins with."""
    basis: str
    """Monograph, component of an approved drug, the 503A list, or none found: as one plain clause."""
    found: bool
    """False where no basis was found: the pharmacist must settle it."""
    klasses: tuple[str, ...] = ()
    """Ingredient classes it is said of; empty: all but excipients."""


class Soap(Row):
    """A fatty acid or wax with an alkali that makes a soap in the jar: an emulsifier without an HLB."""

    fatty_acids: tuple[str, ...]
    """Ingredient keys."""
    alkalis: tuple[str, ...]
    note: str = ""


def formula_rules() -> Mapping[str, FormulaRule]:
    return read_table("formula_rules", FormulaRule)


def bulk_bases() -> Mapping[str, BulkBasis]:
    return read_table("bulk_bases", BulkBasis)


def soaps() -> Mapping[str, Soap]:
    return read_table("soaps", Soap)


TABLES: dict[str, type[Row]] = {"formula_rules": FormulaRule, "bulk_bases": BulkBasis, "soaps": Soap}
