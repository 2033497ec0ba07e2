"""The learnt router: what it starts from, what it learns, and what it may look at."""

import dataclasses
import re

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.router import Fitting, MissingTrainingQueries, TrainingQueries

SHIFT = 2.0


@pytest.fixture(scope="module")
def problem(naive):
    """Points of very different lengths, and queries that come from elsewhere: centroids mislead, training helps."""
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((1500, 12)) * rng.lognormal(0, 0.6, (1500, 1))
    asked = rng.standard_normal((2400, 12)) * np.linspace(0.2, 2, 12)
    asked[:, :4] += SHIFT
    rows, learn, test = rows.astype(np.float32), asked[:2000].astype(np.float32), asked[2000:].astype(np.float32)
    return rows, learn, test


def build(rows, metric, learn, router, neighbors=None, **choices):
    return IVF(KMeans(lists=24, iterations=6), router, seed=choices.pop("seed", 3)).build(
        rows, metric, TrainingQueries(learn, neighbors), **choices
    )


def weights(index):
    return index.routes.panels.values.tobytes() + index.routes.panels.bias.tobytes()


def test_no_epochs_route_as_the_centroids_do(problem, metric):
    rows, learn, test = problem
    start = build(rows, metric, learn, Learnt(epochs=0))
    # -‖q - μ‖₁ is not linear in q: under manhattan the start is that of euclidean scoring.
    centroid = build(rows, metric, learn, Centroid("euclidean") if metric == "manhattan" else Centroid())
    np.testing.assert_array_equal(start.routes.route(test, 24).lists, centroid.routes.route(test, 24).lists)


def test_training_beats_the_centroids(naive, problem, metric):
    rows, learn, test = problem
    nearest = naive.distances(rows, test, metric).argmin(axis=1)

    def accuracy(router):
        index = build(rows, metric, learn, router)
        return float((index.search(test, 1, nprobe=2).ids[:, 0] == nearest).mean())

    centroid, learnt = accuracy(Centroid()), accuracy(Learnt(epochs=30, learning_rate=3e-3))
    assert learnt > centroid + 0.05


def test_from_scratch_learns_as_well(naive, problem):
    rows, learn, test = problem
    nearest = naive.distances(rows, test, "ip").argmin(axis=1)
    index = build(rows, "ip", learn, Learnt(epochs=60, start="scratch", learning_rate=1e-2))
    centroid = build(rows, "ip", learn, Centroid())
    found, expected = (i.search(test, 1, nprobe=2).ids[:, 0] == nearest for i in (index, centroid))
    assert found.mean() > expected.mean() + 0.05


def test_the_weights_of_lowest_validation_loss_are_kept(problem):
    rows, learn, _ = problem
    told = []
    index = build(rows, "ip", learn, Learnt(epochs=40, learning_rate=0.3), progress=lambda *step: told.append(step))
    losses = [float(re.search(r"loss ([\d.]+)", remark)[1]) for stage, _, _, remark in told if stage == "learn"]
    notes = index.built.notes
    assert len(losses) == notes["epochs_run"]
    assert notes["validation_loss"] <= min(losses) + 5e-5
    assert 0 < notes["best_epoch"] < notes["epochs_run"]  # so large a step overshoots: the last weights are worse
    assert losses[notes["best_epoch"] - 1] == pytest.approx(notes["validation_loss"], abs=6e-5)
    best = build(rows, "ip", learn, Learnt(epochs=notes["best_epoch"], learning_rate=0.3))
    assert weights(index) == weights(best)


def test_patience_ends_training(problem):
    rows, learn, _ = problem
    notes = build(rows, "ip", learn, Learnt(epochs=500, patience=2, learning_rate=0.3)).built.notes
    assert notes["epochs_run"] == notes["best_epoch"] + 2


def test_deterministic_for_a_seed(problem):
    rows, learn, _ = problem
    first, again, other = (
        weights(build(rows, "angular", learn, Learnt(epochs=2, start="scratch"), seed=seed)) for seed in (5, 5, 6)
    )
    assert first == again
    assert first != other


def test_labels_are_searched_for_where_that_is_asked(naive, problem, metric):
    rows, learn, _ = problem
    exact = naive.distances(rows, learn, metric).argmin(axis=1)[:, None].astype(np.int32)
    wrong = np.zeros_like(exact)
    given = build(rows, metric, learn, Learnt(loss="top-1", epochs=1), exact)
    assert weights(build(rows, metric, learn, Learnt(loss="top-1", epochs=1))) == weights(given)
    assert weights(build(rows, metric, learn, Learnt(loss="top-1", epochs=1, labels="search"), wrong)) == weights(given)
    assert weights(build(rows, metric, learn, Learnt(loss="top-1", epochs=1), wrong)) != weights(given)


