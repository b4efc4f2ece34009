"""The twin's equations, levers and rates as a page: formulas from the model's source, numbers from the tables."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from biflora.knowledge.levers import lever_doses
from biflora.knowledge.rates import Rate, observables
from biflora.knowledge.rates import rates as rate_table
from biflora.twin.calibrated import artefact
from biflora.twin.reading import Line, lines, meaning
from biflora.twin.state import STATE_LABELS, STATES

STATE_SYMBOLS: dict[str, str] = dict(zip(STATES, "ACSBIGDMFPLUY", strict=True))
"""The letter of each state on the page."""
LEVER_LABELS: dict[str, str] = {
    "use_emollient": "emollient, or the base of a topical",
    "use_steroid": "topical steroid or calcineurin inhibitor, in moderate-steroid doses",
    "use_oral": "oral probiotic, in reference doses",
    "use_fibre": "fibre, in reference doses",
    "use_topical": "living commensal on the skin, in reference doses",
    "use_antistaph": "topical against S. aureus, 0 to 1",
    "use_lipids": "barrier lipids, 0 to 1",
    "use_calm": "anti-inflammatory topical without a drug, 0 to 1",
    "use_prebiotic": "prebiotic for the skin, 0 to 1",
    "use_wash": "antiseptic washes, in reference doses",
    "use_blockade": "type-2 blockade at its licensed dose",
}
OTHER_INPUTS: dict[str, tuple[str, str]] = {
    "drive": ("flare", "drive of tone by flares, mean 1, new every week"),
    "gut_link": ("link", "1; with the gut link off 0"),
    "butyrate_held": ("Y_0", "butyrate of week 0, which regulation feels while the gut link is off"),
}
SUM, PRODUCT, SIGN, POWER, WHOLE = 1, 2, 3, 4, 5
COMPARED: dict[type[ast.cmpop], str] = {ast.GtE: "≥", ast.LtE: "≤", ast.Gt: ">", ast.Lt: "<"}


def symbol(name: str) -> str:
    """How a state, rate, input or part is printed."""
    kind, _, key = name.rpartition(".")
    match kind:
        case "y":
            return STATE_SYMBOLS[key]
        case "p":
            return rate_table()[key].symbol
        case "u":
            return OTHER_INPUTS[key][0] if key in OTHER_INPUTS else key.replace("use_", "u_")
        case _:
            return {"day": "t"}.get(name, name)


def formula(value: ast.expr) -> str:
    """One formula as text, with the fewest parentheses."""
    return _printed(value)[0]


def _printed(value: ast.expr) -> tuple[str, int]:
    """The text and how strongly it holds together."""
    match value:
        case ast.Name():
            return symbol(value.id), WHOLE
        case ast.Constant(value=float(number) | int(number)):
            return f"{number:g}", WHOLE
        case ast.UnaryOp(op=ast.USub()):
            return f"−{_held(value.operand, PRODUCT)}", SIGN
        case ast.BinOp(op=ast.Add()):
            return f"{_held(value.left, SUM)} + {_held(value.right, SUM)}", SUM
        case ast.BinOp(op=ast.Sub()):
            return f"{_held(value.left, SUM)} − {_held(value.right, PRODUCT)}", SUM
        case ast.BinOp(op=ast.Mult()):
            return f"{_held(value.left, PRODUCT)} · {_held(value.right, PRODUCT)}", PRODUCT
        case ast.BinOp(op=ast.Div()):
            return f"{_held(value.left, PRODUCT)} / {_held(value.right, POWER)}", PRODUCT
        case ast.BinOp(op=ast.Pow()):
            return f"{_held(value.left, WHOLE)}^{_held(value.right, WHOLE)}", POWER
        case ast.IfExp(test=ast.Compare(ops=[sign], left=left, comparators=[right])):
            condition = f"{formula(left)} {COMPARED[type(sign)]} {formula(right)}"
            return f"{formula(value.body)} if {condition}, else {formula(value.orelse)}", 0
        case ast.Call(func=ast.Name(id="exp"), args=[argument]):
            return f"e^{_held(argument, WHOLE)}", POWER
        case ast.Call(func=ast.Name(id=name), args=arguments):
            said = {"log": "ln"}.get(name, name)
            return f"{said}({', '.join(formula(argument) for argument in arguments)})", WHOLE
        case _:
            raise TypeError(f"no way to print {ast.dump(value)}")


def _held(value: ast.expr, by: int) -> str:
    text, strength = _printed(value)
    return text if strength >= by else f"({text})"


def _model_lines() -> str:
    parts: list[str] = []
    heading = ""
    for line in lines("rates"):
        if line.heading != heading:
            heading = line.heading
            parts.append(f"\n### {heading[0].upper()}{heading[1:]}\n")
        parts.append(_line(line))
    return "\n".join(parts).strip()


def _line(line: Line) -> str:
    match line.kind:
        case "part":
            return f"- `{line.name} = {formula(line.value)}`"
        case "rate":
            return f"- `{STATE_SYMBOLS[line.name]}′ = {formula(line.value)}` — {STATE_LABELS[line.name]}"
        case "seen":
            row = observables()[line.name]
            return f"- `{line.name} = {formula(line.value)}` — {row.label}, {row.unit}"


def _functions() -> str:
    return "\n".join(
        f"- `{name}({', '.join(symbol(a) for a in meaning(name).arguments)}) = {formula(meaning(name).value)}`"
        for name in ("logistic", "shifted")
    )


def _spread(row: Rate) -> str:
    match row.distribution:
        case "lognormal":
            return f"÷×{row.spread:g} (90 %)"
        case "normal":
            return f"sd {row.spread:g}"
        case "logit":
            return f"logit sd {row.spread:g}"
        case "bernoulli":
            return "yes or no"
        case "constant":
            return "the same in all"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def one(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"

    return "\n".join([one(head), "|" + "---|" * len(head), *(one(row) for row in rows)])


def _rates() -> str:
    calibrated = set(artefact().get("rates", []))
    return _table(
        ("key", "symbol", "meaning", "unit", "median", "between patients", "calibrated", "source", "verified"),
        [
            (row.key, f"`{row.symbol}`", row.meaning, row.unit, f"{row.median:g}", _spread(row),
             "yes" if row.key in calibrated else "", row.source, row.verification)
            for row in rate_table().values()
        ],
    )  # fmt: skip


def _levers() -> str:
    inputs = [(f"`{symbol(f'u.{key}')}`", label) for key, label in LEVER_LABELS.items()]
    inputs += [(f"`{shown}`", label) for shown, label in OTHER_INPUTS.values()]
    doses = [
        (row.key, f"{row.value:g}", row.unit, row.note, row.source, row.verification)
        for row in lever_doses().values()
    ]
    return "\n\n".join([
        _table(("input", "what it is"), inputs),
        _table(("reference", "value", "unit", "what it stands for", "source", "verified"), doses),
    ])  # fmt: skip


def _origin() -> str:
    rows = rate_table()
    assumed = sum(row.only_remembered for row in rows.values())
    found = artefact()
    told = (
        f"{len(found['rates'])} were then calibrated together on published trials (population {found['name']}); "
        "the others keep their prior."
        if found
        else "None is calibrated yet: the population in use is the prior."
    )
    return (
        f"{assumed} of {len(rows)} rates are assumed: no publication gives them. {told} The table shows priors. "
        "The combination has no rate of its own: what oral and topical do together follows from the states."
    )


def equations_markdown() -> str:
    """The model as Markdown: equations, what is seen, levers, and rates with spread, source and verification."""
    states = [(f"`{STATE_SYMBOLS[key]}`", key, label) for key, label in STATE_LABELS.items()]
    seen = "\n".join(_line(line) for line in lines("see"))
    placebo = formula(meaning("placebo_kept").value)
    sections = (
        ("States", _table(("symbol", "key", "what it is"), states)),
        ("Rates of change per day", _model_lines()),
        ("Functions", _functions()),
        ("What a visit sees", f"Without measurement noise. `kept` is the placebo response, below.\n\n{seen}"),
        ("Placebo response", f"What it leaves of every score `t` days into care:\n\n- `kept = {placebo}`"),
        ("Levers", "What a regimen pulls, times the share of doses that the patient takes in that week. A steroid "
         "acts while it is due: from the visit at which SCORAD is above `s_1` to the one at which it is not above "
         f"`s_0`.\n\n{_levers()}"),
        ("Rates", _rates()),
    )  # fmt: skip
    top = (
        "# The twin's equations and rates\n\nEvery formula is read from the program's source "
        "(`src/biflora/twin/model.py`) and every number from its tables. Time is in days, loads are per cm², the "
        f"gut is per kg of stool.\n\n{_origin()}"
    )
    body = [f"## {title}\n\n{text}" for title, text in sections]
    return "\n\n".join([top, *body]) + "\n"
