"""A variant of a dataset, against the obvious computation, and what its file says of where it came from."""

import numpy as np
import pytest
from ivfbench.datasets.dataset import file_sha256
from ivfbench.datasets.derive import DERIVATION_VERSION, derive, derived
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.layout import describe
from ivfbench.datasets.projection import principal_projection
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.variant import Variant
from ivfbench.datasets.verify import verify


def by_hand(train, queries, k, metric):
    """True neighbours by looking at every pair."""
    train, queries = train.astype(np.float64), queries.astype(np.float64)
    dots = queries @ train.T
    if metric == "angular":
        dots /= np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(train, axis=1)
    far = np.linalg.norm(queries[:, None] - train[None], axis=2) if metric == "euclidean" else -dots
    return np.argsort(far, axis=1, kind="stable")[:, :k]


@pytest.fixture
def source(dataset_file):
    """300 vectors of 12 dimensions whose neighbours are no ties."""
    return dataset_file(name="source-12-euclidean.hdf5", n=300, d=12, m=40)


@pytest.mark.parametrize(
    "variant",
    [
        Variant(metric="ip"),
        Variant(metric="angular", learn_k=25),
        Variant(normalise=True),
        Variant(pca=4),
        Variant(pca=4, normalise=True, metric="normalized"),
        Variant(base=120, learn=15),
        Variant(base=150, pca=3, metric="ip", learn=7, learn_k=150 // 2),
    ],
    ids=str,
)
def test_the_file_is_sound_and_its_truth_is_its_own(source, tmp_path, variant):
    told = []
    path = derive(source, tmp_path / "new.hdf5", variant, progress=lambda *at: told.append(at))
    report = verify(path)
    got = read_dataset(path)
    learn = variant.learn or 40
    assert (report.queries_checked, report.learn_checked) == (8, learn)
    assert got.metric == (variant.metric or "euclidean")
    assert got.train.shape == (variant.base or 300, variant.pca or 12)
    assert got.neighbors.shape == (8, 100)
    assert got.learn_neighbors.shape == (learn, variant.learn_k or 10)
    assert told[-1] == (8 + learn, 8 + learn)
    for queries, neighbors in ((got.test, got.neighbors[:, :5]), (got.learn, got.learn_neighbors[:, :5])):
        expected = by_hand(got.train, queries, 5, got.metric)
        assert (expected == neighbors).mean() > 0.98  # float64 by another order of additions: ties may turn


def test_vectors_of_a_projection(source, tmp_path):
    old = read_dataset(source)
    got = read_dataset(derive(source, tmp_path / "new.hdf5", Variant(pca=4)))
    projection = principal_projection(old.train, 4, "euclidean", False)
    for new, before in ((got.train, old.train), (got.test, old.test), (got.learn, old.learn)):
        np.testing.assert_allclose(new, (before - projection.mean) @ projection.components, atol=1e-4)


def test_test_queries_have_no_part_in_the_projection(dataset_file, tmp_path):
    """Other test and training queries, the same database: the same projected database, to the bit."""
    from ivfbench.datasets.truth import exact_neighbors
    from ivfbench.datasets.write import write_dataset

    old = read_dataset(dataset_file(n=300, d=12))
    queries = old.test * 50 + 7
    neighbors, distances = exact_neighbors(old.train, queries, 7, "euclidean")
    other = write_dataset(
        tmp_path / "other-12-euclidean.hdf5",
        train=old.train,
        test=queries,
        metric="euclidean",
        neighbors=neighbors,
        distances=distances,
        learn=queries,
    )
    one, two = (read_dataset(derive(at, tmp_path / f"{at.stem}.new.hdf5", Variant(pca=3))) for at in (old.path, other))
    np.testing.assert_array_equal(one.train, two.train)


def test_unit_length_is_of_what_is_stored(source, tmp_path):
    got = read_dataset(derive(source, tmp_path / "new.hdf5", Variant(pca=4, normalise=True, metric="ip")))
    for rows in (got.train, got.test, got.learn):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_draws_keep_the_order_and_are_nested(source, tmp_path):
    old = read_dataset(source)
    places = {row.tobytes(): place for place, row in enumerate(old.train)}
    drawn = []
    for count in (50, 200):
        got = read_dataset(derive(source, tmp_path / f"{count}.hdf5", Variant(base=count)))
        drawn.append([places[row.tobytes()] for row in got.train])
        assert drawn[-1] == sorted(drawn[-1])
        assert len(set(drawn[-1])) == count
        np.testing.assert_array_equal(got.test, old.test)
    assert set(drawn[0]) < set(drawn[1])
    assert max(drawn[0]) > 100  # not simply the first rows


def test_where_it_comes_from(dataset_file, tmp_path):
    source = dataset_file(attributes={"synthetic": True, "description": "Small."}, n=150)
    path = derive(source, tmp_path / "new.hdf5", Variant(pca=2, metric="ip"))
    told = describe(path)
    attributes = told.attributes
    assert attributes["source"] == "small-5-euclidean"
    assert attributes["source_sha256"] == file_sha256(source)
    assert attributes["variant"] == "pca=2,metric=ip"
    assert attributes["derivation_version"] == DERIVATION_VERSION
    assert attributes["pca_of"] == "second moment"
    assert 0 < attributes["pca_kept"] < 1
    assert (told.synthetic, told.description) == (True, "Small.")


def test_as_many_neighbours_as_the_source_or_the_usual(dataset_file, tmp_path):
    source = dataset_file(n=400, k=130)
    assert describe(derive(source, tmp_path / "a.hdf5", Variant(metric="ip"))).neighbors == 130
    assert describe(derive(source, tmp_path / "b.hdf5", Variant(base=90))).neighbors == 90
    small = dataset_file(name="other-5-ip.hdf5", metric="ip", n=400, k=7)
    told = describe(derive(small, tmp_path / "c.hdf5", Variant(base=200)))
    assert (told.neighbors, told.learn_neighbors) == (100, 10)


def test_without_training_queries(dataset_file, tmp_path):
    source = dataset_file(drop=("learn", "learn_neighbors"))
    assert describe(derive(source, tmp_path / "new.hdf5", Variant(pca=2))).learn_count == 0


def test_too_little_is_refused_and_nothing_is_left(source, tmp_path):
    with pytest.raises(DatasetError, match=r"^source-12-euclidean: has 12 dimensions, expected at least 13"):
        derive(source, tmp_path / "out" / "new.hdf5", Variant(pca=13))
    assert not (tmp_path / "out").exists()


def test_a_source_is_not_replaced(source):
    before = source.read_bytes()
    with pytest.raises(DatasetError, match="is the source itself, expected another file"):
        derive(source, source.parent / "." / source.name, Variant(pca=2))
    assert source.read_bytes() == before


class TestCache:
    def test_derived_once_and_named_after_what_it_is(self, source, tmp_path):
        told, variant = [], Variant(pca=3, metric="ip")
        first = derived(source, variant, cache=tmp_path, progress=lambda *at: told.append(at))
        assert first.name == "source-12-euclidean[pca=3,metric=ip]"
        assert first.path.parent == tmp_path / "derived"
        assert (first.metric, first.dimension) == ("ip", 3)
        assert told
        told.clear()
        stamp = first.path.stat().st_mtime_ns
        assert derived(source, variant, cache=tmp_path, progress=lambda *at: told.append(at)) == first
        assert (told, first.path.stat().st_mtime_ns) == ([], stamp)

    def test_another_source_or_variant_is_another_file(self, source, dataset_file, tmp_path):
        before = derived(source, Variant(pca=3), cache=tmp_path).path
        assert derived(source, Variant(pca=2), cache=tmp_path).path != before
        dataset_file(name="source-12-euclidean.hdf5", n=300, d=12, m=40, seed=9)
        assert derived(source, Variant(pca=3), cache=tmp_path).path != before
        assert before.is_file()

    def test_the_empty_variant_is_the_file_itself(self, source, tmp_path):
        assert derived(source, Variant(), cache=tmp_path) == describe(source)
        assert not (tmp_path / "derived").exists()
