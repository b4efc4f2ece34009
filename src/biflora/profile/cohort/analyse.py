"""From a table, the samples' descriptions and a formula to everything that a cohort's report says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from biflora.errors import BifloraError, NameAnother, TrialistMust
from biflora.knowledge.rows import release
from biflora.profile.cohort.against import Association, associate
from biflora.profile.cohort.alpha import AlphaTable, alpha_at_depth, alpha_models
from biflora.profile.cohort.censored import Loads
from biflora.profile.cohort.cohort import Cohort, Placed, Question, Scatter
from biflora.profile.cohort.design import Design
from biflora.profile.cohort.distances import distances_between
from biflora.profile.cohort.formula import read_model
from biflora.profile.cohort.guild_table import GuildTable, guild_table
from biflora.profile.cohort.linda import linda
from biflora.profile.cohort.model_table import ModelTable
from biflora.profile.cohort.ordination import ordinate
from biflora.profile.cohort.outcome_models import LoadModels, model_loads, model_outcomes
from biflora.profile.cohort.permanova import permanova
from biflora.profile.cohort.sensitivity import SensitivityRow, pseudocount_sensitivity
from biflora.profile.cohort.taxon_table import dense, taxon_table
from biflora.profile.cohort.unifrac import unifrac
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.metadata import Metadata, read_metadata
from biflora.profile.table import LabTable, Numbers

AXES = 3
LARGEST_TREE = 100_000_000
NAME = re.compile(r"`([^`]+)`|([^\W\d]\w*(?:\.\w+)*)")
SHARE_ADDED = 1e-4
"""Added to both shares of a log-ratio where one is below detection, as in the published analyses held against."""
RATIOS = {"skin": (("s_aureus", "cons"),), "gut": (("butyrate_producers", "escherichia_shigella"),)}


def analyse_cohort(
    table: Path, descriptions: Path, question: Question, *, on_step: Callable[[str], None] = lambda step: None
) -> Cohort:
    """The analysis. Raises TrialistMust for a design whose p-values would mean nothing, and as readers do."""
    on_step("Reading the table")
    file = read_laboratory_file(Path(table))
    rows = read_metadata(Path(descriptions), wanted=file.table.samples)
    rows, left_out = _usable(file.table, rows, question)
    samples = rows.samples
    taxa = taxon_table(file.table, samples, question.rank)
    shown = _grouped_by(question, rows)
    groups = rows.texts(shown) if shown else ("all",) * len(samples)
    on_step("Distances and permutations")
    tree = _tree(question)
    features = taxa if question.rank == "feature" else taxon_table(file.table, samples, "feature")
    if question.distance in ("bray_curtis", "jaccard", "aitchison", "robust_aitchison"):
        distances = distances_between(taxa, question.distance)
    else:
        distances = unifrac(features, tree, weighted=question.distance == "weighted_unifrac")
    design = Design(
        subject=question.subject, independent_samples=question.independent_samples, blocks=question.blocks,
        time=question.time, body_site=question.body_site, within=question.within,
    )  # fmt: skip
    tested = permanova(
        distances, rows, question.formula, design, permutations=question.permutations, seed=question.seed,
        by=question.by,
    )  # fmt: skip
    places = ordinate(distances, AXES)
    not_done: list[str] = []
    mixed = f"{question.formula} + (1 | {question.subject})" if question.subject else question.formula
    on_step("Diversity and taxa")
    alpha = _alpha(features if tree else taxa, question, tree, not_done)
    guilds = guild_table(file.table, samples, question.site)
    found = _differential(taxa, mixed, rows, question, not_done)
    on_step("Loads and scores")
    persons = rows.texts(question.subject) if question.subject else samples
    return Cohort.make(
        "cohort",
        release=release(),
        question=question,
        table_name=file.table.file_name,
        table_sha256=file.sha256,
        format=file.table.format,
        assay=file.table.assay,
        profiler=file.table.profiler,
        has_counts=file.table.has_counts,
        samples=len(samples),
        persons=len(set(persons)),
        left_out=left_out,
        seen=guilds.seen(),
        grouped_by=shown,
        placed=tuple(
            Placed(sample=name, axes=tuple(round(float(x), 6) for x in row[:AXES]), group=group)
            for name, row, group in zip(samples, places.coordinates, groups, strict=True)
        ),
        explained=tuple(float(x) for x in places.proportion_explained[:AXES]),
        ordination_remark=places.remark,
        permanova=tested,
        alpha_depth=None if alpha is None else alpha.depth,
        alpha_values={} if alpha is None else {key: _plain(values) for key, values in alpha.values.items()},
        alpha=None if alpha is None else _model(lambda: alpha_models(
            alpha, mixed, rows, reference=question.reference,
        ), "Diversity by the formula", not_done),
        guilds=_model(lambda: _ratios(guilds, mixed, rows, question), "The log-ratio by the formula", not_done),
        taxa=None if found is None else found[0],
        sensitivity=() if found is None else found[1],
        loads=_loads(mixed, rows, question),
        associations=tuple(_associations(guilds, rows, persons, question)),
        scatters=tuple(_scatters(guilds, rows, groups, question)),
        not_done=tuple(not_done),
    )  # fmt: skip


def _usable(table: LabTable, rows: Metadata, question: Question) -> tuple[Metadata, tuple[str, ...]]:
    """The samples that stand in both, have reads and every value that the formula needs, in the table's order."""
    said = []
    known = set(rows.samples)
    both = [name for name in table.samples if name in known]
    for number, words in (
        (len(table.samples) - len(both), "have no description"),
        (len(rows.samples) - len(both), "are described but not in the table"),
    ):
        if number:
            said.append(f"{number} samples {words}")
    totals = dict(zip(table.samples, table.totals(), strict=True))
    empty = [name for name in both if not totals[name] > 0]
    if empty:
        said.append(f"{len(empty)} samples hold no read")
    rows = rows.of([name for name in both if totals[name] > 0])
    for column, wanted in question.where.items():
        chosen = [name for name, cell in zip(rows.samples, rows.texts(column), strict=True) if cell in wanted]
        said.append(f"{len(rows.samples) - len(chosen)} samples are not {column} {' or '.join(wanted)}")
        rows = rows.of(chosen)
    needed = _columns(question)
    cells = [rows.texts(name) for name in needed]
    complete = [
        name for name, *values in zip(rows.samples, *cells, strict=True) if all(values)
    ] if cells else list(rows.samples)  # fmt: skip
    if len(complete) < len(rows.samples):
        said.append(f"{len(rows.samples) - len(complete)} samples lack a value of {', '.join(needed)}")
    if len(complete) < 6:
        raise TrialistMust(
            f"Only {len(complete)} samples stand in both tables with reads and every value ({'; '.join(said)}); "
            "six are the fewest. Mend names or leave columns out."
        )
    return rows.of(complete), tuple(said)


