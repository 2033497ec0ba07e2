"""YAML as far as an experiment needs it: texts, numbers, lists and mappings, of a size that somebody may have written.

A few lines of YAML can stand for billions of values (an alias of a list of aliases of a list ...), and can be inside
themselves. The loader is safe, so nothing is ever executed; here the size is safe too, before a value is made.
"""

from typing import Any

import yaml

LONGEST = 100_000  # characters
_MOST_VALUES = 100_000
_DEEPEST = 50
_MOST_BITS = 63


def read_plain_yaml(content: str) -> Any:
    """Return what a YAML text says.

    Raises
    ------
    ValueError
        Not YAML, tags of another loader, or more than anybody writes: one line.
    """
    if len(content) > LONGEST:
        raise ValueError(f"found {len(content):,} characters, expected at most {LONGEST:,}")
    try:
        loader = _Loader(content)
        try:
            root = loader.get_single_node()
            if root is not None:
                _size(root, {}, 0)
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except _TooMuchError:
        raise
    except Exception as error:  # wrongly tagged scalars (`!!bool maybe`) escape the loader as KeyError and others
        said = str(error) if isinstance(error, yaml.YAMLError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"not YAML: {said}") from None


class _TooMuchError(ValueError):
    pass


class _Loader(yaml.SafeLoader):
    pass


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    value = int(loader.construct_yaml_int(node))
    if value.bit_length() > _MOST_BITS:
        place = f"line {node.start_mark.line + 1}"
        raise _TooMuchError(f"{place}: found an integer of {value.bit_length()} bits, expected at most {_MOST_BITS}")
    return value


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def _size(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """Count the values that a node stands for with its aliases written out; 0 is kept while a node is being counted."""
    place = f"line {node.start_mark.line + 1}"
    if depth > _DEEPEST:
        raise _TooMuchError(f"{place}: found more than {_DEEPEST} levels, expected fewer")
    if id(node) not in known:
        known[id(node)] = 0
        inner = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        parts = [] if isinstance(node, yaml.ScalarNode) else inner
        known[id(node)] = 1 + sum(_size(part, known, depth + 1) for part in parts)
    elif not known[id(node)]:
        raise _TooMuchError(f"{place}: found a value inside itself, expected plain values")
    if known[id(node)] > _MOST_VALUES:
        raise _TooMuchError(
            f"{place}: found {known[id(node)]:,} values with all aliases, expected at most {_MOST_VALUES:,}"
        )
    return known[id(node)]
