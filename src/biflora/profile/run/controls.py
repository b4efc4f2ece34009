"""The controls of a run: which samples are blanks, and what a comparison with them says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from biflora.errors import NameAnother
from biflora.profile.metadata import Metadata
from biflora.values import Finding, Value

Rule = Literal["prevalence", "frequency", "combined", "share"]
BLANK_NAME = re.compile(
    r"(?:^|[^a-z])(?:blanks?|ntc|neg|negatives?|no[ _.-]?template|water|h2o|extraction[ _.-]?controls?|"
    r"handling[ _.-]?controls?|kit[ _.-]?controls?)(?:[^a-z]|$)",
    re.I,
)
"""Names that laboratories give to blanks; a bare `control` is left out: it may be a healthy person."""


@dataclass(frozen=True)
class Controls:
    """Which samples of a table are negative controls, in which batch each was made, and how much DNA it held."""

    negative: tuple[str, ...]
    batches: Mapping[str, str] = field(default_factory=dict)
    """Batch by sample; empty: one batch."""
    concentration: Mapping[str, float] = field(default_factory=dict)
    """DNA concentration or total 16S by sample, in any one unit, above zero; empty: not measured."""
    because: str = ""


class TaxonInControls(Value):
    """One taxon beside the controls. Shares are of the reads without the host, 0-1."""

    feature: str
    """As the file names it."""
    name: str
    rank: str
    samples_with: int
    controls_with: int
    share_in_samples: float
    """Mean over the samples."""
    share_in_controls: float
    """Mean over the controls."""
    prevalence_score: float | None = None
    frequency_score: float | None = None
    combined_score: float | None = None
    share_score: float | None = None
    share_ratio: float | None = None
    """Median share in the controls over that in the samples, in the batch where it is largest."""
    suspect_by: tuple[Rule, ...] = ()
    suspect_in: tuple[str, ...] = ()
    """Batches in which the rule spoke; scores that are joined over batches name them all."""
    usual_contaminant: bool = False
    """Its genus stands in biflora's list of what reagents and water bring."""


class BatchControls(Value):
    batch: str
    samples: int
    controls: int


class ControlReport(Value):
    """What the controls of a run say. Nothing is taken out of any sample by it."""

    file_name: str
    samples: int
    controls: tuple[str, ...]
    because: str
    batches: tuple[BatchControls, ...]
    rules: tuple[Rule, ...]
    """Rules that make a suspect in this run."""
    prevalence_tells: bool
    """False when nearly every read belongs to taxa that every library holds: presence then says nothing."""
    taxa: tuple[TaxonInControls, ...]
    """Every taxon seen, largest share in the controls first."""
    suspects_in_samples: tuple[tuple[str, float], ...]
    """Each sample with the share of its reads that belongs to suspects of its batch."""
    findings: tuple[Finding, ...]

    @property
    def suspects(self) -> tuple[TaxonInControls, ...]:
        return tuple(taxon for taxon in self.taxa if taxon.suspect_by)


def name_controls(
    samples: Sequence[str],
    metadata: Metadata | None = None,
    *,
    column: str | None = None,
    values: Sequence[str] = (),
    pattern: str | None = None,
    batch: str | None = None,
    concentration: str | None = None,
) -> Controls:
    """The negative controls by a column's values in the descriptions, or else by their names.

    Raises NameAnother when none is found, a column is missing, or the pattern is no regular expression.
    """
    rows = metadata.of(samples) if metadata is not None else None
    if column is not None:
        if rows is None:
            raise NameAnother("A column of controls was named without the sample descriptions; name their file.")
        wanted = {value.strip().lower() for value in values}
        cells = rows.texts(column)
        negative = tuple(s for s, cell in zip(samples, cells, strict=True) if cell.strip().lower() in wanted)
        because = f"column '{column}' says {' or '.join(values)}"
        kinds = len(set(cells) - {""})
        hint = (
            f"none of the {kinds} words in the column '{column[:60]}' is among those named; name the words "
            "of the blanks with --value."
        )
    else:
        try:
            finds = re.compile(pattern, re.I) if pattern else BLANK_NAME
        except re.error:
            raise NameAnother("The pattern of control names is no regular expression; mend it.") from None
        negative = tuple(sample for sample in samples if finds.search(sample))
        because = f"their names fit '{pattern}'" if pattern else "their names say blank, water, NTC or negative"
        hint = "name the column that tells them with --column and --value, or a --pattern of their names."
    if not negative:
        raise NameAnother(f"No negative control was found among {len(samples)} samples; {hint}")
    batches = dict(zip(samples, rows.texts(batch), strict=True)) if rows is not None and batch else {}
    amounts = {}
    if rows is not None and concentration:
        numbers = zip(samples, rows.numbers(concentration), strict=True)
        amounts = {sample: float(number) for sample, number in numbers if number > 0}
    return Controls(negative=negative, batches=batches, concentration=amounts, because=because)
