"""Reading the patient from TOML or JSON, in the long or the short form."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from biflora.errors import ClinicianMust
from biflora.profile.consistency import check_patient
from biflora.profile.host.instruments import score
from biflora.profile.host.laboratory import with_laboratory_fields
from biflora.profile.patient import Patient
from biflora.values import parse, read_json_object

LARGEST = 1_000_000


def read_patient(path: Path) -> Patient:
    """The patient in a TOML or JSON file; scores may stand as `[scores] scorad = 45.2`.

    A laboratory value stands in its own field in that field's unit, or with any unit under `[laboratory.values]`,
    as in `tarc = "1.2 ng/mL"`.

    Raises ClinicianMust with one sentence per wrong field; what stood in the field is never repeated.
    """
    path = Path(path)
    data = _data(path)
    if set(data) == {"patient"} and isinstance(data["patient"], dict):
        data = data["patient"]
    elif isinstance(data.get("patient"), dict):
        data = {**data.pop("patient"), **data}
    if "scores" in data:
        data["scores"] = _scores(data["scores"], path.name)
    if isinstance(data.get("sites"), dict):
        data["sites"] = [{"site": site, "area_percent_bsa": area} for site, area in data["sites"].items()]
    patient = parse(Patient, data, where=path.name)
    for given in patient.scores:
        try:
            score(given, patient.age_years)
        except ClinicianMust as problem:
            raise ClinicianMust(f"{path.name}: {problem}") from None
    try:
        patient = with_laboratory_fields(patient)
    except ClinicianMust as problem:
        raise ClinicianMust(f"{path.name}: {problem}") from None
    check_patient(patient, where=path.name)
    return patient


def _data(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise ClinicianMust(f"{path.name}: larger than 1 MB, so this is no patient file; name the right one.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ClinicianMust(f"{path.name}: there is no such patient file; mend the path.") from None
    except IsADirectoryError:
        raise ClinicianMust(f"{path.name or path}: this is a folder; name the patient's file in it.") from None
    except UnicodeDecodeError:
        raise ClinicianMust(f"{path.name}: this is no text file; write the patient as TOML or JSON.") from None
    except OSError as problem:
        raise ClinicianMust(
            f"{path.name[:100]}: the file cannot be read ({problem.strerror}); check its name and permissions."
        ) from None
    if not text.strip():
        raise ClinicianMust(f"{path.name}: the patient file is empty; write age_years and condition at least.")
    if path.suffix.lower() == ".json" or text.lstrip().startswith("{"):
        return read_json_object(text, where=path.name)
    try:
        return tomllib.loads(text)
    except (RecursionError, tomllib.TOMLDecodeError) as problem:
        place = str(problem).rpartition("(")[2].rstrip(")") or "unknown place"
        raise ClinicianMust(
            f"{path.name}: the TOML cannot be read ({place}); texts stand in quotes, one setting per line."
        ) from None


def _scores(given: Any, name: str) -> list[Any]:
    """`[[scores]]` as it is; `[scores]` with a number, or a table of items, for each instrument."""
    if isinstance(given, list):
        return given
    if not isinstance(given, dict):
        raise ClinicianMust(
            f"{name}: 'scores' must be a table such as [scores] scorad = 45.2, or [[scores]] entries."
        )
    found = []
    for instrument, value in given.items():
        if isinstance(value, dict):
            rest = dict(value)
            entry = {"instrument": instrument, **{key: rest.pop(key) for key in ("total", "on") if key in rest}}
            found.append({**entry, "items": rest.pop("items", {}) | rest})
        else:
            found.append({"instrument": instrument, "total": value})
    return found
