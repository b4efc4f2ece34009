"""Whole reference tables in the operator's folder: kept, listed, read again, removed."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from biflora.errors import BifloraError, NameAnother, OperatorMust
from biflora.profile.names import Named, name_feature
from biflora.profile.table import Feature, Numbers
from biflora.values import Value, parse

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
Integers = NDArray[np.int64]


class ReferenceCard(Value):
    """What a reader must know of a whole reference; the numbers lie beside it in `data_file`."""

    format: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")
    label: str
    site: Literal["skin", "gut"]
    body_sites: dict[str, int]
    """Persons by key of knowledge's body sites."""
    assay: str
    profiler: str
    healthy: bool
    group: str
    lesional: bool | None = None
    laboratory: str = ""
    extraction: str = ""
    age_min: float | None = None
    age_max: float | None = None
    """Years; both None when no age is known."""
    ages_known: bool
    """True when each person's age is in the table, False when only the band of all is told."""
    persons: int
    samples: int
    taxa: int
    has_reads: bool
    """Whether the table holds reads (an array's signals are none)."""
    licence: str
    source: str
    filters: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """What was left out and what must be known, one sentence each."""
    table_file: str
    table_sha256: str
    metadata_sha256: tuple[str, ...] = ()
    names_of: str
    """Which taxon table harmonised the names (a hash)."""
    knowledge_release: str
    added_on: str
    data_file: str
    data_sha256: str


@dataclass(frozen=True)
class WholeReference:
    """One reference in memory: samples by harmonised names, and what is known of each sample."""

    card: ReferenceCard
    names: tuple[Named, ...]
    starts: Integers
    places: Integers
    values: Numbers
    person: Integers
    """An opaque number for each person."""
    order: Numbers
    """A person's first sample has the smallest."""
    age: Numbers
    """Years, NaN where not known."""
    body_site: tuple[str, ...]
    lesional: NDArray[np.int8]
    """1 inflamed skin, 0 not, -1 not told."""

    @cached_property
    def totals(self) -> Numbers:
        """Sum of each sample."""
        sample = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return np.bincount(sample, weights=self.values, minlength=len(self.starts) - 1).astype(np.float64)

    @cached_property
    def columns(self) -> Mapping[tuple[str, str], int]:
        """Column of each (name, rank)."""
        return {(name.name, name.rank): place for place, name in enumerate(self.names)}

    def rows(self, chosen: Integers) -> Numbers:
        """The values of these samples, one row each, one column for each name."""
        dense = np.zeros((len(chosen), len(self.names)))
        for line, sample in enumerate(chosen):
            part = slice(int(self.starts[sample]), int(self.starts[sample + 1]))
            dense[line, self.places[part]] = self.values[part]
        return dense


def references_folder() -> Path:
    """Where whole references are kept: BIFLORA_REFERENCES, else the user's data folder."""
    told = os.environ.get("BIFLORA_REFERENCES")
    if told:
        return Path(told)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "biflora" / "references"


@cache
def names_hash() -> str:
    """Hash of the taxon table that names are harmonised with."""
    content = (resources.files("biflora.knowledge") / "tables" / "taxa.csv").read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]


@dataclass(frozen=True)
class Library:
    """All whole references of one folder; an absent folder is an empty library."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        with suppress(OSError):
            return tuple(sorted(p.stem for p in self.folder.glob("*.json") if NAME.fullmatch(p.stem)))
        return ()

    def card(self, name: str) -> ReferenceCard:
        """Raises NameAnother for an unknown name, OperatorMust for a damaged card."""
        self.check_name(name)
        try:
            text = (self.folder / f"{name}.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            there = ", ".join(self.names()) or "none yet"
            raise NameAnother(f"There is no reference '{name}'; there are: {there}.") from None
        except (OSError, UnicodeDecodeError):
            raise OperatorMust(f"The reference '{name}' cannot be read; add it again with --replace.") from None
        card = parse(ReferenceCard, text, where=f"{name}.json", error=OperatorMust)
        if card.name != name or Path(card.data_file).name != card.data_file:
            raise OperatorMust(f"{name}.json tells of another reference; add '{name}' again with --replace.")
        return card

    def read(self, name: str) -> WholeReference:
        """The whole table, its hash verified. Raises OperatorMust when it is damaged."""
        card = self.card(name)
        path = self.folder / card.data_file
        try:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != card.data_sha256:
                raise OperatorMust(f"The reference '{name}' was changed after it was added; add it again.")
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                return _whole(card, stored)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile):
            raise OperatorMust(f"The table of the reference '{name}' cannot be read; add it again.") from None

    def save(self, whole: WholeReference, *, replace: bool = False) -> ReferenceCard:
        """Keep it: the table first, the card that names it last, so that no half reference is ever seen.

        Raises OperatorMust when the name is taken (unless `replace`) or the folder cannot be written.
        """
        name = whole.card.name
        self.check_name(name)
        old = self._old(name)
        if old is not None and not replace:
            raise OperatorMust(f"There is a reference '{name}' already; choose another --name, or add --replace.")
        content = _packed(whole)
        digest = hashlib.sha256(content).hexdigest()
        card = whole.card.model_copy(update={"data_file": f"{name}.{digest[:12]}.npz", "data_sha256": digest})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(self.folder / card.data_file, content)
            _write(self.folder / f"{name}.json", (card.model_dump_json(indent=2) + "\n").encode())
        except OSError as problem:
            raise OperatorMust(
                f"The folder of references cannot be written ({problem.strerror}); set BIFLORA_REFERENCES to "
                "another one."
            ) from None
        self._remove_tables(name, keep=card.data_file)
        return card

    def remove(self, name: str) -> None:
        """Forget a reference, a damaged one too. Raises NameAnother for an unknown name."""
        self.check_name(name)
        if name not in self.names():
            self.card(name)  # says which there are
        try:
            (self.folder / f"{name}.json").unlink()
        except OSError as problem:
            raise OperatorMust(f"The reference '{name}' cannot be removed ({problem.strerror}).") from None
        self._remove_tables(name)

    def each(self) -> Iterator[tuple[str, ReferenceCard | BifloraError]]:
        """Every name with its card, or with the error of a damaged one."""
        for name in self.names():
            try:
                yield name, self.card(name)
            except BifloraError as problem:
                yield name, problem

    def _old(self, name: str) -> str | None:
        return name if os.path.lexists(self.folder / f"{name}.json") else None

    def _remove_tables(self, name: str, keep: str = "") -> None:
        for path in self.folder.glob(f"{name}.*.npz"):
            if path.name != keep and re.fullmatch(rf"{re.escape(name)}\.[0-9a-f]{{12}}\.npz", path.name):
                with suppress(OSError):
                    path.unlink()

    @staticmethod
    def check_name(name: str) -> None:
        """Raises NameAnother for a name that could not be a file's."""
        if not NAME.fullmatch(name):
            raise NameAnother(
                "A reference's name has 2 to 40 small letters, digits and hyphens, e.g. clinic-adults-stool."
            )


