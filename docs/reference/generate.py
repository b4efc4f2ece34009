"""Write the reference pages from the code, so that they cannot drift: python docs/reference/generate.py

`--check` writes nothing and exits 1 when a page differs from what the code says today.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from biflora.values import Value

HERE = Path(__file__).resolve().parent
MADE = "<!-- Written by docs/reference/generate.py; change the code, not this page. -->\n\n"


def commands_page() -> str:
    from biflora.cli.main import app

    lines = ["# Commands\n\n"]

    def walk(command: Any, path: str) -> None:
        if hasattr(command, "commands"):
            for name, child in command.commands.items():
                if not child.hidden:
                    walk(child, f"{path} {name}")
            return
        lines.append(f"## `{path}`\n\n{inspect.cleandoc(command.help or '')}\n\n")
        if command.epilog:
            lines.append(f"```\n{command.epilog.removeprefix('Example: ')}\n```\n\n")
        rows = []
        for option in command.params:
            name = ", ".join(option.opts) if option.opts[0].startswith("-") else str(option.name).upper()
            text = getattr(option, "help", "") or ""
            default = option.default
            shown = f" Default: `{default}`." if default not in (None, False) and not callable(default) else ""
            rows.append(f"| `{name}` | {text}{shown}{' Required.' if option.required else ''} |\n")
        if rows:
            lines.append("| option | meaning |\n|---|---|\n" + "".join(rows) + "\n")

    walk(typer.main.get_command(app), "biflora")
    return MADE + "".join(lines)


def fields_of(model: type[Any]) -> list[tuple[str, str, str, str]]:
    """Name, type, default and docstring of each field, in order."""
    tree = ast.parse(inspect.getsource(model)).body[0]
    assert isinstance(tree, ast.ClassDef)
    texts: dict[str, str] = {}
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            texts[node.target.id] = " ".join(str(after.value.value).split())
    rows = []
    for name, info in model.model_fields.items():
        kind = (
            info.annotation.__name__
            if isinstance(info.annotation, type) and not getattr(info.annotation, "__args__", ())
            else str(info.annotation)
        )
        for old in ("typing.", "biflora.profile.patient.", "biflora.plan.plan.", "biflora.values.",
                    "biflora.formula.formula.", "datetime."):  # fmt: skip
            kind = kind.replace(old, "")
        value = info.default
        default = (
            "required" if info.is_required() else "none given" if isinstance(value, Value) else f"`{value!r}`"
        )
        rows.append((name, kind.replace("|", "\\|"), default.replace("|", "\\|"), texts.get(name, "")))
    return rows


def model_page(title: str, intro: str, *models: type[Any]) -> str:
    parts = [f"# {title}\n\n{intro}\n\n"]
    for model in models:
        parts.append(f"## {model.__name__}\n\n{inspect.cleandoc(model.__doc__ or '')}\n\n")
        parts.append("| field | type | default | meaning |\n|---|---|---|---|\n")
        parts += [f"| `{n}` | {k} | {d} | {t} |\n" for n, k, d, t in fields_of(model)]
        parts.append("\n")
    return MADE + "".join(parts).rstrip() + "\n"


def knowledge_page() -> str:
    from biflora.knowledge.check import table_types
    from biflora.knowledge.rows import read_table, release

    lines = [f"# Knowledge {release()}\n\nEvery table, how many rows it has, and how far they were verified.\n\n"]
    lines.append("| table | rows | verification (rows) |\n|---|---|---|\n")
    for name, row_type in sorted(table_types().items()):
        rows = read_table(name, row_type)
        marks = Counter(row.verification.split(";")[0].split(" ")[0].strip(",;") for row in rows.values())
        lines.append(
            f"| `{name}.csv` | {len(rows)} | {', '.join(f'{m} {n}' for m, n in marks.most_common(6))} |\n"
        )
    for name, row_type in sorted(table_types().items()):
        lines.append(f"\n## {name}\n\n{inspect.cleandoc(row_type.__doc__ or '')}\n\n")
        lines.append("| column | meaning |\n|---|---|\n")
        lines += [f"| `{n}` | {t} |\n" for n, _, _, t in fields_of(row_type) if n not in ("key",)]
    return MADE + "".join(lines)


def instruments_page() -> str:
    from biflora.knowledge.instruments import INSTRUMENTS_PAGE_COLUMNS, instruments

    rows = instruments()
    lines = ["# Instruments\n\nThe arithmetic is shipped, licensed question texts are not.\n\n"]
    lines.append(
        "| " + " | ".join(INSTRUMENTS_PAGE_COLUMNS) + " |\n|" + "---|" * len(INSTRUMENTS_PAGE_COLUMNS) + "\n"
    )
    for row in rows.values():
        cells = [str(getattr(row, column)) for column in INSTRUMENTS_PAGE_COLUMNS]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return MADE + "".join(lines)


RULE_LEVELS = {"block": "stop", "warn": "warn", "allow": "allowed"}
NOT_LISTED = {"fda_iid_topical", "formulation_settings", "formula_rules", "ingredients", "vehicles"}
"""Tables of the rules that are too long for a page, or are no rules; the windows of ingredients have their own."""
SKIPPED = {"key", "source", "verification", "valid_from", "note", "evidence", "severity", "synonyms"}


def rules_page() -> str:
    """The registry of the formula room's rules by group, then the rows of the tables that hold their numbers."""
    from biflora.knowledge.check import table_types
    from biflora.knowledge.formula_rules import formula_rules
    from biflora.knowledge.pharmacy import ingredients
    from biflora.knowledge.rows import read_table, release

    rules = formula_rules()
    lines = [
        f"# Rules of the formula room (knowledge {release()})\n\n"
        "Every rule that the room proves about a formula: the optimiser builds by it and the independent checker "
        "proves it again, or the checker alone tells it. A `stop` is never prescribed, a `warn` is read and "
        "answered, a `note` is told. **(r)** marks what nobody has read for this release: it is remembered, "
        "assumed or inferred, and a pharmacist should judge it before relying on it. Below the rules stand the "
        "rows of the tables that hold their numbers. Each rule has cases that trigger it and that just do not, in "
        "`tests/rules/formula`.\n"
    ]
    for group in dict.fromkeys(rule.group for rule in rules.values()):
        lines.append(f"\n## {group.capitalize()}\n\n| rule | what it says | level | who can lift it |")
        lines.append(" proved by |\n|---|---|---|---|---|\n")
        for key, rule in rules.items():
            if rule.group == group:
                how = f" ({rule.how})" if rule.how else ""
                where = f" Numbers: {', '.join(rule.tables)}." if rule.tables else ""
                who = ", ".join(dict.fromkeys(rule.who))
                lines.append(
                    f"| `{key}` {rule.label}{_recalled(rule)} | {rule.statement}{where} Source: {rule.source} "
                    f"({rule.verification}). | {', '.join(rule.severity)}{how} | {who} "
                    f"| {' and '.join(rule.proved_by)} |\n"
                )
    lines.append("\n# Rows of the tables\n\nSources stand in `src/biflora/knowledge/tables/*.csv`.\n")
    lines.append("\n## ingredients: ranges and windows\n\n| ingredient | % w/w | pH | marks | verification |\n")
    lines.append("|---|---|---|---|---|\n")
    for row in ingredients().values():
        lines.append(
            f"| {row.name}{_recalled(row)} | {row.min_percent:g} to {row.max_percent:g} "
            f"| {_window(row.ph_min, row.ph_max)} | {_marks(row)} | {row.verification} |\n"
        )
    used = sorted({table for rule in rules.values() for table in rule.tables} - NOT_LISTED)
    for name in used:
        rows = read_table(name, table_types()[name])
        recalled = sum(row.only_remembered for row in rows.values())
        lines.append(f"\n## {name}\n\n{len(rows)} rows, {recalled} of them (r).\n\n")
        lines.append("| row | what it says | verification |\n|---|---|---|\n")
        for key, row in rows.items():
            lines.append(f"| `{key}`{_recalled(row)} | {_facts(row)} | {row.verification} |\n")
    return MADE + "".join(lines)


