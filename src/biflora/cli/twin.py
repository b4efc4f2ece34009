"""`biflora twin`: forecast, calibrate, validate and question the gut–skin twin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biflora.cli import terminal
from biflora.cli.options import Json, Seed

twin_app = typer.Typer(no_args_is_help=True, help="The gut–skin twin: forecast, calibrate, validate, question.")


@twin_app.command("simulate", epilog="Example: biflora twin simulate patient.json --weeks 12 --json")
def twin_simulate(
    patient: Annotated[Path, typer.Argument(help="The patient, as TOML or JSON.")],
    weeks: Annotated[int, typer.Option(min=1, max=52, help="How many weeks to look ahead.")] = 12,
    seed: Seed = 2026,
    json: Json = False,
) -> None:
    """The course under each arm, week by week, from intake and scores alone."""
    from biflora.cli import show
    from biflora.profile.intake import read_patient
    from biflora.twin.run import simulate

    person = read_patient(patient)
    with terminal.working("Simulating"):
        result = simulate(person, weeks=weeks, seed=seed)
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show.forecast(result)
