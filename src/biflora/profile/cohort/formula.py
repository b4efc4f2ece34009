"""Reading a formula such as `arm * C(visit) + age` against the sample descriptions, as columns of a linear model.

formulaic makes the columns; it would also run any Python that stands in a formula, so only names, `C(name)`,
`+`, `*`, `:` and brackets are let through.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.profile.metadata import Metadata
from biflora.profile.table import listed

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
TOKEN = re.compile(r"C\(\s*(?:`[^`]+`|[^\W\d]\w*(?:\.\w+)*)\s*\)|`[^`]+`|[^\W\d]\w*(?:\.\w+)*|[+*:()]|\S")
JOINS = frozenset("+*:()")
LONGEST = 500
MOST_LEVELS = 200


@dataclass(frozen=True)
class Variable:
    """One column of the sample descriptions as the model uses it."""

    name: str
    is_groups: bool
    """True: groups (a text, or `C(...)`). False: a number with a straight-line effect."""
    codes: Codes
    """Which distinct value each sample has, 0, 1, ..."""
    levels: tuple[str, ...]
    """The distinct values as written, in order; empty for a number."""
    columns: Numbers
    """The value itself, or one column for each group but the first. Shape (samples, columns)."""


@dataclass(frozen=True)
class Term:
    """One term of the formula, e.g. `arm:visit`."""

    name: str
    variables: tuple[str, ...]
    columns: Numbers
    """Shape (samples, columns)."""


@dataclass(frozen=True)
class Model:
    """The right-hand side of a formula; the intercept is always there and is no term."""

    formula: str
    n: int
    terms: tuple[Term, ...]
    """In the order in which they are tested: lower orders first, otherwise as written."""
    variables: Mapping[str, Variable]

    def containing(self, term: Term) -> tuple[Term, ...]:
        """The interactions that hold all variables of `term`, and more."""
        mine = set(term.variables)
        return tuple(other for other in self.terms if mine < set(other.variables))


def read_model(formula: str, metadata: Metadata) -> Model:
    """The model that `formula` asks for. Raises TrialistMust or NameAnother with what to mend."""
    tokens = _tokens(formula, metadata)
    variables: dict[str, Variable] = {}
    as_groups = {name for name, groups in tokens if groups}
    written = []
    for name, _ in tokens:
        if name in JOINS:
            written.append(name)
            continue
        if name not in variables:
            variables[name] = read_variable(name, metadata, as_groups=name in as_groups)
        written.append(f"v{list(variables).index(name)}")
    if not variables:
        raise TrialistMust("The formula names no column; write for example: arm * C(visit).")
    model = Model(formula.strip(), len(metadata.samples), _terms(" ".join(written), variables), variables)
    for term in model.terms:
        orders = [other for other in model.terms if set(other.variables) < set(term.variables)]
        if len(orders) < 2 ** len(term.variables) - 2:
            raise TrialistMust(
                f"The interaction {term.name} stands without its main effects, so its test would mix them; write "
                f"{' * '.join(term.variables)}."
            )
    return model


def read_variable(name: str, metadata: Metadata, *, as_groups: bool = False) -> Variable:
    """One column as groups or as numbers. Raises TrialistMust for missing values, or one value only."""
    cells = metadata.texts(name)
    missing = sum(not cell for cell in cells)
    if missing:
        raise TrialistMust(
            f"{metadata.file_name}: '{name[:60]}' is missing in {missing} of {len(cells)} rows; fill it in, or "
            "leave those samples out."
        )
    is_number = metadata.is_numeric(name)
    values = metadata.numbers(name) if is_number else np.zeros(0)
    codes: Codes
    if is_number:
        distinct, codes = np.unique(values, return_inverse=True)
        levels = tuple(cells[int(np.argmax(codes == place))] for place in range(len(distinct)))
    else:
        levels = tuple(sorted(set(cells)))
        codes = np.array([levels.index(cell) for cell in cells], dtype=np.int64)
    if len(levels) < 2:
        raise TrialistMust(f"{metadata.file_name}: '{name[:60]}' is the same in every row; it explains nothing.")
    if is_number and not as_groups:
        return Variable(name, False, codes, (), values[:, None])
    if len(levels) > MOST_LEVELS:
        raise TrialistMust(
            f"{metadata.file_name}: '{name[:60]}' has {len(levels)} groups; that is a name of samples or "
            "subjects, no factor. Leave it out of the formula."
        )
    columns = (codes[:, None] == np.arange(1, len(levels))[None, :]).astype(np.float64)
    return Variable(name, True, codes, levels, columns)


def _tokens(formula: str, metadata: Metadata) -> list[tuple[str, bool]]:
    """(name or sign, asked for as groups) in order; nothing but names and signs passes."""
    text = formula.strip()
    if len(text) > LONGEST:
        raise TrialistMust("The formula is longer than 500 characters; write a shorter one.")
    left, tilde, right = text.partition("~")
    if tilde and left.strip():
        raise TrialistMust("Write only what explains the distances, e.g. ~ arm * C(visit).")
    found = []
    for token in TOKEN.findall(right if tilde else text):
        groups = token.startswith("C(") and token.endswith(")")
        name = token[2:-1].strip() if groups else token
        name = name.strip("`")
        if token not in JOINS:
            if name not in metadata.columns and not re.match(r"[^\W\d]", name):
                raise TrialistMust(
                    f"The formula may hold column names, C(name), +, *, : and brackets; '{token[:20]}' is none of "
                    "these."
                )
            if name not in metadata.columns:
                near = difflib.get_close_matches(name, list(metadata.columns), n=4, cutoff=0.4)
                raise TrialistMust(
                    f"{metadata.file_name}: there is no column '{name[:60]}' for the formula; "
                    f"{'the nearest are' if near else 'there are'} {listed(near or list(metadata.columns))}."
                )
        found.append((name, groups))
    return found


def _terms(written: str, variables: Mapping[str, Variable]) -> tuple[Term, ...]:
    import formulaic
    import pandas

    names = list(variables)
    frame = pandas.DataFrame({
        f"v{place}": pandas.Categorical(variable.codes) if variable.is_groups else variable.columns[:, 0]
        for place, variable in enumerate(variables.values())
    })  # fmt: skip
    try:
        matrix = formulaic.model_matrix(written, frame)
    except Exception:  # formulaic raises a dozen types for a formula that cannot be read
        raise TrialistMust("The formula cannot be read; write for example: arm * C(visit) + age.") from None
    slices = matrix.model_spec.term_slices
    dense = np.asarray(matrix, dtype=np.float64)
    found = []
    for term, part in slices.items():
        members = tuple(names[int(str(factor.expr)[1:])] for factor in term.factors if str(factor.expr) != "1")
        if members:
            found.append(Term(":".join(members), members, dense[:, part]))
    return tuple(found)
