"""The FDA's inactive ingredients: more per day, or a higher percentage, than any approved product of this form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from biflora.formula.jar import EXCIPIENTS, WATER, Jar, finding
from biflora.knowledge.checking import IidRow, dosage_forms, fda_iid
from biflora.values import Finding


def check_precedent(jar: Jar) -> Iterator[Finding]:
    """Only ever a warning: a precedent is no ceiling. Milligrams a day go before per cent."""
    form = dosage_forms().get(jar.vehicle.dosage_form)
    if form is None:
        return
    for portion in jar.portions:
        if portion.row.klass not in EXCIPIENTS or portion.row.key == WATER:
            continue
        rows = [row for row in _precedents(portion.row.key) if row.dosage_form in form.fda_forms]
        daily = max((row for row in rows if row.max_daily_mg is not None), key=_daily, default=None)
        share = max((row for row in rows if row.max_percent is not None), key=_share, default=None)
        if daily is not None and jar.needs is not None:
            grams = jar.needs.grams_per_day
            milligrams = portion.percent / 100 * grams * 1_000
            if milligrams > _daily(daily):
                yield finding(
                    "warn",
                    "fda_daily_exposure",
                    portion.name,
                    f"{portion.name}: {portion.percent:g} % of {grams:g} g a day is {milligrams:.0f} mg; "
                    f"the most in an approved {daily.dosage_form.lower()} is {_daily(daily):g} mg a day.",
                    source=daily,
                )
        elif daily is None and share is not None and portion.percent > _share(share):
            yield finding(
                "warn",
                "fda_percent",
                portion.name,
                f"{portion.name} at {portion.percent:g} % is above the "
                f"{_share(share):g} {share.percent_unit or '%'} of approved {share.dosage_form.lower()} products.",
                source=share,
            )


def _daily(row: IidRow) -> float:
    return row.max_daily_mg or 0.0


def _share(row: IidRow) -> float:
    return row.max_percent or 0.0


@cache
def _by_ingredient() -> dict[str, tuple[IidRow, ...]]:
    found: dict[str, tuple[IidRow, ...]] = {}
    for row in fda_iid().values():
        if row.ingredient is not None:
            found[row.ingredient] = (*found.get(row.ingredient, ()), row)
    return found


def _precedents(ingredient: str) -> tuple[IidRow, ...]:
    return _by_ingredient().get(ingredient, ())
