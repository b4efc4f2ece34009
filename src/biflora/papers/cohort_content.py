"""What the report on a cohort says, arranged once for screen and paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from biflora.papers.chart import Chart
from biflora.papers.charts_cohort import by_group, ordination, over_visits, p_words, scatter
from biflora.papers.cohort_sentences import CHANGE, in_short
from biflora.papers.cohort_taxa import taxa_charts, taxa_grids
from biflora.papers.grid import Grid
from biflora.papers.wording import DASH, number, percent
from biflora.profile.cohort.cohort import Cohort
from biflora.profile.cohort.guild_table import Seen
from biflora.profile.cohort.model_table import FitStatus, ModelRow, ModelTable
from biflora.profile.cohort.permanova import PermanovaTable

FOOTER = (
    "biflora supports research and a clinician's judgement; it is no medical device. An association in a cohort "
    "does not say what treatment would do."
)
DISTANCES = {
    "bray_curtis": "Bray-Curtis of shares",
    "jaccard": "Jaccard (presence)",
    "aitchison": "Aitchison",
    "robust_aitchison": "robust Aitchison",
    "unweighted_unifrac": "unweighted UniFrac",
    "weighted_unifrac": "weighted UniFrac",
}
DIVERSITIES = {
    "shannon": ("Shannon diversity", "nats"),
    "observed": ("Observed taxa", "taxa"),
    "simpson": ("Simpson diversity", ""),
    "faith_pd": ("Faith's diversity", "branch length"),
}
ALPHA_TITLE = "Alpha diversity"
MOST_VISITS = 12
"""More are drawn together, for single medians would say little."""


@dataclass(frozen=True)
class CohortContent:
    title: str
    facts: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]
    in_short: tuple[str, ...]
    could_not_see: tuple[str, ...]
    """What the assay could not see, guild by guild; empty: nothing."""
    seen: Grid
    scatters: tuple[Chart, ...]
    associations: Grid | None
    ordination: Chart | None
    ordination_remark: str
    permanova: Grid | None
    schemes: tuple[tuple[str, str, str], ...]
    """Term, what was dealt anew, and what that tests."""
    dispersion: Grid | None
    remarks: tuple[str, ...]
    alpha: tuple[Chart, ...]
    asked: tuple[str, ...]
    """What the models compare with what."""
    models: tuple[Grid, ...]
    model_notes: tuple[str, ...]
    taxa: tuple[Chart, ...]
    taxa_found: tuple[Grid, ...]
    """Those that differ, contrast by contrast."""
    taxa_notes: tuple[str, ...]
    moved: tuple[Grid, ...]
    """How far persons moved from a visit; empty when nobody asked."""
    not_done: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]
    made_at: str
    footer: str = FOOTER


def cohort_content(cohort: Cohort, *, made_at: datetime) -> CohortContent:
    """Arrange the answer for reading; adds no judgement of its own."""
    q = cohort.question
    return CohortContent(
        title=f"Cohort: {cohort.table_name}",
        facts=(
            ("Site", q.site),
            ("Samples", str(cohort.samples)),
            ("Persons", str(cohort.persons)),
            ("Assay", cohort.assay),
            ("Formula", q.formula),
        ),
        left_out=cohort.left_out,
        in_short=tuple(in_short(cohort)),
        could_not_see=tuple(_could_not_see(cohort)),
        seen=_seen(cohort.seen),
        scatters=tuple(_scatters(cohort)),
        associations=_associations(cohort),
        ordination=_ordination(cohort),
        ordination_remark=cohort.ordination_remark,
        permanova=_permanova(cohort),
        schemes=tuple((r.term, r.scheme, r.null) for r in cohort.permanova.rows) if cohort.permanova else (),
        dispersion=_dispersion(cohort),
        remarks=tuple(dict.fromkeys(_remarks(cohort))),
        alpha=tuple(_alpha(cohort)),
        asked=cohort.asked_words,
        models=tuple(_models(cohort)),
        model_notes=tuple(dict.fromkeys(note for table in _tables(cohort) for note in table.notes)),
        taxa_found=taxa_grids(cohort),
        taxa_notes=() if cohort.taxa is None else cohort.taxa.notes,
        moved=_moved(cohort),
        taxa=tuple(_taxa(cohort)),
        not_done=cohort.not_done,
        provenance=(
            ("Table", f"{cohort.table_name}, SHA-256 {cohort.table_sha256[:16]}…; {cohort.format}"),
            ("Profiler", cohort.profiler or "not told"),
            ("Seed, permutations", f"{q.seed}, {q.permutations}"),
            ("Answer", cohort.id),
            ("Knowledge release", cohort.knowledge_release),
        ),
        made_at=made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _could_not_see(cohort: Cohort) -> list[str]:
    found = []
    for seen in cohort.seen:
        blind = seen.not_resolved + seen.not_measured
        if blind:
            word = "not measured" if seen.not_measured >= seen.not_resolved else "not resolved"
            whole = "every sample" if blind == cohort.samples else f"{blind} of {cohort.samples} samples"
            note = seen.note if blind == cohort.samples or not seen.note else f"For one of them: {seen.note}"
            found.append(f"{seen.label}: {word} in {whole}. {note}".strip())
    if not cohort.has_counts:
        found.append("No depth: the table holds shares, so that rare and absent cannot be told apart.")
    return found


def _seen(rows: tuple[Seen, ...]) -> Grid:
    return Grid(
        "What was seen, sample by sample",
        ("Guild", "Median share", "Measured", "Below detection", "Not resolved", "Not measured"),
        tuple(
            (s.label, DASH if s.median is None else percent(s.median), str(s.measured), str(s.below_detection),
             str(s.not_resolved), str(s.not_measured))
            for s in rows
        ),
        right=(1, 2, 3, 4, 5),
    )  # fmt: skip


def _scatters(cohort: Cohort) -> list[Chart]:
    found = []
    for place, s in enumerate(cohort.scatters, start=1):
        nan = float("nan")
        found.append(
            scatter(
                str(place), f"{s.label} against {s.score}", f"{s.label}, % of the sample", s.score,
                [nan if x is None else 100 * x for x in s.shares],
                [nan if y is None else y for y in s.scores], s.groups, cohort.grouped_by or "group",
                "One mark for each sample that has both; the correlations stand in the table below.",
            )
        )  # fmt: skip
    return found


def _associations(cohort: Cohort) -> Grid | None:
    rows = []
    for a in cohort.associations:
        if a.spearman is None or a.low is None or a.high is None:
            rows.append((a.label, a.score, str(a.samples), DASH, DASH, a.note))
            continue
        inside = DASH
        if a.within is not None and a.within_low is not None and a.within_high is not None:
            inside = f"{number(a.within, 2)} ({number(a.within_low, 2)} to {number(a.within_high, 2)})"
        rows.append(
            (a.label, a.score, f"{a.samples} of {a.persons}",
             f"{number(a.spearman, 2)} ({number(a.low, 2)} to {number(a.high, 2)})", inside, a.note)
        )  # fmt: skip
    columns = ("Quantity", "Score", "Samples of persons", "Rank correlation", "Within persons", "Note")
    return Grid("Guilds against scores, 95 % intervals", columns, tuple(rows), right=(2, 3, 4)) if rows else None


def _ordination(cohort: Cohort) -> Chart | None:
    if not cohort.placed or len(cohort.explained) < 2:
        return None
    return ordination(
        [p.axes[0] for p in cohort.placed], [p.axes[1] for p in cohort.placed], [p.group for p in cohort.placed],
        explained=(cohort.explained[0], cohort.explained[1]), distance=DISTANCES[cohort.question.distance],
        by=cohort.grouped_by or "group",
    )  # fmt: skip


def _permanova(cohort: Cohort) -> Grid | None:
    table = cohort.permanova
    if table is None:
        return None
    return permanova_grid(table, f"PERMANOVA on {DISTANCES[cohort.question.distance]}, by {table.by}")


def permanova_grid(table: PermanovaTable, title: str) -> Grid:
    """The terms; with the F that p belongs to in a column of its own where it is another one."""
    apart = any(
        r.f is not None and r.tested_f is not None and abs(r.f - r.tested_f) > 1e-6 * r.f for r in table.rows
    )

    def f_words(value: float | None) -> str:
        return DASH if value is None else number(value, 3)

    rows = [
        (r.term, str(r.df), number(r.sum_of_squares, 4), number(r.r2, 4), f_words(r.f),
         *((f_words(r.tested_f),) if apart else ()), DASH if r.p is None else p_words(r.p), r.permuted_units)
        for r in table.rows
    ]  # fmt: skip
    rest = table.residual_sum_of_squares
    tail = ("",) * (4 if apart else 3)
    rows.append(("Residual", str(table.residual_df), number(rest, 4),
                 number(rest / table.total_sum_of_squares, 4), *tail))  # fmt: skip
    more = ("F that p is about",) if apart else ()
    columns = ("Term", "df", "Sum of squares", "R²", "Pseudo-F", *more, "p", "Dealt anew")
    return Grid(title, columns, tuple(rows), right=tuple(range(1, 6 + apart)))


def _dispersion(cohort: Cohort) -> Grid | None:
    if cohort.permanova is None or not cohort.permanova.dispersions:
        return None
    rows = tuple(
        (
            d.groups_of,
            "; ".join(f"{g.group} {number(g.mean_distance, 3)} (n {g.n})" for g in d.groups),
            DASH if d.f is None else number(d.f, 3),
            DASH if d.p is None else p_words(d.p),
        )
        for d in cohort.permanova.dispersions
    )
    columns = ("Groups of", "Mean distance to the group's middle", "F", "p")
    return Grid("PERMDISP: whether groups scatter differently", columns, rows, right=(2, 3))


def _remarks(cohort: Cohort) -> list[str]:
    if cohort.permanova is None:
        return []
    notes = [note for row in cohort.permanova.rows for note in row.notes]
    notes += [note for d in cohort.permanova.dispersions for note in d.notes]
    if cohort.persons < cohort.samples:
        notes.append(
            "F and R² count every sample, and samples of one person resemble each other: a large F may go with a "
            "large p. Only p knows the design."
        )
    return [*notes, *cohort.permanova.remarks]


def _alpha(cohort: Cohort) -> list[Chart]:
    groups = [p.group for p in cohort.placed]
    by, time = cohort.grouped_by or "group", cohort.question.time or ""
    visits = set(cohort.visits)
    found = []
    for key, values in cohort.alpha_values.items():
        title, unit = DIVERSITIES.get(key, (key, ""))
        title = f"{title} among {cohort.alpha_depth} reads"
        numbers = [float("nan") if v is None else v for v in values]
        if not any(v == v for v in numbers):
            continue
        if 1 < len(visits) <= MOST_VISITS and by != time:
            found.append(over_visits(key, title, unit, numbers, groups, cohort.visits, by, time))
        else:
            found.append(by_group(key, title, unit, numbers, groups, by))
    return found


def _tables(cohort: Cohort) -> list[ModelTable]:
    loads = [] if cohort.loads is None else [cohort.loads.censored, cohort.loads.half_limit]
    return [table for table in (cohort.alpha, cohort.guilds, *loads) if table is not None]


def _models(cohort: Cohort) -> list[Grid]:
    found = [_model(table) for table in _tables(cohort)]
    if cohort.loads is not None:
        rows = tuple((v.outcome, v.term, v.verdict, str(v.below_limit)) for v in cohort.loads.verdicts)
        columns = ("Load", "Contrast", "With the limit, half of it, or censored", "Samples below the limit")
        found.append(Grid("Whether loads read the same however values below the limit enter", columns, rows,
                          right=(3,)))  # fmt: skip
    return found


def _model(table: ModelTable) -> Grid:
    """The rows of a model; the status only where a fit is not an ordinary one."""
    unit = "" if table.title == ALPHA_TITLE else f" ({table.unit})"
    plain = all(row.status is FitStatus.FITTED for row in table.rows)
    terms = [row.term for row in table.rows]
    factor = terms[0].partition(": ")[0] if terms and ": " in terms[0] else ""
    shared = bool(factor) and all(term.startswith(f"{factor}: ") for term in terms)
    head = "Contrast"
    if shared:
        changes = all(CHANGE in term for term in terms)
        head = f"{'Difference in change' if changes else 'Difference'} by {factor}"

    def told(row: ModelRow) -> tuple[str, ...]:
        outcome, term, *rest = _model_row(row)
        if shared:
            term = term.removeprefix(f"{factor}: ").replace(CHANGE, ", ")
        return (outcome, term, *(rest[:-1] if plain else rest))

    columns = ("Outcome", head, f"Estimate{unit}", "95 % interval", "df", "p", "Adjusted p")
    rows = tuple(told(row) for row in table.rows)
    title = f"{table.title}; {table.adjustment}"
    return Grid(title, columns if plain else (*columns, "Status"), rows, right=(2, 3, 4, 5, 6))


def _model_row(row: ModelRow) -> tuple[str, ...]:
    def cell(value: float | None, digits: int) -> str:
        return DASH if value is None else number(value, digits)

    spread = DASH if row.low is None or row.high is None else f"{number(row.low, 2)} to {number(row.high, 2)}"
    title, unit = DIVERSITIES.get(row.outcome, (row.outcome, ""))
    return (
        f"{title} ({unit})" if unit else title, row.term, cell(row.estimate, 2), spread,
        cell(row.degrees_of_freedom, 1), DASH if row.p is None else p_words(row.p),
        DASH if row.p_adjusted is None else p_words(row.p_adjusted), row.status.value,
    )  # fmt: skip


def _taxa(cohort: Cohort) -> list[Chart]:
    if cohort.taxa is None:
        return []
    found = taxa_charts(cohort.taxa, cohort.sensitivity, cohort.second_opinion, cohort.question.rank, "")
    for other in cohort.other_ranks:
        found += taxa_charts(other.taxa, other.sensitivity, None, other.rank, f"{other.rank}-")
    return found


def _moved(cohort: Cohort) -> tuple[Grid, ...]:
    if cohort.moved is None:
        return ()
    q, moved = cohort.question, cohort.moved
    spread = tuple(
        (g.group, g.time, str(g.samples), number(g.median, 3),
         f"{number(g.lower_quartile, 3)} to {number(g.upper_quartile, 3)}")
        for g in moved.groups
    )  # fmt: skip
    columns = (cohort.grouped_by or "Group", q.time or "Visit", "Samples", "Median distance", "Quartiles")
    title = f"How far each person moved from {q.time} {moved.baseline}, {DISTANCES[q.distance]}"
    return (
        Grid(title, columns, spread, right=(2, 3, 4)),
        permanova_grid(moved.tested, f"Whether that distance differs, by {moved.tested.by}"),
    )
