"""From a table, the samples' descriptions and a formula to everything that a cohort's report says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from biflora.errors import BifloraError, TrialistMust
from biflora.knowledge.cohort_models import model_setting
from biflora.knowledge.rows import release
from biflora.profile.cohort.alpha import AlphaTable, alpha_at_depth, alpha_models
from biflora.profile.cohort.asking import Asked, what_is_asked
from biflora.profile.cohort.censored import Loads
from biflora.profile.cohort.cohort import Cohort, Placed, Question, TestedTaxa
from biflora.profile.cohort.design import Design
from biflora.profile.cohort.distances import Distances, distances_between
from biflora.profile.cohort.formula import read_model
from biflora.profile.cohort.guild_table import GuildTable, guild_table
from biflora.profile.cohort.model_table import ModelTable
from biflora.profile.cohort.moved import Moved, moved_from
from biflora.profile.cohort.ordination import ordinate
from biflora.profile.cohort.outcome_models import LoadModels, model_loads, model_outcomes
from biflora.profile.cohort.permanova import permanova
from biflora.profile.cohort.scores import RATIOS, associations_of, plain, scatters_of, scores_of
from biflora.profile.cohort.taxon_table import dense, taxon_table
from biflora.profile.cohort.tested_taxa import reads_differ, tested_taxa
from biflora.profile.cohort.tree import read_tree
from biflora.profile.cohort.unifrac import unifrac
from biflora.profile.cohort.usable import usable
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.metadata import Metadata, read_metadata
from biflora.profile.table import LabTable, Numbers

AXES = 3


def analyse_cohort(
    table: Path, descriptions: Path, question: Question, *, on_step: Callable[[str], None] = lambda step: None
) -> Cohort:
    """The analysis. Raises TrialistMust for a design whose p-values would mean nothing, and as readers do."""
    on_step("Reading the table")
    file = read_laboratory_file(Path(table))
    rows = read_metadata(Path(descriptions), wanted=file.table.samples)
    rows, left_out = usable(file.table, rows, question)
    samples = rows.samples
    taxa = taxon_table(file.table, samples, question.rank)
    shown = _grouped_by(question, rows)
    groups = rows.texts(shown) if shown else ("all",) * len(samples)
    for column in question.against:
        scores_of(rows, column)  # a column without numbers is said before anything long is done
    tree = _tree(question)
    features = taxa if question.rank == "feature" else taxon_table(file.table, samples, "feature")
    on_step("Distances and permutations")
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
    asked = what_is_asked(question, rows)
    not_done: list[str] = []
    moved = _moved(distances, rows, question, design, shown, not_done)
    places = ordinate(distances, AXES)
    subject = question.subject if question.subject is None or question.subject.isidentifier() else (
        f"`{question.subject}`"
    )  # fmt: skip
    mixed = f"{question.formula} + (1 | {subject})" if subject else question.formula
    on_step("Diversity and taxa")
    alpha = _alpha(features if tree else taxa, question, tree, not_done)
    guilds = guild_table(file.table, samples, question.site)
    found = tested_taxa(taxa, mixed, rows, question, asked, not_done)
    others = []
    for rank in question.also_at:
        if rank != question.rank:
            more = tested_taxa(taxon_table(file.table, samples, rank), mixed, rows, question, asked, not_done)
            if more is not None:
                others.append(TestedTaxa(rank=rank, taxa=more.taxa, sensitivity=more.sensitivity))
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
        visits=rows.texts(question.time) if question.time else (),
        explained=tuple(float(x) for x in places.proportion_explained[:AXES]),
        ordination_remark=places.remark,
        permanova=tested,
        moved=moved,
        asked_words=(*asked.words, *_warnings(taxa, rows, question, shown)),
        alpha_depth=None if alpha is None else alpha.depth,
        alpha_values={} if alpha is None else {key: plain(values) for key, values in alpha.values.items()},
        alpha=None if alpha is None else _model(lambda: alpha_models(
            alpha, mixed, rows, ask=asked.outcomes, adjust=asked.adjust, reference=asked.reference,
        ), "Diversity by the formula", not_done),
        guilds=_model(
            lambda: _ratios(guilds, mixed, rows, question, asked), "The log-ratio by the formula", not_done
        ),
        taxa=None if found is None else found.taxa,
        sensitivity=() if found is None else found.sensitivity,
        second_opinion=None if found is None else found.second,
        other_ranks=tuple(others),
        loads=_loads(mixed, rows, question, asked),
        associations=tuple(associations_of(guilds, rows, persons, question)),
        scatters=tuple(scatters_of(guilds, rows, groups, question)),
        not_done=tuple(dict.fromkeys(not_done)),
    )  # fmt: skip


def _grouped_by(question: Question, rows: Metadata) -> str:
    """The first column of the formula that holds groups colours the drawings."""
    model = read_model(question.formula, rows)
    return next((variable.name for variable in model.variables.values() if variable.is_groups), "")


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


def _tree(question: Question) -> str:
    """The tree's text, empty where none was named."""
    if question.tree is None:
        if question.distance.endswith("unifrac"):
            raise TrialistMust("UniFrac needs a tree of the table's features; name it with --tree.")
        return ""
    return read_tree(Path(question.tree))


