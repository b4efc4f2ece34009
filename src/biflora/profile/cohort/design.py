"""Who the samples come from, and what may therefore be dealt anew to test a term: the exchangeable units.

What is dealt is the term's values; the samples, their distances and every other term stay where they are. A term
that never changes within a subject is dealt among whole subjects, a term that does is dealt among the samples of
each subject, an interaction of both by dealing the former among subjects. Requests that would give a p-value
without a meaning are refused. Why: docs/explanation/permutations.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.profile.cohort.formula import Codes, Model, Term
from biflora.profile.metadata import Metadata
from biflora.values import Value

Permute = Literal["by design", "freely", "within subjects", "between subjects"]
Kind = Literal["samples", "between subjects", "within subjects", "courses"]
NAMES_OF_SUBJECTS = frozenset({
    "subject", "patient", "participant", "person", "individual", "volunteer", "hostsubject", "donor", "host",
})  # fmt: skip


class Design(Value):
    """How the samples were taken. Names are columns of the sample descriptions."""

    subject: str | None = None
    """Whom a sample was taken from; required unless the samples are said to be independent."""
    independent_samples: bool = False
    """True: every sample comes from another subject, and nobody has more than one."""
    blocks: str | None = None
    """Sites, batches or strata: values are dealt only inside a block."""
    time: str | None = None
    """The visit or date of a sample."""
    body_site: str | None = None
    """Where on the subject, when one visit gave several samples: what changes within subjects is then dealt only
    among samples of one subject and site, and the site itself among samples of one subject and time."""
    same_number_of_samples: bool = False
    """True: subjects change places only with subjects that have as many samples. Wanted when the number of
    samples may itself depend on what is tested (drop-out); not needed for arms allotted by chance."""
    within: tuple[str, ...] = ()
    """Columns that do change within subjects though most subjects have one value: a drug taken by a few. Without
    it such a column is refused, because an arm that changes in a few rows is mostly a slip of the pen."""
    permute: Permute = "by design"
    """Anything but `by design` asks for one scheme for all terms and is refused where it is not valid."""


@dataclass(frozen=True)
class Sampled:
    """The design as codes, one for each sample."""

    design: Design
    subjects: Codes
    """Each sample its own where the samples are independent."""
    blocks: Codes
    places: Codes
    """Body sites; one for all where none is named."""
    times: Codes | None
    repeated: bool
    """True when somebody has more than one sample."""

    @property
    def n_subjects(self) -> int:
        return int(self.subjects.max()) + 1

    def constant_within_subjects(self, codes: Codes) -> bool:
        return _constant_within(self.subjects, codes)


@dataclass(frozen=True)
class Exchange:
    """What is dealt anew to test one term, and what that tests."""

    kind: Kind
    unit_of: Codes
    """The unit that each sample belongs to."""
    strata: Codes
    """The stratum of each unit: values are dealt only inside it."""
    labels: Codes
    """Which distinct value each unit holds."""
    dealt: tuple[str, ...]
    """The variables whose values are dealt."""
    kept: tuple[str, ...]
    """The term's other variables, which stay with their samples."""
    takes_subjects_out: bool
    """True when each subject's own mean is removed before the test."""
    units: str
    scheme: str
    null: str
    notes: tuple[str, ...] = ()

    @property
    def n_units(self) -> int:
        return int(self.strata.shape[0])


def read_design(design: Design, metadata: Metadata) -> Sampled:
    """The codes of subjects and blocks. Raises TrialistMust where it is not said who the samples come from."""
    n = len(metadata.samples)
    if design.subject is None:
        if not design.independent_samples:
            raise TrialistMust(
                "Say whom the samples come from: name the column of subjects, or say that the samples are "
                "independent (one for each subject). Without it no permutation can be called valid."
            )
        for column in metadata.columns:
            plain = "".join(letter for letter in column.lower() if letter.isalpha()).removesuffix("id")
            cells = [cell for cell in metadata.columns[column] if cell]
            if plain in NAMES_OF_SUBJECTS and len(set(cells)) < len(cells):
                raise TrialistMust(
                    f"{metadata.file_name}: the samples are said to be independent, but '{column[:60]}' names "
                    f"{len(cells)} samples of {len(set(cells))} subjects. Name it as the subject."
                )
        subjects = np.arange(n, dtype=np.int64)
    else:
        if design.independent_samples:
            raise TrialistMust("Either name the subject's column or say that samples are independent, not both.")
        subjects = _codes_of(design.subject, metadata)
    blocks = np.zeros(n, dtype=np.int64) if design.blocks is None else _codes_of(design.blocks, metadata)
    times = None if design.time is None else _codes_of(design.time, metadata)
    places = np.zeros(n, dtype=np.int64) if design.body_site is None else _codes_of(design.body_site, metadata)
    return Sampled(design, subjects, blocks, places, times, bool(np.bincount(subjects).max() > 1))


