"""A formula or needs that a person wrote: JSON, TOML, CSV with one ingredient a line, or typed text."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from biflora.errors import BifloraError, ClinicianMust, PharmacistMust
from biflora.formula.formula import Formula
from biflora.formula.read_text import LONGEST_LINE, TypedFormula, typed_formula
from biflora.formula.recognise import (
    UNPRESERVED,
    ask_for_vehicle,
    known,
    preserved_by,
    preserved_by_its_parts,
    vehicle_named,
)
from biflora.formula.written import WrittenLine, key_of, lines_of, number_of, written_line
from biflora.knowledge.keeping import container_kinds
from biflora.knowledge.lookup import find_substance
from biflora.knowledge.pharmacy import preservative_systems, vehicles
from biflora.knowledge.rows import release
from biflora.plan.plan import Needs
from biflora.values import Finding, parse, read_json_object

_TABLE = re.compile(r"^\s*(ingredient|name|inci)\s*[,;]\s*(percent|%)", re.I | re.M)


class Reading(NamedTuple):
    """A formula as it was read, and what was taken for granted where the text did not say it."""

    formula: Formula
    notes: tuple[Finding, ...] = ()


def read_formula(path: Path) -> Formula:
    """Read a formula from JSON, TOML, CSV (`vehicle,ow_cream`, then `ingredient,percent`) or typed lines.

    Ingredients may be keys, names or INCI names; one may say `qs`. Raises PharmacistMust naming file and line.
    """
    return reading_of(_text(path, PharmacistMust), where=path.name, name=path.stem).formula


def reading_of_file(path: Path, *, vehicle: str | None = None) -> Reading:
    """The same, with what was taken for granted; `vehicle` stands for a line that the file lacks."""
    return reading_of(_text(path, PharmacistMust), where=path.name, name=path.stem, vehicle=vehicle)


def reading_of(text: str, *, where: str, name: str = "", vehicle: str | None = None) -> Reading:
    """Read a formula's text, in whichever of the four ways it is written; `where` names it in errors.

    Raises PharmacistMust naming the line, or asking for the vehicle with those that the lines fit.
    """
    typed = TypedFormula()
    match _way_of_writing(where, text):
        case "csv":
            fields = _from_csv(where, text)
        case "text":
            typed = typed_formula(text, where)
            fields = {**typed.fields, "written": typed.written}
        case way:
            data = _toml(where, text, PharmacistMust) if way == "toml" else _json(where, text, PharmacistMust)
            fields = _from_object(where, data)
    if vehicle is not None:
        fields["vehicle"] = vehicle
    notes: tuple[Finding, ...] = ()
    if "written" in fields:
        fields, notes = _complete(fields, typed, where)
    fields.setdefault("name", name)
    return Reading(_made(fields, where), notes)


def _complete(
    fields: dict[str, Any], typed: TypedFormula, where: str
) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The fields with lines, vehicle and preservative system looked up, and notes on what was not said."""
    written: list[WrittenLine] = fields.pop("written")
    key = fields.get("vehicle")
    if key is not None:
        fields["vehicle"] = key = vehicle_named(str(key), f"{where}: 'vehicle'")
    if fields.get("container"):
        kinds = {row.label: kind for kind, row in container_kinds().items()}
        fields["container"] = known(str(fields["container"]), kinds, where=f"{where}: 'container'")
    aqueous = vehicles()[key].aqueous if key is not None else None
    notes: tuple[Finding, ...] = ()
    system = fields.get("preservative_system")
    if system is not None:
        labels = {row.label: name for name, row in preservative_systems().items()}
        system = known(str(system), labels, where=f"{where}: 'preservative_system'")
    elif typed.preserved_with:
        system, added, notes = preserved_by(typed.preserved_with, typed.preserved_where, written, aqueous)
        written = [*written, *added]
    lines = lines_of(written, whole=where, total_grams=typed.total_grams)
    if system is None:
        water = any(line.ingredient == "purified_water" and line.ppm for line in lines)
        system, _, notes = preserved_by_its_parts(lines, water if aqueous is None else aqueous, where)
    if key is None:
        raise ask_for_vehicle(lines, system, fields.get("ph"), where)
    if typed.preserved_with and system in UNPRESERVED.values():
        system = UNPRESERVED[bool(aqueous)]
    return {**fields, "lines": lines, "preservative_system": system}, notes


def _made(fields: dict[str, Any], where: str) -> Formula:
    for name, rows in (("vehicle", vehicles()), ("preservative_system", preservative_systems())):
        if fields.get(name) is not None:
            labels = {row.label: key for key, row in rows.items()}
            fields[name] = known(str(fields[name]), labels, where=f"{where}: '{name}'")
    read = parse(Formula, fields, where=where, error=PharmacistMust)
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
        return needs_from(_toml(path.name, text, ClinicianMust), where=path.name)
    return needs_from(_json(path.name, text, ClinicianMust), where=path.name)


