import numpy as np
import pytest
from ivfbench.algorithms.kernels import shares
from ivfbench.algorithms.kernels.nearest import HEAP_AT_MOST, nearest
from ivfbench.algorithms.kernels.panels import make_panels
from ivfbench.algorithms.kernels.space import identity

pytestmark = pytest.mark.interpreted


@pytest.mark.parametrize(
    ("squared", "differences"), [(False, False), (True, False), (False, True)], ids=["products", "squares", "manhattan"]
)
def test_whole_numbers_give_the_oracles_slots(naive, whole_numbers, shapes, threads, squared, differences):
    for n, d, k, q in shapes:
        rows, queries = whole_numbers(n, d), whole_numbers(q, d, seed=1)
        panels = make_panels(rows, identity(d), squared=squared)
        slots, scores = nearest(panels, queries, identity(d), k, threads, differences=differences)
        exact = naive.distances(rows, queries, "manhattan" if differences else "ip")
        if squared:
            exact += (rows.astype(float) ** 2).sum(axis=1) / 2
        expected = naive.best(exact, k)
        np.testing.assert_array_equal(slots, expected, err_msg=f"{n, d, k, q}")
        kept = expected >= 0
        np.testing.assert_array_equal(scores[kept], np.take_along_axis(exact, expected, axis=1)[kept])


def test_random_numbers_give_scores_as_good(normal, shapes, threads):
    for n, d, k, q in shapes:
        rows, queries = normal(n, d), normal(q, d, seed=1)
        slots, scores = nearest(make_panels(rows, identity(d)), queries, identity(d), k, threads)
        exact = -queries.astype(float) @ rows.T.astype(float)
        found = min(n, k)
        chosen = np.take_along_axis(exact, slots[:, :found], axis=1)
        np.testing.assert_allclose(chosen, np.sort(exact, axis=1)[:, :found], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(scores[:, :found], chosen, rtol=1e-5, atol=1e-5)
        assert (slots[:, found:] == -1).all()
        assert all(len(set(row)) == found for row in slots[:, :found].tolist())


def test_heaps_and_whole_selections_agree(whole_numbers, normal, threads):
    # Beyond HEAP_AT_MOST all scores are kept and selected from: what comes first must not change, ties included.
    for rows, queries in (
        (whole_numbers(60, 3), whole_numbers(9, 3, seed=1)),
        (normal(60, 3), normal(9, 3, seed=1)),
    ):
        panels = make_panels(rows, identity(3), squared=True)
        for asked in (queries, queries[:1]):
            few = nearest(panels, asked, identity(3), HEAP_AT_MOST, threads)
            many = nearest(panels, asked, identity(3), HEAP_AT_MOST + 1, threads)
            for one, other in zip(few, many, strict=True):
                np.testing.assert_array_equal(one, other[:, :HEAP_AT_MOST])


@pytest.mark.parametrize("k", [1, 20])
def test_nan_and_infinity_are_no_neighbours(normal, k):
    rows, queries = normal(40, 3), normal(5, 3, seed=1)
    queries[2, 1] = np.nan
    bias = np.zeros(40, dtype=np.float32)
    bias[[4, 11]] = np.nan, np.inf
    panels = make_panels(rows, identity(3), bias=bias)
    slots, _ = nearest(panels, queries, identity(3), k)
    assert (slots[2] == -1).all()
    kept = np.delete(slots, 2, axis=0)
    assert (kept >= 0).all()
    assert not np.isin(kept, (4, 11)).any()
    for i, query in enumerate(queries):
        assert nearest(panels, query[None], identity(3), k)[0].tobytes() == slots[i].tobytes()


def test_no_queries(whole_numbers):
    slots, scores = nearest(make_panels(whole_numbers(5, 3), identity(3)), np.empty((0, 3), np.float32), identity(3), 4)
    assert slots.shape == scores.shape == (0, 4)


@pytest.mark.parametrize("queries", [0, 1, 5, 2048, 2049, 10_000])
@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("longest", [shares.AGAINST_ONE_LIST, shares.AGAINST_ALL_LISTS])
def test_shares_cover_every_query_once(queries, count, longest):
    bounds = shares.share_bounds(queries, count, longest)
    sizes = np.diff(bounds)
    assert (bounds[0], bounds[-1]) == (0, queries)
    assert len(sizes) % count == 0
    assert sizes.min() >= 0
    assert sizes.max() <= longest
    assert sizes.max() - sizes.min() <= 1
