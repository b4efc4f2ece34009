"""What a protocol asks of a patient and costs, lever by lever, and how finely protocols are told apart."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from biflora.knowledge.rows import Row, read_table


class ProtocolBurden(Row):
    """What one lever asks of a patient who uses it every day, at its reference dose."""

    lever: str
    """oral, topical_formula, topical_strain or steroid."""
    points_per_week: float = Field(ge=0)
    """Points of severity (of 100) that a gain must outweigh in each week of daily use."""
    points_per_extra_dose: float = Field(ge=0)
    """Further points for each reference dose beyond the first."""
    usd_per_week: float = Field(ge=0)
    """Price of a week of daily use at one reference dose; it grows with the dose."""
    text: str


class ProtocolSetting(Row):
    """One number of the search for protocols."""

    value: float
    unit: str
    note: str = ""


def protocol_burden(lever: str) -> ProtocolBurden:
    """The row of that lever; a missing one is a programming error and raises KeyError."""
    return {row.lever: row for row in protocol_burdens().values()}[lever]


def protocol_burdens() -> Mapping[str, ProtocolBurden]:
    return read_table("protocol_burdens", ProtocolBurden)


def protocol_setting(key: str) -> float:
    """Value of the row of that key; a missing one is a programming error and raises KeyError."""
    rows: Mapping[str, ProtocolSetting] = read_table("protocol_settings", ProtocolSetting)
    return rows[key].value


TABLES: dict[str, type[Row]] = {"protocol_burdens": ProtocolBurden, "protocol_settings": ProtocolSetting}
