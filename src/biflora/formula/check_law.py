"""Law and handling: hazardous drugs, the basis for compounding from bulk, copies, what comes from microbes."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import Jar, Portion, finding
from biflora.knowledge.checking import checker_limit
from biflora.knowledge.formula_rules import BulkBasis, bulk_bases
from biflora.values import Finding

APPROVED = "RX"
"""A route that begins so is that of an approved drug."""


def check_law(jar: Jar) -> Iterator[Finding]:
    for portion in jar.portions:
        name = portion.name
        if portion.row.hazardous:
            words = f"{name} is a hazardous drug: handle it by USP <800> (protection, own tools)."
            yield finding("warn", "hazardous", name, words, source=portion.row)
        if "BIO_FLAG" in portion.row.us_route:
            words = (
                f"{name} comes from microbes: its status with a disease claim is unsettled; sign it off by name."
            )
            yield finding("warn", "biologic_flag", name, words, source=portion.row)
    yield from _copies(jar)
    yield from _bases(jar)
    yield from _prescription(jar)


def _copies(jar: Jar) -> Iterator[Finding]:
    """Each approved drug at a strength that is sold, one or several: two approved drugs combined may be a copy."""
    sold = [p for p in jar.actives() if p.row.us_route.startswith(APPROVED) and _is_sold(p)]
    patented = [p for p in sold if "PATENTED" in p.row.us_route]
    free = [p for p in sold if p not in patented]
    record = "Record the difference this patient needs."
    for portion in patented:
        words = f"{portion.name} is sold under patent: is this essentially a copy? {record}"
        yield finding("warn", "essentially_a_copy", portion.name, words)
    if len(free) == 1:
        name, percent = free[0].name, free[0].percent
        words = f"{name} {percent:g} % is the only such drug, at a usual strength: is it sold so? {record}"
        yield finding("warn", "essentially_a_copy", name, words)
    elif free:
        names = ", ".join(f"{p.name} {p.percent:g} %" for p in free)
        words = f"{names}: each at a usual strength; approved drugs combined may still count as a copy. {record}"
        yield finding("warn", "essentially_a_copy", ", ".join(p.name for p in free), words)


def _is_sold(portion: Portion) -> bool:
    row, band = portion.row, checker_limit("copy_strength_band")
    if "PATENTED" in row.us_route or not row.strengths_percent:
        return True
    return any(abs(portion.percent - each) <= band * each * (1 + 1e-9) for each in row.strengths_percent)


def _bases(jar: Jar) -> Iterator[Finding]:
    """One finding for each basis, naming the actives that have it; each open one is told by itself."""
    by_basis: dict[str, list[str]] = {}
    for portion in jar.actives():
        for basis in _bases_of(portion):
            by_basis.setdefault(basis.key, []).append(portion.name)
    for key, names in by_basis.items():
        basis = bulk_bases()[key]
        if basis.found:
            words = f"Basis for {', '.join(names)}: {basis.basis}."
            yield finding("note", "bulk_basis", ", ".join(names), words, source=basis)
            continue
        for name in names:
            words = f"Basis for {name}: {basis.basis}; the pharmacist settles it and records how."
            yield finding("warn", "bulk_basis", name, words, source=basis)


def _bases_of(portion: Portion) -> Iterator[BulkBasis]:
    marks = portion.row.us_route.split(";")
    for basis in bulk_bases().values():
        if basis.klasses and portion.row.klass not in basis.klasses:
            continue
        if any(mark.startswith(basis.mark) for mark in marks):
            yield basis


def _prescription(jar: Jar) -> Iterator[Finding]:
    if jar.needs is None or jar.needs.prescription_actives_ok:
        return
    for portion in jar.portions:
        route = portion.row.us_route
        if route.startswith(APPROVED) and not route.startswith("RX_OTC"):
            words = f"{portion.name} needs a prescription, which was not wanted."
            yield finding("stop", "prescription", portion.name, words, source=portion.row)
