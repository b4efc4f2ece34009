"""One virtual patient's model as SBML Level 3 Version 2, for any simulator that reads it.

Deterministic: levers as planned with no dose missed, a steroid as if it were due every day, no flares (drive 1),
the gut link on. Formulas are read from the model's source (`reading.py`); only what they name is written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import observables
from biflora.knowledge.rates import rates as rate_table
from biflora.twin.arms import timetable_of
from biflora.twin.forecast import ARM_LABELS, Arm
from biflora.twin.reading import Line, Meaning, lines, meaning, names_in
from biflora.twin.state import BUTYRATE, INPUTS, LEVERS, RATES, STATE_LABELS, STATES

Array = NDArray[np.float64]
CORE = "http://www.sbml.org/sbml/level3/version2/core"
MATHML = "http://www.w3.org/1998/Math/MathML"
XHTML = "http://www.w3.org/1999/xhtml"
TIME = "http://www.sbml.org/sbml/symbols/time"
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divide", ast.Pow: "power",
}  # fmt: skip
COMPARED: dict[type[ast.cmpop], str] = {ast.GtE: "geq", ast.LtE: "leq", ast.Gt: "gt", ast.Lt: "lt"}
BUILT_IN = {"exp": "exp", "log": "ln", "log10": "log", "min": "min", "max": "max"}
FUNCTIONS = ("logistic", "shifted")
"""Functions of the model that SBML calls by name."""


@dataclass(frozen=True, slots=True)
class Written:
    """A patient under one arm, as the file holds her."""

    rates: Array
    """(rates,)"""
    states: Array
    """(states,) at time 0."""
    inputs: Array
    """(inputs,) constant."""
    name: str
    weeks: int


def of_patient(rates: Array, states: Array, arm: Arm, weeks: int, name: str) -> Written:
    """This patient under the arm's plan, which is the same from the first day to the last."""
    plan = timetable_of(arm, weeks).plan
    assert np.all(plan == plan[0])
    inputs = np.concatenate([plan[0, : len(LEVERS) - 1], [1.0, 1.0, states[BUTYRATE]]])
    return Written(rates, states, inputs, f"{name}: {ARM_LABELS[arm]}", weeks)


def median_patient(arm: Arm, weeks: int) -> Written:
    """Every rate at its prior median, settled without flares until the first visit."""
    from biflora.twin.population import LATENT, Latent, rates_of, settle

    latent = Latent(np.zeros((1, LATENT), np.float32), np.zeros(1, np.int64), np.zeros(1, np.uint64))
    patients = settle(latent, 0, rates_of(latent, np.zeros((1, len(RATES)))))
    return of_patient(patients.rates[0], patients.states[0], arm, weeks, "median patient")


def drawn_patient(number: int, seed: int, arm: Arm, weeks: int) -> Written:
    """The patient of that number (from 1) among those that the seed draws, at her first visit."""
    from biflora.twin.population import at_first_visit

    patients = at_first_visit(number, seed)
    name = f"virtual patient {number} of seed {seed}"
    return of_patient(patients.rates[-1], patients.states[-1], arm, weeks, name)


def document(patient: Written, *, observables_too: bool = True) -> str:
    """The SBML text. Time is in days; an id is a key of a state, rate or observable, or `input_` and its key."""
    model, seen, kept = lines("rates"), lines("see") if observables_too else (), meaning("placebo_kept")
    root = Xml.Element("sbml", {"xmlns": CORE, "level": "3", "version": "2"})
    body = Xml.SubElement(root, "model", {"id": "biflora_twin", "name": patient.name, "timeUnits": "day"})
    notes = Xml.SubElement(body, "notes")
    Xml.SubElement(notes, "p", {"xmlns": XHTML}).text = (
        f"The gut-skin twin of biflora, {patient.name}, for {patient.weeks} weeks ({7 * patient.weeks} days). "
        "Deterministic: no missed doses, no flares, the steroid of the plan every day. Not a medical device."
    )
    functions = Xml.SubElement(body, "listOfFunctionDefinitions")
    for name in FUNCTIONS:
        _function(functions, name, meaning(name))
    _units(Xml.SubElement(body, "listOfUnitDefinitions"))
    _parameters(Xml.SubElement(body, "listOfParameters"), patient, (*model, *seen), kept.value)
    rules = Xml.SubElement(body, "listOfRules")
    if seen:
        _rule(rules, "assignmentRule", "kept", kept.value, "seen_")
    for line in model:
        _rule(rules, "rateRule" if line.kind == "rate" else "assignmentRule", _target(line, ""), line.value, "")
    for line in seen:
        _rule(rules, "assignmentRule", _target(line, "seen_"), line.value, "seen_")
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _target(line: Line, prefix: str) -> str:
    return f"{prefix}{line.name}" if line.kind == "part" else line.name


def _id(name: str, prefix: str) -> str:
    """SBML's name: parts of what a visit sees, and inputs, are set apart from others of the same name."""
    kind, _, key = name.rpartition(".")
    if kind:
        return f"input_{key}" if kind == "u" else key
    return key if key == "kept" else f"{prefix}{key}"


def _units(into: Xml.Element) -> None:
    for name, exponent in (("day", "1"), ("per_day", "-1")):
        units = Xml.SubElement(Xml.SubElement(into, "unitDefinition", {"id": name}), "listOfUnits")
        Xml.SubElement(
            units, "unit", {"kind": "second", "exponent": exponent, "scale": "0", "multiplier": "86400"}
        )  # fmt: skip


