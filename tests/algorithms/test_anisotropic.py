"""ScaNN's centroid: the formula, and that it minimises the loss which the formula comes from."""

import numpy as np
import pytest
from ivfbench.algorithms.kernels.space import DISTANCES
from ivfbench.algorithms.routers.anisotropic import Anisotropic, anisotropic_centroid

pytestmark = pytest.mark.interpreted


def loss(rows, centroid, ratio):
    # h∥ = 1, h⊥ = ratio
    total = 0.0
    for row in rows.astype(np.float64):
        error = row - centroid
        along = (error @ row) / (row @ row) * row
        total += along @ along + ratio * ((error - along) @ (error - along))
    return total


@pytest.mark.parametrize("ratio", [0.05, 0.5, 1.0])
def test_it_minimises_the_anisotropic_loss(normal, ratio):
    rows = normal(30, 5) + 0.5
    found = anisotropic_centroid([rows[:7], rows[7:]], 5, ratio)
    least = loss(rows, found, ratio)
    for step in np.concatenate([np.eye(5), -np.eye(5)]) * 1e-3:
        assert loss(rows, found + step, ratio) > least


def test_scores_are_the_formula(naive, fitting_for, matrix_of, normal, metric):
    rows, queries = normal(120, 6) + np.float32(0.4), normal(8, 6, seed=3)
    fitting = fitting_for(rows, metric, 4)
    found = matrix_of(Anisotropic(0.2).fit(fitting).routes, queries, 4)
    asked = naive.prepare(queries, metric, fitting.space.center)
    for i in range(4):
        own = naive.prepare(rows[fitting.clusters.assignment == i], metric, fitting.space.center)
        outer = sum(np.outer(row, row) / (row @ row) for row in own)
        matrix = 0.2 * len(own) * np.eye(6) + 0.8 * outer
        centroid = np.linalg.inv(matrix) @ own.sum(axis=0)
        expected = asked @ centroid - (0.5 * centroid @ centroid if metric in DISTANCES else 0)
        np.testing.assert_allclose(found[:, i], expected, rtol=1e-4, atol=1e-5)


def test_a_ratio_of_one_is_the_mean_and_smaller_ones_are_longer(normal):
    rows = normal(40, 4) + 1
    mean = rows.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(anisotropic_centroid([rows], 4, 1.0), mean, rtol=1e-6)
    lengths = [np.linalg.norm(anisotropic_centroid([rows], 4, ratio)) for ratio in (1.0, 0.5, 0.1)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[2]


def test_zero_rows_and_empty_lists(fitting_for):
    rows = np.array([[0, 0]] * 9 + [[9, 9], [9, 8]], dtype=np.float32)
    assert np.isfinite(anisotropic_centroid([rows[:3]], 2, 0.5)).all()
    fitting = fitting_for(rows, "ip", 5)
    empty = np.flatnonzero(fitting.clusters.sizes == 0)
    assert len(empty) == 2
    values = Anisotropic().fit(fitting).routes.panels.values
    for i in empty:
        np.testing.assert_array_equal(values[0, :, i], fitting.clusters.centroids[i])
    assert np.isfinite(values).all()
