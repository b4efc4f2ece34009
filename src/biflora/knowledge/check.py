"""What is wrong in the tables: orphans, bad units, impossible ranges, duplicate names, missing sources."""

from __future__ import annotations

import csv
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal, NamedTuple

import yaml

import biflora.knowledge
from biflora.errors import OperatorMust
from biflora.knowledge.links import LINKS, Link
from biflora.knowledge.rows import Row, cells_of, is_tuple
from biflora.units import is_unit
from biflora.values import Finding, Who, parse

UNIQUE = {
    "ingredients": ("name", "inci", "cas", "unii"),
    "vehicles": ("label",),
    "preservative_systems": ("label",),
    "allergens": ("label",),
    "taxa": ("name", "ncbi_taxid"),
    "guilds": ("label",),
    "instruments": ("label",),
}
"""Columns in which no value may stand twice."""
SHARED_CAS = "shares its CAS"
"""A note that says so lets two grades of one substance have one CAS number."""
_SOURCE_KEY = re.compile(r"[a-z][a-z0-9_]*")
_CAS = re.compile(r"(\d{2,7})-(\d{2})-(\d)")
_AGES = {"min_age_years", "age_below_years", "age_at_least", "age_below", "age_min", "age_max"}
_PAIRS = (
    ("min_percent", "max_percent"),
    ("ph_min", "ph_max"),
    ("water_min_percent", "water_max_percent"),
    ("oil_min_percent", "oil_max_percent"),
    ("emulsifier_hlb_min", "emulsifier_hlb_max"),
    ("min_total_percent", "max_total_percent"),
    ("minimum", "maximum"),
    ("low", "high"),
    ("at_least", "below"),
    ("age_at_least", "age_below"),
    ("age_min", "age_max"),
    ("min_length", "max_length"),
)


class Table(NamedTuple):
    name: str
    rows: Mapping[str, Row]


def check_knowledge(folder: Traversable | None = None, *, today: date | None = None) -> tuple[Finding, ...]:
    """Every defect of the installed tables, or of those in `folder` (which also holds sources.yaml)."""
    home = resources.files(biflora.knowledge)
    tables_at = folder or home / "tables"
    sources = _sources((folder or home) / "sources.yaml")
    tables: dict[str, Table] = {}
    found: list[Finding] = []
    for name, row_type in table_types().items():
        table, problems = _read(tables_at / f"{name}.csv", name, row_type)
        tables[name] = table
        found += problems
    for file in tables_at.iterdir():
        if file.name.endswith(".csv") and file.name[:-4] not in tables:
            found.append(
                _stop("table_unclaimed", file.name, "No module of knowledge reads this table: add or remove it.")
            )
    day = today or date.today()
    for table in tables.values():
        for row in table.rows.values():
            found += _row_defects(table.name, row, sources, day)
        found += _duplicates(table)
    found += _orphans(tables)
    return tuple(found)


def table_types() -> Mapping[str, type[Row]]:
    """Every table that a module of knowledge declares in its `TABLES`, by name."""
    types: dict[str, type[Row]] = {}
    for module in pkgutil.iter_modules(biflora.knowledge.__path__):
        declared = getattr(importlib.import_module(f"biflora.knowledge.{module.name}"), "TABLES", {})
        types |= declared
    return types


def _sources(path: Traversable) -> frozenset[str]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return frozenset()
    return frozenset(key for key in content if key != "columns")


def _read(path: Traversable, name: str, row_type: type[Row]) -> tuple[Table, list[Finding]]:
    """The readable rows and a finding for each that is not; the catalogue's own reader stops at the first."""
    rows: dict[str, Row] = {}
    found: list[Finding] = []
    try:
        records = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    except FileNotFoundError:
        return Table(name, rows), [_stop("table_missing", f"{name}.csv", "The table is declared and not there.")]
    lists = {field for field, info in row_type.model_fields.items() if is_tuple(info.annotation)}
    for number, record in enumerate(records, start=2):
        where = f"{name}.csv, line {number}"
        if None in record:
            found.append(
                _stop("row_unreadable", where, f"{where}: more cells than columns; quote a cell with a comma.")
            )
            continue
        try:
            row = parse(row_type, cells_of(record, lists), where=where, error=OperatorMust)
        except OperatorMust as problem:
            rule = "source_missing" if "'source'" in str(problem) else "row_unreadable"
            found.append(_stop(rule, where, str(problem)))
            continue
        if row.key in rows:
            found.append(_stop("duplicate_key", where, f"{where}: the key '{row.key}' stands twice."))
        rows[row.key] = row
    return Table(name, rows), found


