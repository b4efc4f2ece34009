"""What a person reads of a run's controls, and of a change between two samples."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from biflora.cli.show import _heading, _table, console, findings
from biflora.papers.wording import percent
from biflora.profile.over_time.change import Change
from biflora.profile.over_time.engraftment import Engraftment
from biflora.profile.over_time.verdicts import CHANGED, GuildChange
from biflora.profile.run.mock import MockCheck
from biflora.profile.run.run_quality import RunQuality

MOST_TAXA = 15


def run(result: RunQuality, out: Path | None) -> None:
    """Controls, suspects, mock communities, hints; and what was taken out, if anything was."""
    report = result.controls
    _heading(f"{report.file_name}: {report.samples} samples, {len(report.controls)} negative controls")
    console.print(escape(f"Controls because {report.because}. Suspects by: {', '.join(report.rules)}."))
    table = _table("suspect", "in controls", "in samples", "prevalence", "frequency", right=(1, 2, 3, 4))
    for taxon in report.suspects[:MOST_TAXA]:
        table.add_row(
            escape(taxon.name), percent(taxon.share_in_controls), percent(taxon.share_in_samples),
            _score(taxon.prevalence_score), _score(taxon.frequency_score),
        )  # fmt: skip
    console.print(table)
    left = len(report.suspects) - MOST_TAXA
    if left > 0:
        console.print(f"and {left} more suspects (all of them with --json)")
    shares = sorted(share for _, share in report.suspects_in_samples)
    console.print(
        f"Suspects make up {percent(shares[len(shares) // 2])} of a sample's reads at the median, "
        f"{percent(shares[-1])} at most."
    )
    for check in result.mocks:
        _mock(check)
    findings(result.findings)
    if result.sample:
        _heading(f"Sample {result.sample}")
        if result.of_sample:
            findings(result.of_sample)
        else:
            console.print("It holds hardly anything of the suspects.")
    if out is not None:
        names = ", ".join(taxon.name for taxon in result.removed[:MOST_TAXA])
        more = f" and {len(result.removed) - MOST_TAXA} more" if len(result.removed) > MOST_TAXA else ""
        console.print(escape(f"Wrote {out.name} without {len(result.removed)} taxa: {names}{more}."))
    else:
        console.print("[dim]Nothing was taken out of any sample.[/]")


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.2g}"


def _mock(check: MockCheck) -> None:
    _heading(f"{check.label}: sample {check.sample} ({check.by})")
    table = _table("member", "expected", "seen", "fold", right=(1, 2, 3))
    for member in check.members:
        seen = percent(member.seen) if member.fold is not None else str(member.state)
        table.add_row(
            escape(member.species), percent(member.expected), seen,
            "" if member.fold is None else f"{member.fold:.2f}",
        )  # fmt: skip
    console.print(table)


def change(result: Change, heading: str = "The later sample against the earlier") -> None:
    """Verdicts first, then how each was come to."""
    apart = f", {result.days:.0f} days apart" if result.days is not None else ""
    _heading(f"{heading}{apart}")
    for reason in result.refused:
        console.print(escape(f"Not compared: {reason}"))
    if result.refused:
        return
    for warning in result.warnings:
        console.print(f"[yellow]▲[/] {escape(warning)}")
    table = _table("", "earlier", "later", "verdict", right=(1, 2))
    rows = [*result.guilds, *result.quantities, *([result.community] if result.community else [])]
    for row in rows:
        mark = "[bold]" if row.verdict in CHANGED else ""
        end = "[/]" if mark else ""
        table.add_row(
            escape(row.label), _value(row, row.earlier), _value(row, row.later), f"{mark}{row.verdict}{end}"
        )
    console.print(table)
    for row in rows:
        console.print(f"[dim]{escape(row.label)}: {escape(row.why)}[/]")
    console.print(
        f"By the usual variation alone about {result.expected_by_chance:.1f} of these would be called changed."
    )


def _value(row: GuildChange, value: float | None) -> str:
    if value is None:
        return ""
    return percent(value) if row.is_share else f"{value:.2f}"


def engrafted(result: Engraftment) -> None:
    _heading(f"Given strain: {result.strain}")
    for species in result.species:
        console.print(f"{escape(species.species)}: [bold]{species.verdict}[/]. {escape(species.why)}")
    for part in result.not_told:
        console.print(escape(f"No species name tells this part of the product: {part}."))
    if result.dead:
        console.print("The product holds killed bacteria: nothing of it can live on, its DNA may still be read.")
    console.print(f"Strain: {result.strain_level}. [dim]{escape(result.caution)}[/]")