def exchange_for(term: Term, model: Model, sampled: Sampled) -> Exchange:
    """What may be dealt to test `term`. Raises TrialistMust, with the reason, for a request that is not valid."""
    design = sampled.design
    if design.subject is not None and design.subject in term.variables:
        raise TrialistMust(
            f"'{design.subject}' names the subjects, and dealing samples among subjects is what the test forbids; "
            "leave it out of the formula."
        )
    between = tuple(
        name for name in term.variables if sampled.constant_within_subjects(model.variables[name].codes)
    )
    within = tuple(name for name in term.variables if name not in between)
    for name in within:
        _refuse_slips(name, model.variables[name].codes, sampled)
    _refuse_unfit(term, between, within, sampled)
    labels_of_samples = _joint([model.variables[name].codes for name in (between or within)])
    if not sampled.repeated:
        return _of_samples(term, sampled, labels_of_samples)
    if not between:
        return _within_subjects(term, sampled, labels_of_samples)
    first = _first_samples(sampled.subjects)
    strata = sampled.blocks[first]
    sizes = np.bincount(sampled.subjects)
    if design.same_number_of_samples:
        strata = _joint([strata, sizes])
    where = f" inside each block of {design.blocks}" if design.blocks else ""
    notes: list[str] = []
    if design.same_number_of_samples:
        where += ", only among subjects with as many samples"
    elif sizes.min() != sizes.max():
        notes.append(
            f"Subjects have {sizes.min()} to {sizes.max()} samples and change places all the same. That is right "
            "for arms allotted by chance; where drop-out may depend on what is tested, ask for the same number "
            "of samples."
        )
    dealt, number = " and ".join(between), sampled.n_subjects
    if within:
        # One sample says nothing of a course: such a subject keeps its value, so that ways are not counted twice.
        strata = _joint([strata, np.where(sizes > 1, 0, 1 + np.arange(number))])
        number = int((sizes > 1).sum())
    common = {
        "unit_of": sampled.subjects, "strata": strata, "labels": labels_of_samples[first], "dealt": between,
        "kept": within, "units": f"{number} subjects",
    }  # fmt: skip
    if within:
        return Exchange(
            kind="courses",
            takes_subjects_out=True,
            scheme=f"Each subject's mean is taken out; then the values of {dealt} are dealt anew among the "
            f"{number} subjects with several samples{where}, while each sample keeps its {' and '.join(within)}.",
            null=f"How a subject's samples differ with {' and '.join(within)} does not depend on {dealt}. A "
            f"difference between values of {dealt} that stays the same throughout is allowed.",
            notes=tuple(notes),
            **common,  # type: ignore[arg-type]
        )
    return Exchange(
        kind="between subjects",
        takes_subjects_out=False,
        scheme=f"The values of {dealt} are dealt anew among the {number} subjects{where}; every subject keeps its "
        "samples and all else that is known of them.",
        null=f"{dealt} changes no subject's samples at all: which subject has which value is as good as chance.",
        notes=tuple(notes),
        **common,  # type: ignore[arg-type]
    )


def _refuse_slips(name: str, codes: Codes, sampled: Sampled) -> None:
    """A column that is one value for nearly everybody and changes in a few subjects."""
    if name in sampled.design.within:
        return
    subjects = sampled.subjects
    changes = np.zeros(sampled.n_subjects, dtype=bool)
    changes[subjects[codes != codes[_first_samples(subjects)][subjects]]] = True
    several = np.bincount(subjects) > 1
    if 2 * int(changes.sum()) < int(several.sum()):
        raise TrialistMust(
            f"{name} is the same in all samples of {int((several & ~changes).sum())} subjects and changes within "
            f"{int(changes.sum())}. An arm never changes: mend those rows or leave them out. If it really is "
            "something that happens to a few, name it as changing within subjects."
        )


