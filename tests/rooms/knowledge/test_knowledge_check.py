"""Each kind of defect is caught on a broken copy of the tables; the installed tables have none."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

import biflora.knowledge
from biflora.knowledge.check import cas_is_valid, check_knowledge, table_types
from biflora.plan.plan import BodySite, Condition, Effect

TODAY = date(2026, 11, 26)
Break = Callable[[list[dict[str, str]]], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    home = Path(str(resources.files(biflora.knowledge)))
    folder = tmp_path / "tables"
    shutil.copytree(home / "tables", folder)
    shutil.copy(home / "sources.yaml", folder / "sources.yaml")
    return folder


def broken(folder: Path, table: str, change: Break) -> set[tuple[str, str]]:
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return {(each.rule, each.subject) for each in check_knowledge(folder, today=TODAY)}


def cell(key: str, **values: str) -> Break:
    def change(rows: list[dict[str, str]]) -> None:
        next(row for row in rows if row["key"] == key).update(values)

    return change


def test_the_installed_tables_are_in_order() -> None:
    assert check_knowledge() == ()


@pytest.mark.parametrize(
    ("table", "key", "values", "rule"),
    [
        ("ingredients", "glycerin", {"incompatible_with": "moon_dust"}, "orphan"),
        ("ingredients", "glycerin", {"allergen_groups": "moon_dust"}, "orphan"),
        ("vehicles", "hec_gel", {"gelling": "moon_dust"}, "orphan"),
        ("vehicles", "hec_gel", {"bud_rule_preserved": "never"}, "orphan"),
        ("vehicles", "hec_gel", {"sites": "elbow"}, "orphan"),
        ("preservative_parts", "alcohol__ethanol", {"ingredient": "moon_dust"}, "orphan"),
        ("preservative_parts", "alcohol__ethanol", {"system": "moon_dust"}, "orphan"),
        ("ingredient_effects", "glycerin__hydration", {"effect": "eternal_youth"}, "orphan"),
        ("ingredient_effects", "glycerin__hydration", {"conditions": "baldness"}, "orphan"),
        ("incompatibilities", "tretinoin_bpo", {"a": "class:magic"}, "orphan"),
        ("allergens", "parabens", {"cross_reacts_with": "moon_dust"}, "orphan"),
        ("strength_limits", "urea_open", {"ingredient": "moon_dust"}, "orphan"),
        ("checker_limits", "hlb_tolerance", {"unit": "furlong"}, "unit_unknown"),
        ("ingredients", "glycerin", {"min_percent": "60"}, "range"),
        ("vehicles", "hec_gel", {"ph_min": "9"}, "range"),
        ("ingredients", "glycerin", {"max_percent": "140"}, "percent"),
        ("ingredients", "glycerin", {"ph_max": "15"}, "ph"),
        ("ingredients", "tretinoin", {"strengths_percent": "0.5"}, "strength_outside"),
        ("ingredients", "glycerin", {"irritancy": "9"}, "range"),
        ("ingredients", "glycerin", {"min_age_years": "-1"}, "age"),
        ("ingredients", "glycerin", {"cas": "56-81-4"}, "cas"),
        ("ingredients", "glycerin", {"cas": "57-13-6"}, "duplicate"),
        ("ingredients", "urea", {"inci": "Glycerin"}, "duplicate"),
        ("ingredients", "urea", {"name": "glycerin"}, "duplicate"),
        ("ingredients", "glycerin", {"valid_from": "2027-01-01"}, "date_future"),
        ("ingredients", "glycerin", {"source": "no_such_key"}, "source_unknown"),
    ],
)
def test_a_defect_is_caught_at_its_row(
    copy: Path, table: str, key: str, values: dict[str, str], rule: str
) -> None:
    found = broken(copy, table, cell(key, **values))
    # A duplicate is told at the later of the two rows, any other defect at its own.
    assert any(each == rule and (rule == "duplicate" or subject == f"{table}.{key}") for each, subject in found)


def test_unreadable_rows_missing_sources_and_tables(copy: Path) -> None:
    line = (
        [row["key"] for row in csv.DictReader((copy / "urea.csv").open())] if (copy / "urea.csv").exists() else []
    )
    assert line == []
    assert "source_missing" in {rule for rule, _ in broken(copy, "vehicles", cell("foam", source=""))}
    assert "row_unreadable" in {rule for rule, _ in broken(copy, "site_limits", cell("face", ph_min="acid"))}
    assert "duplicate_key" in {
        rule for rule, _ in broken(copy, "effects", lambda rows: rows.append(dict(rows[0])))
    }
    (copy / "allergens.csv").unlink()
    (copy / "stray.csv").write_text("key\n")
    rules = {(each.rule, each.subject) for each in check_knowledge(copy, today=TODAY)}
    assert {("table_missing", "allergens.csv"), ("table_unclaimed", "stray.csv")} <= rules


@pytest.mark.parametrize(
    ("cas", "valid"),
    [
        # water: 8*1 + 1*2 + 2*3 + 3*4 + 7*5 + 7*6 = 105; 105 mod 10 = 5
        ("7732-18-5", True),
        ("7732-18-6", False),
        ("57-13-6", True),
        ("57136", False),
    ],
)
def test_cas_check_digit(cas: str, valid: bool) -> None:
    assert cas_is_valid(cas) is valid


def test_names_held_by_tables_are_those_of_the_plan_room() -> None:
    from biflora.knowledge.checking import conditions, effects
    from biflora.knowledge.pharmacy import site_limits

    assert set(effects()) == {each.value for each in Effect}
    assert set(conditions()) == {each.value for each in Condition}
    assert set(site_limits()) == {each.value for each in BodySite}


def test_new_tables_join_by_themselves() -> None:
    assert {"ingredients", "taxa", "oral_strains", "fda_iid_topical"} <= set(table_types())
