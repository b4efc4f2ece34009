"""The terminal: the same acts as in the clinic's pages. Exit status 0 done, 1 a finding stops you, 2 bad input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from biflora import __version__
from biflora.cli import cohort, quality, terminal
from biflora.cli import profile as profile_commands
from biflora.cli.formula import formula_app
from biflora.cli.knowledge import knowledge_app
from biflora.cli.options import Json, Seed
from biflora.cli.reference import reference_app
from biflora.cli.twin_trials import twin_app
from biflora.errors import BifloraError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="biflora: from a patient's skin and gut microbiome to a dual plan, a safe formula and its proof.\n\n"
    "It supports a clinician; it is no medical device.",
    epilog="Example: biflora plan --skin skin.biom --gut gut.txt --patient patient.toml --out plan/",
)
trial_app = typer.Typer(no_args_is_help=True, help="Virtual and real randomised trials.")
app.add_typer(formula_app, name="formula")
app.add_typer(twin_app, name="twin")
app.add_typer(trial_app, name="trial")
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(reference_app, name="reference")


def run() -> None:
    """Entry point: turns every error of ours into one sentence for the person who must act."""
    try:
        app()
    except BifloraError as problem:
        terminal.complain(problem)
        sys.exit(problem.exit_status)
    except BrokenPipeError:  # `biflora ... | head`
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


def _print_version(wanted: bool) -> None:
    if wanted:
        from biflora.knowledge.rows import release

        typer.echo(f"biflora {__version__} (knowledge {release()})")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that stand before any command."""


@app.command(epilog="Example: biflora plan --skin skin.biom --gut gut.txt --patient patient.toml --out plan/")
def plan(
    patient: Annotated[Path, typer.Option(help="The patient, as TOML or JSON (docs/reference/patient.md).")],
    skin: Annotated[Path | None, typer.Option(help="Skin microbiome file, in any format biflora reads.")] = None,
    gut: Annotated[Path | None, typer.Option(help="Gut microbiome file.")] = None,
    skin_sample: Annotated[
        str | None, typer.Option(help="Sample's name in the skin file, if it holds many.")
    ] = None,
    gut_sample: Annotated[
        str | None, typer.Option(help="Sample's name in the gut file, if it holds many.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for plan.json, report.html and report.pdf.")] = Path(
        "biflora-plan"
    ),
    products: Annotated[
        Path | None, typer.Option(help="Oral products by label facts, TOML or JSON (docs/explanation/plan.md).")
    ] = None,
    seed: Seed = 2026,
    json: Json = False,
) -> None:
    """Two laboratory files and a score: a dual plan to discuss, and a formula that a pharmacist could make."""
    from biflora.cli import show
    from biflora.cli.files import check_folder, write_plan
    from biflora.clinic.consult import consult
    from biflora.clinic.reading import check_apart
    from biflora.plan.products import Shelf, matches, read_products
    from biflora.profile.intake import read_patient

    check_folder(out)
    person = read_patient(patient)
    on_the_shelf = () if products is None else read_products(products)
    with terminal.working("Reading the files") as say:
        for path in filter(None, (skin, gut)):
            check_apart(path)
        result = consult(
            person, skin=skin, gut=gut, skin_sample=skin_sample, gut_sample=gut_sample, seed=seed, on_step=say
        )
        say("Writing the report")
        written = write_plan(result, out, None if products is None else Shelf(products=on_the_shelf))
    if json:
        terminal.print_json(written.plan_json.read_text(encoding="utf-8"))
    else:
        show.consultation(result, written)
        if products is not None:
            show.products(matches(on_the_shelf, result.plan.strains, person))
    if result.stops_you:
        raise typer.Exit(1)


app.command(
    "profile", epilog="Example: biflora profile table.biom --site skin --sample S12 --body-site cheek --json"
)(profile_commands.profile)
app.command(
    "cohort",
    epilog="Example: biflora cohort run.biom people.tsv --site skin --formula 'arm * C(visit)' --subject person",
)(cohort.cohort)
app.command("controls", epilog="Example: biflora controls run.biom samples.tsv --column kind --value blank")(
    quality.controls
)
app.command(
    "change", epilog="Example: biflora change before.txt after.txt --site gut --on 2026-01-10 --on 2026-03-07"
)(quality.change)


@trial_app.command("replicate", epilog="Example: biflora trial replicate isaev-2025 --seed 7 --json")
def trial_replicate(
    trial: Annotated[str, typer.Argument(help="The published trial's key, e.g. isaev-2025.")],
    seed: Seed = 2026,
    repeats: Annotated[int, typer.Option(min=20, max=20_000, help="How many virtual trials.")] = 400,
    json: Json = False,
) -> None:
    """What the literature-based population predicts for a published trial, beside what was published."""
    from biflora.cli import show
    from biflora.trial.replicate import replicate

    with terminal.working("Running virtual trials"):
        result = replicate(trial, seed=seed, repeats=repeats)
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show.evidence(result)


@app.command(epilog="Example: biflora serve --port 8000")
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default keeps it on this machine.")
    ] = "127.0.0.1",
    data: Annotated[Path, typer.Option(envvar="BIFLORA_DATA", help="Folder of the database and files.")] = Path(
        "biflora-data"
    ),
) -> None:
    """The clinic's pages, on SQLite unless BIFLORA_DATABASE names another database."""
    terminal.serve(data, host=host, port=port)


@app.command(epilog="Example: biflora demo --serve")
def demo(
    serve: Annotated[
        bool, typer.Option("--serve", help="Open the demo clinic afterwards, until stopped.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8000,
    data: Annotated[Path, typer.Option(envvar="BIFLORA_DATA", help="Folder of the database and files.")] = Path(
        "biflora-data"
    ),
) -> None:
    """A synthetic cohort goes the whole way, from laboratory file to follow-up; then the demo clinic opens."""
    from biflora.cli import show
    from biflora.clinic.demo import open_demo

    with terminal.working("Preparing the demo clinic") as say:
        cohort = open_demo(data, on_step=say)
    show.demo(cohort)
    if serve:
        terminal.serve(data, host="127.0.0.1", port=port)


@app.command("warm-up", hidden=True)
def warm_up() -> None:
    """Compile the engine and build the bank of virtual patients once, at set-up."""
    from biflora.twin.bank import warm_up as build

    with terminal.working("Compiling the twin's engine and building its bank of virtual patients (once)"):
        build()
