"""The pharmacy's stock list: one lot a line, as a pharmacy's programme exports it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from biflora.errors import PharmacistMust
from biflora.formula.written import key_of, number_of
from biflora.plan.plan import StockLot

COLUMNS = ("ingredient", "grams", "expires")
MAY_STAND_TOO = ("lot", "usd_per_gram")


def read_stock(path: Path, *, today: date) -> tuple[StockLot, ...]:
    """Lots of `ingredient,lot,grams,expires,usd_per_gram`; names or keys, expiry as YYYY-MM-DD.

    `today` turns an expiry into days that are left. Raises PharmacistMust with every wrong line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise PharmacistMust(f"{path.name}: no such file; mend the path.") from None
    except (OSError, UnicodeDecodeError, ValueError):
        raise PharmacistMust(f"{path.name or path}: cannot be read as text; send it as UTF-8 CSV.") from None
    return stock_of(text, where=path.name, today=today)


def stock_of(text: str, *, where: str, today: date) -> tuple[StockLot, ...]:
    """The same from the text itself."""
    lines = text.splitlines()
    header = next((line for line in lines if line.strip()), "")
    between = ";" if ";" in header else "\t" if "\t" in header else ","
    reader = csv.DictReader(lines, delimiter=between)
    names = [str(name or "").strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise PharmacistMust(
            f"{where}: the first line must name the columns {', '.join((*COLUMNS, *MAY_STAND_TOO))}; "
            f"missing: {', '.join(missing)}."
        )
    lots: list[StockLot] = []
    problems: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for record in reader:
        number = reader.line_num
        cells = {name: str(record.get(name) or "").strip() for name in (*COLUMNS, *MAY_STAND_TOO)}
        if not any(cells.values()):
            continue
        try:
            lot = _lot(cells, f"{where}: line {number}", today)
        except PharmacistMust as problem:
            problems.append(str(problem))
            continue
        first = seen.setdefault((lot.ingredient, lot.lot), number)
        if first != number and lot.lot:
            problems.append(f"{where}: line {number}: the same lot stands in line {first}; add them up.")
        lots.append(lot)
    if problems:
        raise PharmacistMust("\n".join(problems))
    if not lots:
        raise PharmacistMust(f"{where}: no lot found; write one a line below the columns' names.")
    return tuple(lots)


def _lot(cells: Mapping[str, str], place: str, today: date) -> StockLot:
    problems: list[str] = []
    ingredient = grams = price = expires = None
    try:
        ingredient = key_of(cells["ingredient"], place)
    except PharmacistMust as problem:
        problems.append(str(problem))
    for name, text in (("grams", cells["grams"]), ("usd_per_gram", cells["usd_per_gram"])):
        if not text and name == "usd_per_gram":
            continue
        try:
            amount = float(number_of(text, f"{place}: {name}"))
        except PharmacistMust:
            problems.append(f"{place}: {name} must be a number, such as 250 or 0.5.")
            continue
        if amount < 0:
            problems.append(f"{place}: {name} must not be below 0.")
        grams, price = (amount, price) if name == "grams" else (grams, amount)
    try:
        expires = date.fromisoformat(cells["expires"])
    except ValueError:
        problems.append(f"{place}: expires must be a day as YYYY-MM-DD, such as 2027-03-31.")
    if problems or ingredient is None or grams is None or expires is None:
        raise PharmacistMust("\n".join(problems))
    return StockLot(
        ingredient=ingredient,
        lot=cells["lot"],
        grams=grams,
        expires_in_days=(expires - today).days,
        usd_per_gram=price,
    )
