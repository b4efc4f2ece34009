"""From a formula and the samples' descriptions to a model matrix: what varies, and which samples are one person's.

A random intercept is written as in lme4, `~ arm * visit + (1 | subject)`; nested as `(1 | subject/site)`; with
a slope as `(1 + month | subject)`. Formulaic makes the matrix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biflora.errors import NameAnother, TrialistMust
from biflora.profile.metadata import Metadata
from biflora.profile.table import listed

Numbers = NDArray[np.float64]
RANDOM = re.compile(r"\+?\s*\(([^()|]+)\|([^()|]+)\)")
ALLOWED_CALLS = frozenset({"C", "log", "log2", "log10", "center", "scale"})
"""Formulaic would run any Python that stands in a formula; these are all that a formula of ours may call."""
SAFE = re.compile(r"^[\w\s~+\-*:()`]*$")
QUOTED = re.compile(r"`([^`]+)`")
DOTTED = re.compile(r"`[^`]+`|[^\W\d]\w*(?:\.\w+)+")
"""What stands in quotes already, or a name as R writes it (`body.site`), which formulaic takes only in quotes."""
PLAIN = re.compile(r"[^\W\d]\w*")
CALL = re.compile(r"([^\W\d]\w*)\s*\(")
LONGEST = 500


@dataclass(frozen=True)
class RandomPart:
    """The random part of a formula: whose intercepts vary, with which slope, and what is nested in whom."""

    subject: str
    slope: str | None = None
    nested: str | None = None


@dataclass(frozen=True)
class MixedDesign:
    """A model matrix over the samples that have every value it needs."""

    formula: str
    terms: tuple[str, ...]
    matrix: Numbers
    """(samples, terms)"""
    rows: NDArray[np.int64]
    """Places of these samples in the metadata."""
    samples: tuple[str, ...]
    left_out: tuple[str, ...]
    random: RandomPart | None
    subject_of: NDArray[np.int64] | None
    """The person's number for each row; None when every sample stands for itself, also where a person was named
    but nobody has two samples: persons and residuals could not be told apart."""
    slope: Numbers | None
    nested_of: NDArray[np.int64] | None
    levels: Mapping[str, tuple[str, ...]]
    """Levels of each categorical column, the reference first."""
    means: Mapping[str, float]
    """Mean of each numeric column over the rows."""
    specification: Any
    """Formulaic's, to build rows at other values."""

    @property
    def subjects(self) -> int:
        """Number of persons."""
        return len(self.rows) if self.subject_of is None else int(self.subject_of.max()) + 1

    def row_for(self, values: Mapping[str, str | float]) -> Numbers:
        """The matrix row at these values; a column not named takes its mean, or all its levels averaged."""
        import pandas

        frame: list[dict[str, str | float]] = [{}]
        for name, known in self.levels.items():
            given = [str(values[name])] if name in values else list(known)
            if any(level not in known for level in given):
                raise NameAnother(f"The column '{name}' has no such level; its levels are {listed(known)}.")
            frame = [{**row, name: level} for row in frame for level in given]
        for name, mean in self.means.items():
            frame = [{**row, name: float(values.get(name, mean))} for row in frame]
        table = pandas.DataFrame(frame)
        for name, known in self.levels.items():
            table[name] = pandas.Categorical(table[name], categories=list(known))
        made = self.specification.get_model_matrix(table)
        averaged: Numbers = np.asarray(made, dtype=np.float64).mean(axis=0)
        return averaged


def mixed_design(
    formula: str,
    metadata: Metadata,
    *,
    subject: str | None = None,
    reference: Mapping[str, str] | None = None,
    categorical: Sequence[str] = (),
) -> MixedDesign:
    """The model matrix of `formula` over the metadata's samples.

    `subject`: the column that names the person, where the formula has no `(1 | person)`; `reference`: the level
    that others are compared with, by column (otherwise the first in order); `categorical`: columns of numbers
    to take as groups, such as a visit (the same as `C(visit)`). Samples with a missing value are left out and
    named in `left_out`. Raises TrialistMust for a formula that cannot be read or whose terms cannot be told
    apart, NameAnother for a column that is not there.
    """
    import formulaic
    import pandas

    fixed, random = split_formula(formula)
    if random is None and subject is not None:
        random = RandomPart(subject)
    needed = _columns(fixed)
    more = () if random is None else tuple(x for x in (random.subject, random.nested, random.slope) if x)
    texts = {name: metadata.texts(name) for name in dict.fromkeys([*needed, *more])}
    complete = [i for i in range(len(metadata.samples)) if all(cells[i] for cells in texts.values())]
    stays = set(complete)
    if len(complete) < 3:
        raise TrialistMust("Fewer than three samples have every value that the formula needs; leave columns out.")
    levels: dict[str, tuple[str, ...]] = {}
    means: dict[str, float] = {}
    columns: dict[str, Any] = {}
    for name in needed:
        cells = [texts[name][i] for i in complete]
        asked = re.search(rf"\bC\(\s*`?{re.escape(name)}`?\s*\)", fixed) is not None
        if name in categorical or asked or not metadata.is_numeric(name):
            levels[name] = _ordered(cells, (reference or {}).get(name), name)
            columns[name] = pandas.Categorical(cells, categories=list(levels[name]))
        else:
            columns[name] = np.array([float(cell) for cell in cells])
            means[name] = float(columns[name].mean())
    try:
        frame = pandas.DataFrame(columns, index=range(len(complete)))
        made = formulaic.model_matrix(fixed, frame, context={}, na_action="raise")
        matrix = np.ascontiguousarray(made, dtype=np.float64)
    except Exception as problem:  # formulaic and what it calls raise a dozen kinds
        raise TrialistMust(
            f"The formula '{formula[:120]}' cannot be used ({type(problem).__name__}); mend it."
        ) from None
    terms = tuple(str(name) for name in made.columns)
    _must_be_told_apart(matrix, terms)
    return MixedDesign(
        formula=formula.strip(),
        terms=terms,
        matrix=matrix,
        rows=np.array(complete, dtype=np.int64),
        samples=tuple(metadata.samples[i] for i in complete),
        left_out=tuple(name for i, name in enumerate(metadata.samples) if i not in stays),
        random=random,
        subject_of=repeated_subjects(_numbered([texts[random.subject][i] for i in complete])) if random else None,
        slope=metadata.numbers(random.slope)[complete] if random and random.slope else None,
        nested_of=_nested(texts, random, complete) if random and random.nested else None,
        levels=levels,
        means=means,
        specification=made.model_spec,
    )


