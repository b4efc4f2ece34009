"""Questions put to a fitted model: arms against control, arms against control over time, one term at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.errors import NameAnother, TrialistMust
from biflora.profile.cohort.mixed_design import MixedDesign
from biflora.profile.table import listed

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """One linear question: `weights` over the design's terms, and its name in words."""

    name: str
    weights: Numbers
    family: int = 0
    """Under gatekeeping: 0 is tested first, 1 only when all of 0 were found, and so on."""


Ask = Callable[[MixedDesign], Sequence[Contrast]]
"""What a caller asks of a design that does not exist before the table is read."""


def each_term(design: MixedDesign) -> tuple[Contrast, ...]:
    """Every term except the intercept, as the model has it."""
    eye = np.eye(len(design.terms))
    return tuple(Contrast(term, eye[k]) for k, term in enumerate(design.terms) if term != "Intercept")


def against_control(
    design: MixedDesign, factor: str, *, control: str | None = None, at: Mapping[str, str | float] | None = None
) -> tuple[Contrast, ...]:
    """Each other level of `factor` less the control, other columns averaged over their levels or at their mean.

    `control`: by default the reference level; `at`: hold other columns at these values instead.
    Raises NameAnother for an unknown column or level.
    """
    levels = _levels(design, factor)
    control = _control(levels, factor, control)
    base = design.row_for({**(at or {}), factor: control})
    where = "".join(f", {name} {value}" for name, value in (at or {}).items())
    return tuple(
        Contrast(
            f"{factor}: {level} against {control}{where}", design.row_for({**(at or {}), factor: level}) - base
        )
        for level in levels
        if level != control
    )


def arm_over_time(
    design: MixedDesign, arm: str, time: str, *, control: str | None = None, first: str | float | None = None,
    times: Sequence[float] = (),
) -> tuple[Contrast, ...]:  # fmt: skip
    """Difference in change: (arm at a later time less first) less (control at that time less first).

    For a categorical `time` all other levels, the last one first under gatekeeping; for a numeric one the `times`
    given. Raises TrialistMust when the formula has no term that lets arms change differently.
    """
    levels = _levels(design, arm)
    control = _control(levels, arm, control)
    if time in design.levels:
        known: Sequence[str | float] = design.levels[time]
        start: str | float = known[0] if first is None else first
        if start not in known:
            raise NameAnother(
                f"The column '{time}' has no level '{start}'; its levels are {listed(design.levels[time])}."
            )
        later = [value for value in known if value != start]
    elif time in design.means:
        if first is None or not times:
            raise TrialistMust(f"'{time}' is a number; say from which time (`first`) to which (`times`).")
        start, later = first, list(times)
    else:
        raise NameAnother(f"The formula has no column '{time[:40]}'; it has {listed(_names(design))}.")
    cells = {
        (level, value): design.row_for({arm: level, time: value}) for level in levels for value in (start, *later)
    }
    found = []
    for level in levels:
        if level == control:
            continue
        for value in later:
            weights = (cells[level, value] - cells[level, start]) - (cells[control, value] - cells[control, start])
            if not np.any(np.abs(weights) > 1e-12):
                raise TrialistMust(
                    f"The formula lets no arm change differently; write '{arm} * {time}' instead of '+'."
                )
            name = f"{arm}: {level} against {control}, change from {time} {_short(start)} to {_short(value)}"
            found.append(Contrast(name, weights, len(later) - 1 - later.index(value)))
    return tuple(found)


def weights_of(contrasts: Sequence[Contrast]) -> Numbers:
    """The contrasts' weights as rows (contrasts, terms). Raises TrialistMust when there is none."""
    if not contrasts:
        raise TrialistMust("There is no contrast to test; name a factor or a term of the formula.")
    return np.array([contrast.weights for contrast in contrasts])


def _levels(design: MixedDesign, factor: str) -> tuple[str, ...]:
    if factor not in design.levels:
        raise NameAnother(f"The formula has no factor '{factor[:40]}'; it has {listed(list(design.levels))}.")
    return design.levels[factor]


def _control(levels: Sequence[str], factor: str, control: str | None) -> str:
    if control is None:
        return levels[0]
    if control not in levels:
        raise NameAnother(f"The column '{factor}' has no level '{control[:40]}'; its levels are {listed(levels)}.")
    return control


def _short(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _names(design: MixedDesign) -> list[str]:
    return [*design.levels, *design.means]
