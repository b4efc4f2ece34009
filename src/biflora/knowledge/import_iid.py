"""A newer state of the FDA's inactive ingredient database becomes the table `fda_iid_topical`.

The FDA publishes the file each quarter (address: `fda_iid` in sources.yaml). A row keeps its key and its place;
rows whose figures did not change keep their source and date.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from biflora.errors import ClinicianMust, OperatorMust
from biflora.knowledge.lookup import find_ingredient
from biflora.knowledge.pharmacy import ingredients
from biflora.values import Value

TABLE = "fda_iid_topical"
COLUMNS = (
    "INGREDIENT_NAME", "ROUTE", "DOSAGE_FORM", "CAS_NUMBER", "UNII", "POTENCY_AMOUNT", "POTENCY_UNIT",
    "MAXIMUM_DAILY_EXPOSURE", "MAXIMUM_DAILY_EXPOSURE_UNIT",
)  # fmt: skip
"""As the file of 22 November 2024 names them; RECORD_UPDATED, a mark of what is new, is not needed."""
TABLE_COLUMNS = (
    "key", "name", "ingredient", "dosage_form", "unii", "max_percent", "percent_unit", "max_daily_mg", "source",
    "verification", "valid_from",
)  # fmt: skip
FIGURES = ("name", "dosage_form", "unii", "max_percent", "percent_unit", "max_daily_mg")
"""What the FDA says in a row; which of our ingredients it means is ours to say."""
TOPICAL = "TOPICAL"
PERCENT = ("%w/w", "%w/v", "%v/v")
WITHOUT_FIGURE = ("", "NA", "ADJ PH")
"""What the FDA writes where a row has no figure: not available, or as much as adjusts the pH."""
IN_MG = {"mg": Decimal(1), "g": Decimal(1000), "mcg": Decimal("0.001"), "ug": Decimal("0.001")}
NO_UNII = ("", "NA")
SUFFIX = "+iid."
"""Between the release that was shipped and the day of the imported state; the whole must fit 20 characters."""


class IidFile(NamedTuple):
    """The FDA's file as read."""

    rows: tuple[Mapping[str, str], ...]
    sha256: str


class Imported(Value):
    """What an import would change, or has changed."""

    dated: date
    release: str
    """The knowledge release after it."""
    rows: int
    rows_of_all_routes: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    joined: tuple[str, ...]
    """Known rows that now stand for an ingredient of ours, because that entered or got its UNII since."""
    unmatched: tuple[str, ...]
    """The FDA's names that are none of our ingredients."""
    unsure: tuple[str, ...]
    """New names that share only a CAS number or a name with one of ours: a person must decide."""
    units_not_understood: tuple[str, ...]
    text: str | None
    """The new table; None when the old one stays."""


