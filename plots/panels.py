"""Twenty routers in one figure: a panel for each family, with what all are measured against in grey.

Seven colours are what people tell apart. A family (a type of router under several parameters) gets a panel of its
own; types that come alone share panels. The baseline and the oracle stand in every panel.
"""

from dataclasses import dataclass

import pandas as pd

from ..results.labels import natural

IN_PANEL = 6
REFERENCES = ("baseline", "oracle")


@dataclass(frozen=True)
class Panel:
    """A title and the routers (labels) that are drawn in colour."""

    title: str
    routers: tuple[str, ...]


def panels(rows: pd.DataFrame) -> list[Panel]:
    """Return the panels for the rows of `results.curves` of one contest and one k.

    Few routers need one panel only. References are in none: they are drawn in all.
    """
    members = rows[~rows["role"].isin(REFERENCES)]
    by_family = {
        str(family): sorted(set(some["router"]), key=natural) for family, some in members.groupby("family", sort=True)
    }
    everyone = [router for routers in by_family.values() for router in routers]
    if len(everyone) <= IN_PANEL:
        return [Panel("", tuple(everyone))]
    alone = [router for routers in by_family.values() if len(routers) == 1 for router in routers]
    grouped = {family: routers for family, routers in by_family.items() if len(routers) > 1}
    found = [part for family, routers in grouped.items() for part in _parts(family, routers)]
    return found + (_parts("others", alone) if alone else [])


def _parts(title: str, routers: list[str]) -> list[Panel]:
    count = -(-len(routers) // IN_PANEL)
    size = -(-len(routers) // count)  # as even as can be: no panel with a single leftover
    parts = [tuple(routers[start : start + size]) for start in range(0, len(routers), size)]
    numbered = [f"{title} ({place}/{count})" for place in range(1, count + 1)] if count > 1 else [title]
    return [Panel(name, part) for name, part in zip(numbered, parts, strict=True)]
