"""What a file says of how it was made, as short lines: QIIME 2's provenance, BIOM's generated-by.

QIIME 2's action.yaml holds tags of its own (`!ref`, `!cite`); the few lines that matter are taken by their form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from biflora.knowledge.taxa import assay_of_primers

MOST_LINES = 40
LONGEST_LINE = 200
LONGEST_ACTION = 200_000
"""Characters of one action.yaml that are looked at."""
DATABASE = re.compile(
    r"(silva|greengenes2?|gg2|gg[-_]1[23][-_]\d|gg-13-8|gtdb|unite|homd|rdp[-_]?\d+)[^\s'\"/,;]{0,30}", re.I
)
DENOISERS = {"dada2": "DADA2", "deblur": "Deblur", "vsearch": "VSEARCH clusters"}


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a QIIME 2 provenance."""

    started: str
    framework: str
    plugin: str
    plugin_version: str
    action: str
    database: str
    primers: tuple[str, str] | None

    @property
    def line(self) -> str:
        program = f"QIIME 2 {self.framework}" if self.framework else "QIIME 2"
        plugin = f"{self.plugin} {self.action.replace('_', '-')}".strip() or "unknown action"
        said = f"primers {self.primers[0]} and {self.primers[1]}" if self.primers else ""
        version = f" ({self.plugin} {self.plugin_version})" if self.plugin and self.plugin_version else ""
        return _short(
            ", ".join(part for part in (program, plugin + version, said, self.database, self.started[:10]) if part)
        )


def read_action(text: str) -> Action:
    """The step that one action.yaml describes."""
    # The list of every installed package says nothing of this step, and names plugins that did not run.
    said = text[:LONGEST_ACTION].split("\n    python-packages:")[0]
    plugin = _value(said, r"^    plugin:\s*(?:!ref\s*)?'?(?:environment:plugins:)?([\w.-]+)'?")
    kind = _value(said, r"^    type:\s*(\w[\w-]*)")
    return Action(
        started=_value(said, r"^        start:\s*'?(\d{4}-\d\d-\d\d[T ]?[\d:.]*)"),
        framework=_value(said, r"^    framework:\s*\n\s+version:\s*'?([\w.+-]+)")
        or _value(said, r"^    framework:\s*'?([\d][\w.+-]*)"),
        plugin=plugin,
        plugin_version=_value(said, rf"^        {re.escape(plugin)}:\s*\n\s+version:\s*'?([\w.+-]+)")
        if plugin
        else "",
        action=_value(said, r"^    action:\s*'?([\w.-]+)") or kind,
        database=_found(DATABASE, said.split("\nenvironment:")[0]),
        primers=_primers(said),
    )


def actions_of(texts: Iterable[str]) -> tuple[Action, ...]:
    """All steps in the order in which they were started."""
    return tuple(sorted((read_action(text) for text in texts), key=lambda action: action.started or "9"))


def provenance_lines(uuid: str, kind: str, actions: Iterable[Action]) -> tuple[str, ...]:
    """The artifact and its steps, oldest first; the middle is left out where there are very many."""
    lines = [action.line for action in actions]
    if len(lines) > MOST_LINES:
        half = MOST_LINES // 2
        lines = [*lines[:half], f"({len(lines) - 2 * half} steps between)", *lines[-half:]]
    return (_short(f"QIIME 2 artifact {uuid}, {kind or 'type not given'}"), *lines)


def profiler_of(actions: Iterable[Action]) -> str:
    """`DADA2 2019.1.0; feature-classifier classify-sklearn 2019.1.0, silva-132`: what made and named the "
    "features."""
    found: dict[str, str] = {}
    database = ""
    for action in actions:
        database = action.database or database
        if action.plugin in DENOISERS and ("denoise" in action.action or "cluster" in action.action):
            found["features"] = f"{DENOISERS[action.plugin]} {action.plugin_version}".strip()
        if action.plugin == "feature-classifier" and action.action.startswith("classify"):
            found["names"] = f"{action.plugin} {action.action.replace('_', '-')} {action.plugin_version}".strip()
    parts = "; ".join(found[key] for key in ("features", "names") if key in found)
    return _short(f"{parts}, {database}" if parts and database else parts)


def region_of(actions: Iterable[Action]) -> tuple[str, str]:
    """(`16S V4`, why) from the primers between which the classifier learnt; two empty texts without known ones."""
    for action in actions:
        assay = assay_of_primers(*action.primers) if action.primers else ""
        if assay:
            return assay, f"its classifier was trained on reads between the primers of {assay}"
    return "", ""


def generated_line(program: Any, date: Any) -> str:
    """`made by QIIME 2019.1, 2019-01-31`; empty when the file does not say."""
    texts = [
        item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item or "") for item in (program, date)
    ]
    by = _short(texts[0])[:120]
    if not by or by.lower() in ("none", "null"):
        return ""
    day = re.match(r"\d{4}-\d\d-\d\d", texts[1])
    return f"made by {by}" + (f", {day.group(0)}" if day else "")


def _value(text: str, pattern: str) -> str:
    found = re.search(pattern, text, re.M)
    return found.group(1) if found else ""


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(0) if found else ""


def _primers(text: str) -> tuple[str, str] | None:
    pair = [
        _value(text, rf"^    -\s+{name}:\s*'?([ACGTRYSWKMBDHVN]{{12,40}})") for name in ("f_primer", "r_primer")
    ]
    return (pair[0], pair[1]) if all(pair) else None


def _short(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text).strip()[:LONGEST_LINE]