def _days(value: ast.expr, parts: dict[str, int]) -> int:
    """The power of time in a formula. A load is a number of its own unit, so that only time has a unit."""
    match value:
        case ast.Name(id=name):
            kind, _, key = name.rpartition(".")
            unit = rate_table()[key].unit if kind == "p" else "d" if key == "day" else ""
            return parts.get(name, 1 if unit == "d" else -1 if unit.endswith("/d") else 0)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _days(left, parts) + _days(right, parts)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _days(left, parts) - _days(right, parts)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub()):
            return _days(left, parts)
        case _:
            return 0


def _unit(days: int) -> str:
    return {1: "day", 0: "dimensionless", -1: "per_day"}[days]


def _parameters(into: Xml.Element, patient: Written, written: tuple[Line, ...], kept: ast.expr) -> None:
    used = names_in(kept).union(*(names_in(line.value) for line in written))
    for place, key in enumerate(STATES):
        _parameter(into, key, STATE_LABELS[key], "dimensionless", patient.states[place], constant=False)
    for place, key in enumerate(INPUTS):
        if f"u.{key}" in used:
            label = f"input: {key}, in reference doses" if key in LEVERS else f"input: {key}"
            _parameter(into, f"input_{key}", label, "dimensionless", patient.inputs[place], constant=True)
    for place, key in enumerate(RATES):
        if f"p.{key}" in used:
            row = rate_table()[key]
            label = f"{row.meaning} [{row.unit}]"
            _parameter(
                into, key, label, _unit(_days(ast.Name(f"p.{key}"), {})), patient.rates[place], constant=True
            )
    parts: dict[str, int] = {}
    for line in lines("rates"):
        if line.kind == "part":
            parts[line.name] = _days(line.value, parts)
            _parameter(into, line.name, line.name, _unit(parts[line.name]), None, constant=False)
    _parameter(into, "kept", "what the placebo response leaves of a score", "dimensionless", 1.0, constant=False)
    for line in written[len(lines("rates")) :]:
        label = line.name if line.kind == "part" else observables()[line.name].label
        _parameter(into, _target(line, "seen_"), label, "dimensionless", None, constant=False)


def _parameter(into: Xml.Element, key: str, label: str, unit: str, value: float | None, *, constant: bool) -> None:
    given = {"id": key, "name": label, "units": unit, "constant": str(constant).lower()}
    if value is not None:
        given["value"] = repr(float(value))
    Xml.SubElement(into, "parameter", given)


def _function(into: Xml.Element, name: str, what: Meaning) -> None:
    body = Xml.SubElement(_math(Xml.SubElement(into, "functionDefinition", {"id": name})), "lambda")
    for argument in what.arguments:
        Xml.SubElement(Xml.SubElement(body, "bvar"), "ci").text = argument
    _write(body, what.value, "")


def _rule(into: Xml.Element, kind: str, variable: str, value: ast.expr, prefix: str) -> None:
    _write(_math(Xml.SubElement(into, kind, {"variable": variable})), value, prefix)


def _math(into: Xml.Element) -> Xml.Element:
    return Xml.SubElement(into, "math", {"xmlns": MATHML, "xmlns:sbml": CORE})


def _write(into: Xml.Element, value: ast.expr, prefix: str) -> None:
    """MathML of one formula."""
    match value:
        case ast.Name(id="day"):
            Xml.SubElement(into, "csymbol", {"encoding": "text", "definitionURL": TIME}).text = "time"
        case ast.Name(id=name):
            Xml.SubElement(into, "ci").text = _id(name, prefix)
        case ast.Constant(value=float(number) | int(number)):
            _number(into, float(number), "dimensionless")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _apply(into, "minus", [operand], prefix)
        case ast.BinOp(left=left, op=op, right=right):
            _apply(into, OPERATORS[type(op)], [left, right], prefix)
        case ast.Compare(left=left, ops=[sign], comparators=[ast.Constant(value=float(number))]):
            apply = Xml.SubElement(into, "apply")
            Xml.SubElement(apply, COMPARED[type(sign)])
            _write(apply, left, prefix)
            _number(apply, number, _unit(_days(left, {})))
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            cases = Xml.SubElement(into, "piecewise")
            piece = Xml.SubElement(cases, "piece")
            _write(piece, body, prefix)
            _write(piece, test, prefix)
            _write(Xml.SubElement(cases, "otherwise"), otherwise, prefix)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in BUILT_IN:
            _apply(into, BUILT_IN[name], arguments, prefix)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            apply = Xml.SubElement(into, "apply")
            Xml.SubElement(apply, "ci").text = name
            for argument in arguments:
                _write(apply, argument, prefix)
        case _:
            raise TypeError(f"no MathML for {ast.dump(value)}")


def _apply(into: Xml.Element, operator: str, arguments: Iterable[ast.expr], prefix: str) -> None:
    apply = Xml.SubElement(into, "apply")
    Xml.SubElement(apply, operator)
    for argument in arguments:
        _write(apply, argument, prefix)


def _number(into: Xml.Element, number: float, unit: str) -> None:
    mantissa, e, exponent = repr(number).partition("e")
    given = {"sbml:units": unit}
    if not e:
        Xml.SubElement(into, "cn", given).text = mantissa
        return
    written = Xml.SubElement(into, "cn", {"type": "e-notation", **given})
    written.text = mantissa
    Xml.SubElement(written, "sep").tail = str(int(exponent))