def needs_rules_page() -> str:
    """What a topical is wanted for, by condition: every row of need_rules as a sentence that can be checked."""
    from biflora.knowledge.checking import effects
    from biflora.knowledge.planning import need_rules
    from biflora.knowledge.rows import release
    from biflora.plan.signals import GUT_SIGNALS, SIGNALS

    rules = need_rules()
    recalled = sum(row.only_remembered for row in rules.values())
    from_gut = [key for key, row in rules.items() if row.signal in GUT_SIGNALS]
    gut = (
        f"Rows that let the gut drive the topical: {', '.join(from_gut)}."
        if from_gut
        else (f"No row names a signal of the gut ({', '.join(GUT_SIGNALS)}): the gut never drives the topical.")
    )
    lines = [
        f"# What the topical is wanted for: the need rules (knowledge {release()})\n\n"
        "Each row reads: when this signal lies here, this effect is wanted so much (weight, 0 to 1), and so sure "
        "are we (confidence, 0 to 1), because of this. Of the rows that hold for one effect the most confident "
        "speaks. *Not known* rows hold when the signal was not measured or not resolved; below detection is "
        "known to lie under the assay's limit, and a row holds only where all that is still possible lies in "
        "its range. A sample with a quality warning is believed less (factor in `plan_limits.csv`). **(r)** marks "
        f"what nobody has read for this release: remembered, assumed or inferred; {recalled} of {len(rules)} "
        f"rows. {gut} To change a row: `src/biflora/knowledge/tables/need_rules.csv`.\n\n"
        "| signal | what it is |\n|---|---|\n"
    ]
    lines += [f"| {name.replace('_', ' ')} | {words} |\n" for name, words in SIGNALS.items()]
    for condition in dict.fromkeys(name for row in rules.values() for name in row.conditions):
        lines.append(f"\n## {condition.replace('_', ' ').capitalize()}\n\n")
        lines.append("| row | signal | when | wanted | weight | confidence | because | source (verification) |\n")
        lines.append("|---|---|---|---|---|---|---|---|\n")
        for key, row in rules.items():
            if condition in row.conditions:
                because = re.sub("{value[^}]*}", "x", row.because.replace("|", "/"))
                lines.append(
                    f"| `{key}`{_recalled(row)} | {row.signal.replace('_', ' ')} | {_when(row)} "
                    f"| {effects()[row.effect].label} | {row.weight:g} | {row.confidence:g} "
                    f"| {because} | {row.source} ({row.verification}) |\n"
                )
    return MADE + "".join(lines)


