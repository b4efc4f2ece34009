"""A formula or needs that a person wrote: JSON, or CSV with one ingredient a line."""

from __future__ import annotations

import csv
import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from biflora.errors import BifloraError, ClinicianMust, PharmacistMust
from biflora.formula.formula import MILLION, Formula, Line, Phase
from biflora.knowledge.lookup import find_ingredient, find_substance
from biflora.knowledge.pharmacy import Ingredient, ingredients, preservative_systems, vehicles
from biflora.knowledge.rows import release
from biflora.plan.plan import Needs
from biflora.values import parse, read_json_object

LONGEST_LINE = 2_000
FILL = frozenset({"qs", "q.s.", "ad 100", "quantum satis"})


def read_formula(path: Path) -> Formula:
    """Read a formula from JSON, or from CSV: fields (`vehicle,ow_cream`), then `ingredient,percent` and its lines.

    Ingredients may be keys, names or INCI names; one may say `qs`. Raises PharmacistMust naming file and line.
    """
    text = _text(path, PharmacistMust)
    fields = _from_csv(path, text) if path.suffix.lower() == ".csv" else _from_json(path, text)
    for name, known in (("vehicle", vehicles()), ("preservative_system", preservative_systems())):
        if fields.get(name) is not None:
            labels = {row.label: key for key, row in known.items()}
            fields[name] = _known(str(fields[name]), labels, where=f"{path.name}: '{name}'")
    fields.setdefault("name", path.stem)
    read = parse(Formula, fields, where=path.name, error=PharmacistMust)
    kept = {
        name: getattr(read, name)
        for name in Formula.model_fields
        if name not in ("id", "parent_ids", "knowledge_release", "solve_seconds")
    }
    # the id is made anew: it stays the same unless the file was edited after biflora wrote it
    made = Formula.make("formula", release=read.knowledge_release or release(), parents=read.parent_ids, **kept)
    return made.model_copy(update={"solve_seconds": read.solve_seconds})


def read_needs(path: Path) -> Needs:
    """Read needs from JSON or TOML; ingredients may be names. Raises ClinicianMust naming file and field."""
    text = _text(path, ClinicianMust)
    if path.suffix.lower() == ".toml":
        try:
            fields: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            raise ClinicianMust(f"{path.name}: the file is not valid TOML; mend it or write JSON.") from None
    else:
        fields = _json(path, text, ClinicianMust)
    if "needs" in fields and isinstance(fields["needs"], Mapping):
        fields = fields["needs"]
    for name in ("must_include", "in_stock"):
        if isinstance(fields.get(name), list):
            fields = {
                **fields,
                name: [_key(str(each), f"{path.name}: '{name}'", ClinicianMust) for each in fields[name]],
            }
    needs = parse(Needs, fields, where=path.name, error=ClinicianMust)
    for name, words in (("allergies", needs.allergies), ("avoid_ingredients", needs.avoid_ingredients)):
        for number, word in enumerate(words, start=1):
            find_substance(word, where=f"{path.name}: {name}, entry {number}")
    return needs


def _text(path: Path, error: type[BifloraError]) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise error(f"{path.name}: no such file; mend the path.") from None
    except (OSError, UnicodeDecodeError, ValueError):
        raise error(f"{path.name or path}: cannot be read as text; send it as UTF-8 JSON or CSV.") from None


def _json(path: Path, text: str, error: type[BifloraError]) -> dict[str, Any]:
    if not text.strip():
        raise error(f"{path.name}: the file is empty; send it again.")
    return read_json_object(text, where=path.name, error=error)


def _from_json(path: Path, text: str) -> dict[str, Any]:
    fields = _json(path, text, PharmacistMust)
    lines = fields.get("lines")
    if not isinstance(lines, list) or not all(isinstance(each, dict) for each in lines):
        raise PharmacistMust(f"{path.name}: 'lines': must be a list of ingredients, each with 'percent' or 'ppm'.")
    if fields.get("id"):
        return fields
    written: list[tuple[str, str, str]] = []
    for number, line in enumerate(lines, start=1):
        where = f"{path.name}: 'lines.{number - 1}'"
        if line.get("quantum_satis"):
            amount = "qs"
        elif "ppm" in line:
            amount = str(_number(str(line["ppm"]), where) / 10_000)
        else:
            amount = str(line.get("percent", ""))
        written.append((str(line.get("ingredient") or line.get("name") or line.get("inci") or ""), amount, where))
    return {**fields, "lines": _lines(written)}