def test_lists_that_no_query_labels_are_counted(problem):
    rows, learn, _ = problem
    for labelled in (1, 3):
        chosen = (np.arange(len(learn)) % labelled).astype(np.int32)
        index = build(rows, "ip", learn, Learnt(loss="top-1", epochs=1), np.array([0, 700, 1400])[chosen][:, None])
        panels = index.lists.panels
        places = [np.flatnonzero((panels.ids == row).any(axis=1))[0] for row in (0, 700, 1400)[:labelled]]
        lists = {int(np.searchsorted(panels.starts, place, side="right")) for place in places}
        assert index.built.notes["lists_without_label"] == 24 - len(lists)


def test_the_source_is_noted_and_nothing_else_can_be_seen(problem):
    rows, learn, _ = problem
    training = TrainingQueries(learn[:50], source="held out from train")
    notes = IVF(router=Learnt(epochs=1)).build(rows, "ip", training).built.notes
    assert (notes["training_source"], notes["training_queries"]) == ("held out from train", 50)
    fields = [field.name for field in dataclasses.fields(Fitting)]
    assert fields == ["metric", "rows", "space", "clusters", "training", "nearest", "seed", "threads", "progress"]


def test_routers_of_true_distances_alone_have_constants(problem, metric):
    rows, learn, _ = problem
    panels = build(rows, metric, learn, Learnt(epochs=2)).routes.panels
    assert panels.bias[panels.ids >= 0].any() == (metric in ("euclidean", "manhattan"))


def test_few_queries_still_leave_one_to_learn_from(problem):
    rows, learn, test = problem
    for lists, validation in ((8, 0.9), (1, 0.1)):
        router = Learnt(epochs=2, validation=validation)
        index = IVF(KMeans(lists=lists), router).build(rows, "ip", TrainingQueries(learn[:2]))
        assert np.isfinite(index.built.notes["validation_loss"])
        assert (index.search(test, 3, nprobe=lists).scanned == len(rows)).all()


@pytest.mark.parametrize("training", [None, TrainingQueries(np.ones((1, 12), dtype=np.float32))])
def test_missing_training_queries(problem, training):
    with pytest.raises(
        MissingTrainingQueries, match=r"^Learnt[^\n]*: found no training queries, expected [^\n]+$|^IVF"
    ):
        IVF(router=Learnt()).build(problem[0], "ip", training)


WRONG_TRAINING = {
    "dimension": (lambda learn: TrainingQueries(learn[:, :5]), r"^training queries: found dimension 5, expected 12$"),
    "nan": (lambda learn: TrainingQueries(learn * np.nan), r"^training queries: found NaN or infinity in row 0, "),
    "fewer": (lambda learn: TrainingQueries(learn, np.zeros((3, 1), int)), r"found int64 of shape \(3, 1\), expected "),
    "flat": (lambda learn: TrainingQueries(learn, np.zeros(2000, int)), r"found int64 of shape \(2000,\), expected "),
    "none": (lambda learn: TrainingQueries(learn, np.zeros((2000, 0), int)), r"expected integers \(2000, K\)"),
    "floats": (lambda learn: TrainingQueries(learn, np.zeros((2000, 1))), r"found float64 of shape"),
    "absent": (
        lambda learn: TrainingQueries(learn, np.full((2000, 1), -1)),
        r"found rows -1 to -1, expected 0 to 1499$",
    ),
    "beyond": (lambda learn: TrainingQueries(learn, np.full((2000, 1), 1500)), r"found rows 1500 to 1500, "),
}


@pytest.mark.parametrize("case", WRONG_TRAINING)
def test_training_queries_that_do_not_fit(problem, case):
    make, pattern = WRONG_TRAINING[case]
    with pytest.raises(ValueError, match=pattern) as refused:
        IVF(router=Learnt()).build(problem[0], "ip", make(problem[1]))
    assert "\n" not in str(refused.value)


def test_threads_of_torch_are_put_back(problem):
    import torch

    before = torch.get_num_threads()
    build(problem[0], "ip", problem[1][:100], Learnt(epochs=1), threads=1 if before > 1 else 2)
    assert torch.get_num_threads() == before


def test_training_rows_never_learn_to_find_themselves(problem):
    rows, _, _ = problem
    queries = rows[:200]
    neighbors = ((np.arange(200) + 1) % 200).astype(np.int32)[:, None]  # anything but the query itself
    stand_in = TrainingQueries(queries, neighbors, "train sample", from_train=True)
    found = [
        IVF(KMeans(8, 3), Learnt(epochs=1, labels=labels)).build(rows, "angular", stand_in)
        for labels in ("given", "search")
    ]
    assert weights(found[0]) == weights(found[1])
    with pytest.raises(ValueError, match=r"^training neighbours: found none"):
        IVF(KMeans(8, 3), Learnt(epochs=1)).build(rows, "angular", dataclasses.replace(stand_in, neighbors=None))
