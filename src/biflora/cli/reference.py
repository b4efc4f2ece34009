"""`biflora reference`: whole tables of other persons, among whom one sample can be placed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from biflora.cli import terminal
from biflora.cli.options import Json
from biflora.errors import BifloraError, OperatorMust

if TYPE_CHECKING:
    from biflora.profile.reference.library import ReferenceCard

reference_app = typer.Typer(
    no_args_is_help=True,
    help="Whole tables of other persons, kept in your own folder, among whom one sample can be placed.",
)
BAND = re.compile(r"\s*(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)\s*")


@reference_app.command(
    "add",
    epilog="Example: biflora reference add table.biom samples.tsv --name clinic-stool --site gut --assay shotgun "
    "--profiler 'MetaPhlAn 4, mpa_vOct22' --person-column subject --age-column age --age-unit years "
    "--group-column diagnosis --healthy healthy --licence own --source 'our clinic, 2026'",
)
def reference_add(
    table: Annotated[Path, typer.Argument(help="A table of many samples, in any format biflora reads.")],
    metadata: Annotated[Path, typer.Argument(help="CSV or TSV with one row for each sample.")],
    name: Annotated[str, typer.Option(help="Short name in small letters, digits and hyphens.")],
    site: Annotated[Literal["skin", "gut"], typer.Option(help="Where the samples were taken.")],
    assay: Annotated[str, typer.Option(help="16S V4, 16S V1-V3, 16S V3-V4, 16S, shotgun, array or ITS.")],
    profiler: Annotated[str, typer.Option(help="Program with version, database with version.")],
    licence: Annotated[str, typer.Option(help="Under which licence or agreement you hold the table.")],
    source: Annotated[str, typer.Option(help="Who measured it: citation, or study and year.")],
    label: Annotated[str, typer.Option(help="Name for people; absent: the short name.")] = "",
    body_site: Annotated[str, typer.Option(help="Place of the body of all samples, e.g. volar_forearm.")] = "",
    body_site_column: Annotated[str, typer.Option(help="Column that tells the place of the body.")] = "",
    age_column: Annotated[str, typer.Option(help="Column of ages.")] = "",
    age_unit: Annotated[
        Literal["years", "months"] | None, typer.Option(help="Unit of the ages; must be said.")
    ] = None,
    age_band: Annotated[
        str, typer.Option(help="Lowest and highest age in years, e.g. 18-77, where single ages are not known.")
    ] = "",
    person_column: Annotated[str, typer.Option(help="Column that tells persons apart.")] = "",
    each_sample_a_person: Annotated[
        bool, typer.Option("--each-sample-a-person", help="No person has two samples.")
    ] = False,
    order_column: Annotated[
        str, typer.Option(help="Column of numbers (visit, week): the smallest is a person's first sample.")
    ] = "",
    sample_column: Annotated[
        str, typer.Option(help="Column of the samples' names, if it is not found by itself.")
    ] = "",
    persons: Annotated[
        Path | None, typer.Option(help="A second CSV or TSV with one row for each person (ages, diagnosis).")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="COLUMN=VALUE to keep; may be given several times.")
    ] = None,
    group_column: Annotated[str, typer.Option(help="Column that tells who is healthy.")] = "",
    healthy: Annotated[
        list[str] | None, typer.Option(help="Value of that column that means healthy; only those are kept.")
    ] = None,
    all_healthy: Annotated[bool, typer.Option("--all-healthy", help="Everybody kept is healthy.")] = False,
    group: Annotated[str, typer.Option(help="Who these persons are, in a few words.")] = "",
    lesional: Annotated[
        bool | None, typer.Option("--lesional/--not-lesional", help="Patients' samples from inflamed skin or not.")
    ] = None,
    laboratory: Annotated[str, typer.Option(help="Laboratory or city that took and sequenced them.")] = "",
    extraction: Annotated[str, typer.Option(help="DNA extraction kit.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of one of that name.")] = False,
    json: Json = False,
) -> None:
    """Keep a whole table as a reference. Names of samples and persons are not kept, only a number per person."""
    from biflora.clinic.reading import check_apart
    from biflora.profile.reference.add import NewReference, add_reference
    from biflora.profile.reference.library import open_library

    library = open_library()
    library.check_name(name)
    new = NewReference(
        name=name, label=label, site=site, assay=assay, profiler=profiler, body_site=body_site,
        body_site_column=body_site_column, age_column=age_column, age_unit=age_unit or "",
        age_band=_band(age_band), person_column=person_column, each_sample_a_person=each_sample_a_person,
        order_column=order_column, sample_column=sample_column, where=tuple(where or ()),
        group_column=group_column, healthy=tuple(healthy or ()), all_healthy=all_healthy, group=group,
        lesional=lesional, laboratory=laboratory, extraction=extraction, licence=licence, source=source,
    )  # fmt: skip
    with terminal.working("Reading the table"):
        check_apart(table)
        card = add_reference(table, metadata, new, library, persons=persons, replace=replace)
    _print(card, as_json=json)


@reference_app.command("list", epilog="Example: biflora reference list")
def reference_list(json: Json = False) -> None:
    """All references kept, and the ready-made ones that could be built."""
    from biflora.knowledge.references import reference_recipes
    from biflora.profile.reference.library import ReferenceCard, open_library

    library = open_library()
    cards = list(library.each())
    if json:
        from json import dumps

        kept = [
            card.model_dump(mode="json") if isinstance(card, ReferenceCard) else {"name": name, "error": str(card)}
            for name, card in cards
        ]
        terminal.print_json(dumps(kept, indent=2))
        return
    for name, card in cards:
        if isinstance(card, BifloraError):
            typer.echo(f"{name}: {card}")
        else:
            typer.echo(f"{name}: {card.persons} persons, {card.site}, {card.assay}, {card.profiler}; {card.group}")
    if not cards:
        typer.echo("No reference is kept yet; samples get no percentile.")
    ready = [row for key, row in reference_recipes().items() if key not in library.names()]
    if ready:
        typer.echo("Ready to be built from files that you have (biflora reference build NAME --from FOLDER):")
        for row in ready:
            typer.echo(f"  {row.key}: {row.label}. {row.note} {row.get_it}")


@reference_app.command("show", epilog="Example: biflora reference show atlas1006-gut")
def reference_show(
    name: Annotated[str, typer.Argument(help="Name of a kept reference.")], json: Json = False
) -> None:
    """Who is in a reference, how it was measured, under which licence, and what was left out."""
    from biflora.profile.reference.library import open_library

    library = open_library()
    card = library.card(name)
    library.read(name)  # a damaged table is told now, not when a patient's sample is placed
    _print(card, as_json=json)


@reference_app.command("remove", epilog="Example: biflora reference remove clinic-stool")
def reference_remove(name: Annotated[str, typer.Argument(help="Name of a kept reference.")]) -> None:
    """Forget a reference; the files it was made from stay where they are."""
    from biflora.profile.reference.library import open_library

    open_library().remove(name)
    typer.echo(f"The reference '{name}' is removed.")


@reference_app.command("build", epilog="Example: biflora reference build hmp2-nonibd-gut --from extdata/")
def reference_build(
    recipe: Annotated[str, typer.Argument(help="A ready-made reference's name (biflora reference list).")],
    folder: Annotated[Path, typer.Option("--from", help="Folder that holds its files.")],
    replace: Annotated[bool, typer.Option("--replace", help="Build it anew.")] = False,
    json: Json = False,
) -> None:
    """A ready-made reference from files that a package or you provide; biflora ships none of them."""
    from biflora.profile.reference.library import open_library
    from biflora.profile.reference.recipes import build_reference

    with terminal.working("Reading the table"):
        card = build_reference(recipe, folder, open_library(), replace=replace)
    _print(card, as_json=json)


def _band(text: str) -> tuple[float, float] | None:
    if not text:
        return None
    ages = BAND.fullmatch(text)
    if ages is None or float(ages[1]) > float(ages[2]):
        raise OperatorMust("--age-band is written LOWEST-HIGHEST in years, e.g. 18-77.")
    return float(ages[1]), float(ages[2])


def _print(card: ReferenceCard, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(card.model_dump_json(indent=2))
        return
    from biflora.knowledge.body_sites import body_sites
    from biflora.knowledge.taxa import limit

    places = ", ".join(f"{body_sites()[key].label} {n}" for key, n in card.body_sites.items())
    ages = "ages not known" if card.age_min is None else f"{card.age_min:g}-{card.age_max:g} years"
    single = "each person's age known" if card.ages_known else "ages known as a band only"
    lines = [
        f"{card.name}: {card.label}",
        f"  who          {card.persons} persons ({card.group}), {card.samples} samples, {ages}, {single}",
        f"  where        {card.site}: {places}",
        f"  how          {card.assay}, {card.profiler}; {card.taxa} taxa, "
        f"{'reads' if card.has_reads else 'shares or signals, no reads'}",
        f"  kept         {'; '.join(card.filters) or 'all samples'}",
        f"  from         {card.table_file} (SHA-256 {card.table_sha256[:12]}), added {card.added_on}",
        f"  source       {card.source}; licence: {card.licence}",
        *(f"  note         {remark}" for remark in card.remarks),
    ]
    if max(card.body_sites.values()) < limit("reference_min_n"):
        lines.append(
            f"  note         Fewer than {limit('reference_min_n'):.0f} persons at every place: no sample gets a "
            "percentile from it."
        )
    typer.echo("\n".join(lines))
