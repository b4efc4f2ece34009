"""Write the reference pages from the code, so that they cannot drift: python docs/reference/generate.py

`--check` writes nothing and exits 1 when a page differs from what the code says today.
"""

from __future__ import annotations

import ast
import inspect
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
