import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.algorithms.kernels.bounds import ROWS_PER_BLOCK, reassign, start_bounds

pytestmark = pytest.mark.interpreted


def check(naive, bounds, rows, centroids):
    # Every row with its nearest centroid; and no bound above what it bounds.
    distances = np.sqrt(((rows[:, None, :].astype(np.float64) - centroids[None]) ** 2).sum(axis=2))
    np.testing.assert_allclose(bounds.distance, distances.min(axis=1), rtol=1e-5, atol=1e-6)
    own = distances[np.arange(len(rows)), bounds.assignment]
    np.testing.assert_allclose(own, distances.min(axis=1), rtol=1e-6, atol=1e-6)
    others = distances.copy()
    others[np.arange(len(rows)), bounds.assignment] = np.inf
    for panel in range(bounds.others.shape[1]):
        assert (bounds.others[:, panel] <= others[:, panel * 16 : (panel + 1) * 16].min(axis=1) * (1 + 1e-5)).all()


@pytest.mark.parametrize("lists", [1, 2, 15, 16, 17, 40])
@pytest.mark.parametrize("threads", [1, 2])
def test_rows_stay_with_their_nearest_centroid_however_the_centroids_move(naive, normal, tiny, lists, threads):
    count = 60 if tiny else ROWS_PER_BLOCK + 60
    rows, centroids = normal(count, 5), normal(lists, 5, seed=1)
    generator = np.random.default_rng(2)
    bounds, moves = start_bounds(rows, lists), np.zeros(lists, dtype=np.float32)
    for step in range(6):
        reassign(bounds, rows, centroids, moves, threads)
        check(naive, bounds, rows, centroids)
        before = centroids.copy()
        centroids = centroids + generator.normal(0, 0.5 / (1 + step) ** 2, centroids.shape).astype(np.float32)
        centroids[step % lists] = rows[step]  # and one far jump, as when an empty list is refilled
        moves = np.linalg.norm(centroids - before, axis=1)


def test_ties_go_to_the_lower_centroid(tiny):
    rows = np.array([[0.0, 0.0], [4.0, 0.0], [10.0, 0.0]], dtype=np.float32)
    centroids = np.repeat(np.array([[2.0, 0.0], [10.0, 0.0]], dtype=np.float32), 20, axis=0)[::-1].copy()
    bounds = start_bounds(rows, len(centroids))
    for _ in range(3):
        reassign(bounds, rows, centroids, np.zeros(40, dtype=np.float32), 1)
        assert bounds.assignment.tolist() == [20, 20, 0]


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 6))
def test_threads_and_blocks_change_nothing(seed, lists, dimension):
    generator = np.random.default_rng(seed)
    rows = generator.integers(-3, 4, (50, dimension)).astype(np.float32)
    centroids = generator.integers(-3, 4, (lists, dimension)).astype(np.float32)
    answers = []
    for threads in (1, 2):
        bounds = start_bounds(rows, lists)
        reassign(bounds, rows, centroids, np.zeros(lists, dtype=np.float32), threads)
        answers.append((bounds.assignment.tobytes(), bounds.distance.tobytes(), bounds.others.tobytes()))
    assert answers[0] == answers[1]
    squared = ((rows[:, None] - centroids[None]) ** 2).sum(axis=2)  # whole numbers: ties are exact
    np.testing.assert_array_equal(bounds.assignment, squared.argmin(axis=1))
