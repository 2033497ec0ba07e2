"""Principal components against the obvious computation, and what each metric is promised."""

import numpy as np
import pytest
from ivfbench.datasets.projection import principal_projection, unit_length


def rows(count, dimension, seed=0, shift=3.0):
    """Vectors with a mean far from zero and a decaying spectrum."""
    rng = np.random.default_rng(seed)
    scales = 2.0 ** -np.arange(dimension)
    rotation = np.linalg.qr(rng.standard_normal((dimension, dimension)))[0]
    return (shift + rng.standard_normal((count, dimension)) * scales @ rotation).astype(np.float32)


def obvious(train, count, centred, directions):
    """The same by singular values: components up to sign, and the share they keep."""
    matrix = train.astype(np.float64)
    if directions:
        matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    if centred:
        matrix = matrix - matrix.mean(axis=0)
    _, strengths, components = np.linalg.svd(matrix, full_matrices=False)
    return components[:count].T, (strengths[:count] ** 2).sum() / (strengths**2).sum()


@pytest.mark.parametrize(
    ("metric", "normalise", "centred", "directions"),
    [
        ("ip", False, False, False),
        ("normalized", False, False, False),
        ("angular", False, False, True),
        ("euclidean", False, True, False),
        ("manhattan", False, True, False),
        ("euclidean", True, False, True),
        ("ip", True, False, True),
    ],
)
def test_components_are_those_of_the_singular_values(metric, normalise, centred, directions):
    train = rows(20_000, 6)  # more than one block
    train[:, 0] *= np.linspace(0.1, 9, len(train))  # lengths differ: directions are another matter
    got = principal_projection(train, 3, metric, normalise)
    expected, kept = obvious(train, 3, centred, directions)
    np.testing.assert_allclose(np.abs(np.einsum("ij,ij->j", got.components, expected)), 1, atol=1e-6)
    np.testing.assert_allclose(got.components.T @ got.components, np.eye(3), atol=1e-12)
    assert got.centred == centred
    assert got.kept == pytest.approx(kept, abs=1e-9)
    assert 0 < got.kept < 1
    np.testing.assert_allclose(got.mean, train.astype(float).mean(axis=0) if centred else 0, atol=1e-9)


def test_signs_are_settled():
    components = principal_projection(rows(300, 5), 5, "ip", False).components
    assert (components[np.abs(components).argmax(axis=0), np.arange(5)] > 0).all()


def test_all_components_keep_what_the_metric_sees():
    train, test = rows(400, 7), rows(50, 7, seed=1)
    whole = principal_projection(train, 7, "ip", False)
    assert whole.kept == pytest.approx(1)
    np.testing.assert_allclose(whole(test) @ whole(train).T, test @ train.T, rtol=1e-5)
    whole = principal_projection(train, 7, "euclidean", False)
    apart = np.linalg.norm(whole(test)[:, None] - whole(train)[None], axis=2)
    np.testing.assert_allclose(apart, np.linalg.norm(test[:, None] - train[None], axis=2), rtol=1e-5)


def test_the_first_component_is_the_mean_only_where_the_origin_counts():
    train = rows(500, 6, shift=50)
    direction = train.mean(axis=0) / np.linalg.norm(train.mean(axis=0))
    assert principal_projection(train, 1, "ip", False).components[:, 0] @ direction > 0.999
    assert abs(principal_projection(train, 1, "euclidean", False).components[:, 0] @ direction) < 0.999


def test_nothing_but_zeros():
    train = np.zeros((9, 4), np.float32)
    for metric in ("ip", "angular", "euclidean"):
        got = principal_projection(train, 2, metric, False)
        assert got.kept == 1
        np.testing.assert_array_equal(got(train), np.zeros((9, 2)))


def test_unit_length():
    given = rows(10_000, 3)
    given[7] = 0
    given[8] *= 1e30  # squares leave float32
    got = unit_length(given)
    assert got.dtype == np.float32
    lengths = np.linalg.norm(got.astype(np.float64), axis=1)
    np.testing.assert_allclose(np.delete(lengths, 7), 1, atol=1e-6)
    assert not got[7].any()
    np.testing.assert_allclose(got[5], given[5] / np.linalg.norm(given[5]), rtol=1e-6)
