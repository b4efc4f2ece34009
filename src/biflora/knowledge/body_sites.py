"""Where on the body a sample was taken, by one name each, and which skin is alike; age bands for references."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

from biflora.errors import ClinicianMust
from biflora.knowledge.rows import Row, read_table

SiteClass = Literal["dry", "moist", "sebaceous", "nares", "gut", "mixed"]
NEAREST = 4


class BodySiteRow(Row):
    """One place of the body; `site_class` says which other places its microbes may be compared with."""

    label: str
    site: Literal["skin", "gut"]
    site_class: SiteClass
    """`mixed`: several places, or not one that is known; compared with itself only."""
    synonyms: tuple[str, ...] = ()
    """Other words for it, with the short forms of published tables."""
    lesional: bool | None = None
    """True where the name itself says inflamed skin, False where it says the contrary."""
    note: str = ""


class AgeBand(Row):
    """Ages whose microbes are compared with each other."""

    label: str
    site: Literal["skin", "gut"]
    age_at_least: float
    """Years."""
    age_below: float | None = None
    """Years; empty: no upper limit."""
    note: str = ""


def body_sites() -> Mapping[str, BodySiteRow]:
    return read_table("body_sites", BodySiteRow)


def age_bands() -> Mapping[str, AgeBand]:
    return read_table("age_bands", AgeBand)


def age_band(site: str, age_years: float) -> AgeBand | None:
    """The band of that age at `skin` or `gut`; None outside all bands."""
    rows = (row for row in age_bands().values() if row.site == site)
    return next((row for row in rows if row.age_at_least <= age_years < (row.age_below or math.inf)), None)


@cache
def _by_word() -> Mapping[str, BodySiteRow]:
    found: dict[str, BodySiteRow] = {}
    for row in body_sites().values():
        for word in (row.key, row.label, *row.synonyms):
            found.setdefault(_folded(word), row)
    return MappingProxyType(found)


def _folded(words: str) -> str:
    return re.sub(r"[\s_\-/]+", " ", words).strip().lower()


def find_body_site(words: str) -> BodySiteRow | None:
    """The place of that key, name or short form (case, `_` and `-` do not matter); None for an unknown word."""
    return _by_word().get(_folded(words)) if words else None


def body_site_named(words: str, *, where: str) -> BodySiteRow:
    """The place of that name. Raises ClinicianMust naming `where` and the nearest names, never the word itself."""
    row = find_body_site(words)
    if row is not None:
        return row
    near = difflib.get_close_matches(_folded(words), list(_by_word()), n=NEAREST, cutoff=0.5)
    keys = list(dict.fromkeys(_by_word()[word].key for word in near)) or list(body_sites())
    raise ClinicianMust(
        f"{where}: this is no body site that biflora knows; write one of {', '.join(keys)} (all are listed in "
        "docs/how-to/place-a-sample.md)."
    )


TABLES: dict[str, type[Row]] = {"body_sites": BodySiteRow, "age_bands": AgeBand}
