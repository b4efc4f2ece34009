"""QIIME 2 artifacts (.qza): the zip's checksums are verified and its uuid kept; QIIME 2 itself is not needed."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from dataclasses import replace

from biflora.errors import LaboratoryMust
from biflora.profile.readers.biom import read_biom_hdf5, read_biom_json
from biflora.profile.table import LabTable

LARGEST_MEMBER = 1_000_000_000
LARGEST_RATIO = 200.0
"""A member that unpacks to more than this many times its size is refused (a zip bomb)."""
UUID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class Artifact:
    """One opened .qza: its uuid, its type and its data files."""

    def __init__(self, content: bytes, file_name: str) -> None:
        self.file_name = file_name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except zipfile.BadZipFile:
            raise LaboratoryMust(
                f"{file_name}: the zip file is cut off or damaged; send the .qza again."
            ) from None
        roots = {name.split("/")[0] for name in self._zip.namelist()}
        if len(roots) != 1 or not UUID.match(next(iter(roots))):
            raise LaboratoryMust(
                f"{file_name}: a zip file, but no QIIME 2 artifact (one folder named by a uuid is expected); "
                "send the .qza, "
                "or the table itself as BIOM or TSV."
            )
        self.uuid = next(iter(roots))
        self.kind = self._line("type")
        self._verify()

    def _line(self, key: str) -> str:
        text = self.read("metadata.yaml").decode("utf-8", "replace")
        found = re.search(rf"^{key}:\s*(.+)$", text, re.M)
        return found.group(1).strip() if found else ""

    def read(self, inner: str) -> bytes:
        """One member's bytes, unless it is too large or unpacks suspiciously."""
        name = f"{self.uuid}/{inner}"
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            raise LaboratoryMust(
                f"{self.file_name}: the artifact lacks '{inner}'; export it again from QIIME 2."
            ) from None
        if (
            info.file_size > LARGEST_MEMBER
            or info.file_size > LARGEST_RATIO * max(info.compress_size, 1) + 1_000_000
        ):
            raise LaboratoryMust(
                f"{self.file_name}: '{inner}' unpacks to {info.file_size} bytes, more than biflora opens; "
                "send the one "
                "patient's samples only."
            )
        try:
            with self._zip.open(info) as member:
                return member.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
            raise LaboratoryMust(
                f"{self.file_name}: '{inner}' in the zip is damaged; send the .qza again."
            ) from None

    def data_file(self, ending: str) -> str:
        """Inner path of the data file with this ending."""
        prefix = f"{self.uuid}/data/"
        for name in self._zip.namelist():
            if name.startswith(prefix) and name.endswith(ending):
                return name[len(self.uuid) + 1 :]
        raise LaboratoryMust(
            f"{self.file_name}: no '{ending}' in the artifact's data folder; send a feature table."
        )

    def _verify(self) -> None:
        """checksums.md5 of the data and metadata against what is in the zip (older artifacts have none)."""
        if f"{self.uuid}/checksums.md5" not in self._zip.namelist():
            return
        for line in self.read("checksums.md5").decode("utf-8", "replace").splitlines():
            wanted, _, inner = line.partition("  ")
            if not inner.startswith(("data/", "metadata.yaml")):
                continue
            if hashlib.md5(self.read(inner), usedforsecurity=False).hexdigest() != wanted:
                raise LaboratoryMust(
                    f"{self.file_name}: the checksum of '{inner}' does not fit; the artifact was changed or "
                    "damaged, send "
                    "it again."
                )


def read_qza(content: bytes, file_name: str, because: str) -> LabTable:
    """The feature table in a QIIME 2 artifact."""
    artifact = Artifact(content, file_name)
    if not artifact.kind.startswith("FeatureTable"):
        raise LaboratoryMust(
            f"{file_name}: a QIIME 2 artifact of the type {artifact.kind or 'unknown'}, not a FeatureTable; "
            "give the table, "
            "and leave taxonomy.qza beside it."
        )
    table_bytes = artifact.read(artifact.data_file(".biom"))
    name = f"QIIME 2 artifact ({artifact.kind})"
    if table_bytes[:8] == b"\x89HDF\r\n\x1a\n":
        table = read_biom_hdf5(table_bytes, file_name, because, name)
    else:
        table = replace(read_biom_json(table_bytes.decode("utf-8", "replace"), file_name, because), format=name)
    assay, why = table.assay, table.assay_because
    if assay == "unknown":
        assay, why = "16S", "a QIIME 2 artifact; the region is not written in it"
    return replace(
        table,
        because=f"{because}; artifact {artifact.uuid}",
        has_counts=table.has_counts and "RelativeFrequency" not in artifact.kind,
        assay=assay,
        assay_because=why,
    )