def needs_from(fields: Mapping[str, Any], *, where: str) -> Needs:
    """Needs from named fields, or from a plan that holds them. Raises ClinicianMust naming the field."""
    if isinstance(fields.get("needs"), Mapping):
        fields = fields["needs"]
    for name in ("must_include", "in_stock"):
        if isinstance(fields.get(name), list):
            fields = {
                **fields,
                name: [key_of(str(each), f"{where}: '{name}'", ClinicianMust) for each in fields[name]],
            }
    if isinstance(fields.get("exact_percent"), Mapping):
        by_name = fields["exact_percent"].items()
        exact = {key_of(str(name), f"{where}: 'exact_percent'", ClinicianMust): value for name, value in by_name}
        fields = {**fields, "exact_percent": exact}
    needs = parse(Needs, fields, where=where, error=ClinicianMust)
    for name, words in (("allergies", needs.allergies), ("avoid_ingredients", needs.avoid_ingredients)):
        for number, word in enumerate(words, start=1):
            find_substance(word, where=f"{where}: {name}, entry {number}")
    return needs


def _way_of_writing(where: str, text: str) -> str:
    suffix = Path(where).suffix.lower()
    if suffix in (".json", ".csv", ".toml"):
        return suffix[1:]
    if text.lstrip().startswith(("{", "[")) or not text.strip():
        return "json" if not text.lstrip().startswith("[[") else "toml"
    if "[[lines]]" in text:
        return "toml"
    return "csv" if _TABLE.search(text) else "text"


def _text(path: Path, error: type[BifloraError]) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise error(f"{path.name}: no such file; mend the path.") from None
    except (OSError, UnicodeDecodeError, ValueError):
        raise error(f"{path.name or path}: cannot be read as text; send it as UTF-8 JSON or CSV.") from None


def _json(where: str, text: str, error: type[BifloraError]) -> dict[str, Any]:
    if not text.strip():
        raise error(f"{where}: the file is empty; send it again.")
    return read_json_object(text, where=where, error=error)


def _toml(where: str, text: str, error: type[BifloraError]) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise error(f"{where}: the file is not valid TOML; mend it or write JSON.") from None


def _from_object(where: str, fields: dict[str, Any]) -> dict[str, Any]:
    lines = fields.get("lines")
    if not isinstance(lines, list) or not all(isinstance(each, dict) for each in lines):
        raise PharmacistMust(f"{where}: 'lines': must be a list of ingredients, each with 'percent' or 'ppm'.")
    if fields.get("id"):
        return fields
    written: list[WrittenLine] = []
    for number, line in enumerate(lines):
        place = f"{where}: 'lines.{number}'"
        words = str(line.get("ingredient") or line.get("name") or line.get("inci") or "")
        if line.get("quantum_satis"):
            written.append(WrittenLine(words, None, place))
        elif "ppm" in line:
            written.append(WrittenLine(words, number_of(str(line["ppm"]), place) / 10_000, place))
        elif "grams" in line:
            written.append(WrittenLine(words, number_of(str(line["grams"]), place), place, "grams"))
        else:
            written.append(written_line(words, str(line.get("percent", "")), place))
    return {**{name: value for name, value in fields.items() if name != "lines"}, "written": written}


def _from_csv(where: str, text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    written: list[WrittenLine] = []
    in_table = False
    if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        raise PharmacistMust(f"{where}: a line is longer than 2,000 characters; write one ingredient a line.")
    header = _TABLE.search(text)
    between = ";" if header is not None and ";" in header[0] else ","
    for number, cells in enumerate(csv.reader(text.splitlines(), delimiter=between), start=1):
        cells = [cell.strip() for cell in cells]
        place = f"{where}: line {number}"
        if not any(cells) or cells[0].startswith("#"):
            continue
        if cells[0].lower() in ("ingredient", "name", "inci") and len(cells) > 1 and not in_table:
            if cells[1].lower() in ("percent", "%", "percent w/w"):
                in_table = True
                continue
            if cells[0].lower() != "name":
                raise PharmacistMust(f"{place}: the second column must be 'percent' (w/w).")
        if len(cells) < 2:
            raise PharmacistMust(f"{place}: has one cell; write ingredient and percent, with a comma between.")
        if in_table:
            written.append(written_line(cells[0], cells[1], place))
        elif cells[0] in ("vehicle", "preservative_system", "name", "condition", "container"):
            fields[cells[0]] = cells[1]
        elif cells[0] == "ph":
            fields["ph"] = float(number_of(cells[1], place)) if cells[1] else None
        elif cells[0] == "rinse_off":
            fields["rinse_off"] = cells[1].lower() in ("yes", "true", "1")
        else:
            raise PharmacistMust(
                f"{place}: not a field of a formula; before the line 'ingredient,percent' may stand "
                "name, condition, vehicle, ph, preservative_system, container and rinse_off."
            )
    if not written:
        raise PharmacistMust(f"{where}: no ingredient found; after 'ingredient,percent' write one a line.")
    return {**fields, "written": written}
