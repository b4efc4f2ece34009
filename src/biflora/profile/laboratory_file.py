"""From a path to the laboratory's table: recognise, read, and add a taxonomy that lies beside it."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from biflora.errors import LaboratoryMust, NameAnother
from biflora.profile.names import contradictions
from biflora.profile.readers import biom, grids, hdf5, kraken, long, metaphlan, qiime2, taxonomy, ubiome
from biflora.profile.readers.numbers import Delimited
from biflora.profile.sniff import GZIP, LARGEST_FILE, Recognised, as_text, recognise, too_big, unpacked
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
    content = _bytes_of(path, name)
    sha256, packed = hashlib.sha256(content).hexdigest(), content[:2] == GZIP
    try:
        inside = unpacked(content, name)
        del content
        found = recognise(inside, name)
        if packed:
            found = replace(found, because=f"unpacked from gzip; {found.because}")
        if found.kind in ("biom_hdf5", "qza"):
            table = _read_binary(inside, found, path)
        else:
            text = as_text(inside, name)
            del inside
            table = _read_text(text, found, path)
        table = _with_name_remark(table)
    except MemoryError:
        raise LaboratoryMust(
            f"{name}: the table needs more memory than reading may take; send the one patient's samples only."
        ) from None
    return LaboratoryFile(path=path, sha256=sha256, table=table)


def _bytes_of(path: Path, name: str) -> bytes:
    """All bytes of an ordinary file that is not too large; its size is asked before it is opened."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise NameAnother(f"{name}: this is a folder; name the table inside it.")
        if not stat.S_ISREG(found.st_mode):
            raise NameAnother(f"{name}: this is a device or a pipe; name an ordinary file.")
        if found.st_size > LARGEST_FILE:
            raise too_big(found.st_size, name)
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise NameAnother(f"{name}: there is no such file; mend the path, or leave the file out.") from None
    except OSError as problem:
        raise NameAnother(
            f"{name[:100]}: the file cannot be read ({problem.strerror}); check its name and permissions."
        ) from None
    except ValueError:  # a path with a NUL in it
        raise NameAnother("The file's name holds a character that no name may hold; mend the path.") from None
    if len(content) > LARGEST_FILE:  # it grew while it was read
        raise too_big(len(content), name)
    return content


def _read_binary(content: bytes, found: Recognised, path: Path) -> LabTable:
    read = hdf5.read_biom_hdf5 if found.kind == "biom_hdf5" else qiime2.read_qza
    return _named(read(content, path.name, found.because), path)


def _read_text(text: str, found: Recognised, path: Path) -> LabTable:
    name, because = path.name, found.because
    match found.kind:
        case "biom_json":
            table = biom.read_biom_json(text, name, because)
        case "ubiome_json":
            return ubiome.read_ubiome_json(text, name, because)
        case "ubiome_csv":
            return ubiome.read_ubiome_csv(text, name, because)
        case "metaphlan":
            return metaphlan.read_metaphlan(text, name, because, found.name.removeprefix("MetaPhlAn "))
        case "kraken2":
            return kraken.read_kraken2(text, name, because)
        case "bracken":
            return kraken.read_bracken(text, name, because)
        case "emu":
            return kraken.read_emu(text, name, because)
        case "long":
            table = long.read_long(text, name, because)
        case "shared":
            table = long.read_shared(text, name, because)
        case "otu_tsv" | "feature_rows":
            table = grids.read_feature_rows(text, name, because, found.name)
        case "seqtab" | "level_table":
            table = grids.read_sample_rows(text, name, because, found.name)
        case _:
            return _number_grid(text, found, path)
    return _named(table, path)


def _with_name_remark(table: LabTable) -> LabTable:
    count = contradictions(table.features)
    if not count:
        return table
    remark = (
        "name_and_number_differ",
        f"A name and its NCBI number belong to two different taxa, {count} times in this table; the name was "
        "followed. The laboratory says which is right.",
    )
    return replace(table, remarks=(*table.remarks, remark))


def _named(table: LabTable, path: Path) -> LabTable:
    if any(feature.lineage for feature in table.features):
        return table
    beside = taxonomy.taxonomy_beside(path)
    return table if beside is None else taxonomy.with_taxonomy(table, taxonomy.read_taxonomy(beside))


def _number_grid(text: str, found: Recognised, path: Path) -> LabTable:
    """A bare table: which side holds the taxa is seen from the taxonomy beside it, or from the names."""
    beside = taxonomy.taxonomy_beside(path)
    given = taxonomy.read_taxonomy(beside) if beside is not None else None
    side, why = grids.orientation(Delimited(text, path.name), frozenset(given.lineages) if given else frozenset())
    kind = "phyloseq OTU table (CSV)" if given is not None else "table with taxa in columns"
    if side == "samples":
        table = grids.read_sample_rows(text, path.name, f"{found.because}; taxa stand in columns ({why})", kind)
    else:
        kind = kind.replace("columns", "rows")
        table = grids.read_feature_rows(text, path.name, f"{found.because}; taxa stand in rows ({why})", kind)
    return taxonomy.with_taxonomy(table, given) if given is not None else table
