"""What a typed formula left unsaid: which vehicles its lines fit, and which preservative system they make up."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from biflora.errors import PharmacistMust
from biflora.formula.check import check_formula
from biflora.formula.formula import Formula, Line
from biflora.formula.written import WrittenLine, key_of
from biflora.knowledge.pharmacy import preservative_parts, preservative_systems, vehicles
from biflora.values import Finding, Level, Who

NOTHING = "none"
UNPRESERVED = {True: "none_refrigerated", False: "none_anhydrous"}
"""The systems without a preservative, by whether the vehicle holds water."""
ASKED_ELSEWHERE = ("ph_", "preservative")
"""Rules that a vehicle is not judged by: pH and preservation are asked for on their own."""


class Preserved(NamedTuple):
    """The preservative system, its lines where the text gave no amounts, and what was taken for granted."""

    system: str
    added: tuple[WrittenLine, ...] = ()
    notes: tuple[Finding, ...] = ()


def vehicle_named(words: str, where: str) -> str:
    """Key of the vehicle by key or label. Raises PharmacistMust with those of that dosage form, or the closest."""
    labels = {row.label: key for key, row in vehicles().items()}
    of_form = [key for key, row in vehicles().items() if row.dosage_form == words.casefold()]
    return known(words, labels, where=where, first=of_form)


def known(words: str, labels: Mapping[str, str], *, where: str, first: Sequence[str] = ()) -> str:
    """The key that `words` are, or whose label they are. Raises PharmacistMust with the closest keys."""
    if words in labels.values():
        return words
    by_label = {_plain(label): key for label, key in labels.items()} | {_plain(k): k for k in labels.values()}
    if _plain(words) in by_label:
        return by_label[_plain(words)]
    close = ", ".join(first or difflib.get_close_matches(words, list(labels.values()), 3, 0.0))
    raise PharmacistMust(f"{where}: is not known; the closest keys are {close}.")


def ask_for_vehicle(lines: Sequence[Line], system: str, ph: float | None, where: str) -> PharmacistMust:
    """The question which vehicle it is, with those that the lines fit; never an answer."""
    faults: dict[str, set[str]] = {}
    for key, vehicle in vehicles().items():
        tried = Formula(
            vehicle=key, lines=tuple(lines), preservative_system=system, ph=ph if vehicle.aqueous else None
        )
        faults[key] = {
            f.rule for f in check_formula(tried) if f.level == "stop" and not f.rule.startswith(ASKED_ELSEWHERE)
        }
    everywhere = set.intersection(*faults.values())
    fit = [key for key, rules in faults.items() if rules == everywhere]
    if fit:
        told = f"By its lines it may be: {', '.join(fit)}."
    else:
        least = min(len(rules - everywhere) for rules in faults.values())
        near = [
            f"{key} (breaks {', '.join(sorted(rules - everywhere))})"
            for key, rules in faults.items()
            if len(rules - everywhere) == least
        ]
        told = f"Its lines fit none whole; the nearest: {'; '.join(near[:3])}."
    return PharmacistMust(
        f"{where}: which vehicle is it? {told} Add a line such as 'Vehicle: {(fit or list(faults))[0]}', "
        "or name it with --vehicle."
    )


def preserved_by(
    names: Sequence[str], where: str, written: Sequence[WrittenLine], aqueous: bool | None
) -> Preserved:
    """The system that the text names, by its key, its label or its parts.

    Parts without an amount enter at the strength of knowledge's table, and a warning says so; only where a
    line fills up, or the other lines would no longer be what was written. Raises PharmacistMust.
    """
    if _plain(names[0]) in (NOTHING, "nothing", "no preservative"):
        return Preserved(UNPRESERVED[bool(aqueous)])
    labels = {row.label: key for key, row in preservative_systems().items()}
    try:
        system = known(names[0], labels, where=f"{where}: the preservative system")
    except PharmacistMust:
        keys = {key_of(name, where) for name in names[1:]}
        exact = [name for name, parts in _parts().items() if set(parts) == keys]
        if not exact:
            near = [name for name, parts in _parts().items() if keys & set(parts)] or list(_parts())
            raise PharmacistMust(
                f"{where}: no preservative system of knowledge is made of these alone; near ones: "
                + "; ".join(f"{name} ({' + '.join(_parts()[name])})" for name in near)
                + ". Write the key of one."
            ) from None
        system = exact[0]
    parts = _parts().get(system, {})
    there = {key_of(each.words, each.where) for each in written}
    if not parts or there & set(parts):
        return Preserved(system)
    if all(each.amount is not None for each in written):
        raise PharmacistMust(f"{where}: give the preservatives' amounts as lines of their own; nothing fills up.")
    added = tuple(WrittenLine(key, Decimal(str(percent)), where) for key, percent in parts.items())
    label = preservative_systems()[system].label
    told = " and ".join(f"{percent:g} % {key.replace('_', ' ')}" for key, percent in parts.items())
    source = next(row for row in preservative_parts().values() if row.system == system)
    note = as_read(
        "warn", label, f"The text gives no amounts of {label}: read as {told}. Confirm, or write the amounts.",
        source.source, source.verification,
    )  # fmt: skip
    return Preserved(system, added, (note,))


def preserved_by_its_parts(lines: Sequence[Line], aqueous: bool, where: str) -> Preserved:
    """The largest system whose parts are all there, with a note that says so. Raises PharmacistMust for two."""
    there = {line.ingredient for line in lines if line.ppm > 0}
    whole = {name: set(parts) for name, parts in _parts().items() if set(parts) <= there}
    largest = [name for name, parts in whole.items() if not any(parts < other for other in whole.values())]
    if len(largest) > 1:
        raise PharmacistMust(
            f"{where}: the lines hold the parts of several preservative systems; add one of: "
            + ", ".join(f"'Preservative system: {name}'" for name in largest)
        )
    if not largest:
        # the checker says what follows from it; without water there is nothing to say
        return Preserved(UNPRESERVED[aqueous])
    row = preservative_systems()[largest[0]]
    note = as_read(
        "note", row.label, "The text names no preservative system: recognised by the parts that stand in it.",
        row.source, row.verification,
    )  # fmt: skip
    return Preserved(largest[0], (), (note,))


def as_read(level: Level, subject: str, message: str, source: str, verification: str) -> Finding:
    return Finding(
        level=level, rule="as_read", subject=subject, message=message, who=Who.PHARMACY, source=source,
        verification=verification,
    )  # fmt: skip


def _parts() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in preservative_parts().values():
        found.setdefault(row.system, {})[row.ingredient] = row.percent
    return found


def _plain(words: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in words.casefold()).split())
