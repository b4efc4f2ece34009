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
        for item in problem.errors(include_url=False, include_context=True, include_input=False):
            path = ".".join(str(part) for part in item["loc"]) or "(whole file)"
            lines.append(f"{where}: '{path}': {_plain(item)}")
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
        case _:
            message: str = item["msg"]
            return message[0].lower() + message[1:] + "."
