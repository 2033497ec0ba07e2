"""Routers trained by gradient descent: their targets, their warnings, and what each is at query time."""

import dataclasses

import numpy as np
import pytest
import torch
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.groups import COMBINATIONS, combine_groups
from ivfbench.algorithms.registry import ROUTERS
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.hybrid import Hybrid
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.multi_learnt import MultiLearnt
from ivfbench.algorithms.routers.network import Network
from ivfbench.algorithms.routers.paper import PaperLearnt
from ivfbench.algorithms.routers.router import TrainingQueries
from ivfbench.algorithms.routers.training.failure_signs import failure_signs
from ivfbench.algorithms.routers.training.targets import LOSSES, loss_of, make_targets
from ivfbench.algorithms.routers.training.trained import Trained

TRAINED = [router for router in ROUTERS.values() if issubclass(router, Trained)]
LISTS = 24


@pytest.fixture(scope="module")
def problem():
    """Rows of very different lengths; training and test queries from elsewhere, each with ten neighbours."""
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((1500, 12)) * rng.lognormal(0, 0.6, (1500, 1))
    asked = rng.standard_normal((2400, 12)) * np.linspace(0.2, 2, 12)
    asked[:, :4] += 2.0
    rows, asked = rows.astype(np.float32), asked.astype(np.float32)
    truth = np.argsort(-(asked @ rows.T), axis=1, kind="stable")[:, :10].astype(np.int32)
    return rows, asked[:2000], truth[:2000], asked[2000:], truth[2000:]


def build(problem, router, metric="ip", seed=3, **choices):
    rows, learn, truth, _, _ = problem
    given = TrainingQueries(learn, truth if metric == "ip" else None)
    return IVF(KMeans(lists=LISTS, iterations=6), router, seed=seed).build(rows, metric, given, **choices)


def recall(problem, index, nprobe=2, k=10):
    _, _, _, test, truth = problem
    found = index.search(test, k, nprobe=nprobe).ids
    return np.mean([len(set(a) & set(b)) / k for a, b in zip(found.tolist(), truth[:, :k].tolist(), strict=True)])


def every_score(index, queries):
    """Scores (q, L) in the order of the lists, from the routes."""
    routed = index.routes.route(queries, LISTS)
    scores = np.empty(routed.scores.shape, np.float32)
    np.put_along_axis(scores, routed.lists.astype(np.int64), routed.scores, axis=1)
    return scores


# ---- targets ------------------------------------------------------------------------------------------------


def naive_targets(assignment, neighbors, loss, lists):
    """Rows of L numbers: what the targets stand for."""
    full = np.zeros((len(neighbors), lists))
    for row, found in zip(full, neighbors, strict=True):
        for place in [place for place in found if place >= 0][: 1 if loss == "top-1" else None]:
            row[assignment[place]] += 1
    if loss in ("binary", "multi-label"):
        full = (full > 0).astype(float)
    return full if loss == "multi-label" else full / np.maximum(full.sum(axis=1, keepdims=True), 1)


@pytest.mark.parametrize("loss", LOSSES)
def test_targets_and_losses_are_those_of_full_rows(loss):
    rng = np.random.default_rng(4)
    assignment = rng.integers(0, 6, 40).astype(np.int32)
    neighbors = np.stack([rng.permutation(40)[:5] for _ in range(30)]).astype(np.int32)
    neighbors[3, 2:] = -1
    targets = make_targets(assignment, neighbors, loss, 5)
    full = naive_targets(assignment, neighbors, loss, 6)
    spread = np.zeros_like(full)
    np.add.at(spread, (np.arange(30)[:, None], targets.labels), targets.weights)
    np.testing.assert_allclose(spread, full, atol=1e-6)
    logits = rng.standard_normal((30, 6)).astype(np.float32)
    found = loss_of(
        torch.from_numpy(logits), torch.from_numpy(targets.labels), torch.from_numpy(targets.weights), targets.sigmoid
    )
    if loss == "multi-label":
        expected = (np.log1p(np.exp(logits)) - full * logits).sum(axis=1)
    else:
        expected = -(full * (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))).sum(axis=1)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_fewer_neighbours_count_when_k_says_so():
    assignment, neighbors = np.arange(4, dtype=np.int32), np.array([[3, 2, 1]], dtype=np.int32)
    assert make_targets(assignment, neighbors, "soft", 2).labels.tolist() == [[3, 2]]
    assert make_targets(assignment, neighbors, "top-1", 2).labels.tolist() == [[3]]


# ---- all of them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("router", TRAINED, ids=lambda router: router.__name__)
def test_each_beats_the_centroids(problem, router):
    index = build(problem, router(loss="soft", epochs=80, learning_rate=5e-3))
    assert recall(problem, index) > recall(problem, build(problem, Centroid())) + 0.05
    notes = index.built.notes
    assert notes["validation_accuracy"] > notes["validation_accuracy_of_centroids"]
    assert not any("no gain" in warning for warning in notes["warnings"])


