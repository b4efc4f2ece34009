"""A formula as a pharmacist types it: one ingredient a line, percent or grams, and a few lines about the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from biflora.errors import PharmacistMust
from biflora.formula.written import WrittenLine, in_few_sentences, number_of

LONGEST_LINE = 2_000
_NUMBER = r"\d[\d.,]*"
_UNIT = (
    r"(?P<unit>%|per ?cent|g|gm|grams?|gr|grains?|mg|milligrams?|kg|mcg|µg|μg|ppm|"
    r"ml|millilit\w+|l|drops?|gtt|i\.?u\.?|parts?|p)"
    r"\.?(?P<basis>\s*\(?(?:w/w|m/m|w/v|m/v|v/v)\)?)?"
)
_FILL = r"(?:(?:q\.?\s?s\.?|quantum (?:satis|sufficit))(?:\s*(?:ad|to))?|ad|(?:up |make up )?to)"
_TOTAL = rf"(?:\s*(?P<total>{_NUMBER})\s*(?P<total_unit>%|g|gm|grams?|gr|kg|ml|parts?)?\.?)"
_BETWEEN = r"(?:\s*[.·_…]{2,}\s*|\s+[-–—]\s+|\s*[:=|;\t]\s*|,\s+|\s+)"
_NAME_FIRST = re.compile(rf"(?P<name>\S.*?){_BETWEEN}(?P<amount>{_NUMBER})\s*{_UNIT}", re.I)
_AMOUNT_FIRST = re.compile(rf"(?P<amount>{_NUMBER})\s*{_UNIT}\s+(?:of\s+)?(?P<name>\S.*)", re.I)
_NAME_FILLS = re.compile(rf"(?P<name>\S.*?){_BETWEEN}{_FILL}{_TOTAL}?", re.I)
_FILLS_NAME = re.compile(rf"{_FILL}{_TOTAL}\s+(?:with\s+|of\s+)?(?P<name>\S.*)", re.I)
_PH = re.compile(
    rf"(?:(?:adjust(?:ed)?|target|brought)\s*(?:to\s+)?)?ph\s*[:=]?\s*(?:about|approx\.?|ca\.?|~)?\s*(?P<ph>{_NUMBER})",
    re.I,
)
_PRESERVED = re.compile(
    r"(?:preserved\s*(?:with|by)|preservatives?(?:[ _]system)?|preservation)\s*[:=]?\s*(?P<value>.*)", re.I
)
_FIELD = re.compile(r"(?P<field>[A-Za-z][A-Za-z _-]*?)\s*[:=]\s*(?P<value>.*)")
_WITH_AMOUNT = re.compile(rf"(?P<name>\S.*?)\s+(?P<amount>{_NUMBER})\s*%", re.I)
_WHOLE = re.compile(
    rf"(?:total|batch|quantity|mitte|disp(?:ense)?)\s*[:=]?\s*(?P<total>{_NUMBER})\s*(?P<total_unit>g|gm|grams?|kg)\.?",
    re.I,
)
_UNPRESERVED = re.compile(r"(?:un-?preserved|not preserved|preservative[ -]free|no preservatives?)", re.I)
_HEADING = re.compile(r"(?:rx|rp|recipe|ingredients?|formula|℞)\s*[./:]*", re.I)
FIELDS = {
    "vehicle": "vehicle",
    "base": "vehicle",
    "form": "vehicle",
    "dosage form": "vehicle",
    "name": "name",
    "title": "name",
    "condition": "condition",
    "for": "condition",
    "indication": "condition",
    "container": "container",
    "rinse off": "rinse_off",
}
_MASS = {"g": Decimal(1), "mg": Decimal("0.001"), "kg": Decimal(1000), "mcg": Decimal("0.000001")}
_REFUSED = {
    "ml": "millilitres need a density; weigh it and write grams or percent w/w",
    "drops": "drops have no fixed mass; write grams or percent w/w",
    "iu": "units of activity are no mass; write grams or percent w/w of the substance used",
    "parts": "parts are unclear; write grams or percent w/w",
    "gr": "'gr' may mean grains or grams; write g",
}


@dataclass
class TypedFormula:
    """What the text says, before names are looked up."""

    fields: dict[str, Any] = field(default_factory=dict)
    written: list[WrittenLine] = field(default_factory=list)
    total_grams: Decimal | None = None
    bare_total: Decimal | None = None
    """The number of an `ad 100` without a unit: grams beside grams, else the whole."""
    preserved_with: tuple[str, ...] = ()
    """Names of preservatives, or of one system."""
    preserved_where: str = ""


def typed_formula(text: str, where: str) -> TypedFormula:
    """Read typed lines; `#` and `//` begin a comment. Raises PharmacistMust with every line it cannot read."""
    found = TypedFormula()
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        place = f"{where}: line {number}"
        if len(line) > LONGEST_LINE:
            problems.append(f"{place}: longer than 2,000 characters; write one ingredient a line.")
            continue
        line = re.sub(r"(^|\s)(#|//).*", "", line).strip().lstrip("-*•").rstrip(". ").strip()
        # one space, two dots: a line of nothing else must not keep the patterns busy
        line = re.sub(r"[.·_…]{3,}", "..", " ".join(line.split()))
        if not line or _HEADING.fullmatch(line):
            continue
        try:
            _read_line(line, place, found)
        except PharmacistMust as problem:
            problems.append(str(problem))
    if found.bare_total is not None and found.total_grams is None:
        if any(each.unit == "grams" for each in found.written):
            found.total_grams = found.bare_total
        elif found.bare_total != 100:
            problems.append(f"{where}: say whether the total is in grams, such as 'ad {found.bare_total:f} g'.")
    if problems:
        raise PharmacistMust(in_few_sentences(problems, where))
    if not found.written:
        raise PharmacistMust(
            f"{where}: no ingredient found; write one a line, such as 'Urea 10 %' or 'Petrolatum ad 100 g'."
        )
    return found


def _read_line(line: str, place: str, found: TypedFormula) -> None:
    if match := _PH.fullmatch(line):
        found.fields["ph"] = float(number_of(match["ph"], place))
    elif line.lower().replace("-", " ") in ("rinse off", "leave on"):
        found.fields["rinse_off"] = line.lower().startswith("rinse")
    elif _UNPRESERVED.fullmatch(line):
        found.preserved_with, found.preserved_where = ("none",), place
    elif match := _WHOLE.fullmatch(line):
        _set_total(found, number_of(match["total"], place) * _MASS[_unit(match["total_unit"])], place)
    elif (match := _PRESERVED.fullmatch(line)) and match["value"]:
        _read_preserved(match["value"], place, found)
    elif (match := _FIELD.fullmatch(line)) and _field(match["field"]):
        _read_field(_field(match["field"]), match["value"].strip(), place, found)
    elif (match := _FILLS_NAME.fullmatch(line) or _NAME_FILLS.fullmatch(line)) and not _only_percent(match):
        _read_fill(match, place, found)
    elif match := _NAME_FIRST.fullmatch(line) or _AMOUNT_FIRST.fullmatch(line):
        found.written.append(_amount(match, place))
    else:
        raise PharmacistMust(
            f"{place}: no amount that can be read; write a name and percent or grams ('Urea 10 %', 'Urea 10 g'), "
            "'ad 100 g' or 'qs' for the one that fills up, or '#' before a comment."
        )


def _field(words: str) -> str:
    return FIELDS.get(re.sub(r"[ _-]+", " ", words.lower()).strip(), "")


def _only_percent(match: re.Match[str]) -> bool:
    """`Urea to 10 %` is no line that fills up."""
    return match["total_unit"] == "%" and number_of(match["total"], "total") != 100


def _read_field(name: str, value: str, place: str, found: TypedFormula) -> None:
    if not value:
        raise PharmacistMust(f"{place}: nothing stands behind the colon; complete or remove the line.")
    if name == "rinse_off":
        found.fields[name] = value.lower() in ("yes", "true", "1")
    elif name == "condition":
        found.fields[name] = re.sub(r"[ -]+", "_", value.lower())
    elif name in found.fields:
        raise PharmacistMust(f"{place}: the {name} stands twice; keep one of the lines.")
    else:
        found.fields[name] = value


def _read_preserved(value: str, place: str, found: TypedFormula) -> None:
    names = []
    for part in re.split(r"\s*(?:\+|&|,\s|;|\band\b|\bwith\b)\s*", value):
        if not part:
            continue
        if match := _WITH_AMOUNT.fullmatch(part):
            found.written.append(WrittenLine(match["name"], number_of(match["amount"], place), place))
            part = match["name"]
        names.append(part.strip())
    found.preserved_with, found.preserved_where = (value, *names), place


def _read_fill(match: re.Match[str], place: str, found: TypedFormula) -> None:
    unit = _unit(match["total_unit"] or "")
    if match["total"] is not None:
        total = number_of(match["total"], place)
        if unit in _REFUSED:
            raise PharmacistMust(f"{place}: {_REFUSED[unit]}.")
        if unit in _MASS:
            _set_total(found, total * _MASS[unit], place)
        elif unit == "":
            found.bare_total = total
    found.written.append(WrittenLine(match["name"].strip(), None, place))


def _set_total(found: TypedFormula, grams: Decimal, place: str) -> None:
    if found.total_grams is not None and found.total_grams != grams:
        raise PharmacistMust(f"{place}: another line gives another total; keep one of them.")
    found.total_grams = grams


def _amount(match: re.Match[str], place: str) -> WrittenLine:
    unit, basis = _unit(match["unit"]), (match["basis"] or "").lower()
    if unit in _REFUSED:
        raise PharmacistMust(f"{place}: {_REFUSED[unit]}.")
    if "v" in basis:
        raise PharmacistMust(f"{place}: percent by volume needs a density; write percent w/w or grams.")
    amount, name = number_of(match["amount"], place), match["name"].strip(" .:=|;,\t")
    if unit == "percent":
        return WrittenLine(name, amount, place)
    if unit == "ppm":
        return WrittenLine(name, amount / 10_000, place)
    return WrittenLine(name, amount * _MASS[unit], place, "grams")


def _unit(text: str) -> str:
    text = text.lower().rstrip(".")
    for unit, spellings in {
        "percent": ("%", "percent", "per cent"),
        "g": ("g", "gm", "gram", "grams"),
        "gr": ("gr", "grain", "grains"),
        "mg": ("mg", "milligram", "milligrams"),
        "mcg": ("mcg", "µg", "μg"),
        "drops": ("drop", "drops", "gtt"),
        "iu": ("iu", "i.u", "i.u."),
        "parts": ("part", "parts", "p"),
    }.items():
        if text in spellings:
            return unit
    return "ml" if text.startswith(("ml", "millilit")) or text == "l" else text