def read_iid(path: Path) -> IidFile:
    """Read the FDA's CSV. Raises OperatorMust naming what is missing."""
    try:
        content = path.read_bytes()
        text = _decoded(content)
    except OSError as error:
        raise OperatorMust(f"{path.name or path}: cannot be read ({error.strerror}); mend the path.") from None
    reader = csv.DictReader(io.StringIO(text))
    names = [str(name or "").strip().upper() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise OperatorMust(
            f"{path.name}: not the FDA's inactive ingredient file, or its columns changed; missing: "
            f"{', '.join(missing)}. Take IIR_OCOMM.csv out of the FDA's archive."
        )
    try:
        rows = tuple({name: str(row.get(name) or "").strip() for name in COLUMNS} for row in reader)
    except csv.Error as error:
        raise OperatorMust(f"{path.name}: line {reader.line_num}: not CSV ({error}); load it anew.") from None
    return IidFile(rows, hashlib.sha256(content).hexdigest())


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # as older states of the file were written


def import_iid(file: IidFile, *, dated: date, file_name: str, folder: Path | None = None) -> Imported:
    """What the file would change in the tables of `folder` (the installed ones if None); nothing is written.

    Raises OperatorMust for a file without topical rows, with two rows of one key, or with no number for a figure.
    """
    at = folder or _installed()
    old = _old_rows(at)
    topical = [row for row in file.rows if row["ROUTE"].upper() == TOPICAL]
    if not topical:
        raise OperatorMust(f"{file_name}: no row with the route TOPICAL; is it the FDA's whole file?")
    join = _Join(topical, old)
    new: dict[str, dict[str, str]] = {}
    strange: list[str] = []
    for row in topical:
        cells = _cells(row, join, strange, file_name)
        if new.get(cells["key"], cells) != cells:
            raise OperatorMust(
                f"{file_name}: {row['INGREDIENT_NAME']}, {row['DOSAGE_FORM']} stands twice; load it anew."
            )
        new[cells["key"]] = cells
    source = f"FDA Inactive Ingredient Database, state of {dated}, {file_name} (SHA-256 {file.sha256[:16]})"
    changed: list[str] = []
    joined: list[str] = []
    for key, cells in new.items():
        before = old.get(key, {})
        if before and before["ingredient"] != cells["ingredient"]:
            joined.append(f"{cells['name']}, {cells['dosage_form']}: {cells['ingredient']}")
        differ = [name for name in FIGURES if cells[name] != before.get(name)]
        if before and not differ:
            cells |= {name: before[name] for name in ("source", "verification", "valid_from")}
            continue
        cells |= {"source": source, "verification": "page_read", "valid_from": dated.isoformat()}
        if before:
            changed.append(
                f"{cells['name']}, {cells['dosage_form']}: "
                + "; ".join(f"{name} {before[name] or 'none'} -> {cells[name] or 'none'}" for name in differ)
            )
    added = [_said(cells) for key, cells in new.items() if key not in old]
    gone = [_said(cells) for key, cells in old.items() if key not in new]
    unmatched = dict.fromkeys(cells["name"] for cells in new.values() if not cells["ingredient"])
    text = _table(new.values())
    same = text == (at / "tables" / f"{TABLE}.csv").read_text(encoding="utf-8")
    release = _release(at)
    return Imported(
        dated=dated,
        release=release if same else f"{release.partition(SUFFIX)[0]}{SUFFIX}{dated:%Y%m%d}",
        rows=len(new),
        rows_of_all_routes=len(file.rows),
        added=tuple(added),
        changed=tuple(changed),
        gone=tuple(gone),
        joined=tuple(joined),
        unmatched=tuple(unmatched),
        unsure=tuple(join.unsure),
        units_not_understood=tuple(strange),
        text=None if same else text,
    )


def save(found: Imported, folder: Path | None = None) -> None:
    """Write the table and the release's number, each whole or not at all. Raises OperatorMust.

    The number goes first: a value made between the two carries a number too new for it, which a second import
    mends; the other way round it would carry one that says that nothing was imported.
    """
    if found.text is None:
        return
    at = folder or _installed()
    release, table = at / "RELEASE", at / "tables" / f"{TABLE}.csv"
    drafts: list[Path] = []
    try:
        before = release.read_text(encoding="utf-8")
        for path, text in ((release, found.release + "\n"), (table, found.text)):
            drafts.append(_draft(path, text))
        os.replace(drafts[0], release)
        try:
            os.replace(drafts[1], table)
        except OSError:
            os.replace(_draft(release, before), release)
            raise
    except OSError as error:
        raise OperatorMust(
            f"The installed knowledge cannot be written ({error.strerror}); run this as the user who installed "
            "biflora, or in an installation of your own."
        ) from None
    finally:
        for draft in drafts:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def _draft(path: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.chmod(name, path.stat().st_mode & 0o777)
    return Path(name)


def _installed() -> Path:
    home = resources.files(__package__)
    if not isinstance(home, Path):
        raise OperatorMust("biflora is installed as an archive; install it as files to import into it.")
    return home


def _release(at: Path) -> str:
    return (at / "RELEASE").read_text(encoding="utf-8").strip()


def _old_rows(at: Path) -> dict[str, dict[str, str]]:
    with (at / "tables" / f"{TABLE}.csv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: dict(row) for row in csv.DictReader(file)}


class _Join:
    """Which of our ingredients an FDA name stands for.

    A UNII decides. A name that the table already holds keeps what was decided for it. For the rest a CAS number
    decides unless several of the FDA's names share it (all macrogols do), and a name only where it is new and
    ours alone; what stays open is listed for a person.
    """

    def __init__(self, rows: Sequence[Mapping[str, str]], old: Mapping[str, Mapping[str, str]]) -> None:
        self.unsure: dict[str, None] = {}
        self._decided = {row["name"]: row["ingredient"] for row in old.values()}
        self._by_unii = {row.unii: key for key, row in ingredients().items() if row.unii}
        self._by_cas = {row.cas.replace("-", ""): key for key, row in ingredients().items() if row.cas}
        self._names_of_cas: dict[str, set[str]] = {}
        for row in rows:
            self._names_of_cas.setdefault(row["CAS_NUMBER"], set()).add(row["INGREDIENT_NAME"])

    def ingredient(self, row: Mapping[str, str]) -> str:
        name = row["INGREDIENT_NAME"]
        unii = row["UNII"]
        if unii not in NO_UNII and unii in self._by_unii:
            return self._by_unii[unii]
        ours, maybe = self._without_unii(row)
        if self._decided.get(name):
            return self._decided[name]
        if ours and name not in self._decided:
            return ours
        for key in maybe if name not in self._decided else (ours,):
            if key:
                self.unsure[f"{name}: {key}?"] = None
        return ""

    def _without_unii(self, row: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
        """The ingredient that CAS number or name give where nothing speaks against it, and all that they give."""
        unii, cas = row["UNII"], row["CAS_NUMBER"].replace("-", "")
        by_cas = self._by_cas.get(cas, "") if cas else ""
        by_name = _by_name(row["INGREDIENT_NAME"])
        ours = by_cas if by_cas and len(self._names_of_cas[row["CAS_NUMBER"]]) == 1 else ""
        if not by_cas and unii in NO_UNII:
            ours = by_name
        # one substance with another UNII is a salt, a hydrate or a grade: a person must say whether it counts
        if ours and ingredients()[ours].unii and unii not in NO_UNII:
            ours = ""
        return ours, tuple(dict.fromkeys(filter(None, (by_cas, by_name))))


def _by_name(name: str) -> str:
    try:
        return find_ingredient(name)
    except ClinicianMust:  # none of ours, or several
        return ""


def _cells(row: Mapping[str, str], join: _Join, strange: list[str], file_name: str) -> dict[str, str]:
    name, form = row["INGREDIENT_NAME"], row["DOSAGE_FORM"]
    percent = unit = daily = ""
    if row["POTENCY_UNIT"] in PERCENT:
        percent, unit = _figure(row["POTENCY_AMOUNT"], f"{file_name}: {name}, {form}"), row["POTENCY_UNIT"]
    elif row["POTENCY_UNIT"].upper() not in WITHOUT_FIGURE:
        strange.append(f"{name}, {form}: {row['POTENCY_AMOUNT']} {row['POTENCY_UNIT']}")
    exposure, exposure_unit = row["MAXIMUM_DAILY_EXPOSURE"], row["MAXIMUM_DAILY_EXPOSURE_UNIT"]
    if exposure_unit.lower() in IN_MG and exposure:
        milligrams = Decimal(_figure(exposure, f"{file_name}: {name}, {form}")) * IN_MG[exposure_unit.lower()]
        daily = exposure if exposure_unit.lower() == "mg" else f"{milligrams:f}"
    elif exposure.upper() not in WITHOUT_FIGURE:
        strange.append(f"{name}, {form}: {exposure} {exposure_unit or 'without a unit'} a day")
    return {
        "key": re.sub(r"[^a-z0-9]+", "_", f"{name} {form}".lower()).strip("_"),
        "name": name,
        "ingredient": join.ingredient(row),
        "dosage_form": form,
        "unii": row["UNII"],
        "max_percent": percent,
        "percent_unit": unit,
        "max_daily_mg": daily,
    }


def _figure(text: str, where: str) -> str:
    """The figure as the FDA writes it, without thousands' commas. Raises OperatorMust."""
    bare = text.replace(",", "")
    try:
        finite = Decimal(bare).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        raise OperatorMust(f"{where}: the figure is no number; load the file anew, or mend the line.")
    return bare


def _said(cells: Mapping[str, str]) -> str:
    figure = f"{cells['max_percent']} {cells['percent_unit']}" if cells["max_percent"] else ""
    daily = f"{cells['max_daily_mg']} mg a day" if cells["max_daily_mg"] else ""
    return f"{cells['name']}, {cells['dosage_form']}: {figure or daily or 'no figure'}"


def _table(rows: Iterable[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, TABLE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
