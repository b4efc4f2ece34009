"""The FDA's file into the table: the shipped table is the witness of the whole, some written lines of the rest."""

from __future__ import annotations

import csv
import io
import os
import shutil
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from biflora.errors import OperatorMust
from biflora.knowledge import import_iid as iid
from biflora.knowledge.checking import fda_iid
from biflora.knowledge.pharmacy import ingredients

SHIPPED = resources.files("biflora.knowledge")
DAY = date(2026, 4, 30)
HEADER = (
    "INGREDIENT_NAME,ROUTE,DOSAGE_FORM,CAS_NUMBER,UNII,POTENCY_AMOUNT,POTENCY_UNIT,"
    "MAXIMUM_DAILY_EXPOSURE,MAXIMUM_DAILY_EXPOSURE_UNIT,RECORD_UPDATED\n"
)
LINES = (
    '"ALCOHOL",TOPICAL,LOTION,64175,3K9958V90M,30,%w/w,,,Y\n'  # shipped with 25 %w/w
    "ALCOHOL,ORAL,ELIXIR,64175,3K9958V90M,,,3744,mg,\n"  # not on the skin
    "ALMOND OIL,TOPICAL,CREAM,8007690,66YXD4DKO9,2,%w/w,,,\n"  # as shipped
    "MOON DUST,TOPICAL,CREAM,,NA,,NA,,,\n"  # new, none of ours
    "UREA,TOPICAL,PATCH,57136,8W8T17847W,3,mg/1ml,2,g,\n"  # a unit without a column; 2 g is 2,000 mg
    "GLYCERIN,TOPICAL,OINTMENT,56815,PDC6A3C0OX,,ADJ PH,0.4,stone,\n"
)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A copy of what an import touches."""
    (tmp_path / "tables").mkdir()
    shutil.copy(str(SHIPPED / "tables" / "fda_iid_topical.csv"), tmp_path / "tables")
    (tmp_path / "RELEASE").write_text("2026.4\n")
    return tmp_path


def imported(text: str, tables: Path) -> iid.Imported:
    path = tables / "IIR_OCOMM.csv"
    path.write_text(text)
    return iid.import_iid(iid.read_iid(path), dated=DAY, file_name=path.name, folder=tables)


def rows_in(text: str) -> dict[str, dict[str, str]]:
    return {row["key"]: row for row in csv.DictReader(io.StringIO(text))}


def test_the_file_behind_the_shipped_table_gives_the_shipped_figures(shared_data: Path, tables: Path) -> None:
    source = shared_data.parent / "facts" / "fda_iid_topical.csv"
    if not source.is_file():
        pytest.skip(f"no {source.name} beside the witness data")
    kept = (tables / "tables" / "fda_iid_topical.csv").read_text()
    found = iid.import_iid(iid.read_iid(source), dated=DAY, file_name=source.name, folder=tables)
    assert (found.added, found.changed, found.gone) == ((), (), ())
    for row in rows_in(found.text or kept).values():  # ingredients that entered since are joined by their UNII
        before = rows_in(kept)[row["key"]]
        assert row == before or (before["ingredient"], ingredients()[row["ingredient"]].unii) == ("", row["unii"])
    # once more into an empty table, where nothing of the shipped one can help
    (tables / "tables" / "fda_iid_topical.csv").write_text(kept.splitlines()[0] + "\n")
    anew = iid.import_iid(iid.read_iid(source), dated=DAY, file_name=source.name, folder=tables)
    new, old = rows_in(anew.text or ""), rows_in(kept)
    assert list(new) == list(old)
    assert len(new) == 1373
    for key, row in new.items():
        for column in ("name", "dosage_form", "unii", "max_percent", "percent_unit", "max_daily_mg"):
            assert row[column] == old[key][column], (key, column)
        # what is joined without help is joined as a person joined it, or by an ingredient's UNII; by CAS number
        # or name only where one of the two sides has no UNII
        known = ingredients().get(row["ingredient"])
        assert (
            known is None
            or known.key == old[key]["ingredient"]
            or row["unii"] in (known.unii, "NA")
            or (known.unii is None)
        ), key
        assert row["valid_from"] == "2026-04-30"


def test_added_changed_gone_and_kept_rows(tables: Path) -> None:
    found = imported(HEADER + LINES, tables)
    assert (found.rows, found.rows_of_all_routes) == (5, 6)
    assert found.changed[0] == "ALCOHOL, LOTION: max_percent 25 -> 30"
    assert "MOON DUST, CREAM: no figure" in found.added
    assert "MOON DUST" in found.unmatched
    shipped = rows_in((tables / "tables" / "fda_iid_topical.csv").read_text())
    new = rows_in(found.text or "")
    assert (
        len(found.gone) == len(set(shipped) - set(new)) == len(shipped) - 3
    )  # alcohol, almond oil, glycerin stay
    assert new["almond_oil_cream"] == shipped["almond_oil_cream"]
    alcohol = new["alcohol_lotion"]
    assert (alcohol["max_percent"], alcohol["ingredient"], alcohol["valid_from"]) == (
        "30",
        "ethanol",
        "2026-04-30",
    )
    assert "state of 2026-04-30, IIR_OCOMM.csv (SHA-256 " in alcohol["source"]
    assert new["urea_patch"]["max_daily_mg"] == "2000"
    assert new["urea_patch"]["max_percent"] == ""
    assert new["urea_patch"]["ingredient"] == "urea"
    assert found.units_not_understood == (
        "UREA, PATCH: 3 mg/1ml",
        "GLYCERIN, OINTMENT: 0.4 stone a day",
    )


def test_a_shared_number_or_name_is_asked_about_and_never_joined(tables: Path) -> None:
    """Ceteareth-7 has the CAS number of ceteareth-20 and another UNII: another substance."""
    line = "CETEARETH-7,TOPICAL,CREAM,68439496,AAAAAAAAAA,1,%w/w,,,\n"
    found = imported(HEADER + LINES + line, tables)
    assert found.unsure == ("CETEARETH-7: ceteareth_20?",)
    assert rows_in(found.text or "")["ceteareth_7_cream"]["ingredient"] == ""


def test_written_whole_and_told_apart_by_the_release(tables: Path) -> None:
    found = imported(HEADER + LINES, tables)
    assert (tables / "RELEASE").read_text() == "2026.4\n"  # nothing is written before it is asked for
    iid.save(found, tables)
    assert (tables / "RELEASE").read_text() == "2026.4+iid.20260430\n"
    assert len("2026.10+iid.20260430") <= 20  # the store's column is that wide
    assert (tables / "tables" / "fda_iid_topical.csv").read_text() == found.text
    again = imported(HEADER + LINES, tables)
    assert (again.text, again.release) == (None, "2026.4+iid.20260430")
    later = imported(HEADER + LINES.replace("30,%w/w", "31,%w/w"), tables)
    assert later.release == "2026.4+iid.20260430"  # one suffix, not two
    assert later.changed == ("ALCOHOL, LOTION: max_percent 30 -> 31",)
    assert {p.name for p in tables.rglob("*")} == {"RELEASE", "tables", "fda_iid_topical.csv", "IIR_OCOMM.csv"}


def test_an_import_that_cannot_be_written_changes_nothing(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = imported(HEADER + LINES, tables)
    before = (tables / "tables" / "fda_iid_topical.csv").read_text()
    really = os.replace

    def refuse(source: Path, target: Path) -> None:
        if Path(target).suffix == ".csv":
            raise OSError(30, "Read-only file system")
        really(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OperatorMust, match=r"cannot be written \(Read-only file system\)"):
        iid.save(found, tables)
    assert (tables / "RELEASE").read_text() == "2026.4\n"
    assert (tables / "tables" / "fda_iid_topical.csv").read_text() == before
    assert {p.name for p in tables.rglob("*")} == {"RELEASE", "tables", "fda_iid_topical.csv", "IIR_OCOMM.csv"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "not the FDA's inactive ingredient file.*INGREDIENT_NAME"),
        (HEADER, "no row with the route TOPICAL"),
        (HEADER + LINES.splitlines()[1] + "\n", "no row with the route TOPICAL"),
        (HEADER + LINES.replace(",30,", ",thirty,"), "ALCOHOL, LOTION: the figure is no number"),
        (HEADER + LINES + "ALCOHOL,TOPICAL,LOTION,64175,3K9958V90M,5,%w/w,,,\n", "ALCOHOL, LOTION stands twice"),
    ],
)
def test_files_that_are_refused(text: str, says: str, tables: Path) -> None:
    with pytest.raises(OperatorMust, match=says):
        imported(text, tables)
    with pytest.raises(OperatorMust, match="cannot be read"):
        iid.read_iid(tables / "nowhere.csv")


def test_a_unii_decides_and_the_shipped_table_was_joined_that_way() -> None:
    by_unii = {row.unii: key for key, row in ingredients().items() if row.unii}
    joined = [row for row in fda_iid().values() if row.unii in by_unii and row.ingredient]
    assert len(joined) > 400
    assert [row.key for row in joined if row.ingredient != by_unii[row.unii or ""]] == []


def test_an_ingredient_that_entered_since_is_joined_and_the_row_keeps_its_source(tables: Path) -> None:
    path = tables / "tables" / "fda_iid_topical.csv"
    path.write_text(path.read_text().replace("ALCOHOL,ethanol,LOTION", "ALCOHOL,,LOTION"))
    found = imported(HEADER + LINES.replace(",30,%w/w", ",25,%w/w"), tables)
    assert found.changed == ()
    assert "ALCOHOL, LOTION: ethanol" in found.joined
    row = rows_in(found.text or "")["alcohol_lotion"]
    assert (row["ingredient"], row["source"], row["valid_from"]) == ("ethanol", "fda_iid", "2024-11-22")
