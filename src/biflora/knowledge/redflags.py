"""Signs and circumstances that stop or reroute a plan, and the words accepted in `Patient.signs`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from biflora.knowledge.rows import Row, read_table


class RedFlagRule(Row):
    """One rule. It holds when every filled condition column holds; words in one column are alternatives."""

    level: Literal["stop", "reroute", "ask"]
    blocks: tuple[Literal["oral", "topical", "combination"], ...] = ()
    """Arms that are not allowed while it holds; a `stop` blocks everything."""
    leaves_plain_topical: bool = False
    """True where the topical arm is closed for its live strain alone: the pharmacy's topical, which holds no live
    cells, may be prescribed beside standard care."""
    signs_any: tuple[str, ...] = ()
    signs_all: tuple[str, ...] = ()
    flags: tuple[Literal["central_line", "severe_illness", "anaphylaxis_history"], ...] = ()
    """Fields of the patient that must be true."""
    immune_status: tuple[str, ...] = ()
    skin_integrity: tuple[str, ...] = ()
    pregnancy: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    allergies: tuple[str, ...] = ()
    """Words, one of which stands in a listed allergy."""
    treatments: tuple[str, ...] = ()
    """Words, one of which stands in a current treatment."""
    conditions: tuple[str, ...] = ()
    age_at_least: float | None = None
    age_below: float | None = None
    message: str
    action: str


def red_flag_rules() -> Mapping[str, RedFlagRule]:
    return read_table("red_flags", RedFlagRule)


@cache
def sign_words() -> tuple[str, ...]:
    """All words that `Patient.signs` may hold, sorted."""
    rules = red_flag_rules().values()
    return tuple(sorted({word for rule in rules for word in (*rule.signs_any, *rule.signs_all)}))


TABLES: dict[str, type[Row]] = {"red_flags": RedFlagRule}
