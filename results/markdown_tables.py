"""Tables for pages: a comparison as people read one, a row for each algorithm and a column for each recall.

There is one table for each dataset, k, mode and number of threads, the fastest first. Any other table has a row for
each of its rows.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from .caption import remarks
from .cells import NOTHING, Cells, number
from .comparison import GROUP
from .labels import short_labels
from .latex_tables import AT_RECALL
from .probing import with_probing
from .render import render, render_cells
from .run import Run

COSTS = {"qps": "Queries per second", "points_scanned": "Points scanned"}


def markdown_tables(frame: pd.DataFrame, runs: Iterable[Run], baseline: str | None = None) -> str:
    """Return a table, a comparison or the builds as Markdown.

    Parameters
    ----------
    frame
        As `table`, `comparison` or `builds` returns it.
    runs
        It was made of them: they say what their rows do not.
    baseline
        The glob with which the comparison was made.
    """
    if "qps_state" not in frame:
        return render(frame, "markdown")
    parts = []
    groups: Any = frame.groupby(list(GROUP), sort=True)
    for (dataset, k, mode, threads), rows in groups:
        for cost in (cost for cost in COSTS if rows[cost].notna().any()):
            asked = f"{mode}, {threads} thread{'s' * (threads != 1)}"
            parts.append(f"**{dataset}**, k = {k}, {asked}. {COSTS[cost]} at recall:\n")
            parts.append(render_cells(_cells(rows, cost), "markdown"))
    said = [AT_RECALL, *([f"Ratios in brackets are to {baseline}."] if baseline else []), *remarks(runs)]
    return "\n".join([*parts, " ".join(said) + "\n"])


def _cells(rows: pd.DataFrame, cost: str) -> Cells:
    levels = sorted(set(rows["recall"]))
    short = short_labels(rows["algorithm"])
    curves: Any = rows.groupby(["algorithm", "probing"], sort=True)
    told = []
    for (algorithm, probing), some in curves:
        by_level = {row["recall"]: row for row in some.to_dict("records")}
        found = [by_level.get(level, {}) for level in levels]
        if cost != "qps" and all(math.isnan(row.get(cost, math.nan)) for row in found):
            continue  # other libraries do not tell their work
        name = with_probing(short[algorithm], probing)
        told.append((_rank(found, cost), (name, *(_cell(row, cost) for row in found))))
    lines = tuple(cells for _, cells in sorted(told, key=lambda line: line[0]))
    return Cells(("algorithm", *(f"{level:g}" for level in levels)), lines, (False, *(True for _ in levels)))


def _rank(found: list[Mapping[Any, Any]], cost: str) -> tuple[float, ...]:
    # The fastest at the lowest recall first; what does not get there, last.
    values = [float(row.get(cost, math.nan)) for row in found]
    sign = -1.0 if cost == "qps" else 1.0
    return tuple(math.inf if math.isnan(value) else sign * value for value in values)


def _cell(row: Mapping[Any, Any], cost: str) -> str:
    value = row.get(cost, math.nan)
    if math.isnan(value):
        return str(row.get(f"{cost}_state", NOTHING))
    ratio = row.get(f"{cost}_ratio", math.nan)
    return number(cost, value) + ("" if math.isnan(ratio) else f" ({number(f'{cost}_ratio', ratio)})")
