"""The quality of a whole run: controls, hopping hints, mock communities and one of its samples, read together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from biflora.errors import NameAnother
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.metadata import read_metadata
from biflora.profile.run.controls import ControlReport, Controls, TaxonInControls, name_controls
from biflora.profile.run.hopping import HoppingHint, hopping_findings, hopping_hints, plate_wells
from biflora.profile.run.mock import MockCheck, check_mock
from biflora.profile.run.suspects import control_findings, read_controls, without_suspects
from biflora.profile.table import LabTable
from biflora.values import Finding, Value


class RunQuality(Value):
    """What is known of a run's quality. `removed` is empty unless a table without suspects was asked for."""

    controls: ControlReport
    hopping: tuple[HoppingHint, ...] = ()
    mocks: tuple[MockCheck, ...] = ()
    sample: str = ""
    """The sample whose findings stand in `of_sample`; empty: none was named."""
    of_sample: tuple[Finding, ...] = ()
    removed: tuple[TaxonInControls, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Of the run: controls, hopping, mock communities."""


def read_run(
    path: Path,
    descriptions: Path | None = None,
    *,
    column: str | None = None,
    values: Sequence[str] = (),
    pattern: str | None = None,
    batch: str | None = None,
    concentration: str | None = None,
    plate: str | None = None,
    well: str | None = None,
    mocks: Sequence[str] = (),
    sample: str | None = None,
    remove: bool = False,
) -> tuple[RunQuality, LabTable]:
    """The run's quality, and its table (without the suspects where `remove` asks for it).

    `mocks`: `SAMPLE` or `SAMPLE=CATALOGUE NUMBER`. Raises LaboratoryMust or NameAnother.
    """
    table = read_laboratory_file(Path(path)).table
    named_mocks = dict(_mock(text) for text in mocks)
    metadata = None
    if descriptions is not None:
        metadata = read_metadata(Path(descriptions), wanted=table.samples)
    elif batch or concentration or well or column:
        raise NameAnother("A column was named without the sample descriptions; name their file after the table.")
    controls = name_controls(
        table.samples, metadata, column=column, values=values, pattern=pattern, batch=batch,
        concentration=concentration,
    )  # fmt: skip
    report = read_controls(table, controls, apart=tuple(named_mocks))
    wells = None
    if metadata is not None and well is not None:
        wells = plate_wells(table.samples, metadata, plate=plate, well=well)
    hints = hopping_hints(table, controls=report.controls, wells=wells)
    checks = tuple(check_mock(table, name, community) for name, community in named_mocks.items())
    cleaned, removed = without_suspects(table, report) if remove else (table, ())
    return (
        RunQuality(
            controls=report,
            hopping=hints,
            mocks=checks,
            sample=table.choose(sample) if sample is not None else "",
            of_sample=_of_sample(table, sample, controls, report),
            removed=removed,
            findings=(
                *report.findings,
                *hopping_findings(table, hints),
                *(finding for check in checks for finding in check.findings),
            ),
        ),
        cleaned,
    )


def _of_sample(
    table: LabTable, sample: str | None, controls: Controls, report: ControlReport
) -> tuple[Finding, ...]:
    if sample is None:
        return ()
    return control_findings(table, table.choose(sample), controls, report=report)


def _mock(text: str) -> tuple[str, str | None]:
    name, _, community = text.partition("=")
    return name.strip(), community.strip() or None


def otu_text(table: LabTable) -> str:
    """The table as the classic OTU TSV, features in rows, with their lineage where they have one."""
    told = any(feature.lineage for feature in table.features)
    columns: list[dict[int, float]] = [{} for _ in table.features]
    for sample in range(len(table.samples)):
        for entry in range(int(table.starts[sample]), int(table.starts[sample + 1])):
            place = int(table.places[entry])
            columns[place][sample] = columns[place].get(sample, 0.0) + float(table.values[entry])
    lines = ["\t".join(("#OTU ID", *table.samples, *(("taxonomy",) if told else ())))]
    for feature, held in zip(table.features, columns, strict=True):
        cells = (f"{held.get(sample, 0.0):.15g}" for sample in range(len(table.samples)))
        lineage = ("; ".join(feature.lineage),) if told else ()
        lines.append("\t".join((feature.name, *cells, *lineage)))
    return "\n".join(lines) + "\n"
