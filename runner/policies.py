"""Probing policies on their way through the runner: plain data in jobs and results, values at the search.

The query parameters of a sweep point are what a result keeps, hence JSON: ``{"nprobe": 8}`` or ``{"probing": {"type":
"SoftmaxMass", "recall": 0.9, "temperature": null}}``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..algorithms.probing.policy import Probing
from ..algorithms.registry import PROBINGS
from ..algorithms.value import from_parameters, parameters, text

EXAMPLE = "{type: SoftmaxMass, recall: 0.9}"


def spelled_policy(plain: Any) -> dict[str, Any]:
    """Return every field of a policy that an experiment wrote as a mapping.

    Raises
    ------
    ValueError
        No mapping, an unknown type or field, or a value that the policy refuses.
    """
    if not isinstance(plain, Mapping):
        raise ValueError(f"query.probing: found {plain!r}, expected a mapping such as {EXAMPLE}")
    try:
        return parameters(from_parameters(plain, PROBINGS))
    except ValueError as error:
        raise ValueError(f"query.probing: {error}") from None


def search_arguments(query_parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `search` that the query parameters of a sweep point stand for."""
    arguments = dict(query_parameters)
    if "probing" in arguments:
        arguments["probing"] = from_parameters(arguments["probing"], PROBINGS)
    return arguments


def policies(points: Iterable[Mapping[str, Any]]) -> list[Probing]:
    """Return the policies that a sweep names, `nprobe` not among them."""
    return [search_arguments(point)["probing"] for point in points if "probing" in point]


def describe_point(query_parameters: Mapping[str, Any]) -> str:
    """Return a sweep point in words: ``nprobe 8``, ``SoftmaxMass()``."""
    arguments = search_arguments(query_parameters)
    return ", ".join(text(value) if name == "probing" else f"{name} {value}" for name, value in arguments.items())
