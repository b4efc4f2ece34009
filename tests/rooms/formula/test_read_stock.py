"""A pharmacy's stock list: lots, what is left of them, and every wrong line by its number."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from biflora.errors import PharmacistMust
from biflora.formula.read_stock import read_stock, stock_of

TODAY = date(2026, 11, 26)
LIST = """ingredient,lot,grams,expires,usd_per_gram
Petrolatum,P1,500,2027-11-26,0.01
Urea,U7,250.5,2026-11-25,
niacinamide,,40,2026-12-01,0.2
"""


def test_names_days_left_and_prices() -> None:
    petrolatum, urea, niacinamide = stock_of(LIST, where="stock.csv", today=TODAY)
    assert (petrolatum.ingredient, petrolatum.lot, petrolatum.grams) == ("petrolatum", "P1", 500.0)
    assert petrolatum.expires_in_days == 365  # 26 November to 26 November, no 29 February between
    assert (urea.expires_in_days, urea.usd_per_gram) == (-1, None)  # yesterday; no price told
    assert (niacinamide.lot, niacinamide.expires_in_days, niacinamide.usd_per_gram) == ("", 5, 0.2)


def test_semicolons_and_decimal_commas() -> None:
    text = LIST.replace(",", ";").replace("250.5", "250,5").replace("0.01", "0,01")
    assert stock_of(text, where="s", today=TODAY) == stock_of(LIST, where="s", today=TODAY)


def test_every_wrong_line_is_named() -> None:
    wrong = (
        LIST.replace("Petrolatum", "Zzq")
        .replace("250.5", "much")
        .replace("2026-12-01", "01/12/2026")
        .replace(",0.2", ",-0.2")
    )
    with pytest.raises(PharmacistMust) as caught:
        stock_of(wrong, where="stock.csv", today=TODAY)
    told = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in told] == ["line 2", "line 3", "line 4", "line 4"]
    assert "grams must be a number" in told[1]
    assert "must not be below 0" in told[2]
    assert "YYYY-MM-DD" in told[3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name;amount\nUrea;3\n", "missing: ingredient, grams, expires"),
        ("", "missing: ingredient"),
        ("ingredient,lot,grams,expires\n", "no lot found"),
        (LIST + "Urea,U7,3,2027-01-01,\n", "line 5: the same lot stands in line 3"),
    ],
)
def test_lists_that_say_too_little(text: str, says: str) -> None:
    with pytest.raises(PharmacistMust, match=says):
        stock_of(text, where="stock.csv", today=TODAY)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PharmacistMust, match=r"stock\.csv: no such file"):
        read_stock(tmp_path / "stock.csv", today=TODAY)
