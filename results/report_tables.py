"""The tables of the reports: the laboratory's rows, turned so that people can compare routers."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from .cells import NOTHING, Cells, number
from .labels import natural

SIGNIFICANT = 0.05
Setting = tuple[str, float]
Rows = list[dict[Any, Any]]


def share_text(share: float) -> str:
    """Return a share as people write it: "0.1 %"."""
    return f"{100 * share:g} %"


def accuracy_table(rows: pd.DataFrame, settings: Sequence[Setting], names: Sequence[str] = ("router",)) -> Cells:
    """Return accuracy under each budget, with the difference to the baseline, a star where it is significant.

    Parameters
    ----------
    rows
        Of the laboratory's table, for one k.
    settings
        Pairs of budget and share: the columns.
    names
        The columns that name a row, each combination once; the most accurate under the last budget come first
        among those that agree on all names but the last.
    """
    lines = []
    for key, some in rows.groupby(list(names), sort=False):
        by_setting = {(row["budget"], row["share"]): row for row in some.to_dict("records")}
        found = [by_setting[setting] for setting in settings]
        texts = tuple(map(str, key if isinstance(key, tuple) else (key,)))
        lines.append((texts[:-1], -found[-1]["accuracy"], texts + tuple(map(_accuracy, found))))
    headers = (*names, *(f"{share_text(share)} of the {kind}" for kind, share in settings))
    return Cells(headers, tuple(line[-1] for line in sorted(lines)), _right(headers, len(names)))


def _accuracy(row: dict[Any, Any]) -> str:
    if row["baseline"] or row["difference"] != row["difference"]:
        return f"{row['accuracy']:.4f}"
    star = "*" if row["p"] < SIGNIFICANT else ""
    return f"{row['accuracy']:.4f} ({row['difference']:+.4f}{star})"


def cost_table(rows: pd.DataFrame, levels: Sequence[float]) -> Cells:
    """Return what each router costs and how much it scans at fixed recall, from the rows of one contest and one k."""
    records = sorted(rows.drop_duplicates("router").to_dict("records"), key=lambda row: natural(row["router"]))
    rates = [level for level in levels if rows[f"qps_at_{level:g}"].notna().any()]
    headers = (
        *("router", "router bytes", "build s", "learn s", "label s", "routing us", "opened size", "seeds"),
        *(f"{what} at {level:g}" for level in levels for what in ("lists", "points", "points ratio")),
        *(f"queries/s at {level:g}" for level in rates),
        "warnings",
    )
    lines = tuple(_cost(record, levels, rates) for record in records)
    right = tuple(name not in ("router", "warnings") for name in headers)
    return Cells(headers, lines, right)


def _cost(row: dict[Any, Any], levels: Sequence[float], rates: Sequence[float]) -> tuple[str, ...]:
    costs = [number("router_bytes", row["router_bytes"])]
    costs += [_plain(row[f"{name}_seconds"]) for name in ("build", "learn", "label")]
    costs += [_plain(row["latency_us"]), f"{row['opened_size']:.2f}", str(row["seeds"])]
    for level in levels:
        costs += [_plain(row[f"{what}_at_{level:g}"]) for what in ("lists", "points")] + [_ratio(row, f"{level:g}")]
    costs += [_plain(row[f"qps_at_{level:g}"]) for level in rates]
    return (row["router"], *costs, row["warnings"] or NOTHING)


def _ratio(row: dict[Any, Any], level: str) -> str:
    name = f"points_ratio_at_{level}"
    if row["baseline"] or row[name] != row[name]:
        return "1" if row["baseline"] else NOTHING
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


def gain_table(rows: pd.DataFrame) -> Cells:
    """Return the gain over the baseline by the value of one parameter, from rows of `gains`."""
    headers = ("value", "router", "dataset", "clustering", "k", "budget", "accuracy", "gain", "95 % interval", "p")
    records = rows.to_dict("records")
    ordered = sorted(records, key=lambda row: (row["k"], row["share"], row["family"], _order(row["value"])))
    return Cells(headers, tuple(map(_gain, ordered)), _right(headers, 4))


def _order(value: Any) -> tuple[bool, float, str]:
    is_number = isinstance(value, int | float)
    return (not is_number, float(value) if is_number else 0.0, str(value))


def _gain(row: dict[Any, Any]) -> tuple[str, ...]:
    interval = f"{row['low']:+.4f} to {row['high']:+.4f}"
    budget = f"{share_text(row['share'])} of the {row['budget']}"
    told = (str(row["value"]), row["router"], row["dataset"], row["clustering"], str(row["k"]), budget)
    return (*told, f"{row['accuracy']:.4f}", f"{row['difference']:+.4f}", interval, f"{row['p']:.2g}")


def _plain(value: float) -> str:
    return NOTHING if value != value else number("", value)


def _right(headers: Sequence[str], left: int) -> tuple[bool, ...]:
    return tuple(place >= left for place in range(len(headers)))