def split_formula(formula: str) -> tuple[str, RandomPart | None]:
    """The fixed part, as `~ ...`, and the random part. Raises TrialistMust for a formula of another kind."""
    if len(formula) > LONGEST:
        raise TrialistMust(f"The formula is longer than {LONGEST} characters; write a shorter one.")
    formula = DOTTED.sub(lambda name: f"`{name[0].strip('`')}`", formula)
    found = RANDOM.findall(formula)
    fixed = RANDOM.sub("", formula).strip()
    if len(found) > 1:
        raise TrialistMust("The formula has more than one random part; biflora fits one, such as (1 | subject).")
    if not SAFE.match(QUOTED.sub("", fixed)) or "**" in fixed or "~" in fixed[1:]:
        raise TrialistMust(
            f"The formula '{formula[:120]}' is not one that biflora reads; write for example "
            "'~ arm * visit + (1 | subject)'."
        )
    fixed = fixed if fixed.startswith("~") else f"~ {fixed}"
    fixed = "~ 1" if fixed.strip() == "~" else fixed
    for call in CALL.findall(QUOTED.sub("", fixed)):
        if call not in ALLOWED_CALLS:
            raise TrialistMust(
                f"The formula calls '{call[:40]}'; only {listed(sorted(ALLOWED_CALLS))} are allowed."
            )
    if not found:
        return fixed, None
    left, right = (part.strip() for part in found[0])
    inside = [part.strip().strip("`") for part in left.split("+") if part.strip() not in {"", "1"}]
    groups = [part.strip().strip("`") for part in right.split("/")]
    if len(inside) > 1 or len(groups) > 2 or (inside and len(groups) > 1) or "0" in inside:
        raise TrialistMust(
            "The random part must be (1 | subject), (1 | subject/site) or (1 + month | subject); mend the formula."
        )
    return fixed, RandomPart(groups[0], inside[0] if inside else None, groups[1] if len(groups) > 1 else None)


def repeated_subjects(subject_of: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The persons renumbered from 0, or None when each has one sample only."""
    numbers: NDArray[np.int64] = np.unique(subject_of, return_inverse=True)[1].astype(np.int64)
    return numbers if len(numbers) and int(numbers.max()) + 1 < len(numbers) else None


def _columns(fixed: str) -> list[str]:
    bare = QUOTED.sub(" ", fixed)
    called = set(CALL.findall(bare))
    return list(dict.fromkeys([*QUOTED.findall(fixed), *(n for n in PLAIN.findall(bare) if n not in called)]))


def _ordered(cells: Sequence[str], first: str | None, name: str) -> tuple[str, ...]:
    found = set(cells)
    try:
        order = sorted(found, key=lambda level: (float(level), level))
    except ValueError:
        order = sorted(found)
    if first is not None:
        if first not in found:
            raise NameAnother(f"The column '{name}' has no level '{first[:40]}'; its levels are {listed(order)}.")
        order = [first, *(level for level in order if level != first)]
    if len(order) < 2:
        raise TrialistMust(f"The column '{name}' has the same value in every sample; leave it out of the formula.")
    return tuple(order)


def _numbered(cells: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.array(cells, dtype=str), return_inverse=True)[1].astype(np.int64)


def _nested(texts: Mapping[str, Sequence[str]], random: RandomPart, complete: Sequence[int]) -> NDArray[np.int64]:
    assert random.nested is not None
    return _numbered([f"{texts[random.subject][i]}\x1f{texts[random.nested][i]}" for i in complete])


def _must_be_told_apart(matrix: Numbers, terms: Sequence[str]) -> None:
    known: list[Numbers] = []
    lost = []
    for column, term in zip(matrix.T, terms, strict=True):
        new = column / max(float(np.linalg.norm(column)), 1e-300)
        for _ in range(2):  # twice, so that rounding leaves nothing of the earlier terms
            new = new - sum((direction * (direction @ new) for direction in known), np.zeros(len(new)))
        size = float(np.linalg.norm(new))
        if size > 1e-8:
            known.append(new / size)
        else:
            lost.append(term)
    if lost:
        raise TrialistMust(
            f"The samples cannot tell the terms {listed(lost)} apart from the others (an empty group, or more "
            "terms than samples); leave them out of the formula."
        )
    if matrix.shape[0] <= matrix.shape[1]:
        raise TrialistMust("The formula has as many terms as there are samples; leave terms out.")