def open_library(folder: Path | None = None) -> Library:
    """The library of that folder, or of the operator's."""
    return Library(folder or references_folder())


def _write(path: Path, content: bytes) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


def _packed(whole: WholeReference) -> bytes:
    sites = list(dict.fromkeys(whole.body_site))
    content = io.BytesIO()
    np.savez_compressed(
        content,
        names=np.array([name.name for name in whole.names], dtype=np.str_),
        ranks=np.array([name.rank for name in whole.names], dtype=np.str_),
        genera=np.array([name.genus for name in whole.names], dtype=np.str_),
        kingdoms=np.array([name.kingdom for name in whole.names], dtype=np.str_),
        guilds=np.array([";".join(sorted(name.guilds)) for name in whole.names], dtype=np.str_),
        known=np.array([name.known for name in whole.names], dtype=bool),
        taxids=np.array([name.taxid or -1 for name in whole.names], dtype=np.int64),
        starts=whole.starts,
        places=whole.places.astype(np.int32),
        values=whole.values,
        person=whole.person,
        order=whole.order,
        age=whole.age,
        sites=np.array(sites, dtype=np.str_),
        site=np.array([sites.index(site) for site in whole.body_site], dtype=np.int16),
        lesional=whole.lesional,
    )
    return content.getvalue()


def _whole(card: ReferenceCard, stored: Mapping[str, NDArray[np.generic]]) -> WholeReference:
    columns = ("names", "ranks", "genera", "kingdoms", "guilds", "known", "taxids")
    rows = zip(*(stored[column].tolist() for column in columns), strict=True)
    names = tuple(
        Named(name, rank, taxid if taxid > 0 else None, known, frozenset(filter(None, guilds.split(";"))), genus,
              kingdom)
        for name, rank, genus, kingdom, guilds, known, taxid in rows
    )  # fmt: skip
    sites = stored["sites"].tolist()
    whole = WholeReference(
        card=card,
        names=names,
        starts=stored["starts"].astype(np.int64),
        places=stored["places"].astype(np.int64),
        values=stored["values"].astype(np.float64),
        person=stored["person"].astype(np.int64),
        order=stored["order"].astype(np.float64),
        age=stored["age"].astype(np.float64),
        body_site=tuple(sites[int(number)] for number in stored["site"].tolist()),
        lesional=stored["lesional"].astype(np.int8),
    )
    return whole if card.names_of == names_hash() else _named_today(whole)


def _named_today(whole: WholeReference) -> WholeReference:
    """The same table after the taxon table changed: names are harmonised anew, equal ones are added up."""
    named = [name_feature(Feature(n.name, taxid=n.taxid, rank=n.rank)) for n in whole.names]
    return with_names(whole, named)


def with_names(whole: WholeReference, named: list[Named]) -> WholeReference:
    """The table with one column for each distinct name; features of one name are added up."""
    from dataclasses import replace

    first: dict[tuple[str, str], int] = {}
    distinct: list[Named] = []
    target = np.zeros(len(named), dtype=np.int64)
    for place, name in enumerate(named):
        key = (name.name, name.rank)
        if key not in first:
            first[key] = len(distinct)
            distinct.append(name)
        target[place] = first[key]
    sample = np.repeat(np.arange(len(whole.starts) - 1), np.diff(whole.starts))
    entry = sample * max(len(distinct), 1) + target[whole.places]
    entries, into = np.unique(entry, return_inverse=True)
    values = np.bincount(into, weights=whole.values, minlength=len(entries)).astype(np.float64)
    starts = np.searchsorted(entries, np.arange(len(whole.starts)) * max(len(distinct), 1))
    return replace(
        whole,
        names=tuple(distinct),
        starts=starts.astype(np.int64),
        places=(entries % max(len(distinct), 1)).astype(np.int64),
        values=values,
    )
