"""What every compressed codec promises: the members of the registry but Float32, beside exact search."""

import dataclasses
import itertools

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.float32 import Float32
from ivfbench.algorithms.codecs.int8 import Int8
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.exact import Exact
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.one_query import one_query
from ivfbench.algorithms.probing.conformal import Conformal
from ivfbench.algorithms.probing.distance_ratio import DistanceRatio
from ivfbench.algorithms.probing.fixed import Fixed
from ivfbench.algorithms.probing.patience import Patience
from ivfbench.algorithms.probing.softmax_mass import SoftmaxMass
from ivfbench.algorithms.registry import CODECS
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.low_rank import LowRank
from ivfbench.algorithms.routers.optimist import Optimist
from ivfbench.algorithms.routers.router import TrainingQueries

pytestmark = pytest.mark.interpreted

LINEAR = ("euclidean", "angular", "normalized", "ip")
COMPRESSED = [codec for codec in CODECS.values() if codec is not Float32]
LISTS = 6


@pytest.fixture(params=LINEAR)
def metric(request):
    return request.param


@pytest.fixture(params=COMPRESSED, ids=lambda codec: codec.__name__)
def codec(request):
    return request.param()


def build(codec, rows, metric, training=None, lists=LISTS, threads=1, routing="float32"):
    algorithm = IVF(KMeans(lists=lists, iterations=3), Centroid(), codec, routing, seed=5)
    return algorithm.build(rows, metric, training, threads=threads)


def same(found, other):
    pairs = [(getattr(found, name), getattr(other, name)) for name in ("ids", "distances", "probed", "scanned")]
    return all(one.tobytes() == two.tobytes() for one, two in pairs)


@pytest.fixture(scope="module")
def sizes(tiny):
    """Rows and dimensions, some of which no count of sub-quantisers divides."""
    every = [(1, 3), (2, 1), (40, 2), (70, 5), (300, 17), (300, 70), (500, 33)]
    return every[:4] if tiny else every


def test_every_compressed_codec_is_here():
    assert {type(codec()) for codec in COMPRESSED} >= {ProductQuantiser, Int8}


def test_ranking_every_candidate_is_exact_search(codec, metric, normal, sizes):
    for n, d in sizes:
        rows, queries = normal(n, d), normal(9, d, seed=1)
        index = build(codec, rows, metric)
        for k in (1, 10):
            expected = Exact().build(rows, metric).search(queries, k)
            found = index.search(queries, k, nprobe=LISTS, rerank=n)
            np.testing.assert_array_equal(found.ids, expected.ids, err_msg=f"{n, d, k}")
            np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-6, atol=1e-6)
            assert (found.scanned == n).all()


def test_answers_have_their_form_however_few_vectors_there_are(codec, metric, normal, sizes):
    for n, d in sizes:
        rows, queries = normal(n, d), normal(5, d, seed=1)
        index = build(codec, rows, metric)
        for nprobe, rerank in itertools.product((1, LISTS), (None, 1, 7)):
            found = index.search(queries, n + 3, nprobe=nprobe, rerank=rerank)
            assert (found.ids.dtype, found.distances.dtype) == (np.int32, np.float32)
            assert found.ids.shape == found.distances.shape == (5, n + 3)
            for ids, distances, scanned in zip(found.ids, found.distances, found.scanned, strict=True):
                assert len(set(ids[:scanned].tolist())) == scanned
                assert ((ids[:scanned] >= 0) & (ids[:scanned] < n)).all()
                assert (np.diff(distances[:scanned]) >= 0).all()
                assert (ids[scanned:] == -1).all()
                assert np.isposinf(distances[scanned:]).all()


