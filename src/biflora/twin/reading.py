"""The model's source read as formulas: the printed equations and SBML are written from it, not beside it.

A formula is a Python expression in which every name says what it is: `y.barrier` a state, `p.transit` a rate,
`u.use_oral` an input, `day` the days in care, `kept` what the placebo response leaves of a score; any other name
is a part that an earlier line defines.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from biflora.twin.observe import OBSERVED

OVERLOOKED = ("float", "bool")
"""Calls that change a number's type and not its value."""
ARRAYS = ("y", "p", "u")


@dataclass(frozen=True, slots=True)
class Line:
    """One formula: a part with its own name, the rate of change of a state, or an observable."""

    name: str
    kind: Literal["part", "rate", "seen"]
    value: ast.expr
    heading: str = ""
    """The comment that stands over it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A function as one formula of its arguments; those named in `ARRAYS` are left out."""

    arguments: tuple[str, ...]
    value: ast.expr


@cache
def _source() -> tuple[ast.Module, tuple[str, ...]]:
    text = (resources.files("biflora.twin") / "model.py").read_text(encoding="utf-8")
    return ast.parse(text), tuple(text.splitlines())


@cache
def _function(name: str) -> ast.FunctionDef:
    return next(node for node in _source()[0].body if isinstance(node, ast.FunctionDef) and node.name == name)


@cache
def _constants() -> dict[str, float]:
    """Numbers with a name at the top of the model."""
    return {
        node.targets[0].id: float(node.value.value)
        for node in _source()[0].body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant) and isinstance(node.value.value, int | float)
    }  # fmt: skip


class _Naming(ast.NodeTransformer):
    """Turn `p[at.TRANSIT]` into the name `p.transit`, put known names in their place, drop `math.`."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        self.known = known

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        assert isinstance(node.value, ast.Name)
        assert isinstance(node.slice, ast.Attribute)
        return ast.Name(f"{node.value.id}.{node.slice.attr.lower()}")

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in _constants():
            return ast.Constant(_constants()[node.id])
        return copy.deepcopy(self.known.get(node.id, node))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [arg for arg in node.args if not (isinstance(arg, ast.Name) and arg.id in ARRAYS)]
        arguments = [self.visit(arg) for arg in given]
        if name in OVERLOOKED:
            return arguments[0]  # type: ignore[no-any-return]
        if len(given) < len(node.args) and not given:  # feels states and rates only
            return meaning(name).value
        return ast.Call(ast.Name(name), arguments, [])


def _heading(node: ast.stmt) -> str:
    above = _source()[1][node.lineno - 2].strip()
    return above.removeprefix("#").strip() if above.startswith("#") else ""


@cache
def lines(function: str) -> tuple[Line, ...]:
    """Every formula of `rates` or `see`, in the order of the source."""
    known: dict[str, ast.expr] = {}
    found: list[Line] = []
    heading = ""
    for node in _function(function).body:
        if isinstance(node, ast.Expr):
            continue  # the docstring
        assert isinstance(node, ast.Assign), f"{function} holds more than formulas: line {node.lineno}"
        heading = _heading(node) or heading
        target, value = node.targets[0], node.value
        pairs = (
            zip(target.elts, value.elts, strict=True)
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            else [(target, value)]
        )
        for place, expression in pairs:
            named = _Naming(known).visit(copy.deepcopy(expression))
            if isinstance(place, ast.Subscript):
                found.append(_result(place, named, heading))
            else:
                assert isinstance(place, ast.Name)
                assert place.id not in {line.name for line in found}, f"{place.id} is set twice"
                if isinstance(named, ast.Name) and "." in named.id:
                    known[place.id] = named  # another name for a state, a rate or an input
                else:
                    found.append(Line(place.id, "part", named, heading))
    return tuple(found)


def _result(place: ast.Subscript, value: ast.expr, heading: str) -> Line:
    if isinstance(place.slice, ast.Attribute):
        return Line(place.slice.attr.lower(), "rate", value, heading)
    assert isinstance(place.slice, ast.Constant)
    assert isinstance(place.slice.value, int)
    return Line(OBSERVED[place.slice.value], "seen", value, heading)


@cache
def meaning(function: str) -> Meaning:
    """A function of the model that returns one number, as one formula."""
    node = _function(function)
    arguments = tuple(arg.arg for arg in node.args.args if arg.arg not in ARRAYS)
    return Meaning(arguments, _value(node.body, {}))


def _value(body: Sequence[ast.stmt], known: dict[str, ast.expr]) -> ast.expr:
    """What a body of assignments, `if ...: return` and a last `return` comes to."""
    node, rest = body[0], body[1:]
    if isinstance(node, ast.Assign):
        assert isinstance(node.targets[0], ast.Name)
        value = _Naming(known).visit(copy.deepcopy(node.value))
        return _value(rest, {**known, node.targets[0].id: value})
    if isinstance(node, ast.If):
        return ast.IfExp(
            _Naming(known).visit(copy.deepcopy(node.test)), _value(node.body, known), _value(rest, known)
        )
    if isinstance(node, ast.Return):
        assert node.value is not None
        value = _Naming(known).visit(copy.deepcopy(node.value))
        assert isinstance(value, ast.expr)
        return value
    return _value(rest, known)  # the docstring


def names_in(value: ast.expr) -> set[str]:
    """States, rates, inputs and parts that a formula feels; functions are not among them."""
    functions = {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name) and id(node) not in functions}