@pytest.mark.parametrize("router", TRAINED, ids=lambda router: router.__name__)
@pytest.mark.parametrize("loss", LOSSES)
def test_each_takes_each_loss(problem, router, loss):
    index = build(problem, router(loss=loss, epochs=2))
    assert np.isfinite(index.built.notes["validation_loss"])
    assert np.isfinite(every_score(index, problem[3])).all()


@pytest.mark.parametrize("router", TRAINED, ids=lambda router: router.__name__)
def test_query_time_computes_what_training_computed(problem, router, monkeypatch):
    kept = {}
    before = router.routes

    def routes(self, module, fitting, lessons):
        kept.update(module=module, scale=float(lessons.scale), features=lessons.features)
        return before(self, module, fitting, lessons)

    monkeypatch.setattr(router, "routes", routes)
    index = build(problem, router(epochs=3, loss="top-1"))
    queries = problem[3] * np.float32(kept["scale"])
    if kept["features"] is not None:
        queries = np.concatenate([queries, kept["features"].spreads(queries)], axis=1)
    with torch.no_grad():
        expected = kept["module"](torch.from_numpy(queries)).numpy()
    np.testing.assert_allclose(every_score(index, problem[3]), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("router", TRAINED, ids=lambda router: router.__name__)
def test_a_size_exponent_takes_points_for_likelihood(problem, router):
    plain, sized = (every_score(build(problem, router(epochs=2, size_exponent=e)), problem[3]) for e in (0.0, 0.7))
    sizes = build(problem, Centroid()).lists.panels.sizes
    np.testing.assert_allclose(plain - sized, np.broadcast_to(0.7 * np.log(sizes), plain.shape), atol=2e-4)


def test_top_k_loss_beats_top_1_loss_at_k(problem):
    soft, first = (
        np.mean([recall(problem, build(problem, Learnt(loss=loss, epochs=60), seed=seed)) for seed in range(2)])
        for loss in ("soft", "top-1")
    )
    assert soft > first


def test_training_queries_may_be_fewer_and_documents_more(problem):
    notes = build(problem, Learnt(queries=100, documents=300, epochs=1)).built.notes
    assert notes["training_queries"] == 400
    assert build(problem, Learnt(queries=100, epochs=1)).built.notes["training_queries"] == 100


def test_a_document_is_not_its_own_neighbour(problem, monkeypatch):
    from ivfbench.algorithms.routers.training import lessons

    seen = {}
    before = lessons._documents

    def documents(fitting, count, k):
        seen["rows"], seen["neighbors"] = before(fitting, count, k)
        return seen["rows"], seen["neighbors"]

    monkeypatch.setattr(lessons, "_documents", documents)
    rows = problem[0].copy()
    rows[:50] = rows[0]  # duplicates crowd a row out of its own neighbours
    build((rows, *problem[1:]), Learnt(documents=1500, epochs=1))
    assert seen["neighbors"].shape == (1500, 10)
    for row, neighbors in zip(seen["rows"], seen["neighbors"], strict=True):
        own = np.flatnonzero((rows == row).all(axis=1))
        assert len(set(neighbors)) == 10
        if len(own) == 1:
            assert own[0] not in neighbors


def test_more_neighbours_than_given_are_searched_for(problem):
    notes = build(problem, Learnt(k=15, epochs=1)).built.notes
    assert notes["label_neighbors"] == 15


# ---- one by one ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_groups(combination, threads, whole_numbers):
    oracle = {
        "best": lambda group: group.max(axis=2),
        "log-sum-exp": lambda group: np.log(np.exp(group).sum(axis=2)),
        "root-sum-square": lambda group: np.sqrt((group**2).sum(axis=2)),
    }[combination]
    for q, lists, count in ((1, 1, 1), (1, 5, 3), (7, 4, 1), (9, 3, 4)):
        values = whole_numbers(q, lists * count)
        expected = oracle(values.reshape(q, lists, count).astype(np.float64))
        np.testing.assert_allclose(combine_groups(values, count, combination, threads), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_groups_keep_nan_and_infinity(combination):
    values = np.array([[1, np.nan, 2, 3], [np.inf, 1, 0, 0]], dtype=np.float32)
    found = combine_groups(values, 2, combination)
    assert np.isnan(found[0, 0])
    assert np.isfinite(found[0, 1])
    assert np.isposinf(found[1, 0])


def test_one_representative_is_the_learnt_router(problem):
    one, learnt = (
        every_score(build(problem, router), problem[3])
        for router in (MultiLearnt(representatives=1, epochs=0), Learnt(epochs=0))
    )
    np.testing.assert_allclose(one, learnt, rtol=1e-5, atol=1e-5)


def test_the_hybrid_starts_as_the_centroids(problem):
    start, centroid = (
        build(problem, router).routes.route(problem[3], LISTS).lists for router in (Hybrid(epochs=0), Centroid())
    )
    np.testing.assert_array_equal(start, centroid)


@pytest.mark.parametrize("rank", [12, 40])
def test_a_sketch_of_full_rank_is_the_covariance(problem, rank):
    index = build(problem, Hybrid(rank=rank, epochs=1))
    panels = index.lists.panels
    queries = problem[3][:20]
    found = index.routes.sketch.spreads(queries)
    for i in range(LISTS):
        ids = panels.ids[panels.starts[i] : panels.starts[i + 1]]
        members = problem[0][ids[ids >= 0]].astype(np.float64)
        covariance = np.cov(members.T, bias=True)
        expected = np.sqrt(np.einsum("ij,jk,ik->i", queries, covariance, queries))
        np.testing.assert_allclose(found[:, i], expected, rtol=1e-3, atol=1e-4)


def test_the_paper_trains_again_from_scratch_for_the_best_epoch_counted_from_zero(problem):
    told = []
    index = build(problem, PaperLearnt(epochs=12, learning_rate=3e-2), progress=lambda *step: told.append(step))
    losses = [float(remark.rsplit(" ", 1)[1]) for stage, _, _, remark in told if stage == "learn" and "loss" in remark]
    notes = index.built.notes
    assert len(losses) == 12
    assert notes["best_epoch"] == int(np.argmin(losses))
    assert notes["epochs_run"] == 12 + notes["best_epoch"]
    # Trained one epoch less than was best: its loss is that of the epoch before.
    assert notes["validation_loss"] == pytest.approx(losses[notes["best_epoch"] - 1], abs=6e-5)


def test_the_paper_returns_an_untrained_router_when_the_first_epoch_was_best(problem):
    index = build(problem, PaperLearnt(epochs=1))
    assert index.built.notes["best_epoch"] == 0
    assert any("no gain" in warning for warning in index.built.notes["warnings"])


# ---- what went wrong ----------------------------------------------------------------------------------------


GOOD = {
    "validation_accuracy": 0.6,
    "validation_accuracy_of_centroids": 0.5,
    "training_accuracy": 0.65,
    "converged": True,
    "epochs_run": 9,
    "cosine_to_centroids": 0.7,
    "lists_without_label": 0,
}
SIGNS = {
    "no gain": {"validation_accuracy": 0.5},
    "not converged": {"converged": False},
    "nearly equal": {"cosine_to_centroids": 0.9995},
    "far below training": {"training_accuracy": 0.8},
    "no training query labels: 3": {"lists_without_label": 3},
}


@pytest.mark.parametrize("sign", SIGNS)
def test_each_sign_is_one_warning(sign):
    assert failure_signs(GOOD) == []
    (warning,) = failure_signs({**GOOD, **SIGNS[sign]})
    assert sign in warning


def test_warnings_are_told_and_noted(problem):
    told = []
    router = Network(epochs=1, learning_rate=1e-6)
    notes = build(problem, router, progress=lambda *step: told.append(step)).built.notes
    assert any("not converged" in warning for warning in notes["warnings"])
    assert [remark for stage, _, _, remark in told if stage == "warning"] == notes["warnings"]


@pytest.mark.parametrize(
    ("router", "choices", "said"),
    [
        (Learnt, {"loss": "hinge"}, "Learnt.loss: found 'hinge', expected one of top-1, soft"),
        (Learnt, {"k": 0}, "Learnt.k: found 0"),
        (Learnt, {"queries": 1}, "Learnt.queries: found 1, expected at least 2"),
        (Learnt, {"documents": -1}, "Learnt.documents: found -1"),
        (Learnt, {"size_exponent": -0.5}, "Learnt.size_exponent: found -0.5"),
        (Network, {"layers": 3}, "Network.layers: found 3, expected 1 or 2"),
        (Network, {"dropout": 1.0}, "Network.dropout: found 1.0"),
        (Network, {"hidden": 0}, "Network.hidden: found 0"),
        (MultiLearnt, {"representatives": 0}, "MultiLearnt.representatives: found 0"),
        (Hybrid, {"rank": 0}, "Hybrid.rank: found 0"),
        (PaperLearnt, {"validation": 1.0}, "PaperLearnt.validation: found 1.0"),
        (PaperLearnt, {"device": "tpu"}, "PaperLearnt.device: found 'tpu'"),
    ],
)
def test_wrong_choices(router, choices, said):
    with pytest.raises(ValueError) as refused:
        router(**choices)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_every_field_of_a_trained_router_is_documented():
    for router in TRAINED:
        own = {field.name for field in dataclasses.fields(router)} - {
            field.name for field in dataclasses.fields(Trained)
        }
        assert all(f"{name} : " in (router.__doc__ or "") for name in own), router
