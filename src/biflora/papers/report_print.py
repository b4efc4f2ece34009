"""The report's content as plain data for the typesetter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from biflora.papers.chart import Chart
from biflora.papers.cohort_content import CohortContent
from biflora.papers.microbiome_content import MicrobiomeContent
from biflora.papers.report_content import ReportContent
from biflora.papers.wording import is_doubtful, verification_words
from biflora.values import Value


def print_report(content: ReportContent, *, made_at: datetime) -> bytes:
    """The report on A4 as PDF; equal input gives equal bytes."""
    return _set("report.typ", plain(content) | {"paper": "report"}, made_at)


def print_microbiome(content: MicrobiomeContent, *, made_at: datetime) -> bytes:
    """The microbiome profile on A4 as PDF; equal input gives equal bytes."""
    data = plain(content) | {"paper": "microbiome profile", "name": content.title, "patient_id": content.title}
    return _set("microbiome.typ", data, made_at)


def print_cohort(content: CohortContent, *, made_at: datetime) -> bytes:
    """The report on a cohort on A4 as PDF; equal input gives equal bytes."""
    named = {"paper": "cohort report", "name": content.title, "patient_id": content.title, "synthetic": False}
    return _set("cohort.typ", plain(content) | named, made_at)


def plain(value: Any) -> Any:
    """Dataclasses and values as dictionaries; a chart as its printed drawing, its title, sentence and table."""
    match value:
        case Chart():
            return {
                "title": value.title,
                "sentence": value.sentence,
                "svg": value.svg_print,
                "columns": value.columns,
                "rows": value.rows,
            }
        case Value():
            return {name: plain(getattr(value, name)) for name in type(value).model_fields} | {
                name: getattr(value, name) for name in ("stopped",) if hasattr(value, name)
            }
        case str() | int() | float() | bool() | None:
            return value
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case Sequence():
            return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return str(value)


def _verifications(data: Any) -> set[str]:
    if isinstance(data, dict):
        own = {data["verification"]} if isinstance(data.get("verification"), str) else set()
        return own.union(*(_verifications(item) for item in data.values()))
    if isinstance(data, list):
        return set().union(*(_verifications(item) for item in data))
    return set()


def _set(template: str, data: dict[str, Any], made_at: datetime) -> bytes:
    import typst

    from biflora.papers.report import template_text

    data["verifications"] = {
        text: {"words": verification_words(text), "doubtful": is_doubtful(text)} for text in _verifications(data)
    }
    result: bytes = typst.compile(
        (template_text("paper_parts.typ") + template_text(template)).encode(),
        format="pdf",
        ignore_system_fonts=True,
        timestamp=int(made_at.timestamp()),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )
    return result
