"""`biflora twin`: what has to do with trials: predict one, calibrate to the published ones, validate."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from biflora.cli import terminal
from biflora.cli.options import Json, Seed
from biflora.cli.twin import twin_app

__all__ = ["twin_app"]
POPULATIONS = 1000
Populations = Annotated[
    int, typer.Option(min=40, max=20_000, help="Possible populations in which every trial is simulated.")
]


@twin_app.command("predict-trial", epilog="Example: biflora twin predict-trial trial.json --json")
def predict_trial(
    trial: Annotated[Path, typer.Argument(help="The trial, as JSON (docs/how-to/predict-a-trial.md).")],
    seed: Seed = 2026,
    json: Json = False,
) -> None:
    """What a trial of this size would find: arm means, responders, differences, with predictive intervals."""
    from biflora.cli import show_trials
    from biflora.twin.predict import predict_trial as predict
    from biflora.twin.trial_spec import read_trial

    spec = read_trial(trial)
    with terminal.working("Simulating the trial in many possible populations"):
        result = predict(spec, seed=seed)
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show_trials.prediction(result)


@twin_app.command("calibrate", epilog="Example: biflora twin calibrate --seed 2026 --out atopic_dermatitis.json")
def calibrate(
    out: Annotated[Path, typer.Option(help="File for the calibrated population.")] = Path(
        "atopic_dermatitis.json"
    ),
    report: Annotated[Path | None, typer.Option(help="File for the fit of every trial arm, as Markdown.")] = None,
    populations: Populations = POPULATIONS,
    seed: Seed = 2026,
) -> None:
    """Draw the populations that the published trials allow, and write them with their fit."""
    from biflora.cli.files import check_file, write_file

    check_file(out, option="--out")
    if report is not None:
        check_file(report, option="--report")
    from biflora.cli import show_trials
    from biflora.twin.calibrate import calibrate as fit
    from biflora.twin.report import fit_markdown
    from biflora.twin.ship import artefact_of, artefact_text, kept_campaign

    with terminal.working("Simulating every trial in many populations") as say:
        campaign = kept_campaign(populations, seed, lambda part: say(f"Simulating every trial: {part:.0%}"))
        emulator, figures, posterior = fit(
            campaign, seed, on_progress=lambda part: say(f"Drawing the populations that they allow: {part:.0%}")
        )
    command = f"biflora twin calibrate --seed {seed} --populations {populations}"
    made = artefact_of(
        emulator, figures, posterior, campaign, seed=seed, command=command, made_on=date.today().isoformat()
    )
    write_file(out, artefact_text(made), option="--out")
    if report is not None:
        write_file(report, fit_markdown(made), option="--report")
    show_trials.calibration(made, out)


@twin_app.command("validate", epilog="Example: biflora twin validate --report validation.md")
def validate(
    report: Annotated[Path, typer.Option(help="File for the page, as Markdown.")] = Path("twin-validation.md"),
    shared: Annotated[
        Path | None,
        typer.Option(envvar="BIFLORA_SHARED", help="Folder whose data/ holds the real longitudinal scores."),
    ] = None,
    populations: Populations = POPULATIONS,
    seed: Seed = 2026,
) -> None:
    """Leave every trial out once, rank the truth among forecasts, forecast real persons; write what came out."""
    from biflora.cli.files import check_file, write_file

    check_file(report, option="--report")
    from biflora.cli import show_trials
    from biflora.twin.report import validation_markdown
    from biflora.twin.validation import validate as run

    command = f"biflora twin validate --seed {seed} --populations {populations}"
    with terminal.working("Simulating every trial in many populations") as say:
        found = run(
            populations, seed, shared, command=command, made_on=date.today().isoformat(), on_step=say
        )  # fmt: skip
    write_file(report, validation_markdown(found), option="--report")
    show_trials.validation(found, report)
