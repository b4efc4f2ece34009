"""A laboratory's table and its descriptions become a whole reference."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from biflora.errors import LaboratoryMust, NameAnother, OperatorMust
from biflora.knowledge.body_sites import body_sites, find_body_site
from biflora.knowledge.rows import release
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.metadata import MISSING, Metadata, read_metadata
from biflora.profile.names import name_feature
from biflora.profile.reference.library import (
    Library,
    ReferenceCard,
    WholeReference,
    names_hash,
    with_names,
)
from biflora.profile.table import LabTable, Numbers
from biflora.values import Value

ASSAY = re.compile(r"16S(?: V\d(?:-V\d)?)?|shotgun|array|ITS")
OLDEST = 120.0


class NewReference(Value):
    """What the operator says of the table that becomes a reference."""

    name: str
    label: str = ""
    site: Literal["skin", "gut"]
    assay: str
    """`16S V4`, `16S V1-V3`, `shotgun`, `array`, ...; it may be more exact than the file, not contradict it."""
    profiler: str
    """Program with version, database with version, e.g. `MetaPhlAn 4, mpa_vOct22`."""
    body_site: str = ""
    body_site_column: str = ""
    age_column: str = ""
    age_unit: Literal["", "years", "months"] = ""
    age_band: tuple[float, float] | None = None
    """Lowest and highest age in years, where single ages are not in the table."""
    person_column: str = ""
    each_sample_a_person: bool = False
    order_column: str = ""
    sample_column: str = ""
    where: tuple[str, ...] = ()
    """`column=value`; several of one column mean either, of different columns both."""
    group_column: str = ""
    healthy: tuple[str, ...] = ()
    """Values of `group_column` that mean healthy; only those persons are kept."""
    all_healthy: bool = False
    group: str = ""
    """Who these persons are, in a few words."""
    lesional: bool | None = None
    laboratory: str = ""
    extraction: str = ""
    licence: str
    source: str


@dataclass(frozen=True)
class _Chosen:
    """The rows that become the reference, with what is known of each."""

    rows: Metadata
    person: tuple[str, ...]
    body_site: tuple[str, ...]
    age: Numbers
    order: Numbers
    filters: tuple[str, ...]
    remarks: tuple[str, ...]


def add_reference(
    table: Path,
    metadata: Path,
    new: NewReference,
    library: Library,
    *,
    persons: Path | None = None,
    replace: bool = False,
) -> ReferenceCard:
    """Read, harmonise the names, leave out the host, keep the whole table.

    `persons`: a second description with one row a person, joined by the person column. Raises OperatorMust,
    NameAnother or LaboratoryMust naming the option, file, column or line; then nothing was written.
    """
    library.check_name(new.name)
    if new.name in library.names() and not replace:
        raise OperatorMust(f"There is a reference '{new.name}' already; choose another --name, or add --replace.")
    _check_words(new)
    file = read_laboratory_file(Path(table))
    _check_assay(new, file.table)
    rows = read_metadata(Path(metadata), wanted=file.table.samples, sample_column=new.sample_column or None)
    hashes = [_sha256(metadata)]
    if persons is not None:
        rows = _joined(rows, read_metadata(Path(persons), sample_column=None), new.person_column)
        hashes.append(_sha256(persons))
    chosen = _choose(rows, file.table, new)
    whole = _whole(file.table, file.sha256, tuple(hashes), chosen, new)
    return library.save(whole, replace=replace)


def _sha256(path: Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _check_words(new: NewReference) -> None:
    told = {"--assay": new.assay, "--profiler": new.profiler, "--licence": new.licence, "--source": new.source}
    for option, words in told.items():
        if not words.strip():
            raise OperatorMust(f"{option} is empty; a reference without it could never be compared honestly.")
    if ASSAY.fullmatch(new.assay) is None:
        raise OperatorMust("--assay must be one of: 16S V4, 16S V1-V3, 16S V3-V4, 16S, shotgun, array, ITS.")
    if new.site == "skin" and not (new.body_site or new.body_site_column):
        raise OperatorMust("Name the place of the skin: --body-site, or --body-site-column.")
    if new.body_site and new.body_site_column:
        raise OperatorMust("Give either --body-site or --body-site-column, not both.")
    if bool(new.age_column) == (new.age_band is not None):
        raise OperatorMust("Give either --age-column with --age-unit, or --age-band LOWEST-HIGHEST in years.")
    if new.age_column and not new.age_unit:
        raise OperatorMust("Say the unit of the ages: --age-unit years, or --age-unit months.")
    if bool(new.person_column) == new.each_sample_a_person:
        raise OperatorMust(
            "Name the column that tells persons apart with --person-column, or say --each-sample-a-person."
        )
    if bool(new.group_column) != bool(new.healthy):
        raise OperatorMust("--group-column and --healthy belong together: which value means healthy?")
    if any(word.strip().lower() in MISSING for word in new.healthy):
        raise OperatorMust("--healthy: this word reads as a missing cell; write another one into the table.")
    if new.all_healthy and new.healthy:
        raise OperatorMust("Give either --all-healthy or --healthy with --group-column, not both.")
    if (new.all_healthy or new.healthy) and new.lesional:
        raise OperatorMust("Healthy persons have no lesions; leave out --lesional.")


def _check_assay(new: NewReference, table: LabTable) -> None:
    seen = table.assay
    if seen == "unknown" or seen == new.assay or (seen == "16S" and new.assay.startswith("16S")):
        return
    raise OperatorMust(
        f"{table.file_name} looks like {seen} ({table.assay_because}), and --assay says {new.assay}; a reference "
        "of the wrong assay would give wrong percentiles. Mend --assay, or name the right file."
    )


def _joined(rows: Metadata, persons: Metadata, person_column: str) -> Metadata:
    """The samples' descriptions with the columns of their persons; a column of both stays the samples'."""
    if not person_column:
        raise OperatorMust("A table of persons needs --person-column, the column that both tables share.")
    keys = persons.texts(person_column)
    place = {key: number for number, key in enumerate(keys) if key}
    if len(place) != sum(1 for key in keys if key):
        raise LaboratoryMust(f"{persons.file_name}: a person has two rows; keep one row a person.")
    of_sample = [place.get(key) for key in rows.texts(person_column)]
    if all(number is None for number in of_sample):
        raise NameAnother(f"{persons.file_name}: it holds none of the persons of {rows.file_name}.")
    more = {
        name: tuple(cells[number] if number is not None else "" for number in of_sample)
        for name, cells in persons.columns.items()
        if name not in rows.columns
    }
    return Metadata(rows.file_name, rows.samples, {**rows.columns, **more})


def _choose(rows: Metadata, table: LabTable, new: NewReference) -> _Chosen:
    described = set(rows.samples)
    present = [name for name in table.samples if name in described]
    remarks = []
    if len(present) < len(table.samples):
        remarks.append(f"{len(table.samples) - len(present)} samples without a description were left out.")
    rows = rows.of(present)
    keep = np.ones(len(present), dtype=bool)
    filters = []
    for column, values in _filters(new.where).items():
        cells = rows.texts(column)
        keep &= np.array([cell in values for cell in cells], dtype=bool)
        filters.append(f"{column} is {' or '.join(sorted(values))}")
    if new.healthy:
        keep &= np.array([cell in new.healthy for cell in rows.texts(new.group_column)], dtype=bool)
        filters.append(f"{new.group_column} is {' or '.join(new.healthy)} (healthy)")
    if not keep.any():
        raise NameAnother(
            f"{rows.file_name}: the filters leave no sample; look at the values of "
            f"{', '.join(sorted({*_filters(new.where), *filter(None, [new.group_column])}))}."
        )
    rows = rows.of([name for name, kept in zip(present, keep, strict=True) if kept])
    age = _ages(rows, new)
    unknown = int(np.isnan(age).sum())
    if new.age_column and unknown:
        remarks.append(f"{unknown} samples have no age; they are kept and never compared.")
    return _Chosen(
        rows=rows,
        person=_persons(rows, new),
        body_site=_body_sites(rows, new),
        age=age,
        order=rows.numbers(new.order_column) if new.order_column else np.arange(len(rows.samples), dtype=float),
        filters=tuple(filters),
        remarks=tuple(remarks),
    )


def _filters(where: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for text in where:
        column, sign, value = text.partition("=")
        if not sign or not column.strip():
            raise OperatorMust("--where is written COLUMN=VALUE, e.g. --where site=AC.")
        if value.strip().lower() in MISSING:
            raise OperatorMust("--where: this value reads as a missing cell; write another one into the table.")
        found.setdefault(column.strip(), set()).add(value.strip())
    return found


def _persons(rows: Metadata, new: NewReference) -> tuple[str, ...]:
    if new.each_sample_a_person:
        return rows.samples
    persons = rows.texts(new.person_column)
    if "" in persons:
        raise LaboratoryMust(
            f"{rows.file_name}, column '{new.person_column}': a sample that is to be used has no person; add it, "
            "or filter the sample out with --where."
        )
    return persons


def _body_sites(rows: Metadata, new: NewReference) -> tuple[str, ...]:
    words = rows.texts(new.body_site_column) if new.body_site_column else (new.body_site or "stool",)
    keys: dict[str, str] = {}
    for word in dict.fromkeys(words):
        row = find_body_site(word)
        if row is None or row.site != new.site:
            allowed = ", ".join(key for key, each in body_sites().items() if each.site == new.site)
            where = f"{rows.file_name}, column '{new.body_site_column}'" if new.body_site_column else "--body-site"
            raise OperatorMust(
                f"{where}: holds a word that is no place of the {new.site} that biflora knows; filter it out with "
                f"--where, or write one of {allowed}."
            )
        keys[word] = row.key
    return tuple(keys[word] for word in (words if new.body_site_column else words * len(rows.samples)))


def _ages(rows: Metadata, new: NewReference) -> Numbers:
    if not new.age_column:
        return np.full(len(rows.samples), np.nan)
    ages = rows.numbers(new.age_column) / (12.0 if new.age_unit == "months" else 1.0)
    known = ages[~np.isnan(ages)]
    if not known.size:
        raise LaboratoryMust(
            f"{rows.file_name}, column '{new.age_column}': no sample that is to be used has an age."
        )
    if known.min() < 0 or known.max() > OLDEST:
        raise LaboratoryMust(
            f"{rows.file_name}, column '{new.age_column}': holds an age below 0 or above 120 years when read as "
            f"{new.age_unit}; mend the cell or --age-unit."
        )
    return np.round(ages, 1)


def _whole(
    table: LabTable, sha256: str, metadata_sha256: tuple[str, ...], chosen: _Chosen, new: NewReference
) -> WholeReference:
    named = [name_feature(feature) for feature in table.features]
    is_host = np.array([name.is_host for name in named], dtype=bool)
    place = {name: number for number, name in enumerate(table.samples)}
    lines, parts = [], []
    for line, sample in enumerate(chosen.rows.samples):
        part = np.arange(int(table.starts[place[sample]]), int(table.starts[place[sample] + 1]))
        part = part[~is_host[table.places[part]] & (table.values[part] > 0)]
        if part.size:
            lines.append(line)
            parts.append(part)
    if not parts:
        raise LaboratoryMust(f"{table.file_name}: none of the chosen samples holds a microbial read.")
    empty = len(chosen.rows.samples) - len(lines)
    remarks = (*chosen.remarks, *([f"{empty} samples without a microbial read were left out."] if empty else []))
    entries = np.concatenate(parts)
    persons = {name: number for number, name in enumerate(dict.fromkeys(chosen.person[i] for i in lines))}
    whole = WholeReference(
        card=_card(table, sha256, metadata_sha256, chosen, new, lines, remarks),
        names=tuple(named),
        starts=np.concatenate([[0], np.cumsum([part.size for part in parts])]).astype(np.int64),
        places=table.places[entries].astype(np.int64),
        values=table.values[entries].astype(np.float64),
        person=np.array([persons[chosen.person[i]] for i in lines], dtype=np.int64),
        order=chosen.order[lines],
        age=chosen.age[lines],
        body_site=tuple(chosen.body_site[i] for i in lines),
        lesional=np.full(len(lines), -1 if new.lesional is None else int(new.lesional), dtype=np.int8),
    )
    whole = _used_only(with_names(whole, named))
    return WholeReference(**{**vars(whole), "card": whole.card.model_copy(update={"taxa": len(whole.names)})})


def _used_only(whole: WholeReference) -> WholeReference:
    """Without the names that no kept sample holds."""
    used = np.unique(whole.places)
    new_place = np.full(len(whole.names), -1, dtype=np.int64)
    new_place[used] = np.arange(len(used))
    names = tuple(whole.names[int(i)] for i in used)
    fields = {name: getattr(whole, name) for name in whole.__dataclass_fields__}
    return WholeReference(**{**fields, "names": names, "places": new_place[whole.places]})


def _card(
    table: LabTable,
    sha256: str,
    metadata_sha256: tuple[str, ...],
    chosen: _Chosen,
    new: NewReference,
    lines: Sequence[int],
    remarks: tuple[str, ...],
) -> ReferenceCard:
    healthy = new.all_healthy or bool(new.healthy)
    ages = chosen.age[list(lines)]
    known = ages[~np.isnan(ages)]
    low, high = new.age_band or ((float(known.min()), float(known.max())) if known.size else (None, None))
    of_site: dict[str, set[str]] = {}
    for i in lines:
        of_site.setdefault(chosen.body_site[i], set()).add(chosen.person[i])
    return ReferenceCard(
        name=new.name,
        label=new.label or new.name,
        site=new.site,
        body_sites={key: len(persons) for key, persons in of_site.items()},
        assay=new.assay,
        profiler=new.profiler,
        healthy=healthy,
        group=new.group or ("healthy persons" if healthy else "persons whose health is not told"),
        lesional=False if healthy else new.lesional,
        laboratory=new.laboratory,
        extraction=new.extraction,
        age_min=low,
        age_max=high,
        ages_known=bool(new.age_column),
        persons=len({chosen.person[i] for i in lines}),
        samples=len(lines),
        taxa=0,
        has_reads=table.has_counts and new.assay != "array",
        licence=new.licence,
        source=new.source,
        filters=chosen.filters,
        remarks=remarks,
        table_file=table.file_name,
        table_sha256=sha256,
        metadata_sha256=metadata_sha256,
        names_of=names_hash(),
        knowledge_release=release(),
        added_on=datetime.now(UTC).date().isoformat(),
        data_file="-",
        data_sha256="-",
    )
