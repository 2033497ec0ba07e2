"""The optimist against mean and covariance by NumPy, under every metric."""

import numpy as np
import pytest
from ivfbench.algorithms.kernels.space import DISTANCES
from ivfbench.algorithms.routers.moments import augmented, moments
from ivfbench.algorithms.routers.optimist import Optimist, sketch

pytestmark = pytest.mark.interpreted


@pytest.fixture
def rows(normal, tiny):
    made = normal(60, 3) if tiny else normal(400, 12)
    return (made * np.linspace(0.3, 2, made.shape[1]) + 1).astype(np.float32)


def expected_scores(naive, rows, queries, metric, fitting, delta, sketched=lambda covariance: covariance):
    prepared = naive.prepare(rows, metric, fitting.space.center)
    asked = naive.prepare(queries, metric, fitting.space.center)
    if metric in DISTANCES:
        prepared = np.concatenate([prepared, -0.5 * (prepared**2).sum(axis=1, keepdims=True)], axis=1)
        asked = np.concatenate([asked, np.ones((len(asked), 1))], axis=1)
    factor = ((1 + delta) / (1 - delta)) ** 0.5
    scores = np.empty((len(queries), len(fitting.clusters.centroids)))
    for i in range(scores.shape[1]):
        own = prepared[fitting.clusters.assignment == i]
        covariance = sketched(np.cov(own, rowvar=False, bias=True).reshape(prepared.shape[1], -1))
        variance = np.einsum("qi,ij,qj->q", asked, covariance, asked)
        scores[:, i] = asked @ own.mean(axis=0) + factor * np.sqrt(variance.clip(min=0))
    return scores


def naive_low_rank(covariance, rank):
    diagonal = np.diag(covariance)
    root = np.diag(np.sqrt(diagonal))
    values, vectors = np.linalg.eigh((covariance - np.diag(diagonal)) / np.sqrt(np.outer(diagonal, diagonal)))
    top = vectors[:, ::-1][:, :rank]
    return np.diag(diagonal) + root @ top @ np.diag(values[::-1][:rank]) @ top.T @ root


SKETCHES = {
    "full": (Optimist(), lambda covariance: covariance),
    "pessimist": (Optimist(delta=0.0), lambda covariance: covariance),
    "diagonal": (Optimist("diagonal"), lambda covariance: np.diag(np.diag(covariance))),
    "rank 2": (Optimist("low rank", 2), lambda covariance: naive_low_rank(covariance, 2)),
    "every rank": (Optimist("low rank", 99), lambda covariance: covariance),
}


@pytest.mark.parametrize("case", SKETCHES)
def test_scores_are_the_formula(naive, fitting_for, matrix_of, rows, normal, metric, threads, case):
    router, sketched = SKETCHES[case]
    queries = normal(9, rows.shape[1], seed=4) + 0.5
    fitting = fitting_for(rows, metric, 5)
    found = matrix_of(router.fit(fitting).routes, queries, 5, threads)
    expected = expected_scores(naive, rows, queries, metric, fitting, router.delta, sketched)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("euclidean", [False, True])
def test_moments_in_blocks_are_those_of_all_rows(normal, euclidean):
    rows = normal(50, 4) + 1000  # far from the origin: sums of squares would cancel
    blocks = [rows[:1], rows[1:20], rows[20:]]
    found = moments(blocks, rows[0], euclidean)
    every = augmented(rows, euclidean)
    assert found.count == 50
    np.testing.assert_allclose(found.mean, every.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(every, rowvar=False, bias=True), rtol=1e-9)


def test_moments_of_nothing(normal):
    mean = normal(1, 3)[0]
    found = moments([], mean, True)
    np.testing.assert_allclose(found.mean[:3], mean)
    assert found.mean[3] == pytest.approx(-0.5 * float(mean @ mean))
    assert not found.covariance.any()


def test_a_full_sketch_is_the_covariance_at_any_scale(normal):
    # The last coordinate is as far off as a half squared length of long rows is.
    rows = normal(9, 6).astype(np.float64) * np.array([1, 1, 1e-3, 0, 1, 1e12])
    covariance = np.cov(rows, rowvar=False, bias=True)
    kept = sketch(covariance, "full", 1)
    assert len(kept.vectors) == 5  # one coordinate does not vary
    sizes = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    np.testing.assert_allclose(
        (kept.vectors.T @ kept.vectors - covariance) / np.where(sizes > 0, sizes, 1), 0, atol=1e-9
    )


def test_a_short_list_keeps_few_vectors(normal):
    rows = normal(4, 20).astype(np.float64)
    assert len(sketch(np.cov(rows, rowvar=False, bias=True), "full", 1).vectors) == 3
    assert len(sketch(np.zeros((5, 5)), "full", 1).vectors) == 0


def test_notes_and_bytes(fitting_for, rows):
    fitting = fitting_for(rows, "ip", 5)
    found = {kind: Optimist(kind, 2).fit(fitting) for kind in ("full", "diagonal", "low rank")}
    d = rows.shape[1]
    assert found["full"].notes == {"router_parameters": 5 * d * (1 + d), "deviations": pytest.approx(3.0)}
    assert found["diagonal"].notes["router_parameters"] == 5 * d * 2
    assert found["low rank"].notes["router_parameters"] == 5 * d * 4
    for fitted in found.values():
        assert fitted.routes.nbytes >= 4 * fitted.notes["router_parameters"]


def test_the_bound_holds_for_most_of_a_list(naive, fitting_for, matrix_of, rows, normal, metric):
    # Chebyshev: at most (1 - δ)/2 of a list scores above.
    queries = normal(7, rows.shape[1], seed=4)
    fitting = fitting_for(rows, metric, 5)
    bound = matrix_of(Optimist(delta=0.6).fit(fitting).routes, queries, 5)
    prepared = naive.prepare(rows, metric, fitting.space.center)
    scores = naive.prepare(queries, metric, fitting.space.center) @ prepared.T
    if metric in DISTANCES:
        scores -= 0.5 * (prepared**2).sum(axis=1)
    for i in range(5):
        above = scores[:, fitting.clusters.assignment == i] > bound[:, i : i + 1] + 1e-4
        assert above.mean(axis=1).max() <= 0.2