def _columns(question: Question) -> list[str]:
    """Every column that a sample must have a value in: those of the formula, person, blocks, time."""
    named = [quoted or plain for quoted, plain in NAME.findall(question.formula)]
    asked = [
        *(name for name in named if name != "C"),
        question.subject,
        question.blocks,
        question.time,
        question.body_site,
    ]
    return [name for name in dict.fromkeys(asked) if name]


def _grouped_by(question: Question, rows: Metadata) -> str:
    """The first column of the formula that holds groups colours the drawings."""
    model = read_model(question.formula, rows)
    return next((variable.name for variable in model.variables.values() if variable.is_groups), "")


def _tree(question: Question) -> str:
    """The tree's text, empty where none was named."""
    if question.tree is None:
        if question.distance.endswith("unifrac"):
            raise TrialistMust("UniFrac needs a tree of the table's features; name it with --tree.")
        return ""
    path = Path(question.tree)
    try:
        if path.stat().st_size > LARGEST_TREE:
            raise NameAnother(f"{path.name}: larger than 100 MB, so this is no tree of these features.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise NameAnother(f"{path.name[:100]}: the tree cannot be read as text; name a Newick file.") from None


def _alpha(taxa: LabTable, question: Question, tree: str, not_done: list[str]) -> AlphaTable | None:
    if not taxa.has_counts:
        not_done.append("Diversity at matched depth: the table holds shares without reads.")
        return None
    try:
        names = [feature.name for feature in taxa.features]
        return alpha_at_depth(dense(taxa), taxa.samples, depth=question.depth, tree=tree or None, taxa=names)
    except BifloraError as problem:
        not_done.append(f"Diversity at matched depth: {problem}")
        return None


def _differential(
    taxa: LabTable, formula: str, rows: Metadata, question: Question, not_done: list[str]
) -> tuple[ModelTable, tuple[SensitivityRow, ...]] | None:
    if not taxa.has_counts:
        not_done.append("Differential abundance (LinDA): the table holds shares without reads; counts are needed.")
        return None
    counts, names = dense(taxa), [feature.name for feature in taxa.features]
    try:
        return (
            linda(counts, names, formula, rows, reference=question.reference).table,
            pseudocount_sensitivity(counts, names, formula, rows, reference=question.reference),
        )
    except BifloraError as problem:
        not_done.append(f"Differential abundance (LinDA): {problem}")
        return None


def _model(fit: Callable[[], ModelTable], what: str, not_done: list[str]) -> ModelTable | None:
    try:
        return fit()
    except BifloraError as problem:
        not_done.append(f"{what}: {problem}")
        return None


def _ratios(guilds: GuildTable, formula: str, rows: Metadata, question: Question) -> ModelTable:
    """log10 ratios of guilds by the formula; raises TrialistMust where the assay resolves neither."""
    outcomes = {}
    for above, below in RATIOS[question.site]:
        values = guilds.log_ratio(above, below, SHARE_ADDED)
        if np.isfinite(values).sum() >= 6:
            outcomes[f"log10 {guilds.labels[above]} : {guilds.labels[below]}"] = values
    if not outcomes:
        raise TrialistMust("this assay does not resolve the guilds of the ratio.")
    return model_outcomes(
        outcomes, formula, rows, title="Log-ratios of guilds", unit="difference of log10", adjust="Holm",
        reference=question.reference,
        notes=(f"{SHARE_ADDED:g} was added to each share.",),
    )  # fmt: skip


def _loads(formula: str, rows: Metadata, question: Question) -> LoadModels | None:
    if not question.loads:
        return None
    loads = {}
    for column, limit in question.loads.items():
        try:
            limits: Numbers | float = float(limit)
        except ValueError:
            limits = rows.numbers(limit)
        loads[column] = Loads.of(rows.numbers(column), limits)
    return model_loads(loads, formula, rows, reference=question.reference)


def _associations(
    guilds: GuildTable, rows: Metadata, persons: Sequence[str], question: Question
) -> list[Association]:
    found = []
    for column in question.against:
        if not rows.is_numeric(column):
            raise NameAnother(f"{rows.file_name}: '{column[:60]}' holds no numbers to hold anything against.")
        scores = rows.numbers(column)
        for key, label in guilds.labels.items():
            found.append(
                associate(key, label, guilds.shares[key], column, scores, persons, seed=question.seed,
                          note=guilds.notes[key] if np.isnan(guilds.shares[key]).all() else "")
            )  # fmt: skip
        for above, below in RATIOS[question.site]:
            label = f"log10 {guilds.labels[above]} : {guilds.labels[below]}"
            values = guilds.log_ratio(above, below, SHARE_ADDED)
            found.append(
                associate(f"{above}_to_{below}", label, values, column, scores, persons, seed=question.seed)
            )
    return found


def _scatters(guilds: GuildTable, rows: Metadata, groups: Sequence[str], question: Question) -> list[Scatter]:
    key = "s_aureus" if question.site == "skin" else "butyrate_producers"
    if np.isnan(guilds.shares[key]).all():
        return []
    return [
        Scatter(
            guild=key, label=guilds.labels[key], score=column, shares=_plain(guilds.shares[key]),
            scores=_plain(rows.numbers(column)), groups=tuple(groups),
        )
        for column in question.against
    ]  # fmt: skip


def _plain(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(round(float(x), 8) if math.isfinite(x) else None for x in values)
