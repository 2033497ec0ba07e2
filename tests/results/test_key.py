"""Two measurements share a key, and a file, exactly when everything that tells them apart is equal."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ivfbench.results.key import run_folder, run_key, run_name, slug
from ivfbench.results.unfinished import setting

IDENTITY = {"dataset_sha256": "ab" * 32, "algorithm": "A()", "parameters": {"a": 1}, "k": 10, "seed": 0, "threads": 1}

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.integers() | st.sampled_from([0.0, -0.0, 0.5, 1.0, 5.0])
scalars |= st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3) | st.sampled_from(["1", "0_5", "[1]"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
parameters = st.dictionaries(st.text(max_size=2), values, max_size=3)


def told_apart(value):
    """A value with its types: to Python 1, 1.0 and True are equal, and so are 0.0 and -0.0."""
    if isinstance(value, dict):
        return "mapping", tuple(sorted((name, told_apart(item)) for name, item in value.items()))
    if isinstance(value, list | tuple):
        return "list", tuple(map(told_apart, value))
    return type(value).__name__, repr(value)


def key(**changes):
    return run_key(**{**IDENTITY, **changes})


@given(parameters, parameters)
@example({"a": [0.5]}, {"a": [0, 5]})
@example({"a": -1}, {"a": 1})
@example({"a": 1}, {"a": True})
@example({"a": 1}, {"a": 1.0})
@example({"a": 1}, {"a": "1"})
@example({"a": [1, [2]]}, {"a": [[1], 2]})
@example({"a": None}, {})
@example({"a": 1, "b": 2}, {"b": 2, "a": 1})
def test_keys_are_equal_exactly_when_parameters_are(one, other):
    same = told_apart(one) == told_apart(other)
    assert (key(parameters=one) == key(parameters=other)) is same
    assert (setting("single", one) == setting("single", other)) is same
    assert (run_name("A()", key(parameters=one)) == run_name("A()", key(parameters=other))) is same


@given(st.permutations(["a", "b", "c"]), parameters)
def test_the_order_of_insertion_is_no_matter(order, inner):
    spelled = dict.fromkeys(order, inner)
    assert key(parameters=spelled) == key(parameters=dict.fromkeys(sorted(order), inner))


@pytest.mark.parametrize(
    "change",
    [
        {"dataset_sha256": "ac" + "ab" * 31},
        {"algorithm": "B()"},
        {"parameters": {"a": 2}},
        {"k": 11},
        {"seed": 1},
        {"threads": 2},
        {"k": 0, "seed": 10},
        {"seed": 1, "threads": 0},
    ],
    ids=str,
)
def test_everything_counts(change):
    assert key(**change) != key()


@given(st.text(max_size=200))
@example("../../etc/passwd")
@example("a/b")
@example("")
def test_a_slug_is_one_safe_piece_of_a_path(text):
    piece = slug(text)
    assert len(Path(piece).parts) == 1
    assert piece not in (".", "..")
    assert run_folder(Path("out"), text, 3).parent.parent == Path("out")
