"""QIIME 2 artifacts (.qza): the zip's checksums are verified and its uuid kept; QIIME 2 itself is not needed."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from dataclasses import replace

from biflora.errors import LaboratoryMust
from biflora.profile.readers.biom import read_biom_json
from biflora.profile.readers.hdf5 import read_biom_hdf5
from biflora.profile.readers.numbers import plain
from biflora.profile.readers.provenance import Action, actions_of, profiler_of, provenance_lines, region_of
from biflora.profile.table import LabTable

LARGEST_MEMBER = 300_000_000
LARGEST_CHECKED = 1_000_000_000
"""Bytes of all members together whose checksums are verified."""
CHECKSUMS = ("checksums.sha512", "checksums.sha256", "checksums.md5")
"""Up to archive version 6 MD5; version 7 moves to a stronger sum. Format: qiime2/core/archive/format on GitHub."""
MOST_MEMBERS = 20_000
MOST_ACTIONS = 200
LARGEST_RATIO = 200.0
"""A member that unpacks to more than this many times its size is refused (a zip bomb)."""
UUID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class Artifact:
    """One opened .qza: its uuid, its type and its data files."""

    def __init__(self, content: bytes, file_name: str) -> None:
        self.file_name = file_name
        self._zip = opened_zip(content, file_name)
        roots = {name.split("/")[0] for name in self._zip.namelist()}
        if len(roots) != 1 or not UUID.match(next(iter(roots))):
            raise LaboratoryMust(
                f"{file_name}: a zip file, but no QIIME 2 artifact (one folder named by a uuid is expected); send "
                "the .qza, or the table itself as BIOM or TSV."
            )
        self.uuid = next(iter(roots))
        self.kind = self._line("type")
        self._verify()

    def actions(self) -> tuple[Action, ...]:
        """The steps that made it, oldest first; older artifacts keep none."""
        inside = [n.partition("/")[2] for n in self._zip.namelist() if n.endswith("/action/action.yaml")]
        kept = [name for name in inside if name.startswith("provenance/")][:MOST_ACTIONS]
        return actions_of(self.read(name).decode("utf-8", "replace") for name in kept)

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
                f"{self.file_name}: the artifact lacks '{plain(inner)}'; export it again from QIIME 2."
            ) from None
        if (
            info.file_size > LARGEST_MEMBER
            or info.file_size > LARGEST_RATIO * max(info.compress_size, 1) + 1_000_000
        ):
            raise LaboratoryMust(
                f"{self.file_name}: '{plain(inner)}' unpacks to {info.file_size} bytes, more than biflora opens; "
                "send the one patient's samples only."
            )
        try:
            with self._zip.open(info) as member:
                return member.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
            raise LaboratoryMust(
                f"{self.file_name}: '{plain(inner)}' in the zip is damaged; send the .qza again."
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
        """The checksums of the data and metadata against what is in the zip (older artifacts have none)."""
        names = set(self._zip.namelist())
        listed = next((n for n in CHECKSUMS if f"{self.uuid}/{n}" in names), "")
        if not listed:
            return
        wanted: dict[str, str] = {}
        for line in self.read(listed).decode("utf-8", "replace").splitlines():
            checksum, _, inner = line.partition("  ")
            if inner.startswith(("data/", "metadata.yaml")):
                wanted[inner] = checksum
        done = 0
        for inner, checksum in wanted.items():
            content = self.read(inner)
            done += len(content)
            if done > LARGEST_CHECKED:
                raise LaboratoryMust(
                    f"{self.file_name}: the artifact unpacks to more than 1 GB; send the one patient's samples "
                    "only."
                )
            algorithm = listed.rpartition(".")[2]
            if hashlib.new(algorithm, content, usedforsecurity=False).hexdigest() != checksum:
                raise LaboratoryMust(
                    f"{self.file_name}: the checksum of '{plain(inner)}' does not fit; the artifact was changed "
                    "or damaged, send it again."
                )


def opened_zip(content: bytes, file_name: str) -> zipfile.ZipFile:
    """The zip's list of members; LaboratoryMust when it is damaged, encrypted or lists very many."""
    if content.count(b"PK\x01\x02") > MOST_MEMBERS:
        raise LaboratoryMust(f"{file_name}: a zip file of more than {MOST_MEMBERS} files; send the table alone.")
    try:
        opened = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, UnicodeDecodeError, OSError):
        raise LaboratoryMust(f"{file_name}: the zip file is cut off or damaged; send it again.") from None
    if any(info.flag_bits & 1 for info in opened.infolist()):
        raise LaboratoryMust(f"{file_name}: the zip file is locked with a password; send it unlocked.")
    return opened


def read_qza(content: bytes, file_name: str, because: str) -> LabTable:
    """The feature table in a QIIME 2 artifact."""
    artifact = Artifact(content, file_name)
    if not artifact.kind.startswith("FeatureTable"):
        raise LaboratoryMust(
            f"{file_name}: a QIIME 2 artifact of the type {plain(artifact.kind) or 'unknown'}, not a "
            "FeatureTable; give the table, and leave taxonomy.qza beside it."
        )
    actions = artifact.actions()
    table_bytes = artifact.read(artifact.data_file(".biom"))
    name = f"QIIME 2 artifact ({artifact.kind})"
    if table_bytes[:8] == b"\x89HDF\r\n\x1a\n":
        table = read_biom_hdf5(table_bytes, file_name, because, name)
    else:
        table = replace(read_biom_json(table_bytes.decode("utf-8", "replace"), file_name, because), format=name)
    assay, why = table.assay, table.assay_because
    if assay == "unknown":
        assay, why = "16S", "a QIIME 2 artifact; the region is not written in it"
    region, because_primers = region_of(actions)
    if assay == "16S" and region:
        assay, why = region, because_primers
    return replace(
        table,
        because=f"{because}; artifact {artifact.uuid}",
        has_counts=table.has_counts and "RelativeFrequency" not in artifact.kind,
        assay=assay,
        assay_because=why,
        provenance=(*provenance_lines(artifact.uuid, artifact.kind, actions), *table.provenance),
        profiler=profiler_of(actions),
    )
