"""The researcher's pages: the cohort without names, the virtual trial beside the published one, the knowledge."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from biflora.clinic import research
from biflora.clinic.opening import Clinic
from biflora.errors import TrialistMust
from biflora.papers.chart import Chart
from biflora.trial.evidence import Evidence
from biflora.web.contexts import CohortPage, EvidencePage, KnowledgePage
from biflora.web.figures import kept
from biflora.web.forms import whole
from biflora.web.render import figure, page
from biflora.web.security import AnyClinic, Form, Researcher, text

pages = APIRouter(prefix="/research")


@pages.get("")
def cohort(request: Request, clinic: AnyClinic, user: Researcher) -> Response:
    rows = research.cohort(clinic.store)
    conditions = Counter(row.condition for row in rows)
    return page(request, "cohort.html", c=CohortPage(rows=rows, conditions=tuple(conditions.most_common())))


@pages.get("/cohort.csv")
def cohort_table(clinic: AnyClinic, user: Researcher) -> Response:
    clinic.note_read(user.username, "cohort exported", "")
    names = list(research.CohortRow.__dataclass_fields__)
    rows = [[getattr(row, name) for name in names] for row in research.cohort(clinic.store)]
    return _csv(names, rows, "cohort")


@pages.get("/evidence")
def evidence(request: Request, clinic: AnyClinic, user: Researcher) -> Response:
    return _show(request, research.evidence_kept(clinic.store), None)


@pages.get("/evidence/{evidence_id}")
def one_evidence(request: Request, clinic: AnyClinic, user: Researcher, evidence_id: str) -> Response:
    return _show(request, research.evidence_kept(clinic.store), _evidence(clinic, evidence_id))


@pages.get("/evidence/{evidence_id}/comparisons.csv")
def comparisons(clinic: AnyClinic, user: Researcher, evidence_id: str) -> Response:
    found = _evidence(clinic, evidence_id)
    head = ["figure", "unit", "published", "predicted_median", "predicted_q10", "predicted_q90", "predicted_q2_5",
            "predicted_q97_5", "tail_probability", "reading", "source", "verification"]  # fmt: skip
    rows = [
        [c.figure, c.unit, c.published, c.predicted.median, c.predicted.q10, c.predicted.q90, c.predicted.q2_5,
         c.predicted.q97_5, c.surprise, c.reading, c.source, c.verification]
        for c in found.comparisons
    ]  # fmt: skip
    return _csv(head, rows, evidence_id)


@pages.get("/evidence/{evidence_id}/chart-{place}.svg")
def drawing(clinic: AnyClinic, user: Researcher, evidence_id: str, place: int) -> Response:
    charts = _charts(_evidence(clinic, evidence_id))
    if not 1 <= place <= len(charts):
        raise TrialistMust("This evidence has no figure of that number.")
    headers = {"content-disposition": f'attachment; filename="{evidence_id}-{place}.svg"'}
    return Response(charts[place - 1].svg_print, media_type="image/svg+xml", headers=headers)


@pages.post("/replicate")
def replicate(request: Request, clinic: AnyClinic, user: Researcher, form: Form) -> Response:
    trial = text(form, "trial")
    if trial not in research.known_trials():
        raise TrialistMust("Choose one of the listed trials.")
    seed, repeats = whole(form, "seed", 0, 2**31 - 1), whole(form, "repeats", 20, 2000)
    made = research.replicate_trial(clinic.store, trial, by=user, seed=seed, repeats=repeats)
    return RedirectResponse(f"/research/evidence/{made.id}", status_code=303)


@pages.get("/knowledge")
def knowledge(request: Request, clinic: AnyClinic, user: Researcher) -> Response:
    from biflora.knowledge.check import check_knowledge
    from biflora.knowledge.rows import release

    head, digest = clinic.store.audit_head()
    context = KnowledgePage(
        release=release(),
        tables=table_sizes(),
        findings=tuple(check_knowledge()),
        audit=clinic.store.verify_audit(),
        audit_entries=head,
        audit_head=digest,
    )
    return page(request, "knowledge.html", c=context)


def table_sizes() -> tuple[tuple[str, int], ...]:
    """Rows of every knowledge table, by name."""
    from importlib import resources

    folder = resources.files("biflora.knowledge") / "tables"
    found = []
    for table in sorted(folder.iterdir(), key=lambda path: path.name):
        if table.name.endswith(".csv"):
            rows = len(list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8")))))
            found.append((table.name.removesuffix(".csv"), rows))
    return tuple(found)


def _show(request: Request, all_kept: list[Evidence], shown: Evidence | None) -> Response:
    context = EvidencePage(
        kept=all_kept,
        shown=shown,
        charts=tuple(figure(chart) for chart in _charts(shown)) if shown else (),
        trials=research.known_trials(),
        input_hash=hashlib.sha256(shown.model_dump_json().encode()).hexdigest()[:16] if shown else "",
    )
    return page(request, "evidence.html", c=context)


def _charts(evidence: Evidence) -> tuple[Chart, ...]:
    from biflora.papers.charts import trial_comparison

    return kept(("trial", evidence.id), lambda: trial_comparison(evidence))


def _evidence(clinic: Clinic, evidence_id: str) -> Evidence:
    found = clinic.store.record(evidence_id, Evidence, kind="evidence")
    if found is None:
        raise TrialistMust("There is no evidence of that number; open it from the list.")
    return found


def _csv(head: list[str], rows: Iterable[Sequence[object]], name: str) -> Response:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
