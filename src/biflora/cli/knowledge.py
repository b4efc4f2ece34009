"""`biflora knowledge`: check the tables, and read a newer state of the FDA's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biflora.cli import terminal
from biflora.cli.options import Json

if TYPE_CHECKING:
    from biflora.knowledge.import_iid import Imported

knowledge_app = typer.Typer(no_args_is_help=True, help="The dated, sourced tables that every number comes from.")
MOST_NAMES = 12


@knowledge_app.command("check", epilog="Example: biflora knowledge check")
def knowledge_check(json: Json = False) -> None:
    """Orphans, bad units, impossible ranges, duplicate names and missing sources in the tables."""
    from biflora.cli import show
    from biflora.knowledge.check import check_knowledge
    from biflora.knowledge.rows import release

    findings = check_knowledge()
    terminal.print_findings(
        findings, as_json=json, none=f"Knowledge {release()}: every table is in order.", show=show.findings
    )
    if any(f.level == "stop" for f in findings):
        raise typer.Exit(1)


@knowledge_app.command(
    "import-iid", epilog="Example: biflora knowledge import-iid IIR_OCOMM.csv --dated 2026-10-30"
)
def knowledge_import_iid(
    file: Annotated[Path, typer.Argument(help="The FDA's inactive ingredient file, as CSV (IIR_OCOMM.csv).")],
    dated: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of the file's state, as the FDA's page says; absent: the day "
                                                "the file was last written."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    json: Json = False,
) -> None:  # fmt: skip
    """A newer state of the FDA's table of topical excipients replaces the one this installation holds."""
    from biflora.knowledge.import_iid import import_iid, read_iid, save

    day = dated.date() if dated is not None else _written_on(file)
    found = import_iid(read_iid(file), dated=day, file_name=file.name)
    changes = found.text is not None
    if changes and not dry_run:
        save(found)
    if json:
        terminal.print_json(found.model_dump_json(indent=2, exclude={"text"}))
        return
    _show(found, told_date=dated is not None)
    if not changes:
        typer.echo("The table is up to date; nothing to write.")
    elif dry_run:
        typer.echo("A dry run: nothing was written.")
    else:
        typer.echo(f"Written. The knowledge release is now {found.release}.")


def _written_on(file: Path) -> date:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
    except OSError:
        return date.today()  # the reader says next that there is no such file


def _show(found: Imported, *, told_date: bool) -> None:
    how = "" if told_date else " (the day the file was last written; name the FDA's day with --dated)"
    typer.echo(f"{found.rows} topical rows of {found.rows_of_all_routes}, state of {found.dated}{how}.")
    for title, lines in (
        ("Added", found.added),
        ("Changed", found.changed),
        ("Gone", found.gone),
        ("Now joined to an ingredient of ours", found.joined),
        ("Not joined to an ingredient, though it may be one of ours", found.unsure),
        ("Units that this table has no column for (row kept, figure left out)", found.units_not_understood),
    ):
        typer.echo(f"{title}: {len(lines) or 'none'}")
        for line in lines[:MOST_NAMES]:
            typer.echo(f"  {line}")
        if len(lines) > MOST_NAMES:
            typer.echo(f"  ... and {len(lines) - MOST_NAMES} more (--json lists all)")
    typer.echo(f"Names that are none of our ingredients: {len(found.unmatched)} (--json lists them)")
