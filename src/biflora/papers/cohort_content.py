"""What the report on a cohort says, arranged once for screen and paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from biflora.papers.chart import Chart
from biflora.papers.charts_cohort import by_group, forest, ordination, p_words, scatter
from biflora.papers.grid import Grid
from biflora.papers.wording import DASH, number, percent
from biflora.profile.cohort.cohort import Cohort
from biflora.profile.cohort.guild_table import Seen
from biflora.profile.cohort.model_table import ModelRow, ModelTable

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
TAXA_SHOWN = 40


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
    models: tuple[Grid, ...]
    model_notes: tuple[str, ...]
    taxa: tuple[Chart, ...]
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
        in_short=tuple(_in_short(cohort)),
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
        models=tuple(_model(table) for table in _tables(cohort)),
        model_notes=tuple(dict.fromkeys(note for table in _tables(cohort) for note in table.notes)),
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


def _in_short(cohort: Cohort) -> list[str]:
    found = []
    for row in cohort.associations:
        if row.quantity == ("s_aureus" if cohort.question.site == "skin" else "butyrate_producers"):
            if row.spearman is None or row.low is None or row.high is None:
                found.append(f"{row.label} could not be held against {row.score}: {row.note}.")
                continue
            way = "rises" if row.low > 0 else "falls" if row.high < 0 else "does not clearly change"
            text = (
                f"{row.label} {way} with {row.score}: rank correlation {number(row.spearman, 2)} "
                f"(95 % interval by persons {number(row.low, 2)} to {number(row.high, 2)}; {row.samples} samples "
                f"of {row.persons} persons)"
            )
            if row.within is not None and row.within_low is not None and row.within_high is not None:
                text += (
                    f"; within persons over time {number(row.within, 2)} ({number(row.within_low, 2)} to "
                    f"{number(row.within_high, 2)})"
                )
            found.append(text + ".")
    if cohort.permanova is not None:
        for tested in cohort.permanova.rows:
            if tested.p is not None:
                found.append(
                    f"{tested.term} explains {number(100 * tested.r2, 1)} % of the differences between samples, "
                    f"p = {p_words(tested.p)} ({tested.permuted_units} dealt anew)."
                )
    return found


def _could_not_see(cohort: Cohort) -> list[str]:
    found = []
    for seen in cohort.seen:
        blind = seen.not_resolved + seen.not_measured
        if blind:
            word = "not measured" if seen.not_measured >= seen.not_resolved else "not resolved"
            whole = "every sample" if blind == cohort.samples else f"{blind} of {cohort.samples} samples"
            found.append(f"{seen.label}: {word} in {whole}. {seen.note}".strip())
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
                "One mark for each sample that has both; the correlations stand in the table beside.",
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
    rows = [
        (r.term, str(r.df), number(r.sum_of_squares, 4), number(r.r2, 4), DASH if r.f is None else number(r.f, 3),
         DASH if r.p is None else p_words(r.p), r.permuted_units)
        for r in table.rows
    ]  # fmt: skip
    rest = table.residual_sum_of_squares
    rows.append(("Residual", str(table.residual_df), number(rest, 4),
                 number(rest / table.total_sum_of_squares, 4), "", "", ""))  # fmt: skip
    columns = ("Term", "df", "Sum of squares", "R²", "Pseudo-F", "p", "Dealt anew")
    title = f"PERMANOVA on {DISTANCES[cohort.question.distance]}, by {table.by}"
    return Grid(title, columns, tuple(rows), right=(1, 2, 3, 4, 5))


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
    return [*notes, *cohort.permanova.remarks]


def _alpha(cohort: Cohort) -> list[Chart]:
    groups = [p.group for p in cohort.placed]
    found = []
    for key, values in cohort.alpha_values.items():
        title, unit = DIVERSITIES.get(key, (key, ""))
        numbers = [float("nan") if v is None else v for v in values]
        if any(v == v for v in numbers):
            found.append(by_group(key, f"{title} among {cohort.alpha_depth} reads", unit, numbers, groups,
                                  cohort.grouped_by or "group"))  # fmt: skip
    return found


def _tables(cohort: Cohort) -> list[ModelTable]:
    loads = [] if cohort.loads is None else [cohort.loads.censored, cohort.loads.half_limit]
    return [table for table in (cohort.alpha, cohort.guilds, *loads) if table is not None]


def _model(table: ModelTable) -> Grid:
    columns = ("Outcome", "Term", f"Estimate ({table.unit})", "95 % interval", "df", "p", "Adjusted p", "Status")
    rows = tuple(_model_row(row) for row in table.rows)
    return Grid(f"{table.title}; {table.adjustment}", columns, rows, right=(2, 3, 4, 5, 6))


def _model_row(row: ModelRow) -> tuple[str, ...]:
    def cell(value: float | None, digits: int) -> str:
        return DASH if value is None else number(value, digits)

    spread = DASH if row.low is None or row.high is None else f"{number(row.low, 2)} to {number(row.high, 2)}"
    return (
        row.outcome, row.term, cell(row.estimate, 2), spread, cell(row.degrees_of_freedom, 1),
        DASH if row.p is None else p_words(row.p), DASH if row.p_adjusted is None else p_words(row.p_adjusted),
        row.status.value,
    )  # fmt: skip


def _taxa(cohort: Cohort) -> list[Chart]:
    if cohort.taxa is None:
        return []
    verdicts = {(row.outcome, row.term): row.verdict for row in cohort.sensitivity}
    found = []
    terms = list(dict.fromkeys(row.term for row in cohort.taxa.rows))
    for place, term in enumerate(terms, start=1):
        rows = [
            (r.outcome, r.estimate, r.low, r.high, 1.0 if r.p_adjusted is None else r.p_adjusted,
             verdicts.get((r.outcome, term), ""))
            for r in cohort.taxa.rows
            if r.term == term and r.estimate is not None and r.low is not None and r.high is not None
        ]  # fmt: skip
        best = sorted(rows, key=lambda row: row[4])[:TAXA_SHOWN]
        found.extend(forest(str(place), f"Taxa by {term} (LinDA), {len(rows)} tested", cohort.taxa.unit, best))
    return found
