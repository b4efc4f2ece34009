"""Ingredients that must not or should not stand together, or not at this pH, or not in water."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import GRAIN, LIVE, Jar, Portion, finding
from biflora.knowledge.pharmacy import Incompatibility, incompatibilities
from biflora.values import Finding


def check_clashes(jar: Jar) -> Iterator[Finding]:
    allowed = {
        frozenset((a.row.key, b.row.key))
        for rule in incompatibilities().values()
        if rule.severity == "allow"
        for a in jar.named(rule.a)
        for b in jar.named(rule.b)
    }
    told: set[frozenset[str]] = set()
    for rule in incompatibilities().values():
        if rule.severity == "allow" or not _circumstances(rule, jar):
            continue
        for pair in _pairs(rule, jar):
            keys = frozenset(p.row.key for p in pair)
            if keys not in allowed:
                # A warning about a pair does not lift the mark that keeps it apart.
                told |= {keys} if rule.severity == "block" else set()
                yield _clash(rule, pair, jar)
    for first in jar.portions:
        for key in first.row.incompatible_with:
            pair_keys = frozenset((first.row.key, key))
            if jar.percent_of(key) > 0 and pair_keys not in told | allowed:
                told.add(pair_keys)
                second = next(p for p in jar.portions if p.row.key == key)
                words = f"{first.name} and {second.name} must not stand in one jar."
                yield finding("stop", "incompatible", f"{first.name} + {second.name}", words, source=first.row)


def _circumstances(rule: Incompatibility, jar: Jar) -> bool:
    """Whether water and pH are such that the rule holds; a rule about pH says nothing without one."""
    if rule.water == ("absent" if jar.wet else "present"):
        return False
    # the live powder of a kit meets the water only when it is used
    powder_only = jar.powder_apart and not rule.b and all(p.row.klass == LIVE for p in jar.named(rule.a))
    if rule.water == "present" and powder_only:
        return False
    if any(jar.percent_of(key) > 0 for key in rule.unless_any):
        return False
    ph = jar.formula.ph
    if rule.ph_below is not None and not (ph is not None and ph < rule.ph_below - GRAIN):
        return False
    return rule.ph_above is None or (ph is not None and ph > rule.ph_above + GRAIN)


def _pairs(rule: Incompatibility, jar: Jar) -> Iterator[tuple[Portion, ...]]:
    firsts = [p for p in jar.named(rule.a) if p.percent >= rule.a_min_percent - GRAIN]
    if not rule.b:
        yield from ((p,) for p in firsts)
        return
    seconds = [p for p in jar.named(rule.b) if p.percent >= rule.b_min_percent - GRAIN]
    seen: set[frozenset[str]] = set()
    for first in firsts:
        for second in seconds:
            pair = frozenset((first.row.key, second.row.key))
            if len(pair) == 2 and pair not in seen:
                seen.add(pair)
                yield first, second


def _clash(rule: Incompatibility, pair: tuple[Portion, ...], jar: Jar) -> Finding:
    names = " + ".join(p.name for p in pair)
    at = "" if rule.ph_below is None and rule.ph_above is None else f" (the formula is at pH {jar.formula.ph:g})"
    verb = "must not" if rule.severity == "block" else "should not"
    how = "stand together" if len(pair) == 2 else "stand here"
    return finding(
        "stop" if rule.severity == "block" else "warn",
        rule.key,
        names,
        f"{names} {verb} {how}: {rule.mechanism}{at}.",
        source=rule,
        family="incompatible_pair",
    )
