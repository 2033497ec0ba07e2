"""The sweep of an index: how many lists each query opens, and how many candidates it ranks exactly.

What an experiment writes under `query` becomes sweep points: plain mappings of the arguments of `search`.
"""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..algorithms.index import Algorithm
from ..algorithms.value import nearest
from .policies import spelled_policy

MOST_ALTERNATIVES = 10_000
_PARAMETERS = ("nprobe", "probing", "rerank")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def alternatives(content: Any) -> list[Any]:
    """Return every plain value that a nested mapping with lists of alternatives stands for.

    Raises
    ------
    ValueError
        An empty list, or more than `MOST_ALTERNATIVES` values.
    """
    if isinstance(content, list | tuple):
        if not content:
            raise ValueError("found an empty list of alternatives, expected at least one")
        choices = [choice for item in content for choice in alternatives(item)]
        _refuse_many(len(choices))
        return choices
    if isinstance(content, Mapping):
        fields = {key: alternatives(item) for key, item in content.items()}
        _refuse_many(math.prod(len(choices) for choices in fields.values()))
        return [dict(zip(fields, chosen, strict=True)) for chosen in itertools.product(*fields.values())]
    return [content]


def _refuse_many(count: int) -> None:
    if count > MOST_ALTERNATIVES:
        raise ValueError(f"found a grid of {count:,} combinations, expected at most {MOST_ALTERNATIVES:,}")


def query_grid(query: Mapping[Any, Any]) -> dict[str, list[Any]]:
    """Return values of nprobe and rerank as written, and policies with every field spelled out.

    `Fixed` is what nprobe is short for.

    Raises
    ------
    ValueError
        An unknown parameter, an empty list, or a value that is none.
    """
    grid: dict[str, list[Any]] = {}
    for name, values in query.items():
        if name not in _PARAMETERS:
            hint = nearest(name, _PARAMETERS)
            raise ValueError(f"query.{name}: no such query parameter, expected nprobe, probing or rerank{hint}")
        if values == []:
            raise ValueError(f"query.{name}: found an empty list, expected at least one")
        if name in ("nprobe", "rerank"):
            grid.setdefault(name, []).extend(values if isinstance(values, list) else [values])
            continue
        for plain in alternatives(values):
            if isinstance(plain, Mapping) and plain.get("type") == "Fixed" and set(plain) == {"type", "nprobe"}:
                grid.setdefault("nprobe", []).append(plain["nprobe"])
            else:
                grid.setdefault("probing", []).append(spelled_policy(plain))
    for value in grid.get("nprobe", []):
        resolve_count(value, 100)
    for value in grid.get("rerank", []):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"rerank: found {value!r}, expected a positive integer")
    if set(grid) == {"rerank"}:
        raise ValueError("query.rerank: found alone, expected it beside nprobe or probing")
    return grid


def resolve_count(value: Any, lists: int) -> int:
    """Return how many lists ``12`` or ``"5%"`` are of `lists`: at least 1, at most all.

    Raises
    ------
    ValueError
        Neither a positive integer nor a percentage above 0.
    """
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if percent and float(percent[1]) > 0:
        return max(1, round(min(1.0, float(percent[1]) / 100) * lists))
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return min(lists, value)
    raise ValueError(f'nprobe: found {value!r}, expected a positive integer or a percentage such as "5%"')


def query_points(algorithm: Algorithm, grid: Mapping[str, Sequence[Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return the sweep of a resolved algorithm: the grid as written, or the algorithm's own.

    Equal points are swept once; percentages are of the algorithm's lists. Counts come first, then policies.

    Raises
    ------
    ValueError
        More lists to probe than there are.
    """
    clustering = getattr(algorithm, "clustering", None)
    if not grid or clustering is None:
        return algorithm.query_grid()
    for value in grid.get("nprobe", ()):
        if isinstance(value, int) and value > clustering.lists:
            held = f"the {clustering.lists} lists of {algorithm!r}"
            raise ValueError(f'query.nprobe: found {value}, expected at most {held}, or a share such as "100%"')
    counts = sorted({resolve_count(value, clustering.lists) for value in grid.get("nprobe", ())})
    policies: list[Any] = []
    for spelled in grid.get("probing", ()):
        if spelled not in policies:
            policies.append(spelled)
    asked: list[dict[str, Any]] = [{"nprobe": count} for count in counts]
    asked += [{"probing": spelled} for spelled in policies]
    if "rerank" not in grid:
        return tuple(asked)
    return tuple({**point, "rerank": count} for point in asked for count in sorted(set(grid["rerank"])))
