"""`biflora twin`: forecast, calibrate, validate and question the gut–skin twin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biflora.cli import terminal
from biflora.cli.options import Json, Seed
from biflora.twin.forecast import Arm

twin_app = typer.Typer(no_args_is_help=True, help="The gut–skin twin: forecast, calibrate, validate, question.")


@twin_app.command("forecast", epilog="Example: biflora twin forecast patient.json --skin skin.biom --json")
def twin_forecast(
    patient: Annotated[Path, typer.Argument(help="The patient, as TOML or JSON (docs/reference/patient.md).")],
    skin: Annotated[Path | None, typer.Option(help="Skin microbiome file, in any format biflora reads.")] = None,
    gut: Annotated[Path | None, typer.Option(help="Gut microbiome file.")] = None,
    observations: Annotated[
        Path | None, typer.Option(help="Later measurements, as JSON (docs/how-to/read-a-forecast.md).")
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="How many weeks to look ahead.")] = 12,
    seed: Seed = 2026,
    json: Json = False,
) -> None:
    """The course under each arm, week by week, with intervals, differences, and what could not be informed."""
    from biflora.cli import show
    from biflora.clinic.reading import check_apart
    from biflora.profile.intake import read_patient
    from biflora.profile.read import read_profile
    from biflora.twin.evidence import read_observations
    from biflora.twin.run import forecast

    person = read_patient(patient)
    seen = () if observations is None else read_observations(observations)
    with terminal.working("Simulating"):
        for path in filter(None, (skin, gut)):
            check_apart(path)
        result = forecast(read_profile(person, skin=skin, gut=gut), weeks=weeks, seed=seed, observations=seen)
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show.forecast(result)


@twin_app.command("optimise", epilog="Example: biflora twin optimise patient.json --horizon 52")
def twin_optimise(
    patient: Annotated[Path, typer.Argument(help="The patient, as TOML or JSON.")],
    horizon: Annotated[int, typer.Option(help="Weeks over which benefit, burden and cost count, 4 to 52.")] = 52,
    research: Annotated[
        bool,
        typer.Option("--research", help="A living topical strain, as under a recorded research authorisation."),
    ] = False,
    seed: Seed = 2026,
    json: Json = False,
) -> None:
    """Protocols that none of those tried beats: dose, pattern, duration, order, steroid rule and maintenance."""
    from biflora.cli import show_twin
    from biflora.profile.intake import read_patient
    from biflora.profile.read import read_profile
    from biflora.twin.optimise import optimise

    profile = read_profile(read_patient(patient))
    with terminal.working("Trying protocols"):
        result = optimise(profile, horizon=horizon, seed=seed, research=research)
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show_twin.protocols(result)


@twin_app.command(
    "identify", epilog="Example: biflora twin identify --weeks 0,4,8,12 --measure scorad,tewl --n 60"
)
def twin_identify(
    weeks: Annotated[str, typer.Option(help="Visits, as weeks separated by commas.")] = "0,4,8,12",
    measure: Annotated[
        str, typer.Option(help="What every visit measures: observables separated by commas.")
    ] = "scorad,s_aureus_log10",
    arms: Annotated[
        str, typer.Option(help="Arms of the trial, separated by commas.")
    ] = "standard_care,oral,topical,combination",
    n: Annotated[int, typer.Option(help="Patients per arm of the trial.")] = 60,
    patients: Annotated[int, typer.Option(help="Virtual patients around whom sensitivities are taken.")] = 24,
    like: Annotated[
        Path | None, typer.Option(help="A patient, as TOML or JSON, whose next measurement is asked for.")
    ] = None,
    seed: Seed = 2026,
    json: Json = False,
) -> None:
    """Which questions a visit schedule and a set of measurements can answer, and what to measure next."""
    from biflora.cli import show_twin
    from biflora.profile.intake import read_patient
    from biflora.profile.read import read_profile
    from biflora.twin.identify import identify, words_of

    person = None if like is None else read_profile(read_patient(like))
    with terminal.working("Taking sensitivities"):
        result = identify(
            **words_of(weeks=weeks, measures=measure, arms=arms), n=n, patients=patients, seed=seed, like=person
        )
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show_twin.identified(result)


@twin_app.command("export", epilog="Example: biflora twin export --sbml twin.xml --arm combination")
def twin_export(
    sbml: Annotated[Path, typer.Option(help="File to write, as SBML Level 3 Version 2.")],
    arm: Annotated[Arm, typer.Option(help="The arm whose plan the patient is under.")] = "combination",
    patient: Annotated[
        int | None, typer.Option(min=1, help="Which of the patients that the seed draws; absent: the median one.")
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="How long the file says it is meant for.")] = 12,
    seed: Seed = 2026,
) -> None:
    """One virtual patient's model for other simulators: no missed doses, no flares, the steroid every day."""
    from biflora.cli.files import check_file, write_file
    from biflora.twin.sbml import document, drawn_patient, median_patient

    check_file(sbml, option="--sbml")
    with terminal.working("Bringing the patient to her first visit"):
        written = median_patient(arm, weeks) if patient is None else drawn_patient(patient, seed, arm, weeks)
    write_file(sbml, document(written), option="--sbml")
    typer.echo(f"Wrote {sbml.name}: {written.name}, time in days, {7 * weeks} days.")
