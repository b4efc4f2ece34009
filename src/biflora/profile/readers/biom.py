"""BIOM 1.0 tables (JSON), and what both versions of BIOM share.

The numbers of `data` are read by NumPy from the text, never as Python's lists: a list takes twenty times the file.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biflora.errors import LaboratoryMust
from biflora.profile.names import SEQUENCE, split_lineage
from biflora.profile.readers.assay import guess_assay
from biflora.profile.readers.numbers import whole_number
from biflora.profile.readers.provenance import generated_line
from biflora.profile.table import (
    MOST_ENTRIES,
    MOST_NAMES,
    Feature,
    LabTable,
    Numbers,
    checked,
    from_dense,
    from_entries,
    looks_like_counts,
    row_sums,
    too_large,
)

TAXID_FIELDS = ("ncbi_taxid", "taxid", "tax_id", "taxonomy_id", "NCBI_tax_id")
NUMBERS_ONLY = re.compile(r"[\[\]0-9\s,.eE+\-]*+")
SPACES = re.compile(r"\s*+")
MOST_PARTS = 3 * MOST_NAMES
"""Objects and lists outside `data`: each taxon has an object, its metadata's and a lineage."""
LONGEST_JSON = 150_000_000
"""Characters: the numbers of a larger file would stand in memory three times."""
LONGEST_ODD_DATA = 20_000_000
"""Characters of a `data` with null, NaN or quoted numbers, which Python itself must read."""


