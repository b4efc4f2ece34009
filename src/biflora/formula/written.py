"""Lines as a person wrote them, in percent or grams, become lines in parts per million."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from biflora.errors import BifloraError, ClinicianMust, PharmacistMust
from biflora.formula.formula import MILLION, Line, Phase
from biflora.knowledge.lookup import find_ingredient
from biflora.knowledge.pharmacy import Ingredient, ingredients
from biflora.values import MOST_SENTENCES

FILL = frozenset({"qs", "q.s.", "ad 100", "quantum satis"})
PPM_PER_PERCENT = 10_000
LARGEST = 1_000_000_000
_THOUSANDS_OR_DECIMALS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
"""`1,000` may be a thousand or one; `0,005` and `12,50` can only be decimals."""


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """One ingredient as written; `amount` None: it fills up to the whole."""

    words: str
    amount: Decimal | None
    where: str
    unit: Literal["percent", "grams"] = "percent"


def written_line(words: str, amount: str, where: str) -> WrittenLine:
    """A table's line: words, and percent or `qs`. Raises PharmacistMust."""
    if amount.strip().lower() in FILL:
        return WrittenLine(words, None, where)
    return WrittenLine(words, number_of(amount.replace("%", ""), where), where)


def number_of(text: str, where: str) -> Decimal:
    """A finite number with a decimal point or a decimal comma. Raises PharmacistMust."""
    text = text.strip()
    if "," in text and _THOUSANDS_OR_DECIMALS.fullmatch(text):
        raise PharmacistMust(
            f"{where}: a comma before three digits may mean thousands or decimals; write 1000 or 1.0."
        )
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise PharmacistMust(f"{where}: an amount must be a number in percent, or 'qs'.") from None
    if not value.is_finite():
        raise PharmacistMust(f"{where}: an amount must be finite.")
    if abs(value) > LARGEST:
        raise PharmacistMust(f"{where}: no amount is that large; mend it.")
    return value


def key_of(words: str, where: str, error: type[BifloraError] = PharmacistMust) -> str:
    """Key of the ingredient that `words` name. Raises `error` with the closest names."""
    try:
        return find_ingredient(words)
    except ClinicianMust as problem:
        raise error(f"{where}: {problem}") from None


def lines_of(written: Sequence[WrittenLine], *, whole: str, total_grams: Decimal | None = None) -> list[Line]:
    """Lines that keep the written order; grams are shares of `total_grams`, or of their own sum.

    Raises PharmacistMust with every wrong line; `whole` names the file for what concerns all lines.
    """
    rows: list[Ingredient] = []
    problems: list[str] = []
    for each in written:
        try:
            rows.append(ingredients()[key_of(each.words, each.where)])
        except PharmacistMust as problem:
            problems.append(str(problem))
    total = _total(written, total_grams, whole, problems)
    fills = [each for each in written if each.amount is None]
    problems += [f"{each.where}: a second line says 'qs'; only one can fill up." for each in fills[1:]]
    shares = [None if each.amount is None else _exact_ppm(each, total, problems) for each in written]
    if problems:
        raise PharmacistMust(in_few_sentences(problems, whole))
    return [
        Line(
            ingredient=row.key,
            name=row.name,
            inci=row.inci,
            ppm=ppm,
            function=row.klass.replace("_", " "),
            phase=phase_of(row),
            quantum_satis=each.amount is None,
        )
        for row, ppm, each in zip(rows, _rounded(shares, whole), written, strict=True)
    ]


def in_few_sentences(problems: Sequence[str], whole: str) -> str:
    """All problems, one a line; a file that is wrong throughout is not read out in full."""
    shown = list(problems[:MOST_SENTENCES])
    if len(problems) > MOST_SENTENCES:
        shown.append(f"{whole}: {len(problems) - MOST_SENTENCES} more lines are wrong; is this the right file?")
    return "\n".join(shown)


def phase_of(row: Ingredient) -> Phase:
    if row.klass == "preservative":
        return "C"
    return "B" if row.phase in ("O", "A", "E") else "A"


def _total(
    written: Sequence[WrittenLine], total_grams: Decimal | None, whole: str, problems: list[str]
) -> Decimal:
    grams = [each.amount for each in written if each.unit == "grams" and each.amount is not None]
    if not grams or total_grams is not None:
        if total_grams is not None and total_grams <= 0:
            problems.append(f"{whole}: the total must be above 0 g.")
            return Decimal(1)
        return total_grams or Decimal(1)
    if any(each.amount is None for each in written):
        problems.append(f"{whole}: grams need a total: write it where the last line fills up, such as 'ad 100 g'.")
    elif len(grams) < len(written):
        problems.append(f"{whole}: grams and percent stand together; add a line such as 'Total: 100 g'.")
    return sum(grams, Decimal(0)) or Decimal(1)


def _exact_ppm(line: WrittenLine, total: Decimal, problems: list[str]) -> Decimal:
    amount = line.amount or Decimal(0)
    if line.unit == "grams":
        if not 0 <= amount <= total:
            problems.append(f"{line.where}: {amount:f} g is outside 0 to {total:f} g, the total.")
        return amount * MILLION / total
    if not 0 <= amount <= 100:
        problems.append(f"{line.where}: the percentage must lie between 0 and 100.")
        return Decimal(0)
    ppm = amount * PPM_PER_PERCENT
    if ppm != ppm.to_integral_value():
        problems.append(f"{line.where}: amounts go in steps of 0.0001 % (1 ppm); round this one.")
    return ppm


def _rounded(shares: Sequence[Decimal | None], whole: str) -> list[int]:
    """Whole ppm: the line that fills up takes the rest; shares that are the whole stay the whole.

    2 g in 30 g is 66,666.67 ppm: rounded each for itself, the lines would miss 100 % by a few ppm.
    """
    fills = None in shares
    exact = sum((share for share in shares if share is not None), Decimal(0))
    ppm = [0 if share is None else round(share) for share in shares]
    if not fills:
        if abs(exact - MILLION) < 1:
            floors = [int(share or 0) for share in shares]
            by_rest = sorted(range(len(shares)), key=lambda n: (floors[n] - (shares[n] or 0), n))
            for place in by_rest[: max(0, MILLION - sum(floors))]:
                floors[place] += 1
            return floors
        return ppm
    rest = MILLION - sum(ppm)
    if rest < 0:
        raise PharmacistMust(
            f"{whole}: the other lines already add up to more than 100 % (by {-rest / PPM_PER_PERCENT:g} %); "
            "lower one."
        )
    return [rest if share is None else amount for share, amount in zip(shares, ppm, strict=True)]
