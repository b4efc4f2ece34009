"""Which samples of a table can be used for a question, and why others cannot."""

from __future__ import annotations

import re

from biflora.errors import TrialistMust
from biflora.profile.cohort.cohort import Question
from biflora.profile.metadata import Metadata
from biflora.profile.table import LabTable

NAME = re.compile(r"`([^`]+)`|([^\W\d]\w*(?:\.\w+)*)")
FEWEST = 6


def usable(table: LabTable, rows: Metadata, question: Question) -> tuple[Metadata, tuple[str, ...]]:
    """The samples that stand in both, have reads and every value that the formula needs, in the table's order.

    With them one sentence for each reason that others are left out. Raises TrialistMust when fewer than six stay.
    """
    said = []
    known = set(rows.samples)
    both = [name for name in table.samples if name in known]
    for number, words in (
        (len(table.samples) - len(both), "no description"),
        (len(rows.samples) - len(both), "a description but no column in the table"),
    ):
        if number:
            said.append(f"{_samples(number)} with {words}")
    totals = dict(zip(table.samples, table.totals(), strict=True))
    empty = [name for name in both if not totals[name] > 0]
    if empty:
        said.append(f"{_samples(len(empty))} without a read")
    rows = rows.of([name for name in both if totals[name] > 0])
    for column, wanted in question.where.items():
        chosen = [name for name, cell in zip(rows.samples, rows.texts(column), strict=True) if cell in wanted]
        if len(chosen) < len(rows.samples):
            said.append(f"{_samples(len(rows.samples) - len(chosen))} whose {column} is not {' or '.join(wanted)}")
        rows = rows.of(chosen)
    lacking = dict.fromkeys(_columns(question), 0)
    complete = list(range(len(rows.samples)))
    for name in lacking:
        cells = rows.texts(name)
        lacking[name] = sum(not cells[i] for i in complete)
        complete = [i for i in complete if cells[i]]
    said += [f"{_samples(number)} without a value of {name}" for name, number in lacking.items() if number]
    if len(complete) < FEWEST:
        raise TrialistMust(
            f"Only {_samples(len(complete))} can be used (left out: {'; '.join(said) or 'none'}); six are the "
            "fewest. Mend names or leave columns out."
        )
    return rows.of([rows.samples[i] for i in complete]), tuple(said)


def _samples(number: int) -> str:
    return f"{number} sample{'' if number == 1 else 's'}"


def _columns(question: Question) -> list[str]:
    """Every column that a sample must have a value in: those of the formula, person, blocks, time."""
    named = [quoted or plain for quoted, plain in NAME.findall(question.formula)]
    asked = [
        *(name for name in named if name != "C"),
        question.subject,
        question.blocks,
        question.time,
        question.body_site,
    ]
    return [name for name in dict.fromkeys(asked) if name]