def _stop(rule: str, subject: str, message: str, level: Literal["stop", "warn"] = "stop") -> Finding:
    return Finding(
        level=level,
        rule=rule,
        subject=subject,
        message=message,
        who=Who.EVIDENCE,
        source="biflora.knowledge.check",
        verification="computed",
    )


def _row_defects(table: str, row: Row, sources: frozenset[str], today: date) -> Iterator[Finding]:
    where = f"{table}.{row.key}"
    if _SOURCE_KEY.fullmatch(row.source) and row.source not in sources:
        yield _stop("source_unknown", where, f"{where}: the source key '{row.source}' is not in sources.yaml.")
    if row.valid_from > today:
        yield _stop("date_future", where, f"{where}: valid_from lies in the future.")
    values: dict[str, Any] = {field: getattr(row, field) for field in type(row).model_fields}
    unit = values.get("unit")
    if isinstance(unit, str) and unit and not is_unit(unit):
        yield _stop("unit_unknown", where, f"{where}: '{unit}' is not a unit of biflora.units; mend or add it.")
    for low, high in _PAIRS:
        if _number(values.get(low)) and _number(values.get(high)) and values[low] > values[high]:
            yield _stop("range", where, f"{where}: {low} {values[low]:g} is above {high} {values[high]:g}.")
    for field, value in values.items():
        if not _number(value):
            continue
        if _is_share(field) and not 0 <= value <= 100:
            yield _stop("percent", where, f"{where}: {field} {value:g} is not between 0 and 100.")
        if (field.startswith("ph_") or field == "ph") and not 0 <= value <= 14:
            yield _stop("ph", where, f"{where}: {field} {value:g} is not between 0 and 14.")
        if field in _AGES and not 0 <= value <= 120:
            yield _stop("age", where, f"{where}: {field} {value:g} is not an age in years.")
    if table == "ingredients":
        yield from _ingredient_defects(where, values)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_share(field: str) -> bool:
    return (
        (field == "percent" or field.endswith("_percent")) and "change" not in field and not field.startswith("sd")
    )


def _ingredient_defects(where: str, values: Mapping[str, Any]) -> Iterator[Finding]:
    for strength in values["strengths_percent"]:
        if not values["min_percent"] <= strength <= values["max_percent"]:
            yield _stop("strength_outside", where, f"{where}: the strength {strength:g} lies outside the range.")
    cas = values["cas"]
    if cas and not cas_is_valid(cas):
        yield _stop("cas", where, f"{where}: {cas} is not a CAS number (its check digit does not agree).")
    if not 0 <= values["irritancy"] <= 5:
        yield _stop("range", where, f"{where}: irritancy {values['irritancy']} is not between 0 and 5.")


def cas_is_valid(cas: str) -> bool:
    """A CAS number's last digit is the sum of the others, each times its place from the right, modulo ten."""
    match = _CAS.fullmatch(cas)
    if match is None:
        return False
    digits = [int(each) for each in match[1] + match[2]]
    return sum(place * digit for place, digit in enumerate(reversed(digits), start=1)) % 10 == int(match[3])


def _duplicates(table: Table) -> Iterator[Finding]:
    for column in UNIQUE.get(table.name, ()):
        first: dict[str, str] = {}
        for key, row in table.rows.items():
            value = getattr(row, column)
            if value is None or value == "":
                continue
            folded = str(value).casefold()
            earlier = first.setdefault(folded, key)
            if earlier != key and not (column == "cas" and SHARED_CAS in getattr(row, "note", "")):
                where = f"{table.name}.{key}"
                yield _stop("duplicate", where, f"{where}: the same {column} as '{earlier}' ({value}).")


def _orphans(tables: Mapping[str, Table]) -> Iterator[Finding]:
    for link in LINKS:
        if link.table not in tables or link.target not in tables:
            continue
        allowed = _allowed(link, tables[link.target])
        for key, row in tables[link.table].rows.items():
            cell = getattr(row, link.column)
            for entry in (cell,) if isinstance(cell, str) else (cell or ()):
                if entry not in allowed:
                    where = f"{link.table}.{key}"
                    yield _stop("orphan", where, f"{where}: {link.column} names '{entry}', not in {link.target}.")


def _allowed(link: Link, target: Table) -> frozenset[str]:
    words = set(target.rows)
    if link.prefix:
        words |= {f"{link.prefix}{getattr(row, link.prefix_column)}" for row in target.rows.values()}
    return frozenset(words)
