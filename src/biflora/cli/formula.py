"""`biflora formula`: design, check, explain, and design for many patients."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biflora.cli import terminal
from biflora.cli.options import Json

if TYPE_CHECKING:
    from biflora.formula.read import Reading
    from biflora.plan.plan import Needs

formula_app = typer.Typer(no_args_is_help=True, help="Design, check and explain compounded topicals.")
STANDARD_INPUT = Path("-")


@formula_app.command(
    "design", epilog="Example: biflora formula design needs.json --stock stock.csv --out best.json"
)
def formula_design(
    needs: Annotated[
        Path, typer.Argument(help="The wanted effects and limits, as JSON or TOML (docs/reference/needs.md).")
    ],
    stock: Annotated[
        Path | None,
        typer.Option(help="The pharmacy's lots as CSV: ingredient,lot,grams,expires,usd_per_gram."),
    ] = None,
    alternatives: Annotated[int, typer.Option(min=0, max=5, help="How many truly different alternatives.")] = 5,
    out: Annotated[Path | None, typer.Option(help="File to write the result to, as JSON.")] = None,
    json: Json = False,
) -> None:
    """The best formula that keeps every rule, or the smallest set of reasons why there is none."""
    from biflora.cli import show_formula
    from biflora.cli.files import check_file, write_file
    from biflora.formula.formula import Impossible
    from biflora.formula.formulate import formulate
    from biflora.formula.read import read_needs

    wanted = _with_stock(read_needs(needs), stock)
    if out is not None:
        check_file(out, option="--out")
    with terminal.working("Designing the formula"):
        result = formulate(wanted, alternatives=alternatives)
    if out is not None:
        write_file(out, result.model_dump_json(indent=2) + "\n", option="--out")
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show_formula.formula(result)
        if out is not None:
            typer.echo(f"\nWritten: {out}")
    if isinstance(result, Impossible):
        raise typer.Exit(1)


@formula_app.command("check", epilog="Example: biflora formula check cream.txt --needs needs.json")
def formula_check(
    formula: Annotated[
        Path,
        typer.Argument(help="A formula as typed lines, CSV, JSON or TOML; - reads it from standard input."),
    ],
    needs: Annotated[
        Path | None, typer.Option(help="The patient's needs and limits, to check against too.")
    ] = None,
    vehicle: Annotated[
        str | None, typer.Option(help="The vehicle, where the formula does not name one or to try another.")
    ] = None,
    json: Json = False,
) -> None:
    """Every rule that a formula breaks: the ingredient that causes it, who can lift it, the source."""
    from biflora.cli import show_formula
    from biflora.formula.check import check_formula
    from biflora.formula.properties import properties_of
    from biflora.formula.read import read_needs

    read = _read(formula, vehicle)
    wanted = read_needs(needs) if needs else None
    findings = (*read.notes, *check_formula(read.formula, wanted))
    if json:
        terminal.print_findings(findings, as_json=True, none="", show=show_formula.findings)
    else:
        show_formula.checked(read.formula, findings, properties_of(read.formula, wanted))
    if any(f.level == "stop" for f in findings):
        raise typer.Exit(1)


@formula_app.command("explain", epilog="Example: biflora formula explain needs.json")
def formula_explain(
    needs: Annotated[Path, typer.Argument(help="The wanted effects and limits, as JSON or TOML.")],
    stock: Annotated[
        Path | None, typer.Option(help="The pharmacy's lots as CSV, as for `biflora formula design`.")
    ] = None,
) -> None:
    """Why each ingredient is in, and why the obvious others are not."""
    from biflora.cli import show_formula
    from biflora.formula.explain import explain
    from biflora.formula.formula import Impossible
    from biflora.formula.formulate import formulate
    from biflora.formula.read import read_needs

    wanted = _with_stock(read_needs(needs), stock)
    with terminal.working("Designing the formula"):
        result = formulate(wanted, alternatives=0)
    if isinstance(result, Impossible):
        show_formula.impossible(result)
        raise typer.Exit(1)
    show_formula.explanation(result, explain(result, wanted))


@formula_app.command("batch", epilog="Example: biflora formula batch patients.jsonl --out results.jsonl")
def formula_batch(
    needs: Annotated[
        Path, typer.Argument(help="JSON lines, one needs object a line, or a folder of needs files.")
    ],
    out: Annotated[Path, typer.Option(help="File of results, one JSON line a patient; what is in it is kept.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes at once; absent: one for each core.")
    ] = None,
    alternatives: Annotated[int, typer.Option(min=0, max=5, help="How many alternatives a patient.")] = 5,
    time_limit: Annotated[float, typer.Option(min=0.1, help="Seconds that the search may take a patient.")] = 10.0,
    json: Json = False,
) -> None:
    """Formulas for many patients on all cores; an interrupted run goes on where it stopped."""
    from time import perf_counter

    from biflora.cli import formula_batch as files
    from biflora.cli import show_formula
    from biflora.formula.batch import MadeWith, design_all

    began = perf_counter()
    made_with = MadeWith(alternatives=alternatives, time_limit_seconds=time_limit)
    jobs = files.read_jobs(needs)
    kept = files.keep_what_is_done(out, jobs, made_with)
    done = list(kept.results)
    there = {result.id for result in done}
    left = [job for job in jobs if job.id not in there]
    stopped = False
    try:
        with (
            files.open_results(out) as file,
            files.counting(total=len(jobs), done=len(done), show=not json) as step,
            closing(design_all(left, made_with, workers=workers)) as results,
        ):
            for result in results:
                files.append(file, result, out)
                done.append(files.ended(result))
                step()
    except KeyboardInterrupt:
        stopped = True
    found = files.summary_of(done, kept=len(kept.results), wall_seconds=perf_counter() - began)
    if json:
        terminal.print_json(found.model_dump_json(indent=2))
    else:
        show_formula.batch(found, str(out), stopped=stopped)
    if stopped:
        raise typer.Exit(130)
    if found.errors:
        raise typer.Exit(1)


def _with_stock(needs: Needs, stock: Path | None) -> Needs:
    if stock is None:
        return needs
    from biflora.formula.read_stock import read_stock

    return needs.model_copy(update={"stock": read_stock(stock, today=date.today())})


def _read(formula: Path, vehicle: str | None) -> Reading:
    import sys

    from biflora.errors import PharmacistMust
    from biflora.formula.read import reading_of, reading_of_file

    if formula != STANDARD_INPUT:
        return reading_of_file(formula, vehicle=vehicle)
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PharmacistMust("standard input: cannot be read as text; send it as UTF-8.") from None
    return reading_of(text, where="standard input", vehicle=vehicle)
