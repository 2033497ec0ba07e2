"""The rules of ann-benchmarks for arguments, against tables written by hand."""

import pytest
from ivfbench.runner.expansion import constructor_arguments, query_arguments

VARIABLES = {"@metric": "angular", "@dimension": 16, "@count": 10}


@pytest.mark.parametrize(
    ("base", "group", "expected"),
    [
        ([], {"args": [[1, 2], [3, 4]]}, [[1, 3], [1, 4], [2, 3], [2, 4]]),
        ([], {"args": [1, [2, 3]]}, [[1, 2], [1, 3]]),
        ([], {"args": [[[1, 30], [2, 30]]]}, [[[1, 30]], [[2, 30]]]),
        ([], {"args": {"a": [1, 2], "b": 5}}, [[{"a": 1, "b": 5}], [{"a": 2, "b": 5}]]),
        ([], {"args": [{"a": [1, 2]}, [3, 4]]}, [[{"a": [1, 2]}, 3], [{"a": [1, 2]}, 4]]),
        (["x"], {"args": []}, [["x"]]),
        (["x"], {"args": {}}, [["x", {}]]),
        (["x"], {"args": [[], [1, 2]]}, []),
        ([], {"args": {"a": []}}, []),
        ([], {"arg_groups": [{"a": [1, 2], "b": 5}, [7, 8], 9]},
         [[{"a": 1, "b": 5}, 7, 9], [{"a": 1, "b": 5}, 8, 9], [{"a": 2, "b": 5}, 7, 9], [{"a": 2, "b": 5}, 8, 9]]),
        ([], {"arg_groups": [[1]], "args": [[2]]}, [[1]]),
        ([], {"arg_groups": [[1]], "args": {}}, [[1]]),
        (["@metric"], {"args": [["@dimension", "@count"], "@other"]},
         [["angular", 16, "@other"], ["angular", 10, "@other"]]),
        ([{"deep": ["@metric", "a @metric"]}], {"args": {"@metric": "@count"}},
         [[{"deep": ["angular", "a @metric"]}, {"@metric": 10}]]),
        ([], {"args": [[True, None, 0.5, "euclidean"]]}, [[True], [None], [0.5], ["euclidean"]]),
    ],
)  # fmt: skip
def test_constructors(base, group, expected):
    assert constructor_arguments(base, group, VARIABLES) == expected


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({}, [[]]),
        ({"query_args": []}, [[]]),
        ({"query_args": {}}, [[]]),
        ({"query_args": [[]]}, [[]]),
        ({"query_args": [[1, 5, 10]]}, [[1], [5], [10]]),
        ({"query_args": [[1, 2], [30]]}, [[1, 30], [2, 30]]),
        ({"query_args": [[[1, 30], [2, 30]]]}, [[[1, 30]], [[2, 30]]]),
        ({"query_args": [["@count"]]}, [["@count"]]),
        ({"query_arg_groups": [{"ef": [10, 20]}]}, [[{"ef": 10}], [{"ef": 20}]]),
        ({"query_arg_groups": [[], [1, 2], {}]}, [[1], [2]]),
        ({"query_arg_groups": [[1]], "query_args": [[2]]}, [[1]]),
    ],
)
def test_queries(group, expected):
    assert query_arguments(group) == expected


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ({}, "found neither args nor arg_groups"),
        ({"args": 5}, "args: found 5, expected a list"),
        ({"arg_groups": {"a": 1}}, r"arg_groups: found \{'a': 1\}, expected a list"),
    ],
)
def test_what_is_no_grid_of_builds(group, said):
    with pytest.raises(ValueError, match=said):
        constructor_arguments([], group, VARIABLES)


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ({"query_args": {"ef": [1]}}, "query_args: found a mapping"),
        ({"query_args": 5}, "query_args: found 5, expected a list"),
        ({"query_arg_groups": {"ef": 1}}, "query_arg_groups: found"),
    ],
)
def test_what_is_no_grid_of_queries(group, said):
    with pytest.raises(ValueError, match=said):
        query_arguments(group)