def _moved(
    distances: Distances, rows: Metadata, question: Question, design: Design, shown: str, not_done: list[str]
) -> Moved | None:
    if question.change_from is None:
        return None
    try:
        return moved_from(
            distances, rows, question.formula, design, question.change_from, grouped_by=shown,
            permutations=question.permutations, seed=question.seed, by=question.by,
        )  # fmt: skip
    except BifloraError as problem:
        not_done.append(f"How far persons moved from {question.time or 'the first visit'}: {problem}")
        return None


def _warnings(taxa: LabTable, rows: Metadata, question: Question, shown: str) -> list[str]:
    """What a reviewer would ask about the columns and the reads."""
    found = [reads_differ(taxa, rows, shown)]
    for name, variable in read_model(question.formula, rows).variables.items():
        if not variable.is_groups and len(set(variable.codes.tolist())) == 2:
            found.append(
                f"{name} holds two numbers and was taken as a number; C({name}) takes them as groups, tests "
                "whether they scatter differently, and colours the drawings."
            )
    if taxa.assay == "array":
        found.append(
            "An array gives signals, not reads: diversity at a depth and LinDA take them for reads, so read these "
            "two as a rough guide."
        )
    return [text for text in found if text]


def _model(fit: Callable[[], ModelTable], what: str, not_done: list[str]) -> ModelTable | None:
    try:
        return fit()
    except BifloraError as problem:
        not_done.append(f"{what}: {problem}")
        return None


def _ratios(guilds: GuildTable, formula: str, rows: Metadata, question: Question, asked: Asked) -> ModelTable:
    """log10 ratios of guilds by the formula; raises TrialistMust where the assay resolves neither."""
    outcomes, added = {}, model_setting("ratio_share_added")
    for above, below in RATIOS[question.site]:
        values = guilds.log_ratio(above, below, added)
        if np.isfinite(values).sum() >= 6:
            outcomes[f"log10 {guilds.labels[above]} : {guilds.labels[below]}"] = values
    if not outcomes:
        raise TrialistMust("this assay does not resolve the guilds of the ratio.")
    return model_outcomes(
        outcomes, formula, rows, title="Log-ratios of guilds", unit="difference of log10", ask=asked.outcomes,
        adjust=asked.adjust, reference=asked.reference,
        notes=(f"{added:g} was added to each share.",),
    )  # fmt: skip


def _loads(formula: str, rows: Metadata, question: Question, asked: Asked) -> LoadModels | None:
    if not question.loads:
        return None
    loads = {}
    for column, limit in question.loads.items():
        try:
            limits: Numbers | float = float(limit)
        except ValueError:
            limits = rows.numbers(limit)
        loads[column] = Loads.of(rows.numbers(column), limits)
    return model_loads(
        loads, formula, rows, ask=asked.outcomes, adjust=asked.loads_adjust, reference=asked.reference
    )
