"""What is asked of a cohort, and the answer as one value."""

from __future__ import annotations

import csv
import io
from typing import ClassVar, Literal

from pydantic import Field

from biflora.profile.cohort.against import Association
from biflora.profile.cohort.guild_table import Seen
from biflora.profile.cohort.model_table import ModelTable
from biflora.profile.cohort.moved import Moved
from biflora.profile.cohort.outcome_models import LoadModels
from biflora.profile.cohort.permanova import PermanovaTable
from biflora.profile.cohort.sensitivity import SensitivityRow
from biflora.profile.profile import SiteName
from biflora.values import Record, Value


class Question(Value):
    """Names are columns of the sample descriptions."""

    formula: str
    """The fixed part, e.g. `arm * C(visit)` (C: a column of numbers is groups); persons stand in `subject`."""
    site: SiteName
    subject: str | None = None
    independent_samples: bool = False
    time: str | None = None
    blocks: str | None = None
    body_site: str | None = None
    """Column of the place, where a person has several at one time."""
    by: Literal["terms", "margin"] = "terms"
    distance: Literal[
        "bray_curtis", "jaccard", "aitchison", "robust_aitchison", "unweighted_unifrac", "weighted_unifrac"
    ] = "bray_curtis"
    tree: str | None = None
    """Path of a rooted Newick tree with the features at its tips, for UniFrac and Faith's diversity."""
    rank: Literal["feature", "species", "genus"] = "species"
    where: dict[str, tuple[str, ...]] = {}
    """Only samples with one of these values, by column."""
    contrasts: Literal["arms", "terms"] = "arms"
    """`arms`: groups against their control, over time where the formula lets them change differently; `terms`:
    every term of the formula as it stands."""
    arm: str | None = None
    """Column of the groups to compare, where the formula holds several."""
    change_from: str | None = None
    """A visit: also test how far each person moved from it, and count changes in the models from it."""
    also_at: tuple[Literal["feature", "species", "genus"], ...] = ()
    """Further ranks at which taxa are tested."""
    prevalence: float | None = Field(default=None, ge=0, le=1)
    """Least share of samples that a taxon must be seen in to be tested; None: the row of knowledge."""
    least_share: float | None = Field(default=None, ge=0, lt=1)
    """Least mean share of a taxon to be tested; None: the row of knowledge."""
    within: tuple[str, ...] = ()
    """Columns that do change within persons, where most have one value."""
    reference: dict[str, str] = {}
    """Level that the others are compared with, by column."""
    against: tuple[str, ...] = ()
    """Scores to hold the guilds against, e.g. SCORAD."""
    loads: dict[str, str] = {}
    """Columns of log10 loads, each with the column or the number of its limit of detection."""
    depth: int | None = Field(default=None, gt=0)
    permutations: int = Field(default=999, ge=19, le=99_999)
    seed: int = 2026


class Placed(Value):
    """One sample on the first principal coordinates, with its group for drawing."""

    sample: str
    axes: tuple[float, ...]
    group: str


class Scatter(Value):
    """One guild against one score, sample by sample; for drawing."""

    guild: str
    label: str
    score: str
    shares: tuple[float | None, ...]
    scores: tuple[float | None, ...]
    groups: tuple[str, ...]


class TestedTaxa(Value):
    """Differential abundance at one rank, and whether it holds under other fillings of zeros."""

    __test__: ClassVar[bool] = False  # no test of pytest's

    rank: str
    taxa: ModelTable
    sensitivity: tuple[SensitivityRow, ...]


class Cohort(Record):
    """Everything that was found, and what was not done with its reason."""

    question: Question
    table_name: str
    table_sha256: str
    format: str
    assay: str
    profiler: str = ""
    has_counts: bool
    samples: int
    persons: int
    left_out: tuple[str, ...] = ()
    """Why samples were left out, one sentence each with their number."""
    seen: tuple[Seen, ...] = ()
    grouped_by: str = ""
    """Column that colours the drawings."""
    placed: tuple[Placed, ...] = ()
    visits: tuple[str, ...] = ()
    """The time of each sample in `placed`, as written; empty where none was named."""
    explained: tuple[float, ...] = ()
    ordination_remark: str = ""
    permanova: PermanovaTable | None = None
    moved: Moved | None = None
    asked_words: tuple[str, ...] = ()
    """What the models compare with what."""
    alpha_depth: int | None = None
    alpha_values: dict[str, tuple[float | None, ...]] = {}
    alpha: ModelTable | None = None
    guilds: ModelTable | None = None
    taxa: ModelTable | None = None
    sensitivity: tuple[SensitivityRow, ...] = ()
    second_opinion: ModelTable | None = None
    """ANCOM-BC on the same samples and terms, where everybody has one sample."""
    other_ranks: tuple[TestedTaxa, ...] = ()
    loads: LoadModels | None = None
    associations: tuple[Association, ...] = ()
    scatters: tuple[Scatter, ...] = ()
    not_done: tuple[str, ...] = ()
    """What was not done, and why."""

    def samples_csv(self) -> str:
        """One line for each sample: group, principal coordinates, diversities; empty where there is no number."""
        axes = [f"axis {place}" for place in range(1, len(self.explained) + 1)]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["sample", self.grouped_by or "group", *axes, *self.alpha_values])
        for place, placed in enumerate(self.placed):
            diversities = (values[place] for values in self.alpha_values.values())
            cells = ("" if value is None else value for value in diversities)
            writer.writerow([placed.sample, placed.group, *placed.axes, *cells])
        return out.getvalue()
