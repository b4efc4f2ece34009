"""`biflora controls` and `biflora change`: what a run's controls say, and what changed between two samples."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import typer

from biflora.cli import terminal
from biflora.cli.options import Json
from biflora.errors import NameAnother
from biflora.profile.profile import SiteName


def controls(
    table: Annotated[Path, typer.Argument(help="The run's table, patients and controls together.")],
    metadata: Annotated[
        Path | None, typer.Argument(help="Sample descriptions, CSV or TSV with one row for each sample.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column that tells the negative controls.")] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(help="What that column says of a negative control; may stand several times."),
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Regular expression of the controls' names, instead of a column.")
    ] = None,
    batch: Annotated[str | None, typer.Option(help="Column of the batch (extraction, plate, run).")] = None,
    concentration: Annotated[
        str | None, typer.Option(help="Column of the DNA concentration, or of total 16S, above zero.")
    ] = None,
    plate: Annotated[str | None, typer.Option(help="Column of the plate.")] = None,
    well: Annotated[str | None, typer.Option(help="Column of the well, e.g. A1.")] = None,
    mock: Annotated[
        list[str] | None, typer.Option(help="A mock community's sample, or SAMPLE=D6300; may stand several times.")
    ] = None,
    sample: Annotated[str | None, typer.Option(help="A patient's sample: what it holds of the suspects.")] = None,
    remove: Annotated[
        Literal["suspects"] | None, typer.Option(help="Write a table without them (with --out).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the table without suspects, as TSV.")] = None,
    json: Json = False,
) -> None:
    """Which taxa the blanks of a run point to as contamination; nothing is taken out unless asked for."""
    from biflora.cli import show_quality
    from biflora.cli.files import check_file, write_file
    from biflora.clinic.reading import check_apart
    from biflora.profile.run.run_quality import otu_text, read_run

    if (remove is None) != (out is None):
        raise NameAnother(
            "A table without suspects needs both --remove suspects and --out FILE; give both or none."
        )
    if out is not None:
        check_file(out, option="--out")
    with terminal.working("Reading the run"):
        check_apart(table)
        result, cleaned = read_run(
            table, metadata, column=column, values=value or (), pattern=pattern, batch=batch,
            concentration=concentration, plate=plate, well=well, mocks=mock or (), sample=sample,
            remove=remove is not None,
        )  # fmt: skip
        if out is not None:
            write_file(out, otu_text(cleaned), option="--out")
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show_quality.run(result, out)


def change(
    files: Annotated[list[Path], typer.Argument(help="Two or more microbiome files, earliest first.")],
    site: Annotated[SiteName, typer.Option(help="Where the samples were taken.")],
    sample: Annotated[
        list[str] | None,
        typer.Option(help="Sample's name for each file, in the same order; `-` where the file holds one only."),
    ] = None,
    on: Annotated[
        list[str] | None, typer.Option(help="Day of sampling for each file, as 2026-11-26, in the same order.")
    ] = None,
    strain: Annotated[
        str | None, typer.Option(help="A strain given after the first sample (key of oral_strains, or a species).")
    ] = None,
    json: Json = False,
) -> None:
    """What changed beyond counting noise and beyond what one untreated person varies anyway."""
    from biflora.cli import show_quality
    from biflora.clinic.reading import check_apart
    from biflora.profile.over_time.change import compare_samples, course_of
    from biflora.profile.over_time.engraftment import GivenSample, SamplesOverTime, engraftment
    from biflora.profile.sample import profile_site

    if len(files) < 2:
        raise NameAnother("Two samples are needed; name two files, or one file twice with two --sample.")
    names = _aligned(sample, len(files), "--sample")
    days = [_day(text) for text in _aligned(on, len(files), "--on")]
    with terminal.working("Reading the files"):
        for path in dict.fromkeys(files):
            check_apart(path)
        profiles = [
            profile_site(path, site, sample=None if name in (None, "-") else name)
            for path, name in zip(files, names, strict=True)
        ]
    given = None
    if strain is not None:
        given = engraftment(
            strain,
            [
                GivenSample(phase="during" if place else "before", profile=profile, taken_on=day)
                for place, (profile, day) in enumerate(zip(profiles, days, strict=True))
            ],
        )
    dated = [(day, profile) for day, profile in zip(days, profiles, strict=True) if day is not None]
    course = course_of(dated) if len(dated) == len(profiles) else None
    steps = (
        course.steps
        if course is not None
        else tuple(compare_samples(first, second) for first, second in pairwise(profiles))
    )
    if json:
        told = SamplesOverTime(steps=steps, course=course, engraftment=given)
        terminal.print_json(told.model_dump_json(indent=2))
        return
    for step in steps:
        show_quality.change(step)
    if course is not None and len(steps) > 1:
        show_quality.change(course.overall, heading="The last sample against the first")
    if given is not None:
        show_quality.engrafted(given)


def _aligned(given: list[str] | None, number: int, option: str) -> list[str | None]:
    if not given:
        return [None] * number
    if len(given) != number:
        raise NameAnother(f"{option} must stand once for each file, or not at all; there are {number} files.")
    return list(given)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NameAnother("--on takes a day such as 2026-11-26; mend it.") from None
