import numpy as np
import pytest
from ivfbench.algorithms.kernels.panels import make_panels
from ivfbench.algorithms.kernels.search import search_lists
from ivfbench.algorithms.kernels.space import identity, make_space

pytestmark = pytest.mark.interpreted


def some_probes(queries, lists, probes, seed=0):
    # Distinct lists for each query, and an occasional -1, which opens none.
    rng = np.random.default_rng(seed)
    chosen = np.array([rng.permutation(lists)[:probes] for _ in range(queries)], dtype=np.int32)
    chosen[rng.random(chosen.shape) < 0.1] = -1
    return chosen


@pytest.mark.parametrize("exact_metric", ["euclidean", "normalized", "ip", "manhattan"])
@pytest.mark.parametrize("lists", [1, 5])
def test_whole_numbers_give_the_oracles_ids(naive, whole_numbers, shapes, threads, exact_metric, lists):
    # Not centred: then every product is a whole number, and both ids and distances must be equal.
    for n, d, k, q in shapes:
        rows, queries = whole_numbers(n, d), whole_numbers(q, d, seed=1)
        assignment = np.random.default_rng(n).integers(0, lists, n).astype(np.int32)
        probes = some_probes(q, lists, min(lists, 3))
        panels = make_panels(rows, identity(d), assignment, lists, squared=exact_metric == "euclidean")
        ids, distances, work = search_lists(panels, queries, identity(d), exact_metric, probes, k, threads)
        expected, exact, scanned = naive.search(rows, queries, exact_metric, k, assignment, probes)
        np.testing.assert_array_equal(ids, expected, err_msg=f"{n, d, k, q}")
        np.testing.assert_array_equal(distances, exact)
        np.testing.assert_array_equal(work, np.stack([(probes >= 0).sum(axis=1), scanned], axis=1))


def test_random_numbers_give_neighbours_as_near(naive, normal, shapes, metric, threads):
    for n, d, k, q in shapes:
        rows, queries = normal(n, d), normal(q, d, seed=1)
        rows[0] = 0
        space = make_space(rows, metric)
        panels = make_panels(rows, space, squared=metric == "euclidean")
        ids, distances, _ = search_lists(panels, queries, space, metric, np.zeros((q, 1), np.int32), k, threads)
        every, found = naive.distances(rows, queries, metric), min(n, k)
        chosen = np.take_along_axis(every, ids[:, :found], axis=1)
        np.testing.assert_allclose(chosen, np.sort(every, axis=1)[:, :found], rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(distances[:, :found], chosen, rtol=2e-6, atol=2e-6)
        assert all(len(set(row)) == found for row in ids[:, :found].tolist())
        assert (np.diff(distances[:, :found], axis=1) >= 0).all()
        assert (ids[:, found:] == -1).all()
        assert np.isposinf(distances[:, found:]).all()


def test_distances_are_finished_in_double_precision():
    # In float32, ½‖x‖² - ⟨q, x⟩ + ½‖q‖² of these is off by more than the distance itself.
    rows = np.array([[100, 100], [100, 100.00001]], dtype=np.float32)
    panels = make_panels(rows, identity(2), squared=True)
    ids, distances, _ = search_lists(panels, rows[:1], identity(2), "euclidean", np.zeros((1, 1), dtype=np.int32), 2)
    assert sorted(ids[0].tolist()) == [0, 1]
    np.testing.assert_array_equal(distances[0], [0, np.float32(float(rows[1, 1]) - 100.0)])


def test_a_nan_score_never_passes_a_limit(whole_numbers):
    # A query that holds NaN finds nothing; its neighbours in the batch are not disturbed.
    rows, queries = whole_numbers(40, 3), whole_numbers(8, 3, seed=1)
    panels, probes = make_panels(rows, identity(3)), np.zeros((8, 1), dtype=np.int32)
    clean, _, _ = search_lists(panels, queries, identity(3), "ip", probes, 4)
    queries[5, 1] = np.nan
    ids, distances, _ = search_lists(panels, queries, identity(3), "ip", probes, 4)
    assert ids[5].tolist() == [-1] * 4
    assert np.isposinf(distances[5]).all()
    np.testing.assert_array_equal(np.delete(ids, 5, axis=0), np.delete(clean, 5, axis=0))
