"""Writing files: a plan's three or none, one other whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from biflora.clinic.consult import Consultation
from biflora.errors import OperatorMust
from biflora.plan.products import Shelf
from biflora.profile.profile import SiteProfile

if TYPE_CHECKING:
    from biflora.profile.cohort.cohort import Cohort


@dataclass(frozen=True)
class WrittenPlan:
    plan_json: Path
    report_html: Path
    report_pdf: Path


NAMES = ("plan.json", "report.html", "report.pdf")


def check_folder(folder: Path, names: Sequence[str] = NAMES) -> None:
    """Raise OperatorMust at once, before any work, when files of these names could not be written there."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    taken = next((name for name in names if os.path.isdir(folder / name)), None)
    if not os.path.isdir(nearest):
        why = f"'{nearest.name}' is no folder"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        why = "it may not be written"
    elif taken is not None:
        why = f"a folder stands where {taken} belongs"
    else:
        return
    raise OperatorMust(f"The folder '{folder}' cannot be used ({why}); name another one with --out.")


def write_plan(result: Consultation, folder: Path, shelf: Shelf | None = None) -> WrittenPlan:
    """Write plan.json, report.html and report.pdf into `folder`, made if absent; `shelf`: the operator's products.

    They are made aside first and moved in last, so that a failure leaves the folder as it was.
    Raises OperatorMust when the folder cannot be written.
    """
    from biflora.papers.report import report_html, report_pdf

    made_at = datetime.now(UTC)
    parts = (result.profile, result.forecast, result.plan, result.formula)
    contents = {
        "plan.json": (result.model_dump_json(indent=2) + "\n").encode(),
        "report.html": report_html(*parts, made_at=made_at, shelf=shelf).encode(),
        "report.pdf": report_pdf(*parts, made_at=made_at, shelf=shelf),
    }
    write_together(contents, folder)
    return WrittenPlan(folder / "plan.json", folder / "report.html", folder / "report.pdf")


def write_profile(site: SiteProfile, folder: Path) -> tuple[Path, ...]:
    """Write profile.json, profile.html and profile.pdf of one sample into `folder`, all or none."""
    from biflora.papers.microbiome import microbiome_html, microbiome_pdf
    from biflora.papers.microbiome_content import microbiome_content

    made_at = datetime.now(UTC)
    content = microbiome_content((site,), title=f"{site.site.capitalize()}, {site.sample_id}", made_at=made_at)
    contents = {
        "profile.json": (site.model_dump_json(indent=2) + "\n").encode(),
        "profile.html": microbiome_html(content).encode(),
        "profile.pdf": microbiome_pdf(content, made_at=made_at),
    }
    write_together(contents, folder)
    return tuple(folder / name for name in contents)


def write_cohort(result: Cohort, folder: Path) -> tuple[Path, ...]:
    """Write the report, its figures as SVG and CSV, and the tables of a cohort into `folder`, all or none."""
    from biflora.papers.cohort import cohort_html, cohort_pdf
    from biflora.papers.cohort_content import cohort_content
    from biflora.papers.grid import csv_text

    made_at = datetime.now(UTC)
    content = cohort_content(result, made_at=made_at)
    contents = {
        "cohort.json": (result.model_dump_json(indent=2) + "\n").encode(),
        "report.html": cohort_html(content).encode(),
        "report.pdf": cohort_pdf(content, made_at=made_at),
        "samples.csv": result.samples_csv().encode(),
    }
    grids = {"permanova": content.permanova, "dispersion": content.dispersion, "seen": content.seen}
    grids |= dict(zip(("moved", "moved_permanova"), content.moved, strict=False))
    for name, grid in (grids | {"scores": content.associations}).items():
        if grid is not None:
            contents[f"{name}.csv"] = csv_text(grid).encode()
    tables = {"taxa": result.taxa, "ratios": result.guilds, "diversity": result.alpha}
    tables["loads"] = None if result.loads is None else result.loads.censored
    tables["taxa_second_opinion"] = result.second_opinion
    tables |= {f"taxa_{other.rank}": other.taxa for other in result.other_ranks}
    contents |= {f"{name}.csv": table.to_csv().encode() for name, table in tables.items() if table is not None}
    ordination = () if content.ordination is None else (content.ordination,)
    for chart in (*content.scatters, *ordination, *content.alpha, *content.taxa):
        contents[f"{chart.key}.svg"] = chart.svg_print.encode()
        contents[f"{chart.key}.csv"] = chart.csv().encode()
    write_together(contents, folder)
    return tuple(folder / name for name in contents)


def write_together(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write every file into `folder`, made if absent: made aside first and moved in last, so all or none.

    Raises OperatorMust when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".biflora-", dir=folder))
        try:
            for name, content in contents.items():
                (aside / name).write_bytes(content)
            for name in contents:
                os.replace(aside / name, folder / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise OperatorMust(
            f"The folder '{folder}' cannot be written ({error.strerror}); name another one with --out."
        ) from None


def check_file(path: Path, *, option: str) -> None:
    """Raise OperatorMust at once, before any work, when the file could not be written."""
    folder = path.absolute().parent
    if path.is_dir():
        why = "a folder stands there"
    elif not folder.is_dir():
        why = "its folder does not exist"
    elif not os.access(folder, os.W_OK | os.X_OK):
        why = "its folder may not be written"
    else:
        return
    raise OperatorMust(f"The file '{path}' cannot be written ({why}); name another one with {option}.")


def write_file(path: Path, text: str, *, option: str) -> None:
    """Write under another name first, so that nobody ever reads half a file. Raises OperatorMust."""
    check_file(path, option=option)
    handle, draft = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except OSError as error:
        Path(draft).unlink(missing_ok=True)
        raise OperatorMust(
            f"The file '{path}' cannot be written ({error.strerror}); name another one with {option}."
        ) from None
