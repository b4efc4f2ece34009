"""What every room's output has in common: it is frozen, it carries its own id, its parents' ids and the
knowledge release it was made with.

An id is a hash of the content, so the same input gives the same id and a changed value gets a new one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from biflora.errors import BifloraError, ClinicianMust

Level = Literal["stop", "warn", "note"]
V = TypeVar("V", bound="Value")
MOST_SENTENCES = 6
"""How many wrong fields one message lists."""


class Value(BaseModel):
    """A frozen value that refuses unknown fields and never prints its input in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Record(Value):
    """One room's output: a value with an id, its parents' ids and the knowledge release."""

    id: str = ""
    parent_ids: tuple[str, ...] = ()
    knowledge_release: str = ""

    @classmethod
    def make(cls, prefix: str, /, *, release: str, parents: tuple[str, ...] = (), **fields: Any) -> Self:
        """Build the record and give it the id `prefix-<12 hex digits of its content's SHA-256>`."""
        blank = cls(id="", parent_ids=parents, knowledge_release=release, **fields)
        digest = hashlib.sha256(canonical_json(blank.model_dump(mode="json")).encode()).hexdigest()
        return blank.model_copy(update={"id": f"{prefix}-{digest[:12]}"})


class State(StrEnum):
    """What is known of a quantity. Unknown is never zero."""

    MEASURED = "measured"
    BELOW_DETECTION = "below detection"
    NOT_RESOLVED = "not resolved"
    NOT_MEASURED = "not measured"


class Who(StrEnum):
    """Who can lift a finding."""

    PATIENT = "patient preference"
    PRESCRIBER = "prescriber's choice"
    PHARMACY = "pharmacy stock"
    LABORATORY = "laboratory"
    LAW = "law"
    CHEMISTRY = "chemistry"
    EVIDENCE = "evidence"


class Finding(Value):
    """One thing that a gate or a check found: how grave, which rule, about what, what to do, and the source."""

    level: Level
    rule: str
    """Key of the rule, e.g. `preservative_ph`; a row of knowledge where one exists."""
    subject: str
    """What caused it: an ingredient's name, a file, a sign. Never patient data."""
    message: str
    """One plain sentence that says what is wrong and who does what next."""
    who: Who
    source: str = ""
    verification: str = ""


FindingList = TypeAdapter(list[Finding])


class Band(Value):
    """A quantity's distribution, as its median and its 50, 80 and 95 % interval limits."""

    median: float
    q25: float
    q75: float
    q10: float
    q90: float
    q2_5: float
    q97_5: float


class SourcedNumber(Value):
    """A number shown to a person, with unit, source and how far it was verified."""

    value: float
    unit: str
    source: str
    verification: str


def canonical_json(data: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal content gives equal bytes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_json_object(text: str, *, where: str, error: type[BifloraError] = ClinicianMust) -> dict[str, Any]:
    """The one JSON object in `text`. Raises `error` with the line, or the name of a field that stands twice."""
    twice: list[str] = []

    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice.extend(name for name in found if names.count(name) > 1)
        return found

    try:
        data = json.loads(text, object_pairs_hook=fields)
    except json.JSONDecodeError as problem:
        raise error(
            f"{where}: line {problem.lineno}: not valid JSON ({problem.msg}); mend it or send the file again."
        ) from None
    except (RecursionError, ValueError):  # nested a thousand deep, or a number of thousands of digits
        raise error(f"{where}: the JSON is nested too deep or holds an endless number; write it anew.") from None
    if twice:
        raise error(f"{where}: '{twice[0][:40]}' stands twice in one object; keep one of them.")
    if not isinstance(data, dict):
        raise error(f"{where}: the file holds no object with named fields; write one JSON object, {{...}}.")
    return data


def parse(
    cls: type[V], data: Mapping[str, Any] | str, *, where: str, error: type[BifloraError] = ClinicianMust
) -> V:
    """Read `data` (a mapping, or JSON text) as `cls`.

    Raises `error` with one sentence per wrong field: `where` (a file's name), the field's path, what is
    expected. The given values themselves are never repeated: they may be patient data.
    """
    try:
        if isinstance(data, str):
            return cls.model_validate_json(data)
        return cls.model_validate(data)
    except ValidationError as problem:
        lines = []
        items = problem.errors(include_url=False, include_context=True, include_input=False)
        for item in items:
            if item["type"] == "too_short" and any(len(x["loc"]) > len(item["loc"]) for x in items):
                continue  # an entry that is wrong is also counted as missing
            path = ".".join(str(part)[:40] for part in item["loc"]) or "(whole file)"
            lines.append(f"{where}: '{path}': {_plain(item)}")
        if len(lines) > MOST_SENTENCES:
            left = len(lines) - MOST_SENTENCES
            lines[MOST_SENTENCES:] = [f"{where}: {left} more fields are wrong; is this the right file?"]
        raise error("\n".join(lines)) from None


def _plain(item: Any) -> str:
    context = item.get("ctx", {})
    match item["type"]:
        case "missing":
            return "is missing; add it."
        case "extra_forbidden":
            return "is not a field that biflora knows; remove it or mend its spelling."
        case "literal_error" | "enum":
            return f"must be one of {context.get('expected', 'the listed words')}."
        case "json_invalid":
            return f"the file is not valid JSON ({context.get('error', 'unreadable')}); send it again."
        case "string_pattern_mismatch":
            return f"does not have the expected form ({context.get('pattern', '')}); correct it."
        case "float_parsing" | "float_type" | "int_parsing" | "int_type":
            return "must be a number, without quotes or units."
        case "tuple_type" | "list_type":
            return "must be a list, such as [...]."
        case "model_type" | "model_attributes_type" | "dict_type":
            return "must be a table of named fields."
        case "too_short":
            return "must hold at least one entry."
        case _:
            message: str = item["msg"]
            return message.replace("Input should", "must").replace("String should", "must") + "; correct it."
