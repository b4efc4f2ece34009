"""BIOM tables: version 1 (JSON) and 2.0/2.1 (HDF5).

Read with json and h5py alone: the layout is small, and importing biom-format costs more than reading a table. The
tests hold every number equal to biom-format's own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from biflora.errors import LaboratoryMust
from biflora.profile.names import SEQUENCE, split_lineage
from biflora.profile.readers.assay import guess_assay
from biflora.profile.table import Feature, LabTable, checked, from_dense, from_entries, looks_like_counts

TAXID_FIELDS = ("ncbi_taxid", "taxid", "tax_id", "taxonomy_id", "NCBI_tax_id")


def read_biom_hdf5(content: bytes, file_name: str, because: str, format_name: str = "BIOM 2.1 (HDF5)") -> LabTable:
    """The table in an HDF5 BIOM file given as bytes."""
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            samples = _texts(file["sample/ids"])
            names = _texts(file["observation/ids"])
            starts = np.asarray(file["sample/matrix/indptr"][()], dtype=np.int64)
            places = np.asarray(file["sample/matrix/indices"][()], dtype=np.int64)
            values = np.asarray(file["sample/matrix/data"][()], dtype=np.float64)
            lineages = _hdf5_taxonomy(file)
            taxids = next(
                (
                    _texts(file[f"observation/metadata/{key}"])
                    for key in TAXID_FIELDS
                    if f"observation/metadata/{key}" in file
                ),
                (),
            )
    except (OSError, KeyError, RuntimeError, ValueError, UnicodeDecodeError):
        raise LaboratoryMust(
            f"{file_name}: the HDF5 file is cut off or holds no BIOM table (sample/ids, observation/ids and "
            "sample/matrix are needed); send it again, or export it as BIOM 2.1."
        ) from None
    if (
        len(starts) != len(samples) + 1
        or (starts[-1] if len(starts) else 0) != len(values)
        or len(places) != len(values)
    ):
        raise LaboratoryMust(
            f"{file_name}: the matrix in sample/matrix does not fit the list of samples; the file is "
            "damaged, send it again."
        )
    if len(places) and (places.min() < 0 or places.max() >= len(names)):
        raise LaboratoryMust(
            f"{file_name}: sample/matrix/indices points beyond observation/ids; send the file again."
        )
    features = _features(names, lineages, taxids)
    return _finished(file_name, format_name, because, samples, features, (starts, places, values))


def read_biom_json(text: str, file_name: str, because: str) -> LabTable:
    """The table in a BIOM 1.0 JSON text."""
    try:
        data: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as problem:
        raise LaboratoryMust(
            f"{file_name}: the BIOM JSON breaks off or is damaged at line {problem.lineno}; send the file again."
        ) from None
    except (RecursionError, ValueError):
        raise LaboratoryMust(
            f"{file_name}: the BIOM JSON is nested without end; export the table again."
        ) from None
    try:
        rows, columns = data["rows"], data["columns"]
        names = [str(row["id"]) for row in rows]
        samples = [str(column["id"]) for column in columns]
        lineages = [_lineage((row.get("metadata") or {}).get("taxonomy")) for row in rows]
        taxids = [str((row.get("metadata") or {}).get(TAXID_FIELDS[0], "")) for row in rows]
        if not names or not samples:
            raise LaboratoryMust(f"{file_name}: the table has no samples or no taxa; export it again with both.")
        if data.get("matrix_type") == "dense":
            matrix = np.array(data["data"], dtype=np.float64)
            if matrix.shape != (len(names), len(samples)):
                raise LaboratoryMust(
                    f"{file_name}: 'data' has the shape {matrix.shape} but there are {len(names)} rows and "
                    f"{len(samples)} columns; export the table again."
                )
            parts = from_dense(samples, matrix.T)
        else:
            entries = [(int(sample), int(taxon), float(value)) for taxon, sample, value in data["data"]]
            if any(not (0 <= s < len(samples) and 0 <= t < len(names)) for s, t, _ in entries):
                raise LaboratoryMust(
                    f"{file_name}: an entry of 'data' points beyond rows or columns; export it again."
                )
            parts = from_entries(len(samples), entries)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise LaboratoryMust(
            f"{file_name}: the JSON says BIOM 1.0, but its 'rows', 'columns' or 'data' are not as the format "
            "asks; "
            "export the table again."
        ) from None
    features = _features(names, lineages, taxids)
    return _finished(file_name, "BIOM 1.0 (JSON)", because, samples, features, parts)


def _finished(
    file_name: str,
    format_name: str,
    because: str,
    samples: Sequence[str],
    features: tuple[Feature, ...],
    parts: Any,
) -> LabTable:
    starts, places, values = parts
    sums = np.add.reduceat(np.append(values, 0.0), starts[:-1]) if len(samples) else np.zeros(0)
    sums = np.where(np.diff(starts) > 0, sums, 0.0)
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
        )
    )


def _features(
    names: Sequence[str], lineages: Sequence[tuple[str, ...]], taxids: Sequence[str]
) -> tuple[Feature, ...]:
    found = []
    for place, name in enumerate(names):
        lineage = lineages[place] if lineages else ()
        if not lineage and (";" in name or "|" in name):
            lineage = split_lineage(name)
        taxid = taxids[place] if taxids else ""
        found.append(
            Feature(
                name=name,
                lineage=lineage,
                taxid=int(taxid) if taxid.isdigit() else None,
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


def _texts(dataset: Any) -> list[str]:
    return [item.decode() if isinstance(item, bytes) else str(item) for item in dataset[()]]


def _hdf5_taxonomy(file: Mapping[str, Any]) -> list[tuple[str, ...]]:
    key = "observation/metadata/taxonomy"
    if key not in file:
        return []
    values = file[key][()]
    if values.ndim == 1:
        return [split_lineage(item.decode() if isinstance(item, bytes) else str(item)) for item in values]
    return [tuple(item.decode() if isinstance(item, bytes) else str(item) for item in row) for row in values]