def _when(row: Any) -> str:
    if row.when_unknown == "yes":
        return "not known"
    low = "" if row.at_least is None else f"at least {row.at_least:g}"
    high = "" if row.below is None else f"below {row.below:g}"
    return " and ".join(part for part in (low, high) if part) or "always"


def _recalled(row: Any) -> str:
    return " **(r)**" if row.only_remembered else ""


def _window(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "any"
    return f"{'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}"


def _marks(row: Any) -> str:
    """What a pharmacist must know of an ingredient besides its range: strengths, allergens, irritancy, ages."""
    marks = [
        f"strengths {', '.join(f'{each:g}' for each in row.strengths_percent)}" if row.strengths_percent else "",
        f"irritancy {row.irritancy}" if row.irritancy else "",
        f"pregnancy: {row.pregnancy}" if row.pregnancy != "ok" else "",
        f"from {row.min_age_years:g} years" if row.min_age_years else "",
        f"allergens: {', '.join(row.allergen_groups)}" if row.allergen_groups else "",
        f"EU leave-on {row.eu_leave_on_max_percent:g} %" if row.eu_leave_on_max_percent is not None else "",
        "comedogenic" if row.comedogenic else "",
        "feeds Malassezia" if row.feeds_malassezia else "",
        "oxidises" if row.oxidation_prone else "",
        "hazardous" if row.hazardous else "",
    ]
    return "; ".join(mark for mark in marks if mark)


def _facts(row: Any) -> str:
    """A row's cells that differ from their defaults, as `column: value`."""
    facts = [RULE_LEVELS[row.severity]] if getattr(row, "severity", None) in RULE_LEVELS else []
    for name, info in type(row).model_fields.items():
        value = getattr(row, name)
        if name in SKIPPED or value in (None, "", ()) or (value == info.default and not info.is_required()):
            continue
        if isinstance(value, tuple):
            value = ", ".join(value)
        text = f"{value:g}" if isinstance(value, float) else value
        facts.append(f"{name.replace('_', ' ')}: {text}")
    return "; ".join(facts).replace("|", "\\|")


def pages() -> dict[str, str]:
    from biflora.clinic.consult import Consultation
    from biflora.formula.formula import Alternative, Formula, Impossible, Line, Property, Reason
    from biflora.plan.plan import (
        ArmSummary,
        Measure,
        Need,
        Needs,
        Plan,
        RedFlag,
        Step,
        StrainChoice,
    )  # fmt: skip
    from biflora.profile.patient import AffectedSite, InstrumentInput, Laboratory, Patient, Preferences
    from biflora.twin.equations import equations_markdown

    return {
        "commands.md": commands_page(),
        "patient.md": model_page(
            "Patient file",
            "TOML or JSON. Only `age_years` and `condition` are required; what is absent is treated as unknown, "
            "never as normal.",
            Patient, AffectedSite, InstrumentInput, Laboratory, Preferences,
        ),
        "needs.md": model_page("Needs file", "What `biflora formula design` reads, as JSON.", Needs, Need),
        "formula.md": model_page(
            "Formula file", "What `biflora formula check` reads and `design` prints.",
            Formula, Line, Property, Alternative, Impossible, Reason,
        ),
        "plan-json.md": model_page(
            "plan.json", "What `biflora plan` writes: the whole chain of values.",
            Consultation, Plan, RedFlag, ArmSummary, Step, StrainChoice, Measure,
        ),
        "instruments.md": instruments_page(),
        "knowledge.md": knowledge_page(),
        "rules.md": rules_page(),
        "needs-rules.md": needs_rules_page(),
        "equations.md": MADE + equations_markdown(),
    }  # fmt: skip


def main() -> int:
    made = pages()
    if "--check" in sys.argv:
        stale = [n for n, text in made.items() if not (HERE / n).exists() or (HERE / n).read_text() != text]
        if stale:
            print(f"These reference pages are out of date: {', '.join(stale)}. Run docs/reference/generate.py.")
        return 1 if stale else 0
    for name, text in made.items():
        (HERE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
