"""What the models of a cohort are asked: arms as a trial compares them, or the formula's terms one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from biflora.errors import NameAnother
from biflora.profile.cohort.cohort import Question
from biflora.profile.cohort.contrasts import Ask, Contrast, against_control, arm_over_time, each_term
from biflora.profile.cohort.formula import Model, read_model
from biflora.profile.cohort.mixed_design import MixedDesign
from biflora.profile.metadata import Metadata
from biflora.profile.table import listed

CONTROL = re.compile(
    r"placebo|controls?|vehicle|sham|standard[ _-]care|usual[ _-]care|untreated|healthy|none|no|n|false|0"
    r"|(?:.*[ _-])?non[ _-]?[a-z]+(?:[ _-].*)?",
    re.IGNORECASE,
)
"""Names of groups that others are compared with, where nobody said which: only where one group alone has such a
name, and the report says so."""
MOST_JOINT = 6
"""Contrasts up to which Dunnett's adjustment is worked out; it grows slow and Holm is nearly as good."""


@dataclass(frozen=True)
class Asked:
    """The contrasts of every model, how p is adjusted over them, and what a reader must know."""

    outcomes: Ask
    taxa: Ask
    adjust: Literal["Holm", "Dunnett", "gatekeeping"]
    taxa_adjust: Literal["each contrast", "Dunnett"]
    reference: Mapping[str, str]
    words: tuple[str, ...]

    @property
    def loads_adjust(self) -> Literal["Holm", "gatekeeping"]:
        """A censored model has no Dunnett."""
        return "gatekeeping" if self.adjust == "gatekeeping" else "Holm"


def what_is_asked(question: Question, rows: Metadata) -> Asked:
    """The contrasts for this formula and design. Raises NameAnother for an arm that the formula does not hold."""
    model = read_model(question.formula, rows)
    factors = {name: v.levels for name, v in model.variables.items() if v.is_groups}
    reference, guessed = _controls(question, factors)
    if question.contrasts == "terms" or not factors:
        return Asked(each_term, each_term, "Holm", "each contrast", reference, tuple(guessed))
    if question.arm is not None and question.arm not in factors:
        raise NameAnother(
            f"The formula has no groups '{question.arm[:60]}'; write C({question.arm[:60]}) for a column of "
            f"numbers, or name one of {listed(list(factors))}."
        )
    pair = _arm_and_time(question, model, rows)
    if pair is not None:
        return _over_time(question, model, rows, *pair, reference, guessed)
    chosen = [question.arm] if question.arm else sorted(factors, key=lambda name: name == question.time)
    alone = [
        name for name, v in model.variables.items()
        if not v.is_groups and question.arm is None and sum(name in t.variables for t in model.terms) == 1
    ]  # fmt: skip

    def ask(design: MixedDesign) -> Sequence[Contrast]:
        found = [c for name in chosen for c in against_control(design, name)]
        for place, term in enumerate(design.terms):
            if term.strip("`") in alone:
                weights = design.matrix[0] * 0.0
                weights[place] = 1.0
                found.append(Contrast(f"{term.strip('`')}, one unit more", weights))
        return found

    contrasts = sum(len(factors[name]) - 1 for name in chosen) + len(alone)
    joint = len(chosen) == 1 and not alone and 1 < contrasts <= MOST_JOINT
    control = ", ".join(f"{name} {_first(name, factors, reference)}" for name in chosen)
    words = [f"Each group stands against {control}; other columns at their mean, or averaged over their groups."]
    if any(len(term.variables) > 1 for term in model.terms):
        words.append("The formula's interactions are shown with --contrasts terms.")
    return Asked(
        ask, ask, "Dunnett" if joint else "Holm", "Dunnett" if joint and contrasts <= 3 else "each contrast",
        reference, (*words, *guessed),
    )  # fmt: skip


def _over_time(
    question: Question, model: Model, rows: Metadata, arm: str, time: str, reference: Mapping[str, str],
    guessed: Sequence[str],
) -> Asked:  # fmt: skip
    """Difference in change: each arm against the reference arm, from the first visit to every other."""
    variable = model.variables[time]
    named = question.change_from if time == question.time else None
    first: str | float | None = named
    times: tuple[float, ...] = ()
    if not variable.is_groups:
        numbers = rows.numbers(time)
        first = float(numbers.min()) if named is None else _number(named, time)
        times = (float(numbers.max()),)

    made: dict[tuple[tuple[str, ...], tuple[str, ...]], Sequence[Contrast]] = {}

    def outcomes(design: MixedDesign) -> Sequence[Contrast]:
        key = design.terms, design.samples  # the same for every model of a cohort, and slow to make
        if key not in made:
            made[key] = arm_over_time(design, arm, time, first=first, times=times)
        return made[key]

    def taxa(design: MixedDesign) -> Sequence[Contrast]:
        return [contrast for contrast in outcomes(design) if contrast.family == 0]

    arms = model.variables[arm].levels
    control = _first(arm, {arm: arms}, reference)
    words = [
        f"Each group of {arm} stands against {control}, in how it changed over {time}: a difference of changes, "
        "so what differed at the start is taken off."
    ]
    if variable.is_groups and len(variable.levels) > 2:
        words.append(
            "The last visit is tested first; an earlier one counts only when all of the later one was found. Taxa "
            "are tested at the last visit."
        )
    if len(arms) > 2:
        words.append("Several groups against one: p is adjusted by Dunnett at each visit (Holm for loads).")
    if not variable.is_groups:
        words.append(f"{time} is a number: a straight line over time, told from its first to its last value.")
    several: Literal["each contrast", "Dunnett"] = "Dunnett" if 2 < len(arms) <= 4 else "each contrast"
    return Asked(outcomes, taxa, "gatekeeping", several, reference, (*words, *guessed))


def _arm_and_time(question: Question, model: Model, rows: Metadata) -> tuple[str, str] | None:
    """The columns of arm and time, where the formula lets arms change differently."""
    subjects = rows.texts(question.subject) if question.subject else rows.samples
    persons = len(set(subjects))
    steady = {
        name for name, variable in model.variables.items()
        if len(set(zip(subjects, variable.codes.tolist(), strict=True))) == persons
    }  # fmt: skip
    for term in model.terms:
        if len(term.variables) == 2:
            for arm, time in (term.variables, term.variables[::-1]):
                groups = arm in steady and model.variables[arm].is_groups and arm != question.time
                if groups and arm == (question.arm or arm) and (time == question.time or time not in steady):
                    return arm, time
    return None


def _controls(
    question: Question, factors: Mapping[str, Sequence[str]]
) -> tuple[dict[str, str], list[str]]:  # fmt: skip
    reference, said = dict(question.reference), []
    for name, levels in factors.items():
        if name in reference or name == question.time:
            continue
        found = [level for level in levels if CONTROL.fullmatch(level)]
        if len(found) == 1:
            reference[name] = found[0]
            said.append(
                f"{found[0]} was taken as the control of {name} by its name; --reference {name}=LEVEL names "
                "another."
            )
    return reference, said


def _first(name: str, factors: Mapping[str, Sequence[str]], reference: Mapping[str, str]) -> str:
    return reference.get(name, factors[name][0])


def _number(text: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise NameAnother(f"'{column[:60]}' is a column of numbers; name the first visit as a number.") from None
