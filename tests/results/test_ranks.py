"""Mean ranks, Friedman's test and the critical difference, against scipy and a published example."""

import numpy as np
import pandas as pd
import pytest
from ivfbench.results.errors import ResultError
from ivfbench.results.ranks import MOST, NEMENYI, Ranks, cliques, ranks, tail

stats = pytest.importorskip("scipy.stats")


def test_constants_are_those_of_the_studentised_range():
    expected = [stats.studentized_range.ppf(0.95, methods, np.inf) / np.sqrt(2) for methods in range(2, MOST + 1)]
    np.testing.assert_allclose(NEMENYI, expected, atol=6e-4)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 12, 19])
def test_tail_is_that_of_chi_squared(degrees):
    for value in (0.0, 0.3, 2.0, 11.0, 60.0):
        assert tail(value, degrees) == pytest.approx(stats.chi2.sf(value, degrees), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("ties", [False, True])
def test_friedman_is_that_of_scipy(ties):
    rng = np.random.default_rng(5)
    for blocks, methods in ((10, 3), (40, 6), (25, 8)):
        values = rng.random((blocks, methods)) + 0.05 * np.arange(methods)
        values = np.round(values, 1) if ties else values
        found = ranks(pd.DataFrame(values, columns=[f"m{place}" for place in range(methods)]))
        assert found.p == pytest.approx(stats.friedmanchisquare(*values.T).pvalue, rel=1e-9)
        np.testing.assert_allclose(sorted(found.means.values()), sorted(stats.rankdata(values, axis=1).mean(axis=0)))
        assert found.blocks == blocks


def test_the_critical_difference_of_four_methods_on_fourteen_datasets():
    # Demšar 2006, section 3.2.2: q = 2.569 for four classifiers, 14 data sets, CD = 1.25
    values = np.random.default_rng(1).random((14, 4))
    assert ranks(pd.DataFrame(values)).critical_difference == pytest.approx(1.25, abs=0.005)


def test_cliques_are_the_largest_groups_within_the_difference():
    means = {"a": 1.0, "b": 1.8, "c": 2.4, "d": 4.0, "e": 4.9}
    assert cliques(Ranks(means, 1.0, 0.0, 9)) == [(1.0, 1.8), (1.8, 2.4), (4.0, 4.9)]
    assert cliques(Ranks(means, 0.5, 0.0, 9)) == []
    assert cliques(Ranks(means, 9.0, 0.0, 9)) == [(1.0, 4.9)]


def test_all_equal_is_no_difference():
    assert ranks(pd.DataFrame(np.ones((5, 3)))).p == 1.0


@pytest.mark.parametrize(("shape", "problem"), [((5, 1), "1 methods"), ((1, 3), "1 blocks"), ((3, 21), "21 methods")])
def test_too_few_and_too_many(shape, problem):
    with pytest.raises(ResultError, match=problem):
        ranks(pd.DataFrame(np.ones(shape)))
    with pytest.raises(ResultError, match="missing value"):
        ranks(pd.DataFrame([[1.0, np.nan], [1.0, 2.0]]))
