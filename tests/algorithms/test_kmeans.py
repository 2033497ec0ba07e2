import numpy as np
import pytest
from ivfbench.algorithms.clustering.clusters import nearest_centroids, number_of_lists
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.space import identity, make_space, prepare

pytestmark = pytest.mark.interpreted


@pytest.fixture
def rows(normal, tiny):
    return normal(40, 3) if tiny else normal(600, 16)


def test_assignment_is_the_oracles(naive, whole_numbers, shapes, threads):
    for n, d in sorted({shape[:2] for shape in shapes}):
        rows, centroids = whole_numbers(n, d), whole_numbers(19, d, seed=3)
        assignment, scores = nearest_centroids(rows, identity(d), centroids, threads)
        expected, squared = naive.assign(rows, centroids)
        np.testing.assert_array_equal(assignment, expected)
        np.testing.assert_array_equal(2 * scores.astype(float) + (rows.astype(float) ** 2).sum(axis=1), squared)


def test_every_row_is_in_its_nearest_list(naive, rows, metric):
    space = make_space(rows, metric)
    clusters = KMeans(lists=8, iterations=3).cluster(rows, space, seed=1)
    prepared = naive.prepare(rows, metric, space.center)
    chosen = ((prepared - clusters.centroids[clusters.assignment]) ** 2).sum(axis=1)
    _, least = naive.assign(prepared, clusters.centroids)
    np.testing.assert_allclose(chosen, least, rtol=1e-4, atol=1e-5)
    assert clusters.sizes.sum() == len(rows)


def test_the_objective_never_rises(naive, rows, metric):
    space = make_space(rows, metric)
    clusters = KMeans(lists=8, iterations=6).cluster(rows, space, seed=2)
    assert clusters.statistics()["lists_empty"] == 0
    objective = np.array(clusters.objective)
    assert len(objective) == 7
    assert (np.diff(objective) <= 1e-5 * objective[0]).all()
    assert objective[-1] < objective[0]
    _, least = naive.assign(prepare(rows, space), clusters.centroids)
    assert objective[-1] == pytest.approx(least.sum(), rel=1e-4)


def test_deterministic_for_a_seed_at_any_number_of_threads(rows):
    space = make_space(rows, "euclidean")
    first, again = (KMeans(lists=9, iterations=4).cluster(rows, space, seed=5, threads=t) for t in (1, 2))
    other = KMeans(lists=9, iterations=4).cluster(rows, space, seed=6)
    assert first.centroids.tobytes() == again.centroids.tobytes()
    assert first.assignment.tobytes() == again.assignment.tobytes()
    assert first.objective == again.objective
    assert first.centroids.tobytes() != other.centroids.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_empty_lists_are_filled_though_most_points_are_the_same(seed):
    # The largest list holds nothing but copies of one point: what fills an empty list has to come from another one.
    spots = np.array([[100, 0], [100, 8], [108, 0], [-50, 3]], dtype=np.float32)
    rows = np.concatenate([np.zeros((60, 2), dtype=np.float32), spots])
    clusters = KMeans(lists=5, iterations=10).cluster(rows, identity(2), seed=seed)
    assert sorted(clusters.sizes.tolist()) == [1, 1, 1, 1, 60]
    assert clusters.objective[-1] == 0


def test_one_empty_list_after_the_other_is_filled_from_the_same_large_list():
    rows = np.concatenate([np.zeros((200, 1)), np.arange(1, 8)[:, None]]).astype(np.float32)
    clusters = KMeans(lists=8, iterations=12).cluster(rows, identity(1), seed=0)
    assert clusters.statistics()["lists_empty"] == 0


def test_all_points_the_same_leave_lists_empty():
    clusters = KMeans(lists=4, iterations=2).cluster(np.full((20, 3), 7, dtype=np.float32), identity(3))
    assert clusters.sizes.tolist() == [20, 0, 0, 0]
    statistics = clusters.statistics()
    percentiles = statistics.pop("list_size_percentiles")
    assert len(percentiles) == 101
    assert (percentiles[0], percentiles[50], percentiles[100]) == (0, 0, 20)
    assert statistics == {
        "list_size_mean": 5.0,
        "list_size_variation": pytest.approx(3**0.5),
        "list_size_largest": 20,
        "lists_empty": 3,
    }


@pytest.mark.parametrize(("lists", "expected"), [(None, 4), (3, 3), (16, 16), (999, 16)])
def test_no_more_lists_than_points(normal, lists, expected):
    clusters = KMeans(lists=lists, iterations=1).cluster(normal(16, 2), identity(2))
    assert len(clusters.centroids) == expected
    assert len(clusters.assignment) == 16


def test_iterations_see_a_sample_and_all_rows_are_assigned(normal):
    rows = normal(60, 2)
    clusters = KMeans(lists=2, sample_per_list=10, iterations=2).cluster(rows, identity(2))
    assert clusters.sampled == 20
    assert clusters.sizes.sum() == 60


def test_progress_counts_iterations(normal):
    told = []
    KMeans(lists=2, iterations=3).cluster(normal(20, 2), identity(2), progress=lambda *step: told.append(step))
    assert [step[:3] for step in told] == [("k-means", done, 3) for done in (0, 1, 2, 3)]


@pytest.mark.parametrize(("lists", "expected"), [(None, 20), ("√n", 20), ("2√n", 40), ("0.5 √n", 10), ("99√n", 400)])
def test_lists_may_be_a_multiple_of_the_root(lists, expected):
    assert number_of_lists(lists, 400) == expected
    assert IVF(KMeans(lists=lists)).resolve("ip", 400).clustering.lists == expected


@pytest.mark.parametrize("wrong", ["n", "√", "-1√n", "0√n", "2√n ", "nan√n", "1e3√n", ""])
def test_multiples_that_are_none(wrong):
    with pytest.raises(ValueError, match=r"^KMeans\.lists: found .*, or a multiple of √n such as '2√n'$"):
        KMeans(lists=wrong)


@pytest.mark.parametrize("field", ["lists", "iterations", "sample_per_list"])
@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "3"])
def test_refusals(field, wrong):
    with pytest.raises(ValueError, match=rf"^KMeans\.{field}: found .*, expected an integer of at least 1"):
        KMeans(**{field: wrong})
