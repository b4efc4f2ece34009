"""How the body surface divides into regions by age, and which regions a site of the intake form holds."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from biflora.knowledge.rows import Row, read_table


class BodyRegion(Row):
    """Share of one region in the body surface, from [age_at_least, age_below) years; no ages: at every age."""

    region: str
    label: str
    age_at_least: float | None = None
    age_below: float | None = None
    percent: float = Field(gt=0, le=100)


class SiteRegions(Row):
    """The regions of one site; the key is a value of the patient's BodySite."""

    parts: tuple[str, ...]
    """`region:part`, e.g. `head:0.5`."""
    note: str = ""


class SurfaceSetting(Row):
    """One factor of how surfaces and areas are reckoned."""

    value: float
    unit: str
    note: str = ""


def surface_setting(key: str) -> float:
    """Value of the row of that key; a missing one is a programming error and raises KeyError."""
    rows: Mapping[str, SurfaceSetting] = read_table("surface_settings", SurfaceSetting)
    return rows[key].value


def site_regions() -> Mapping[str, SiteRegions]:
    return read_table("site_regions", SiteRegions)


def region_shares(age_years: float) -> Mapping[str, float]:
    """Percent of the body surface by region at this age; they sum to 100."""
    rows: Mapping[str, BodyRegion] = read_table("body_regions", BodyRegion)
    return {
        row.region: row.percent
        for row in rows.values()
        if (row.age_at_least is None or age_years >= row.age_at_least)
        and (row.age_below is None or age_years < row.age_below)
    }


TABLES: dict[str, type[Row]] = {
    "body_regions": BodyRegion,
    "site_regions": SiteRegions,
    "surface_settings": SurfaceSetting,
}
