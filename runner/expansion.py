"""The arguments that an entry of an ann-benchmarks ``config.yml`` stands for, by that suite's own rules.

- ``args`` as a list: the product over its items; an item that is no list counts as a list of one.
- ``args`` as a mapping: the product over its values, and each result is one argument, a mapping. An empty one is one
  argument too: ``{}``.
- ``arg_groups`` win over ``args``: mappings among them are expanded as above, then it is the product over the items.
- ``query_args`` and ``query_arg_groups`` are read alike, except that empty groups are passed over, and that a mapping
  cannot be the arguments of a query: only ``{}`` is tolerated, and means none.
- ``base_args`` come first.
- The texts ``@metric``, ``@dimension`` and ``@count`` are replaced in the arguments of the constructor, however deep,
  and not in those of queries. ``@count`` is k, not the number of vectors.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any


def constructor_arguments(
    base_args: Sequence[Any], group: Mapping[str, Any], variables: Mapping[str, Any]
) -> list[list[Any]]:
    """Return the arguments of every build of a run group.

    Parameters
    ----------
    base_args : sequence
    group : mapping
        With ``arg_groups`` or ``args``.
    variables : mapping of str
        Such as ``{"@metric": "angular"}``.

    Raises
    ------
    ValueError
        Neither of the two, or no list or mapping.
    """
    if group.get("arg_groups") is not None:
        chosen: list[Any] = _product_of_groups(group["arg_groups"], "arg_groups")
    elif group.get("args") is not None:
        chosen = _product(group["args"], "args")
    else:
        raise ValueError("found neither args nor arg_groups, expected one of them")
    spelled = ([*base_args, *(one if isinstance(one, list) else [one])] for one in chosen)
    return [_substituted(arguments, variables) for arguments in spelled]


def query_arguments(group: Mapping[str, Any]) -> list[list[Any]]:
    """Return the arguments of every sweep point of a run group; one empty list where there are none.

    Raises
    ------
    ValueError
        No list, or ``query_args`` as a mapping.
    """
    if group.get("query_arg_groups") is not None:
        groups = group["query_arg_groups"]
        _listed(groups, "query_arg_groups")
        found = _product_of_groups([item for item in groups if item not in ([], {})], "query_arg_groups")
    elif isinstance(group.get("query_args"), Mapping) and group["query_args"]:
        raise ValueError("query_args: found a mapping, expected a list, or the mapping inside query_arg_groups")
    else:
        found = _product(group.get("query_args") or [], "query_args")
    return found or [[]]


def _product_of_groups(groups: Any, name: str) -> list[list[Any]]:
    _listed(groups, name)
    return _product([_product(item, name) if isinstance(item, Mapping) else item for item in groups], name)


def _product(arguments: Any, name: str) -> list[Any]:
    if isinstance(arguments, Mapping):
        pairs = [[(key, one) for one in _alternatives(value)] for key, value in arguments.items()]
        return [dict(chosen) for chosen in itertools.product(*pairs)]
    _listed(arguments, name)
    return [list(chosen) for chosen in itertools.product(*map(_alternatives, arguments))]


def _alternatives(item: Any) -> list[Any]:
    return item if isinstance(item, list) else [item]


def _listed(arguments: Any, name: str) -> None:
    if not isinstance(arguments, list):
        raise ValueError(f"{name}: found {arguments!r}, expected a list")


def _substituted(argument: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(argument, Mapping):
        return {key: _substituted(value, variables) for key, value in argument.items()}
    if isinstance(argument, list):
        return [_substituted(item, variables) for item in argument]
    return variables.get(argument, argument) if isinstance(argument, str) else argument