def test_the_work_is_that_of_lists_that_compress_nothing(codec, metric, normal):
    rows, queries = normal(90, 7), normal(8, 7, seed=1)
    index, plain = build(codec, rows, metric), build(Float32(), rows, metric)
    assert index.lists.sizes.tolist() == plain.lists.sizes.tolist()
    np.testing.assert_array_equal(index.assignment(), plain.assignment())
    for nprobe in (1, 3, LISTS):
        found, expected = (each.search(queries, 4, nprobe=nprobe) for each in (index, plain))
        np.testing.assert_array_equal(found.probed, expected.probed)
        np.testing.assert_array_equal(found.scanned, expected.scanned)


def test_distances_are_those_of_the_ids(codec, metric, naive, normal):
    rows, queries = normal(120, 9), normal(6, 9, seed=1)
    found = build(codec, rows, metric).search(queries, 8, nprobe=2)
    exact = np.take_along_axis(naive.distances(rows, queries, metric), found.ids, axis=1)
    np.testing.assert_allclose(found.distances, exact, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("routing", ["float32", "int8"])
def test_one_query_is_answered_as_in_any_batch_by_any_number_of_threads(codec, metric, routing, normal, tiny):
    # Hardly more candidates than neighbours: a score that is rounded otherwise would let in another one.
    n, q = (80, 13) if tiny else (2000, 300)
    rows, queries = normal(n, 20), normal(q, 20, seed=1)
    index = build(codec, rows, metric, routing=routing)
    for k, rerank, nprobe in ((5, 5, 4), (1, 1, LISTS), (3, None, 1)):
        choice = {"k": k, "rerank": rerank, "nprobe": nprobe}
        expected = index.search(queries, **choice)
        assert same(index.search(queries, threads=2, **choice), expected)
        assert same(index.search(queries[: q // 2], threads=3, **choice), first_of(expected, q // 2))
        for i in range(min(q, 60)):
            assert same(index.search(queries[i], **choice), first_of(expected, i + 1, i)), (i, choice)


def test_the_short_way_of_one_query_changes_nothing(codec, metric, normal, tiny):
    rows, queries = normal(120, 10), normal(12, 10, seed=1)
    queries[3] = 0
    queries[4, 2] = np.nan
    index = build(codec, rows, metric, routing="int8")
    assert (one_query(index.routes, index.lists) is None) == tiny  # interpreted kernels take arrays only
    for k, rerank, nprobe in ((5, None, 2), (1, 1, LISTS), (130, 1000, LISTS), (3, 7, 10**6)):
        for query in queries:
            probes = index.routes.route(query[None], min(nprobe, LISTS)).lists
            expected = index.lists.search(query[None], probes, k, rerank=rerank)
            assert same(index.search(query, k, nprobe=nprobe, rerank=rerank), expected)


def first_of(found, stop, start=0):
    return type(found)(*(np.ascontiguousarray(part[start:stop]) for part in found))


def test_seed_and_threads_of_the_build(codec, metric, normal):
    rows, queries = normal(150, 8), normal(7, 8, seed=1)
    found = [
        build(codec, rows, metric, threads=threads).search(queries, 5, nprobe=3, rerank=5) for threads in (1, 1, 2)
    ]
    assert same(found[0], found[1])
    assert same(found[0], found[2])


@pytest.mark.parametrize("learn", [False, True], ids=["without", "training queries"])
def test_ten_candidates_for_each_neighbour_are_enough(codec, metric, naive, normal, tiny, learn):
    # As real vectors do, these lie near a plane of few dimensions; no code of few bits could tell noise apart.
    n, d = (120, 8) if tiny else (3000, 32)
    plane = normal(d // 4, d, seed=3)
    rows, queries, asked = (
        normal(count, d // 4, seed=seed) @ plane + np.float32(0.1) * normal(count, d, seed=seed)
        for seed, count in enumerate((n, 30, 200))
    )
    training = TrainingQueries(asked) if learn else None
    index = build(codec, rows, metric, training)
    found = index.search(queries, 5, nprobe=LISTS)
    assert naive.recall(found.ids, rows, queries, metric, 5) >= 0.95
    best = index.search(queries, 5, nprobe=LISTS, rerank=5)
    floor = 0.95 if isinstance(codec, Int8) else 0.55
    assert naive.recall(best.ids, rows, queries, metric, 5) >= floor


def test_more_candidates_find_no_worse_neighbours(codec, metric, normal):
    rows, queries = normal(200, 12), normal(10, 12, seed=1)
    index = build(codec, rows, metric)
    answers = [index.search(queries, 4, nprobe=3, rerank=rerank).distances for rerank in (1, 4, 8, 40, 10**9)]
    assert (answers[0] == answers[1]).all()  # at least k
    for fewer, more in itertools.pairwise(answers):
        assert (more <= fewer + 1e-6).all()


def test_empty_lists_and_duplicates(codec, metric, naive):
    rows = np.repeat(np.array([[1, 2, 0], [2, 1, 0], [-1, 0, 1]], dtype=np.float32), 40, axis=0)
    index = build(codec, rows, metric, lists=20)
    assert (index.lists.sizes == 0).any()
    found = index.search(rows[::40], 50, nprobe=20, rerank=120)
    every = naive.distances(rows, rows[::40], metric)
    np.testing.assert_allclose(found.distances, np.sort(every, axis=1)[:, :50], rtol=1e-6, atol=1e-6)
    assert all(len(set(ids)) == 50 for ids in found.ids.tolist())


def test_zeros_under_angular(codec, naive, normal):
    rows, queries = normal(40, 5), normal(4, 5, seed=1)
    rows[3:9], queries[2] = 0, 0
    found = build(codec, rows, "angular").search(queries, 40, nprobe=LISTS, rerank=40)
    np.testing.assert_allclose(
        found.distances, np.sort(naive.distances(rows, queries, "angular"), axis=1), rtol=1e-6, atol=1e-6
    )
    assert found.ids[2].tolist() == list(range(40))


@pytest.mark.parametrize("unit", [1e-10, 1e10])
def test_the_unit_of_the_data_does_not_matter(codec, naive, normal, unit):
    rows, queries = normal(400, 16) * np.float32(unit), normal(20, 16, seed=1) * np.float32(unit)
    found = build(codec, rows, "euclidean").search(queries, 1, nprobe=LISTS, rerank=20)
    expected = naive.search(rows, queries, "euclidean", 1)[0]
    assert (found.ids == expected).mean() >= 0.9


@pytest.mark.parametrize("storage", ["float32", "float16", "given"])
def test_storages(codec, metric, naive, normal, storage):
    rows, queries = normal(70, 9), normal(5, 9, seed=1)
    index = build(dataclasses.replace(codec, storage=storage), rows, metric)
    seen = rows.astype(np.float16).astype(np.float32) if storage == "float16" else rows
    found = index.search(queries, 6, nprobe=LISTS, rerank=70)
    ids, distances, _ = naive.search(seen, queries, metric, 6)
    np.testing.assert_array_equal(found.ids, ids)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-6, atol=1e-6)
    held = index.lists.compressed.rows
    assert np.shares_memory(held, rows) == (storage == "given")
    assert held.nbytes == rows.nbytes // (2 if storage == "float16" else 1)


def test_a_memory_map_may_be_given(codec, normal, tmp_path, tiny):
    n, d = (50, 6) if tiny else (150, 120)
    rows, queries = normal(n, d), normal(4, d, seed=1)
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r", allow_pickle=False)
    expected = build(codec, rows, "ip").search(queries, 5, nprobe=2)
    index = build(dataclasses.replace(codec, storage="given"), mapped, "ip")
    assert np.shares_memory(index.lists.compressed.rows, mapped) != tiny  # see `rows.CHEAP_TO_COPY`
    assert same(index.search(queries, 5, nprobe=2), expected)


POLICIES = [Fixed(3), SoftmaxMass(0.6), SoftmaxMass(1), Conformal(0.7), DistanceRatio(0.3), DistanceRatio(1e9)]
LINEAR_ROUTERS = [Centroid(), Centroid("normalised"), Learnt(epochs=2)]
ROUTED = [(router, routing) for router in LINEAR_ROUTERS for routing in ("float32", "int8")]
ROUTED += [(LowRank(rank=2, epochs=2), "float32"), (Optimist(), "float32")]  # these have no routing by bytes


@pytest.mark.parametrize(("router", "routing"), ROUTED, ids=str)
def test_every_policy_opens_the_lists_that_it_would_of_float32(codec, normal, router, routing):
    rows, queries, learn = normal(90, 8), normal(6, 8, seed=1), TrainingQueries(normal(60, 8, seed=2))
    algorithm = IVF(KMeans(lists=LISTS, iterations=3), router, codec, routing, seed=5)
    index = algorithm.build(rows, "euclidean", learn)
    plain = dataclasses.replace(algorithm, codec=Float32()).build(rows, "euclidean", learn)
    for policy in POLICIES:
        found = index.search(queries, 4, probing=policy, rerank=90)
        expected = plain.search(queries, 4, probing=policy)
        np.testing.assert_array_equal(found.ids, expected.ids, err_msg=f"{policy}")
        np.testing.assert_array_equal(found.scanned, expected.scanned)
        np.testing.assert_array_equal(found.probed, expected.probed)


def test_a_policy_that_watches_distances_is_refused(codec, normal):
    index = build(codec, normal(40, 4), "ip")
    expected = r"^probing: found compressed lists, expected Float32 for Patience and BallCap, [^\n]+$"
    with pytest.raises(ValueError, match=expected):
        index.search(normal(3, 4), 2, probing=Patience(0.8, 2))


def test_manhattan_is_refused(codec, normal):
    with pytest.raises(ValueError, match=rf"^{type(codec).__name__}\(.*\): found metric 'manhattan', expected one of "):
        IVF(codec=codec).build(
            normal(20, 4), "manhattan", progress=lambda *_: pytest.fail("something was built before")
        )


def test_what_float16_does_not_reach_is_refused(codec):
    rows = np.ones((20, 4), dtype=np.float32)
    rows[7, 2] = -70000
    with pytest.raises(ValueError, match=r"^storage 'float16': found 70000 in the rows, expected at most 65504$"):
        build(dataclasses.replace(codec, storage="float16"), rows, "ip")


@pytest.mark.parametrize("rerank", [0, -1, 2.5, True])
def test_wrong_counts_of_candidates(codec, normal, rerank):
    index = build(codec, normal(20, 4), "ip")
    with pytest.raises(ValueError, match=rf"^rerank: found {rerank}, expected an integer of at least 1$"):
        index.search(normal(2, 4), 2, rerank=rerank)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: ProductQuantiser(subquantisers=6), r"subquantisers: found 6, expected a multiple of 4"),
        (lambda: ProductQuantiser(subquantisers=0), r"subquantisers: found 0, expected an integer of at least 1"),
        (lambda: ProductQuantiser(subquantisers=516), r"subquantisers: found 516, expected at most 512"),
        (lambda: ProductQuantiser(width=0), r"width: found 0, expected an integer of at least 1"),
        (lambda: ProductQuantiser(iterations=0), r"iterations: found 0, expected an integer of at least 1"),
        (lambda: ProductQuantiser(storage="int8"), r"storage: found 'int8', expected one of float32, float16, given"),
        (lambda: Int8(storage=""), r"storage: found '', expected one of float32, float16, given"),
    ],
)  # fmt: skip
def test_wrong_parameters(make, expected):
    with pytest.raises(ValueError, match=rf"^(ProductQuantiser|Int8)\.{expected}$"):
        make()


@pytest.mark.parametrize("quantiser", [(4, None), (8, 1), (16, 4), (4, 9), (None, 2), (64, 3)], ids=str)
def test_any_number_and_width_of_subquantisers(naive, normal, quantiser):
    rows, queries = normal(150, 10), normal(6, 10, seed=1)
    index = build(ProductQuantiser(*quantiser), rows, "euclidean")
    found = index.search(queries, 5, nprobe=LISTS, rerank=150)
    assert naive.recall(found.ids, rows, queries, "euclidean", 5) == 1.0
    assert index.lists.nbytes >= rows.nbytes


def test_more_subquantisers_rank_better(naive, normal, tiny):
    rows, queries = normal(150 if tiny else 1500, 16), normal(30, 16, seed=1)
    found = [
        build(ProductQuantiser(parts), rows, "euclidean").search(queries, 5, nprobe=LISTS, rerank=5)
        for parts in (4, 16)
    ]  # fmt: skip
    recalls = [naive.recall(each.ids, rows, queries, "euclidean", 5) for each in found]
    assert recalls[1] > recalls[0] + 0.1


def test_the_order_of_inner_products_does_not_depend_on_the_length_of_the_query(codec, normal):
    rows, queries = 3 + normal(200, 12), normal(10, 12, seed=1)
    index = build(codec, rows, "ip")
    expected = index.search(queries, 5, nprobe=LISTS, rerank=5)
    for factor in (2.0**-20, 2.0**10):
        found = index.search(np.float32(factor) * queries, 5, nprobe=LISTS, rerank=5)
        assert found.ids.tolist() == expected.ids.tolist()


def test_a_coordinate_that_is_the_same_in_all_rows_costs_nothing(codec, normal):
    rows, queries = 0.05 * normal(300, 12), normal(20, 12, seed=1)
    with_it = [np.concatenate([part, np.full((len(part), 1), 1, dtype=np.float32)], axis=1) for part in (rows, queries)]
    share = []
    for base, asked in ((rows, queries), with_it):
        expected = Exact().build(base, "ip").search(asked, 5).ids
        found = build(codec, base, "ip").search(asked, 5, nprobe=LISTS, rerank=10).ids
        share.append(
            np.mean([len(set(one) & set(two)) for one, two in zip(expected.tolist(), found.tolist(), strict=True)]) / 5
        )
    assert share[1] > share[0] - 0.1


def test_codes_do_not_depend_on_the_router(metric, normal):
    rows, asked = normal(200, 8), normal(60, 8, seed=1)
    exact = Exact().build(rows, metric).search(asked, 3).ids
    training = TrainingQueries(asked, exact)
    codes = []
    for router in (Centroid(), Learnt(epochs=1)):
        algorithm = IVF(KMeans(lists=LISTS, iterations=3), router, ProductQuantiser(), seed=5)
        assert algorithm.reads_queries
        codes.append(algorithm.build(rows, metric, training).lists.compressed.blocks.codes.tobytes())
    assert codes[0] == codes[1]
    of_rows = build(ProductQuantiser(), rows, metric)
    rows_themselves = TrainingQueries(rows[:50], np.zeros((50, 1), dtype=np.int32), from_train=True)
    assert same_codes(build(ProductQuantiser(), rows, metric, rows_themselves), of_rows)
    assert not same_codes(build(ProductQuantiser(), rows, metric, training), of_rows)


def same_codes(one, two):
    return one.lists.compressed.blocks.codes.tobytes() == two.lists.compressed.blocks.codes.tobytes()


def test_a_small_buffer_changes_nothing(codec, metric, normal, monkeypatch):
    from ivfbench.algorithms.kernels import search_compressed

    rows, queries = normal(90, 6), normal(150, 6, seed=1)
    index = build(codec, rows, metric)
    expected = index.search(queries, 5, nprobe=3)
    monkeypatch.setattr(search_compressed, "BUFFER_BYTES", 1)
    assert same(index.search(queries, 5, nprobe=3), expected)
