"""Routing on two levels: what `IVF(routing="two levels")` does to any linear router."""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.byte_queries import MIDDLE
from ivfbench.algorithms.kernels.space import identity
from ivfbench.algorithms.routers.linear import linear_routes
from ivfbench.algorithms.routers.network import Network
from ivfbench.algorithms.routers.router import TrainingQueries
from ivfbench.algorithms.routers.two_level_routes import BREADTH, PART, TwoLevelRoutes, two_level_routes

pytestmark = pytest.mark.interpreted


def decoded(blocks, steps, groups):
    """Vectors and ids of each group, out of the layout."""
    dimension = len(steps)
    for group in range(groups):
        rows, ids = [], []
        for block in range(blocks.starts[group], blocks.starts[group + 1]):
            codes = blocks.codes[block].reshape(-1, 32, 4).transpose(1, 0, 2).reshape(32, -1)[:, :dimension]
            real = blocks.ids[block] >= 0
            rows.append(((codes.astype(np.float64) - MIDDLE) * steps)[real])
            ids.append(blocks.ids[block][real])
        yield (np.concatenate(rows), np.concatenate(ids)) if rows else (np.empty((0, dimension)), np.empty(0, int))


def expected(routes, bias, query, nprobe):
    """Rank groups, open them until they hold enough, rank what is in them: in float64."""
    stepped = query.astype(np.float64) * routes.steps
    scale = np.abs(stepped).max() / 127
    rounded = np.floor(stepped / scale + 0.5) * scale / routes.steps
    upper, _ = next(decoded(routes.groups, routes.steps, 1))
    groups = list(decoded(routes.blocks, routes.steps, len(upper)))
    enough = max(BREADTH * nprobe, sum(len(ids) for _, ids in groups) // PART)
    best = np.argsort(routes.groups.bias.ravel()[: len(upper)] - upper @ rounded, kind="stable")
    scores, lists, scored = [], [], 0
    for group in best:
        if scored >= enough:
            break
        rows, ids = groups[group]
        scored += len(ids)
        scores += list(rows @ rounded - bias[ids])
        lists += list(ids)
    return dict(zip(lists, scores, strict=True))


@pytest.mark.parametrize(("count", "dimension", "nprobe"), [(300, 6, 3), (90, 17, 1), (200, 5, 40)])
def test_the_best_of_the_groups_that_are_opened(normal, threads, count, dimension, nprobe):
    rows, queries, constants = normal(count, dimension), normal(9, dimension, seed=1), normal(1, count, seed=2)[0]
    routes = two_level_routes(linear_routes(rows, constants, identity(dimension)), 3, 1)
    found = routes.route(queries, nprobe, threads)
    for i, query in enumerate(queries):
        scored = expected(routes, np.float32(0.0) - constants, query, nprobe)
        best = np.sort(list(scored.values()))[::-1][:nprobe]
        np.testing.assert_allclose(found.scores[i], best, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose([scored[place] for place in found.lists[i]], best, rtol=1e-4, atol=1e-4)
        assert len(set(found.lists[i].tolist())) == nprobe
        alone = routes.route(query[None], nprobe)
        assert alone.lists.tobytes() == found.lists[i].tobytes()
        assert alone.scores.tobytes() == found.scores[i].tobytes()


def test_all_lists_are_all_lists(normal):
    for count in (1, 2, 70):
        routes = two_level_routes(linear_routes(normal(count, 4), np.zeros(count, np.float32), identity(4)), 0, 1)
        found = routes.route(normal(6, 4, seed=1), count)
        assert (np.sort(found.lists, axis=1) == np.arange(count)).all()
    assert routes.route(np.empty((0, 4), np.float32), 5).lists.shape == (0, 5)


def test_equal_representatives_leave_groups_empty(normal):
    routes = two_level_routes(linear_routes(np.ones((50, 3), np.float32), np.zeros(50, np.float32), identity(3)), 0, 1)
    assert (np.sort(routes.route(normal(4, 3), 50).lists, axis=1) == np.arange(50)).all()


def test_a_query_that_holds_nan_is_routed_nowhere(normal):
    routes = two_level_routes(linear_routes(normal(60, 3), np.zeros(60, np.float32), identity(3)), 0, 1)
    queries = normal(3, 3, seed=1)
    queries[1, 2] = np.nan
    found = routes.route(queries, 4)
    assert (found.lists[1] == -1).all()
    assert np.isneginf(found.scores[1]).all()
    assert (found.lists[[0, 2]] >= 0).all()


@pytest.mark.parametrize("metric", ["euclidean", "angular", "normalized", "ip"])
def test_an_index_that_routes_on_two_levels(naive, normal, threads, metric, tmp_path):
    rows, queries = normal(160, 6), normal(8, 6, seed=1)
    index = IVF(KMeans(lists=20, iterations=3), routing="two levels", seed=2).build(rows, metric)
    assert isinstance(index.routes, TwoLevelRoutes)
    everything = index.search(queries, 5, nprobe=20, threads=threads)
    assert naive.recall(everything.ids, rows, queries, metric, 5) == 1.0
    index.save(tmp_path / "index.ivf")
    again = IVF.load(tmp_path / "index.ivf")
    found, loaded = (one.search(queries, 5, nprobe=3, threads=threads) for one in (index, again))
    assert found.ids.tobytes() == loaded.ids.tobytes()
    for i, query in enumerate(queries):
        alone = index.search(query, 5, nprobe=3)
        assert alone.ids[0].tolist() == found.ids[i].tolist()
        assert alone.scanned[0] == found.scanned[i]


def test_what_is_not_linear_is_refused(normal):
    rows, learn = normal(60, 4), TrainingQueries(normal(30, 4, seed=1))
    with pytest.raises(ValueError, match=r"^IVF\.routing: found 'two levels' for \w+, expected a linear router$"):
        IVF(KMeans(lists=4, iterations=2), Network(epochs=1), routing="two levels").build(rows, "ip", learn)
