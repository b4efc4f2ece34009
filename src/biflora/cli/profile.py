"""One laboratory file at the terminal: what it says, how sure, and what it could not see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from biflora.cli import terminal
from biflora.cli.options import Json

if TYPE_CHECKING:
    from biflora.profile.run.controls import Controls


def profile(
    file: Annotated[Path, typer.Argument(help="A microbiome file: BIOM, qza, MetaPhlAn, Kraken2, Bracken, ...")],
    site: Annotated[Literal["skin", "gut"], typer.Option(help="Where the sample was taken.")],
    sample: Annotated[str | None, typer.Option(help="Sample's name, if the file holds more than one.")] = None,
    body_site: Annotated[
        str | None, typer.Option(help="The place, e.g. antecubital_fossa; without it nothing is compared.")
    ] = None,
    lesional: Annotated[
        bool | None, typer.Option("--lesional/--not-lesional", help="Whether the skin there was inflamed.")
    ] = None,
    age: Annotated[float | None, typer.Option(min=0, max=120, help="Age in years.")] = None,
    assay: Annotated[
        str | None, typer.Option(help="`16S V4`, `shotgun`, ... where the file does not tell.")
    ] = None,
    profiler: Annotated[
        str | None, typer.Option(help="Program and database, where the file does not tell.")
    ] = None,
    descriptions: Annotated[
        Path | None, typer.Option(help="CSV or TSV that describes the samples; needed to name the blanks.")
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE", help="Samples of that value are blanks or controls; may repeat."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for profile.json, profile.html and profile.pdf.")
    ] = None,
    json: Json = False,
) -> None:
    """What one laboratory file says, how sure it is, and what it cannot say."""
    from biflora.cli import show
    from biflora.cli.files import check_folder, write_profile
    from biflora.clinic.reading import check_apart
    from biflora.profile.laboratory_file import read_laboratory_file
    from biflora.profile.patient import Sampling
    from biflora.profile.reference.library import open_library
    from biflora.profile.sample import profile_sample
    from biflora.values import parse

    if out is not None:
        check_folder(out, ("profile.json", "profile.html", "profile.pdf"))
    told = {"body_site": body_site, "lesional": lesional, "assay": assay, "profiler": profiler}
    with terminal.working("Reading the file"):
        check_apart(file)
        read = read_laboratory_file(file)
        result = profile_sample(
            read,
            site,
            sample=sample,
            age_years=age,
            sampling=parse(Sampling, told, where="the options"),
            controls=_controls(read.table.samples, descriptions, control or []),
            library=open_library(),
        )
    written = None if out is None else write_profile(result, out)
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show.site_profile(result)
        for path in written or ():
            show.console.print(f"Written: {path}")


def _controls(samples: tuple[str, ...], descriptions: Path | None, given: list[str]) -> Controls | None:
    from biflora.errors import NameAnother
    from biflora.profile.metadata import read_metadata
    from biflora.profile.run.controls import name_controls

    if not given:
        return None
    if descriptions is None:
        raise NameAnother("--control needs --descriptions, the table in which that column stands; name it too.")
    columns = {text.partition("=")[0] for text in given}
    if len(columns) != 1 or any("=" not in text for text in given):
        raise NameAnother("--control is written COLUMN=VALUE, with one column throughout; mend it.")
    rows = read_metadata(descriptions, wanted=samples)
    values = [text.partition("=")[2] for text in given]
    return name_controls(samples, rows, column=columns.pop(), values=values)
