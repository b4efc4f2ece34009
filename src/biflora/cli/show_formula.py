"""What a person reads in the terminal of a formula: its composition by phase, what speaks against it, and why."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from biflora.cli import show
from biflora.cli.formula_batch import Summary
from biflora.formula.formula import Alternative, Formula, Impossible, Line, Property
from biflora.knowledge.keeping import container_kinds
from biflora.knowledge.pharmacy import preservative_systems, vehicles
from biflora.papers.wording import verification_words, words
from biflora.values import Finding

if TYPE_CHECKING:
    from biflora.formula.explain import Explanation

PHASES = {
    "A": "Phase A: water phase",
    "B": "Phase B: oil phase or base",
    "C": "Phase C: added when cool",
}


def formula(result: Formula | Impossible) -> None:
    """All of a designed formula: composition, properties, findings, alternatives; or the reasons for none."""
    if isinstance(result, Impossible):
        impossible(result)
        return
    show._heading(f"The formula: {result.name or words(result.vehicle)}")
    _composition(result)
    proof = "proved optimal" if result.proved_optimal else "best found in the time allowed"
    show.console.print(escape(f"{_ph_and_preservative(result)} · {proof}"))
    properties(result.properties)
    if result.findings:
        show._heading("What the independent checker says")
        findings(result.findings)
    for number, other in enumerate(result.alternatives, start=1):
        _alternative(number, other, result)


def checked(
    result: Formula, found: Sequence[Finding], estimated: Sequence[Property], none: str = "No rule is broken."
) -> None:
    """A formula that a person wrote: as it was read, its estimated properties, every finding."""
    show._heading(f"As read: {result.name or 'the formula'} ({_label(result.vehicle)})")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for line in result.lines:
        table.add_row(_amount(line), escape(line.name or line.ingredient))
    show.console.print(table)
    show.console.print(escape(_ph_and_preservative(result)))
    properties(estimated)
    show._heading("What the checker says")
    if found:
        findings(found)
    else:
        show.console.print(none)
    levels = [each.level for each in found]
    show.console.print(
        f"\n{levels.count('stop')} stop, {levels.count('warn')} to warn of, {levels.count('note')} to note."
    )


def findings(found: Sequence[Finding]) -> None:
    """Gravest first: what is wrong with which ingredient; the rule, who can lift it, the source, how far read."""
    for each in sorted(found, key=lambda f: ("stop", "warn", "note").index(f.level)):
        message = each.message.removeprefix(f"{each.subject}: ")  # many rules begin with their subject already
        show.console.print(f"{show.MARKS[each.level]}  [bold]{escape(each.subject)}[/]: {escape(message)}")
        tail = " · ".join(
            part
            for part in (
                f"rule {each.rule}",
                f"can be lifted by: {each.who}",
                each.source,
                verification_words(each.verification) if each.verification else "",
            )
            if part
        )
        show.console.print(Padding(f"[dim]{escape(tail)}[/]", (0, 0, 0, 8), expand=False))


def properties(found: Sequence[Property]) -> None:
    """Estimates, each with how sure it is and where it comes from."""
    if not found:
        return
    show._heading("Estimated properties (none was measured)")
    for each in found:
        show.console.print(f"{escape(each.label)}: [bold]{escape(each.value)}[/]")
        tail = " · ".join(part for part in (each.uncertainty, each.source) if part)
        if tail:
            show.console.print(Padding(f"[dim]{escape(tail)}[/]", (0, 0, 0, 4), expand=False))


def impossible(result: Impossible) -> None:
    """The reasons, grouped by who can lift them; those of chemistry and the law last, nobody can."""
    some = "The smallest set of reasons" if result.minimal else "Reasons (time ran out before a smallest set)"
    show._heading(f"No formula is possible. {some}:")
    by_who: dict[str, list[tuple[str, str]]] = {}
    for reason in result.reasons:
        by_who.setdefault(reason.who, []).append((reason.message, reason.lift))
    for who in sorted(by_who, key=lambda name: (name in ("chemistry", "law", "evidence"), name)):
        show.console.print(f"\nCan be lifted by: [bold]{escape(who)}[/]")
        for message, lift in by_who[who]:
            show.console.print(Padding(f"■ {escape(message)}", (0, 0, 0, 2), expand=False))
            if lift:
                show.console.print(Padding(f"nearest change: {escape(lift)}", (0, 0, 0, 4), expand=False))


def explanation(result: Formula, said: Explanation) -> None:
    """Why each ingredient is in, then why the obvious others are not."""
    show._heading(f"The formula: {result.name or words(result.vehicle)}")
    for heading, sentences in (
        ("Why each ingredient is in", said.inside),
        ("Why the obvious others are not", said.outside),
    ):
        if sentences:
            show._heading(heading)
        for text in sentences:
            _bullet(text)


def batch(found: Summary, out: str, *, stopped: bool = False) -> None:
    """How many formulas, how many without one, how long each took."""
    show.console.print(
        f"{found.patients} patients: {found.designed} designed, {found.impossible} impossible, "
        f"{found.errors} errors" + (f" ({found.kept} kept from an earlier run)" if found.kept else "")
    )
    if found.seconds_median is not None and found.seconds_worst is not None:
        show.console.print(
            f"A patient took {found.seconds_median:.2f} s (median) and {found.seconds_worst:.2f} s at worst; "
            f"this run {found.wall_seconds:.1f} s."
        )
    show.console.print(escape(f"Written: {out}"), soft_wrap=True)
    if stopped:
        show.console.print("Stopped before the end; the same command goes on from there.")


def _composition(result: Formula) -> None:
    told: set[str] = set()
    for phase, lines in groupby(sorted(result.lines, key=_by_phase), key=lambda line: line.phase):
        show.console.print(f"\n[dim]{PHASES[phase]}[/]")
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", no_wrap=True)
        table.add_column()
        for line in lines:
            name = line.name or line.ingredient
            why = _told_once(line.why, told)
            function = "" if why.startswith(line.function) else f"  [dim]{escape(line.function)}[/]"
            table.add_row(
                _amount(line), f"[bold]{escape(name)}[/]{function}" + (f"\n{escape(why)}" if why else "")
            )
        show.console.print(table)
    show.console.print()


def _by_phase(line: Line) -> tuple[str, int]:
    return line.phase, -line.ppm


def _amount(line: Line) -> str:
    amount = f"{line.percent:.4f}".rstrip("0").rstrip(".") + "\N{NO-BREAK SPACE}%"
    return f"q.s.\N{NO-BREAK SPACE}{amount}" if line.quantum_satis else amount


def _ph_and_preservative(result: Formula) -> str:
    ph = "not defined (no water)" if result.ph is None else f"{result.ph:.1f}"
    if result.ph is None and (row := vehicles().get(result.vehicle)) is not None and row.aqueous:
        ph = "not given"
    system = preservative_systems().get(result.preservative_system)
    preserved = words(result.preservative_system) if system is None else system.label
    kind = container_kinds().get(result.container or "")
    container = "" if kind is None else f" · container: {kind.label}"
    return f"pH {ph} · preserved by: {preserved}{container}"


def _alternative(number: int, other: Alternative, best: Formula) -> None:
    show._heading(f"Alternative {number}: {_label(other.vehicle)}")
    show.console.print(escape(other.gives_up))
    there = {line.ingredient: line.ppm for line in best.lines}
    ph = "" if other.ph is None else f"pH {other.ph:.1f}; "
    lines = sorted(other.lines, key=lambda line: -line.ppm)
    listed = ", ".join(
        f"{line.name or line.ingredient} {_amount(line)}{'' if line.ingredient in there else ' (new)'}"
        for line in lines
    )
    show.console.print(Padding(f"[dim]{escape(ph + listed)}[/]", (0, 0, 0, 2), expand=False))


def _label(vehicle: str) -> str:
    row = vehicles().get(vehicle)
    return words(vehicle) if row is None else row.label


def _told_once(why: str, told: set[str]) -> str:
    """A reason that stands above is not written out again."""
    head, colon, reason = why.partition(": ")
    first = reason.split(". ")[0]
    if not colon or first not in told:
        told.add(first)
        return why
    rest = reason[len(first) :].lstrip(". ")
    return f"{head} (as above). {rest}".strip()


def _bullet(text: str) -> None:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("•", escape(text))
    show.console.print(table)