def read_biom_json(text: str, file_name: str, because: str) -> LabTable:
    """The table in a BIOM 1.0 JSON text."""
    if len(text) > LONGEST_JSON:
        raise LaboratoryMust(
            f"{file_name}: the BIOM JSON is larger than {LONGEST_JSON / 1e9:g} GB; export it as BIOM 2.1, or send "
            "the one patient's samples only."
        )
    try:
        said, numbers = _parts(text, file_name)
    except json.JSONDecodeError as problem:
        raise LaboratoryMust(
            f"{file_name}: the BIOM JSON breaks off or is damaged at line {problem.lineno}; send the file again."
        ) from None
    except (RecursionError, ValueError):
        raise LaboratoryMust(
            f"{file_name}: the BIOM JSON is nested without end; export the table again."
        ) from None
    try:
        rows, columns = said["rows"], said["columns"]
        if not isinstance(rows, list) or not isinstance(columns, list):
            raise TypeError
        names = [str(row["id"]) for row in rows]
        samples = [str(column["id"]) for column in columns]
        metadata = [row.get("metadata") or {} for row in rows]
        lineages = [_lineage(given.get("taxonomy", given.get("Taxonomy"))) for given in metadata]
        taxids = [str(next((given[key] for key in TAXID_FIELDS if key in given), "")) for given in metadata]
        if not names or not samples:
            raise LaboratoryMust(f"{file_name}: the table has no samples or no taxa; export it again with both.")
        shape = said.get("shape", [len(names), len(samples)])
        if shape != [len(names), len(samples)]:
            raise LaboratoryMust(
                f"{file_name}: 'shape' does not fit the {len(names)} rows and {len(samples)} columns; the file is "
                "cut off or was edited, export the table again."
            )
        dense = said.get("matrix_type") == "dense"
        if len(names) * len(samples) > MOST_ENTRIES and dense:
            raise too_large(file_name)
        parts = (_dense if dense else _sparse)(numbers, len(names), samples, file_name)
        line = generated_line(said.get("generated_by"), said.get("date"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        raise LaboratoryMust(
            f"{file_name}: the JSON says BIOM 1.0, but its 'rows', 'columns' or 'data' are not as the format "
            "asks; export the table again."
        ) from None
    features = biom_features(names, lineages, taxids)
    sums = row_sums(parts[0], parts[2])
    return finished(file_name, "BIOM 1.0 (JSON)", because, samples, features, parts, sums, line)


def _parts(text: str, file_name: str) -> tuple[dict[str, Any], Any]:
    """(everything but `data`, the rows of `data` as an array or as lists)."""
    decoder = json.JSONDecoder()
    said: dict[str, Any] = {}
    data: Any = None
    place = _skip(text, 0)
    if text[place : place + 1] != "{":
        raise json.JSONDecodeError("no object", text, place)
    place = _skip(text, place + 1)
    opened = 0
    while text[place : place + 1] != "}":
        if text[place : place + 1] != '"':
            raise json.JSONDecodeError("no key", text, place)
        key, place = decoder.raw_decode(text, place)
        place = _skip(text, place)
        if text[place : place + 1] != ":":
            raise json.JSONDecodeError("no value", text, place)
        start = _skip(text, place + 1)
        end = _end_of_numbers(text, start) if key == "data" else -1
        if end >= 0:
            data, place = _array(text[start:end].encode("ascii")), end
        else:
            if key == "data" and len(text) - start > LONGEST_ODD_DATA:
                raise LaboratoryMust(f"{file_name}: 'data' holds more than plain numbers; export the table again.")
            if not opened:
                opened = text.count("{") + (
                    0 if key == "data" else text.count("[", start, _data_start(text, start))
                )
                if opened > MOST_PARTS + 10:
                    raise too_large(file_name)
            value, place = decoder.raw_decode(text, start)
            if key == "data":
                data = value
            else:
                said[key] = value
        place = _skip(text, place)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)
        elif text[place : place + 1] != "}":
            raise json.JSONDecodeError("no end", text, place)
    return said, data


def _data_start(text: str, start: int) -> int:
    found = text.find('"data"', start)
    return len(text) if found < 0 else found


def _skip(text: str, place: int) -> int:
    found = SPACES.match(text, place)
    return found.end() if found else place


def _end_of_numbers(text: str, start: int) -> int:
    """Where an array of plain numbers ends, or -1 when it holds anything else."""
    found = NUMBERS_ONLY.match(text, start)
    if found is None:
        return -1
    end = text.rfind("]", start, found.end()) + 1
    between = text[end : found.end()].strip()
    return end if end > start and between in ("", ",") and text[start] == "[" else -1


def _array(raw: bytes) -> NDArray[np.float64]:
    """Rows of plain numbers, all of one length; ValueError for any other nesting."""
    nesting = raw.translate(None, b"0123456789.eE+- \t\r\n\x0b\x0c")
    if nesting == b"[]":
        return np.zeros((0, 3))
    width = nesting.find(b"]") - 1  # "[[,,]": two commas are three numbers
    height = (nesting.count(b"[")) - 1
    if nesting != b"[" + b",".join([b"[" + b"," * (width - 1) + b"]"] * height) + b"]":
        raise ValueError("nesting")
    del nesting
    raw = raw.translate(bytes.maketrans(b"[]", b"  "))
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            flat = np.fromstring(raw, dtype=np.float64, sep=",")
        except DeprecationWarning:
            raise ValueError("numbers") from None
    return flat.reshape(height, width)


def _dense(numbers: Any, n_names: int, samples: Sequence[str], file_name: str) -> Any:
    matrix = np.asarray(numbers, dtype=np.float64)
    if matrix.shape != (n_names, len(samples)):
        raise LaboratoryMust(
            f"{file_name}: 'data' has the shape {matrix.shape} but there are {n_names} rows and {len(samples)} "
            "columns; export the table again."
        )
    return from_dense(samples, matrix.T)


def _sparse(numbers: Any, n_names: int, samples: Sequence[str], file_name: str) -> Any:
    entries = np.asarray(numbers, dtype=np.float64).reshape(-1, 3) if len(numbers) else np.zeros((0, 3))
    if len(numbers) != len(entries) or len(entries) > MOST_ENTRIES:
        raise ValueError("entries")
    said = entries[:, :2]
    if not np.all((said >= 0) & (said < (n_names, len(samples))) & (said == np.floor(said))):
        raise LaboratoryMust(f"{file_name}: an entry of 'data' points beyond rows or columns; export it again.")
    places = said.astype(np.int32)  # MOST_NAMES fits
    return from_entries(len(samples), places[:, 1], places[:, 0], entries[:, 2])


def finished(
    file_name: str,
    format_name: str,
    because: str,
    samples: Sequence[str],
    features: tuple[Feature, ...],
    parts: tuple[NDArray[np.int64], NDArray[np.int64], Numbers],
    sums: Numbers,
    generated: str,
) -> LabTable:
    """The checked table of a BIOM file."""
    starts, places, values = parts
    assay, assay_because = guess_assay(features)
    return checked(
        LabTable(
            file_name=file_name,
            format=format_name,
            because=because,
            samples=tuple(samples),
            features=features,
            starts=starts,
            places=places,
            values=values,
            has_counts=looks_like_counts(values, sums),
            assay=assay,
            assay_because=assay_because,
            provenance=(generated,) if generated else (),
        )
    )


def biom_features(
    names: Sequence[str], lineages: Sequence[tuple[str, ...]], taxids: Sequence[str]
) -> tuple[Feature, ...]:
    """Features with the lineage and the NCBI number of each; `lineages` and `taxids` may be empty."""
    found = []
    for place, name in enumerate(names):
        lineage = lineages[place] if lineages else ()
        if not lineage and (";" in name or "|" in name):
            lineage = split_lineage(name)
        found.append(
            Feature(
                name=name,
                lineage=lineage,
                taxid=whole_number(taxids[place]) if taxids else None,
                sequence=name if SEQUENCE.match(name) else "",
            )
        )
    return tuple(found)


def _lineage(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return split_lineage(value)
    return tuple(str(part) for part in value)