def _from_csv(path: Path, text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    written: list[tuple[str, str, str]] = []
    in_table = False
    if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        raise PharmacistMust(f"{path.name}: a line is longer than 2,000 characters; write one ingredient a line.")
    for number, cells in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in cells]
        where = f"{path.name}: line {number}"
        if not any(cells) or cells[0].startswith("#"):
            continue
        if cells[0].lower() in ("ingredient", "name", "inci") and len(cells) > 1:
            if cells[1].lower() not in ("percent", "%", "percent w/w"):
                raise PharmacistMust(f"{where}: the second column must be 'percent' (w/w).")
            in_table = True
        elif len(cells) < 2:
            raise PharmacistMust(f"{where}: has one cell; write ingredient and percent, with a comma between.")
        elif in_table:
            written.append((cells[0], cells[1], where))
        elif cells[0] in ("vehicle", "preservative_system", "name", "condition"):
            fields[cells[0]] = cells[1]
        elif cells[0] == "ph":
            fields["ph"] = _number(cells[1], where) if cells[1] else None
        elif cells[0] == "rinse_off":
            fields["rinse_off"] = cells[1].lower() in ("yes", "true", "1")
        else:
            raise PharmacistMust(
                f"{where}: not a field of a formula; before the line 'ingredient,percent' may stand "
                "name, condition, vehicle, ph, preservative_system and rinse_off."
            )
    if not written:
        raise PharmacistMust(f"{path.name}: no ingredient found; after 'ingredient,percent' write one a line.")
    return {**fields, "lines": _lines(written)}


def _lines(written: Iterable[tuple[str, str, str]]) -> list[Line]:
    """Lines in ppm; the one that says `qs` takes up what is left to one million."""
    found: list[tuple[Ingredient, int | None]] = []
    for words, amount, where in written:
        row = ingredients()[_key(words, where, PharmacistMust)]
        if amount.strip().lower() in FILL:
            if any(each is None for _, each in found):
                raise PharmacistMust(f"{where}: a second line says 'qs'; only one can fill up.")
            found.append((row, None))
            continue
        percent = _number(amount.replace("%", ""), where)
        if not 0 <= percent <= 100:
            raise PharmacistMust(f"{where}: the percentage must lie between 0 and 100.")
        ppm = round(percent * 10_000)
        if abs(ppm - percent * 10_000) > 1e-6:
            raise PharmacistMust(f"{where}: amounts go in steps of 0.0001 % (1 ppm); round this one.")
        found.append((row, ppm))
    rest = MILLION - sum(ppm or 0 for _, ppm in found)
    if rest < 0 and any(ppm is None for _, ppm in found):
        raise PharmacistMust(
            f"the other lines already add up to more than 100 % (by {-rest / 10_000:g} %); lower one."
        )
    return [
        Line(
            ingredient=row.key,
            name=row.name,
            inci=row.inci,
            ppm=rest if ppm is None else ppm,
            function=row.klass.replace("_", " "),
            phase=_phase(row),
            quantum_satis=ppm is None,
        )
        for row, ppm in found
    ]


def _phase(row: Ingredient) -> Phase:
    if row.klass == "preservative":
        return "C"
    return "B" if row.phase in ("O", "A", "E") else "A"


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise PharmacistMust(f"{where}: an amount must be a number in percent, or 'qs'.") from None
    if not math.isfinite(value):
        raise PharmacistMust(f"{where}: an amount must be finite.")
    return value


def _key(words: str, where: str, error: type[BifloraError]) -> str:
    try:
        return find_ingredient(words)
    except ClinicianMust as problem:
        raise error(f"{where}: {problem}") from None


def _known(words: str, labels: Mapping[str, str], *, where: str) -> str:
    if words in labels.values():
        return words
    by_label = {label.casefold(): key for label, key in labels.items()}
    if words.casefold() in by_label:
        return by_label[words.casefold()]
    close = ", ".join(difflib.get_close_matches(words, list(labels.values()), 3, 0.0))
    raise PharmacistMust(f"{where}: is not known; the closest keys are {close}.")
