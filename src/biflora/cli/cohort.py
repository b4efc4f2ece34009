"""`biflora cohort`: a whole table of samples, their descriptions, and a formula."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from biflora.cli import terminal
from biflora.cli.options import Json, Seed
from biflora.errors import NameAnother

NAMES = (
    "cohort.json", "report.html", "report.pdf", "permanova.csv", "samples.csv", "models.csv", "taxa.csv",
)  # fmt: skip


def cohort(
    table: Annotated[Path, typer.Argument(help="The table, in any format biflora reads.")],
    metadata: Annotated[Path, typer.Argument(help="CSV or TSV with one row for each sample.")],
    formula: Annotated[str, typer.Option(help="Columns joined by + * :, e.g. `arm * C(visit)`.")],
    site: Annotated[Literal["skin", "gut"], typer.Option(help="Where the samples were taken.")],
    subject: Annotated[str | None, typer.Option(help="Column of the person.")] = None,
    independent: Annotated[bool, typer.Option("--independent", help="Every sample is another person's.")] = False,
    time: Annotated[str | None, typer.Option(help="Column of the visit or date.")] = None,
    blocks: Annotated[str | None, typer.Option(help="Column of site, batch or stratum.")] = None,
    body_site: Annotated[
        str | None, typer.Option(help="Column of the place, where a person has several at one time.")
    ] = None,
    within: Annotated[
        list[str] | None, typer.Option(help="A column that does change within persons; may repeat.")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=VALUE,VALUE", help="Only these samples; may repeat.")
    ] = None,
    reference: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=LEVEL", help="Level to compare with; may repeat.")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="A column of scores to hold the guilds against; may repeat.")
    ] = None,
    load: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=LIMIT", help="log10 loads with the limit of detection or its column."),
    ] = None,
    distance: Annotated[
        Literal[
            "bray_curtis", "jaccard", "aitchison", "robust_aitchison", "unweighted_unifrac", "weighted_unifrac"
        ],
        typer.Option(help="Between samples; UniFrac needs --tree."),
    ] = "bray_curtis",
    tree: Annotated[
        Path | None, typer.Option(help="Rooted tree in Newick with the table's features at its tips.")
    ] = None,
    rank: Annotated[
        Literal["feature", "species", "genus"], typer.Option(help="What counts as one taxon.")
    ] = "species",
    also_at: Annotated[
        list[str] | None, typer.Option(metavar="RANK", help="Test taxa at this rank too; may repeat.")
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(min=0, max=1, help="Test taxa seen in this share of samples or more.")
    ] = None,
    least_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="Test taxa with this mean share of reads or more.")
    ] = None,
    contrasts: Annotated[
        Literal["arms", "terms"],
        typer.Option(
            help="Groups against their control (over time where they may differ), or the formula's terms."
        ),
    ] = "arms",
    arm: Annotated[
        str | None, typer.Option(help="Column of the groups to compare, where the formula holds several.")
    ] = None,
    change_from: Annotated[
        str | None, typer.Option(metavar="VISIT", help="Count changes from it; also how far each person moved.")
    ] = None,
    by: Annotated[
        Literal["terms", "margin"], typer.Option(help="Terms in turn, or each after all others.")
    ] = "terms",
    depth: Annotated[int | None, typer.Option(min=1, help="Reads at which diversity is compared.")] = None,
    permutations: Annotated[int, typer.Option(min=19, max=99_999, help="How many.")] = 999,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report (HTML, PDF), figures and tables.")
    ] = None,
    seed: Seed = 2026,
    json: Json = False,
) -> None:
    """Diversity, distances with permutations that the design allows, taxa, loads and scores of a cohort."""
    from biflora.cli.files import check_folder, write_cohort
    from biflora.cli.show_cohort import show_cohort
    from biflora.clinic.reading import check_apart
    from biflora.profile.cohort.analyse import analyse_cohort
    from biflora.profile.cohort.cohort import Question
    from biflora.values import parse

    if out is not None:
        check_folder(out, NAMES)
    asked = {
        "formula": formula, "site": site, "subject": subject, "independent_samples": independent, "time": time,
        "blocks": blocks, "body_site": body_site, "within": tuple(within or ()), "against": tuple(against or ()),
        "distance": distance, "tree": None if tree is None else str(tree),
        "rank": rank, "by": by, "depth": depth, "permutations": permutations, "seed": seed,
        "contrasts": contrasts, "arm": arm, "change_from": change_from, "also_at": tuple(also_at or ()),
        "prevalence": prevalence, "least_share": least_share,
        "where": {column: tuple(values.split(",")) for column, values in _pairs(where, "--where").items()},
        "reference": _pairs(reference, "--reference"), "loads": _pairs(load, "--load"),
    }  # fmt: skip
    with terminal.working("Reading the table") as say:
        check_apart(table)
        result = analyse_cohort(table, metadata, parse(Question, asked, where="the options"), on_step=say)
        say("Writing the report")
        written = () if out is None else write_cohort(result, out)
    if json:
        terminal.print_json(result.model_dump_json(indent=2))
    else:
        show_cohort(result, written)


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    found = {}
    for text in given or []:
        column, mark, value = text.partition("=")
        if not mark or not column or not value:
            raise NameAnother(f"{option} is written COLUMN=VALUE; mend it.")
        found[column] = value
    return found
