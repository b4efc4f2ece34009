"""From a path to the laboratory's table: recognise, read, and add a taxonomy that lies beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from biflora.errors import LaboratoryMust, NameAnother
from biflora.profile.readers import biom, grids, kraken, metaphlan, qiime2, taxonomy
from biflora.profile.readers.numbers import grid
from biflora.profile.sniff import LARGEST_FILE, Recognised, as_text, recognise, unpacked
from biflora.profile.table import LabTable


@dataclass(frozen=True)
class LaboratoryFile:
    """A read file: its table and its SHA-256."""

    path: Path
    sha256: str
    table: LabTable


def read_laboratory_file(path: Path) -> LaboratoryFile:
    """The table in any format that biflora reads. Raises LaboratoryMust naming file, place and mend."""
    path = Path(path)
    name = path.name or str(path)
    try:
        if path.is_dir():
            raise NameAnother(f"{name}: this is a folder; name the table inside it.")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise LaboratoryMust(f"{name}: the file is larger than 1.5 GB; send the one patient's samples only.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise NameAnother(f"{name}: there is no such file; mend the path, or leave the file out.") from None
    except OSError as problem:
        raise NameAnother(
            f"{name[:100]}: the file cannot be read ({problem.strerror}); check its name and permissions."
        ) from None
    inside = unpacked(content, name)
    table = _read(inside, recognise(inside, name), path)
    return LaboratoryFile(path=path, sha256=hashlib.sha256(content).hexdigest(), table=table)


def _read(content: bytes, found: Recognised, path: Path) -> LabTable:
    name, because = path.name, found.because
    match found.kind:
        case "biom_hdf5":
            table = biom.read_biom_hdf5(content, name, because)
        case "qza":
            table = qiime2.read_qza(content, name, because)
        case "biom_json":
            table = biom.read_biom_json(as_text(content, name), name, because)
        case "metaphlan":
            return metaphlan.read_metaphlan(
                as_text(content, name), name, because, found.name.removeprefix("MetaPhlAn ")
            )
        case "kraken2":
            return kraken.read_kraken2(as_text(content, name), name, because)
        case "bracken":
            return kraken.read_bracken(as_text(content, name), name, because)
        case "emu":
            return kraken.read_emu(as_text(content, name), name, because)
        case "long":
            return grids.read_long(as_text(content, name), name, because)
        case "otu_tsv" | "feature_rows":
            table = grids.read_feature_rows(as_text(content, name), name, because, found.name)
        case "seqtab":
            table = grids.read_sample_rows(as_text(content, name), name, because, found.name)
        case "number_grid":
            return _number_grid(as_text(content, name), found, path)
    return _named(table, path)


def _named(table: LabTable, path: Path) -> LabTable:
    if any(feature.lineage for feature in table.features):
        return table
    beside = taxonomy.taxonomy_beside(path)
    return table if beside is None else taxonomy.with_taxonomy(table, taxonomy.read_taxonomy(beside), beside.name)


def _number_grid(text: str, found: Recognised, path: Path) -> LabTable:
    """A bare table: which side holds the taxa is seen from the taxonomy beside it, or from the names."""
    beside = taxonomy.taxonomy_beside(path)
    lineages = taxonomy.read_taxonomy(beside) if beside is not None else {}
    side = grids.orientation(grid(text, path.name), frozenset(lineages), path.name)
    kind = "phyloseq OTU table (CSV)" if beside is not None else "table with taxa in columns"
    if side == "samples":
        table = grids.read_sample_rows(text, path.name, f"{found.because}; taxa stand in columns", kind)
    else:
        kind = kind.replace("columns", "rows")
        table = grids.read_feature_rows(text, path.name, f"{found.because}; taxa stand in rows", kind)
    return taxonomy.with_taxonomy(table, lineages, beside.name) if beside is not None else table