def _refuse_unfit(term: Term, between: tuple[str, ...], within: tuple[str, ...], sampled: Sampled) -> None:
    """The requests that software grants and that mean nothing."""
    design = sampled.design
    if design.permute in ("within subjects", "between subjects") and design.subject is None:
        raise TrialistMust(f"Permuting {design.permute} needs to know the subjects; name their column.")
    if design.permute == "within subjects" and not sampled.repeated:
        raise TrialistMust(
            f"{term.name}: every subject has one sample, so nothing can be permuted within subjects."
        )
    if design.permute == "freely" and sampled.repeated:
        raise TrialistMust(
            f"{term.name}: permuting samples freely treats {sampled.subjects.shape[0]} samples of "
            f"{sampled.n_subjects} subjects as if they were so many subjects (pseudo-replication), and finds "
            "effects that are not there. Permute by design."
        )
    if between and not within and design.permute == "within subjects" and sampled.repeated:
        raise TrialistMust(
            f"{term.name}: it never changes within a subject, so permuting within subjects moves none of its "
            "values, and the p-value would mean nothing. Permute by design: whole subjects."
        )
    if within and not between and design.permute == "between subjects":
        raise TrialistMust(
            f"{term.name}: it changes within subjects, so permuting whole subjects does not test it. Permute by "
            "design: samples within each subject."
        )
    if within and between and design.permute == "within subjects":
        raise TrialistMust(
            f"{term.name}: permuting samples within subjects never moves {' and '.join(between)} and also wipes "
            f"out the effect of {' and '.join(within)}. Permute by design."
        )
    if design.blocks is None or not between:
        return
    for name in between:
        if name == design.blocks:
            raise TrialistMust(
                f"{term.name}: {name} is also the block, so its values cannot move; choose one role."
            )
    if not sampled.constant_within_subjects(sampled.blocks):
        raise TrialistMust(
            f"{term.name}: '{design.blocks}' changes within a subject, so whole subjects cannot be dealt inside "
            "its blocks. Put it into the formula instead."
        )
    if sampled.repeated and _constant_within(sampled.blocks, sampled.subjects):
        raise TrialistMust(
            f"{term.name}: every block of '{design.blocks}' is one subject, so values that never change within a "
            "subject cannot move, and the p-value would mean nothing. Leave the blocks out."
        )


def _of_samples(term: Term, sampled: Sampled, labels: Codes) -> Exchange:
    where = f" inside each block of {sampled.design.blocks}" if sampled.design.blocks else ""
    n = labels.shape[0]
    return Exchange(
        kind="samples",
        unit_of=np.arange(n, dtype=np.int64),
        strata=sampled.blocks,
        labels=labels if len(term.variables) == 1 else _joint([labels]),
        dealt=term.variables,
        kept=(),
        takes_subjects_out=False,
        units=f"{n} samples, one for each subject",
        scheme=f"The values of {term.name} are dealt anew among the {n} samples{where}.",
        null=f"{term.name} has nothing to do with the samples, once the terms before it are known.",
    )


def _within_subjects(term: Term, sampled: Sampled, labels: Codes) -> Exchange:
    subjects = sampled.subjects
    times, place = sampled.times, sampled.design.body_site
    if times is not None:
        together = _joint([subjects, sampled.places, times])
        twice = len(np.unique(subjects[np.bincount(together)[together] > 1]))
        if twice:
            raise TrialistMust(
                f"{term.name}: {twice} of {int(subjects.max()) + 1} subjects have several samples at one "
                f"{sampled.design.time}{f' and {place}' if place else ''}; dealing them singly would count them "
                "as so many visits. Name the body site or a finer time, or keep one sample (or their sum)."
            )
    held, among = [subjects, sampled.blocks], "each subject"
    if place is not None and place not in term.variables:
        held, among = [*held, sampled.places], f"each subject and {place}"
    elif place is not None and times is not None and sampled.design.time not in term.variables:
        held, among = [*held, times], f"each subject and {sampled.design.time}"
    strata = _joint(held)
    movable = np.bincount(strata)[strata] > 1
    varies = np.zeros(int(subjects.max()) + 1, dtype=bool)
    first = labels[_first_samples(subjects)]
    varies[subjects[labels != first[subjects]]] = True
    notes = [
        "Samples of one subject are taken as exchangeable in time; a drift that would have come anyway counts as "
        "an effect."
    ]
    if np.any(np.bincount(_joint([subjects, labels])) > 1) or np.unique(np.bincount(subjects)).size > 1:
        notes.append("Only differences within a subject are tested; what differs between subjects is left out.")
    return Exchange(
        kind="within subjects",
        unit_of=np.arange(labels.shape[0], dtype=np.int64),
        strata=strata,
        labels=labels,
        dealt=term.variables,
        kept=(),
        takes_subjects_out=True,
        units=f"{int((movable & varies[subjects]).sum())} samples within {int(varies.sum())} subjects",
        scheme=f"Each subject's mean is taken out; then the values of {term.name} are dealt anew among the "
        f"samples of {among}.",
        null=f"Within a subject, samples do not differ with {term.name}.",
        notes=tuple(notes),
    )


def _codes_of(column: str, metadata: Metadata) -> Codes:
    cells = metadata.texts(column)
    missing = sum(not cell for cell in cells)
    if missing:
        raise TrialistMust(
            f"{metadata.file_name}: '{column[:60]}' is missing in {missing} of {len(cells)} rows; fill it in, or "
            "leave those samples out."
        )
    place = {text: number for number, text in enumerate(dict.fromkeys(cells))}
    return np.array([place[cell] for cell in cells], dtype=np.int64)


def _joint(codes: Sequence[NDArray[np.int64]]) -> Codes:
    """One code for every combination that occurs."""
    return np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _first_samples(subjects: Codes) -> Codes:
    """The place of each subject's first sample."""
    return np.unique(subjects, return_index=True)[1].astype(np.int64)


def _constant_within(groups: Codes, codes: Codes) -> bool:
    return bool(np.all(codes == codes[_first_samples(groups)][groups]))
