"""BIOM 2.0 and 2.1 tables (HDF5): every part is asked for its size before a byte of it is unpacked.

Read with h5py alone: the layout is small, and importing biom-format costs more than reading a table. The tests
hold every number equal to biom-format's own.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from biflora.errors import LaboratoryMust
from biflora.profile.names import split_lineage
from biflora.profile.readers.biom import TAXID_FIELDS, biom_features, finished
from biflora.profile.readers.provenance import generated_line
from biflora.profile.table import MOST_ENTRIES, MOST_NAMES, LabTable, row_sums, too_large

RANK_PARTS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
LARGEST_PART = 8 * MOST_ENTRIES
"""Bytes of one dataset: what the values of the largest table take."""
DAMAGED = (
    OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError, OverflowError,
    NotImplementedError,
)  # fmt: skip
"""What h5py and NumPy raise on damaged files; UnicodeDecodeError is a ValueError."""


def read_biom_hdf5(content: bytes, file_name: str, because: str, format_name: str = "") -> LabTable:
    """The table in an HDF5 BIOM file given as bytes."""
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            if "sample/ids" not in file or "sample/matrix/data" not in file:
                raise _no_biom(set(file), file_name)
            part = _Parts(file, file_name)
            samples = part.texts("sample/ids")
            names = part.texts("observation/ids")
            starts = part.numbers("sample/matrix/indptr", "iu", np.dtype(np.int64))
            places = part.numbers("sample/matrix/indices", "iu", np.dtype(np.int64))
            values = part.numbers("sample/matrix/data", "iuf", np.dtype(np.float64))
            lineages = _taxonomy(part, len(names))
            keys = (f"observation/metadata/{key}" for key in TAXID_FIELDS)
            taxids = next((part.texts(key) for key in keys if key in file), [])
            version = (
                "2.0"
                if [int(n) for n in np.ravel(file.attrs.get("format-version", (2, 1)))][:2] == [2, 0]
                else "2.1"
            )
            said = generated_line(file.attrs.get("generated-by", ""), file.attrs.get("creation-date", ""))
    except DAMAGED:
        raise LaboratoryMust(
            f"{file_name}: the HDF5 file is cut off or damaged, or holds no BIOM table (sample/ids, "
            "observation/ids and sample/matrix are needed); send it again, or export it as BIOM 2.1."
        ) from None
    if (
        len(starts) != len(samples) + 1
        or starts[0] != 0
        or starts[-1] != len(values)
        or len(places) != len(values)
        or np.any(np.diff(starts) < 0)
    ):
        raise LaboratoryMust(
            f"{file_name}: the matrix in sample/matrix does not fit the list of samples; the file is damaged, "
            "send it again."
        )
    if len(places) and (places.min() < 0 or places.max() >= len(names)):
        raise LaboratoryMust(
            f"{file_name}: sample/matrix/indices points beyond observation/ids; send the file again."
        )
    features = biom_features(names, lineages, taxids)
    return finished(
        file_name,
        format_name or f"BIOM {version} (HDF5)",
        because,
        samples,
        features,
        (starts, places, values),
        row_sums(starts, values),
        said,
    )


def _no_biom(groups: set[str], file_name: str) -> LaboratoryMust:
    if {"obs", "var"} <= groups:
        what = "an AnnData file (.h5ad), which biflora does not read; export its matrix and names as CSV or BIOM"
    elif "matrix" in groups:
        what = "a 10x or other matrix in HDF5, not a BIOM table; export it as BIOM 2.1"
    else:
        what = (
            "HDF5, but it holds no BIOM table (sample/ids, observation/ids and sample/matrix are needed); the "
            "file is of another program or damaged: send it again, or export it as BIOM 2.1"
        )
    return LaboratoryMust(f"{file_name}: this is {what}.")


class _Parts:
    """The datasets of one open file, each checked before it is read."""

    def __init__(self, file: Any, file_name: str) -> None:
        self.file = file
        self.file_name = file_name

    def __contains__(self, path: str) -> bool:
        return path in self.file

    def dataset(self, path: str) -> Any:
        """The dataset there; LaboratoryMust when it is too large, or its bytes lie in another file."""
        import h5py

        node = self.file
        for step in path.split("/"):
            # A link out of the file could name any file on this computer.
            if not isinstance(node.get(step, getlink=True), h5py.HardLink):
                raise KeyError(step)
            node = node[step]
        if not isinstance(node, h5py.Dataset) or node.shape is None or node.external or node.is_virtual:
            raise KeyError(path)
        if _size(node.shape, node.dtype) > LARGEST_PART or _size(node.chunks or (), node.dtype) > LARGEST_PART:
            raise too_large(self.file_name)
        return node

    def numbers(self, path: str, kinds: str, wanted: np.dtype[Any]) -> Any:
        dataset = self.dataset(path)
        if dataset.dtype.kind not in kinds or len(dataset.shape) != 1:
            raise ValueError(path)
        return np.asarray(dataset[()]).astype(wanted, copy=False)

    def texts(self, path: str) -> list[str]:
        dataset = self.dataset(path)
        if len(dataset.shape) != 1:
            raise ValueError(path)
        if dataset.shape[0] > MOST_NAMES:
            raise too_large(self.file_name)
        return [as_text(item) for item in dataset[()]]


def _size(shape: Sequence[int], dtype: np.dtype[Any]) -> int:
    return prod(int(n) for n in shape) * dtype.itemsize


def as_text(item: Any) -> str:
    """One stored text; h5py gives bytes, or an array of parts for a list in one cell."""
    return item.decode() if isinstance(item, bytes) else str(item)


def _taxonomy(part: _Parts, n: int) -> list[tuple[str, ...]]:
    """Lineages as one text each, as rows of ranks, as lists of their own length, or as one dataset a rank."""
    import h5py

    key = "observation/metadata/taxonomy"
    if key not in part:
        return []
    if isinstance(part.file[key], h5py.Group):
        ranks = {str(name).lower(): str(name) for name in part.file[key]}
        columns = [part.texts(f"{key}/{ranks[rank]}") if rank in ranks else [""] * n for rank in RANK_PARTS]
        return [tuple(row) for row in zip(*columns, strict=True)]
    dataset = part.dataset(key)
    if dataset.shape[:1] != (n,) or len(dataset.shape) > 2:
        raise ValueError(key)
    values = dataset[()]
    if values.ndim == 2:
        return [tuple(as_text(item) for item in row) for row in values]
    return [
        tuple(as_text(item) for item in row) if isinstance(row, np.ndarray) else split_lineage(as_text(row))
        for row in values
    ]
