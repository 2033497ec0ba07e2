"""What a page needs in order to draw: curves as plain data, numbers only, each point with all that was asked of it.

A curve is one build asked in one way, as everywhere. Nothing is averaged: several seeds are several curves of one
look, and what is read off them at a recall is read in the browser as `results.at_recall` does it.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ...results.at_recall import front
from ...results.columns import BY_NAME, CURVE
from ...results.labels import natural, short_labels
from ...results.probing import with_probing
from ...results.table import NO_MODE
from ..errors import PlotError
from ..style import Look, looks

MEASURES = (
    *("recall", "qps", "qps_low", "qps_high", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms"),
    *("lists_probed", "points_scanned"),
)
BUILD = ("build_seconds", "learn_seconds", "label_seconds", "compile_seconds", "index_bytes", "router_bytes")
SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down", "P": "cross", "X": "x",
    "<": "triangle-left", ">": "triangle-right",
}  # fmt: skip
"""The chart's name for each of matplotlib's markers."""
DIGITS = 6  # that count, of every number on a page: a rounding nobody sees, and half the bytes
Curves = list[dict[str, Any]]


def members(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return everybody who has a colour: one for each algorithm and probing policy of a whole results table.

    Parameters
    ----------
    frame
        A results table.

    Returns
    -------
    list of dict
        ``algorithm`` (canonical text), ``probing``, ``label``, ``colour`` and ``symbol`` (the chart's name of the
        marker), sorted by label as people sort.

    Raises
    ------
    PlotError
        A column is missing.
    """
    missing = [name for name in BY_NAME if name not in frame.columns]
    if missing:
        raise PlotError(f"table: found no column {missing[0]!r}, expected the columns of a results table")
    pairs = set(zip(frame["algorithm"], frame["probing"], strict=True))
    labels = short_labels(frame["algorithm"])
    appearance = looks(with_probing(*pair) for pair in pairs)
    found = [_member(*pair, labels[pair[0]], appearance[with_probing(*pair)]) for pair in pairs]
    return sorted(found, key=lambda member: (natural(member["label"]), member["algorithm"], member["probing"]))


def _member(algorithm: str, probing: str, label: str, look: Look) -> dict[str, str]:
    return {
        "algorithm": algorithm,
        "probing": probing,
        "label": with_probing(label, probing),
        "colour": look.colour,
        "symbol": SYMBOLS.get(look.marker, "circle"),
    }


def settings(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the ways of asking that hold measured points: ``k``, ``mode``, ``threads``, sorted. None are compared."""
    measured = frame[frame["status"] == "ok"]
    keys = sorted(set(zip(measured["k"], measured["mode"], measured["threads"], strict=True)))
    return [{"k": int(k), "mode": str(mode), "threads": int(threads)} for k, mode, threads in keys if mode != NO_MODE]


def curves(frame: pd.DataFrame, known: Iterable[Mapping[str, str]], *, only_fronts: bool = False) -> Curves:
    """Return the curves of one dataset as JSON-able data.

    Parameters
    ----------
    frame
        The rows of one dataset.
    known
        `members` of the whole table.
    only_fronts
        Keep the points of the Pareto front of queries per second, and no parameters.

    Returns
    -------
    list of dict
        ``member`` (its place in `known`), ``k``, ``mode``, ``threads``, ``seed``; ``build``: the costs of `BUILD` and
        the ``parameters``; ``points``: for each of `MEASURES` that anybody told and for ``query`` (the parameters of
        the search) a list with one entry for each point, by rising recall. Numbers that are missing are None.
    """
    places = {(member["algorithm"], member["probing"]): place for place, member in enumerate(known)}
    measured = front(frame) if only_fronts else frame[(frame["status"] == "ok") & frame["recall"].notna()]
    groups: dict[Any, pd.DataFrame] = dict(iter(measured.groupby(list(CURVE), sort=True)))
    found: Curves = []
    for key, rows in groups.items():
        told = dict(zip(CURVE, key, strict=True))
        ordered = rows.sort_values("recall", kind="stable")
        curve: dict[str, Any] = {"member": places[told["algorithm"], told["probing"]]}
        curve |= {name: int(told[name]) for name in ("k", "threads", "seed")} | {"mode": str(told["mode"])}
        curve["points"] = {
            name: [plain(value) for value in ordered[name]] for name in MEASURES if ordered[name].notna().any()
        }
        if not only_fronts:
            curve["points"]["query"] = [json.loads(text) for text in ordered["query_parameters"]]
            first = ordered.iloc[0]
            curve["build"] = {name: plain(first[name]) for name in BUILD}
            curve["build"]["parameters"] = json.loads(first["parameters"])
        found.append(curve)
    return found


def plain(value: Any) -> float | int | None:
    """Return a number as JSON knows it, None where it is missing or infinite."""
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else float(f"{number:.{DIGITS}g}")
