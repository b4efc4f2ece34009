"""From a clinician's words to ingredients: names, INCI names, allergen groups and their cross-reactors."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from biflora.errors import ClinicianMust
from biflora.knowledge.pharmacy import allergens, ingredients


@dataclass(frozen=True, slots=True)
class Substance:
    """What a name stands for: an allergen group, one or more ingredients, or both."""

    words: str
    group: str | None
    ingredients: tuple[str, ...]


def find_substance(words: str, *, where: str = "allergies") -> Substance:
    """The allergen group or the ingredients that `words` name, in any spelling the tables know.

    Raises ClinicianMust with `where` and the three closest names; the words themselves are the patient's and
    are not repeated.
    """
    name = _folded(words)
    group = _groups_by_name().get(name) or _groups_by_name().get(_singular(name))
    found = _ingredients_by_name().get(name) or _ingredients_by_name().get(_singular(name), ())
    if group is None and not found:
        close = ", ".join(f"'{text}'" for text in _closest(name))
        raise ClinicianMust(
            f"{where}: not a substance or allergen group that biflora knows; the closest names are {close}. "
            "Write one of them, another INCI name or another allergen group."
        )
    return Substance(words, group, tuple(found))


def find_ingredient(words: str) -> str:
    """Key of the one ingredient of that key, name or INCI name. Raises ClinicianMust with close names."""
    found = _ingredients_by_name().get(_folded(words), ())
    if len(found) == 1:
        return found[0]
    if found:
        raise ClinicianMust(f"'{words}' names several ingredients: {', '.join(found)}; write the key of one.")
    close = ", ".join(f"'{text}'" for text in _closest(_folded(words), groups=False))
    raise ClinicianMust(f"'{words}' is not an ingredient that biflora knows; the closest names are {close}.")


def banned_by(allergies: str | Iterable[str]) -> Mapping[str, str]:
    """Every ingredient that the allergies forbid, with the reason; groups bring their members and cross-reactors.

    Raises ClinicianMust for a name that nobody knows.
    """
    words = (allergies,) if isinstance(allergies, str) else tuple(allergies)
    banned: dict[str, str] = {}
    for number, word in enumerate(words, start=1):
        substance = find_substance(word, where=f"allergies, entry {number}")
        for key in substance.ingredients:
            banned.setdefault(key, "is what the patient is allergic to")
        groups = {} if substance.group is None else {substance.group: ""}
        for key in substance.ingredients:
            for group in ingredients()[key].allergen_groups:
                groups.setdefault(group, f"shares the allergen group with {ingredients()[key].name}")
        for key, reason in _members(groups).items():
            banned.setdefault(key, reason)
    return MappingProxyType(banned)


def _members(groups: Mapping[str, str]) -> Mapping[str, str]:
    reasons: dict[str, str] = {}
    rows = allergens()
    for group, how in groups.items():
        label = rows[group].label
        for key, row in ingredients().items():
            if group in row.allergen_groups:
                reasons.setdefault(key, how or f"belongs to the allergen group '{label}'")
        for other in rows[group].cross_reacts_with:
            for key, row in ingredients().items():
                if other in row.allergen_groups:
                    reasons.setdefault(key, f"'{rows[other].label}' cross-reacts with '{label}'")
    return reasons


def _folded(words: str) -> str:
    text = re.sub(r"\([^)]*\)", " ", words.casefold()) or words.casefold()
    return re.sub(r"[^a-z0-9]+", " ", text).strip()


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") else name


@cache
def _groups_by_name() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for key, row in allergens().items():
        for text in (key, row.label, *row.synonyms):
            found.setdefault(_folded(text), key)
            found.setdefault(_singular(_folded(text)), key)
    return MappingProxyType(found)


@cache
def _ingredients_by_name() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, row in ingredients().items():
        texts = {_folded(text) for text in (key, row.name, row.inci, row.cas or "", *row.synonyms) if text}
        for text in texts | {_singular(text) for text in texts}:
            found[text] = (*found.get(text, ()), key)
    return MappingProxyType(found)


def _closest(name: str, *, groups: bool = True) -> tuple[str, ...]:
    """The three closest names as the tables write them, one for each ingredient or group."""
    shown: dict[str, tuple[str, str]] = {}
    for key, row in ingredients().items():
        for text in (row.inci, *row.synonyms, row.name):
            shown[_folded(text)] = (key, text)
    if groups:
        for group, allergen in allergens().items():
            for text in (*allergen.synonyms, allergen.label):
                shown[_folded(text)] = (group, text)
    best: dict[str, str] = {}
    for each in difflib.get_close_matches(name, list(shown), n=12, cutoff=0.0):
        key, text = shown[each]
        best.setdefault(key, text)
    return tuple(best.values())[:3]
