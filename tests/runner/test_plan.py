"""From an experiment and its datasets to jobs."""

import dataclasses
import json

import pytest
from ivfbench.datasets.dataset import file_sha256
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.layout import describe
from ivfbench.datasets.variant import Variant
from ivfbench.runner.errors import RunError
from ivfbench.runner.experiment import expand_variants, parse_experiment
from ivfbench.runner.job import Job, earlier_result
from ivfbench.runner.plan import fetch_variants, plan, remaining

EXACT = "Exact()"
LISTS = "IVF(KMeans(lists=12), "


@pytest.fixture(scope="module")
def both(with_learn, without_learn):
    return [("one", describe(with_learn, "one")), (str(without_learn), describe(without_learn))]


class TestProduct:
    def test_datasets_by_k_by_seeds_by_algorithms(self, both, make_jobs):
        experiment = parse_experiment(
            """
            k: [5, 10]
            seeds: [0, 1, 2]
            algorithms:
              - type: Exact
              - {type: IVF, clustering: {type: KMeans, lists: [3, 4]}, query: {nprobe: "50%"}}
            """,
            "x",
        )
        jobs = plan(experiment, both, out="out", threads=3)
        found = [(job.dataset_name, job.k, job.seed, job.algorithm) for job in jobs]
        expected = {
            (name, k, seed, f"IVF(KMeans(lists={lists}), Centroid(scoring='{scoring}'), Float32())")
            for name, scoring in (("one", "normalised"), ("without-learn", "euclidean"))
            for k in (5, 10)
            for seed in (0, 1, 2)
            for lists in (3, 4)
        } | {(name, k, 0, EXACT) for name in ("one", "without-learn") for k in (5, 10)}
        assert set(found) == expected
        assert len(found) == len(expected)
        assert {job.threads for job in jobs} == {3}
        assert all(job.points == ({"nprobe": 2},) for job in jobs if job.algorithm != EXACT)
        assert all(job.points == ({},) for job in jobs if job.algorithm == EXACT)

    def test_exact_search_is_done_once_whatever_the_seeds(self, with_learn, make_jobs):
        jobs = make_jobs(with_learn, "out", seeds=(7, 8))
        assert [job.seed for job in jobs if job.algorithm == EXACT] == [7]
        assert [job.seed for job in jobs if "Learnt" in job.algorithm] == [7, 8]

    def test_two_spellings_of_one_thing_are_one_job(self, both):
        content = """
            algorithms:
              - {type: IVF, router: [{type: Centroid}, {type: Centroid, scoring: normalised}]}
              - {type: IVF}
        """
        jobs = plan(parse_experiment(content, "x"), [both[0], both[0]], out="out", threads=1)
        assert len(jobs) == 1

    def test_and_their_sweeps_are_one_sweep(self, both):
        content = """
            algorithms:
              - {type: IVF, query: {nprobe: [1, 5]}}
              - {type: IVF, router: {type: Centroid, scoring: normalised}, query: {nprobe: [5, 3]}}
        """
        (job,) = plan(parse_experiment(content, "x"), both[:1], out="out", threads=1)
        assert job.points == ({"nprobe": 1}, {"nprobe": 5}, {"nprobe": 3})

    def test_a_job_says_what_it_works_on(self, with_learn, make_jobs):
        job = make_jobs(with_learn, "some/out", repetitions=6, single_queries=None, mode="batch")[1]
        assert (job.dataset, job.dataset_name) == (str(with_learn), "with-learn")
        assert job.dataset_sha256 == file_sha256(with_learn)
        assert (job.repetitions, job.single_queries, job.modes, job.out) == (6, None, ("batch",), "some/out")
        assert job.parameters["router"] == {"type": "Centroid", "scoring": "normalised"}
        assert "seed" not in job.parameters
        assert job.points == ({"nprobe": 2}, {"nprobe": 6}, {"nprobe": 12})

    def test_lists_that_the_data_decide(self, with_learn):
        experiment = parse_experiment("algorithms: [{type: IVF, query: {nprobe: '10%'}}]", "x")
        (job,) = plan(experiment, [("x", describe(with_learn))], out="out", threads=1)
        assert job.parameters["clustering"]["lists"] == 30
        assert job.points == ({"nprobe": 3},)


class TestVariants:
    @pytest.fixture(autouse=True)
    def cache(self, tmp_path, monkeypatch):
        monkeypatch.setenv("IVFBENCH_DATA", str(tmp_path))
        return tmp_path / "derived"

    def test_each_dataset_in_each_variant_under_its_own_name(self, with_learn, without_learn, cache):
        told = []
        variants = (Variant(), Variant(base=300, pca=4))
        found = fetch_variants([str(with_learn), str(without_learn)], variants, lambda *at: told.append(at))
        assert [(item.name, item.n, item.dimension) for _, item, _ in found] == [
            ("with-learn", 900, 16),
            ("with-learn[base=300,pca=4]", 300, 4),
            ("without-learn", 900, 16),
            ("without-learn[base=300,pca=4]", 300, 4),
        ]
        assert [name for name, _, _ in found][:2] == [str(with_learn), "with-learn[base=300,pca=4]"]
        assert len(list(cache.iterdir())) == 2
        assert told[0][:2] == ("deriving with-learn[base=300,pca=4]", 0)
        assert told[-1] == ("deriving without-learn[base=300,pca=4]", 60, 60, "queries searched")
        told.clear()
        assert fetch_variants([str(with_learn), str(without_learn)], variants, lambda *at: told.append(at)) == found
        assert told == []

    def test_jobs_on_a_variant_are_jobs_on_its_file(self, with_learn):
        experiment = parse_experiment("{variants: [{}, {metric: ip}], algorithms: [{type: Exact}]}", "x")
        described = fetch_variants([str(with_learn)], (Variant(), Variant(metric="ip")), lambda *at: None)
        itself, changed = plan(experiment, described, out="out", threads=1)
        assert (itself.dataset, itself.dataset_name) == (str(with_learn), "with-learn")
        assert (changed.dataset, changed.dataset_name) == (str(described[1][1].path), "with-learn[metric=ip]")
        assert changed.dataset_sha256 == file_sha256(described[1][1].path) != itself.dataset_sha256

    def test_an_entry_may_have_variants_of_its_own(self, with_learn):
        text = "algorithms: [{type: Exact}, {type: IVF, clustering: {lists: 9, type: KMeans}, variants: {pca: [4, 8]}}]"
        experiment = parse_experiment(text, "x")
        described = fetch_variants([str(with_learn)], expand_variants(experiment), lambda *at: None)
        jobs = plan(experiment, described, out="out", threads=1)
        assert [(job.dataset_name, job.algorithm[:5]) for job in jobs] == [
            ("with-learn", "Exact"),
            ("with-learn[pca=4]", "IVF(K"),
            ("with-learn[pca=8]", "IVF(K"),
        ]

    def test_too_little_is_refused_before_anything_is_derived(self, with_learn, without_learn, cache):
        variants = (Variant(pca=4), Variant(learn=10))
        with pytest.raises(DatasetError, match=r"^without-learn: has 0 training queries, expected at least 10"):
            fetch_variants([str(with_learn), str(without_learn)], variants, lambda *at: None)
        assert not cache.exists()


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "kept"),
        [
            ((), ["Exact", "Centroid", "Learnt"]),
            (("*Learnt*",), ["Learnt"]),
            (("learnt",), ["Learnt"]),
            (("EXACT()",), ["Exact"]),
            (("ivf(*centroid*",), ["Centroid"]),
            (("exact", "*learnt*"), ["Exact", "Learnt"]),
            (("lists=1?",), ["Centroid", "Learnt"]),
            (("*",), ["Exact", "Centroid", "Learnt"]),
        ],
    )
    def test_a_glob_over_the_canonical_text_whatever_the_case(self, with_learn, make_jobs, pattern, kept):
        texts = [job.algorithm for job in make_jobs(with_learn, "out", pattern)]
        assert len(texts) == len(kept)
        assert all(name in text for name, text in zip(kept, texts, strict=True))

    def test_nothing_matched(self, with_learn, make_jobs):
        with pytest.raises(RunError) as caught:
            make_jobs(with_learn, "out", ("*Lernt*", "HNSW"), k=(5, 10), seeds=(0, 1))
        said = str(caught.value)
        assert said.startswith(f"--algorithm *Lernt* HNSW: matches none of {EXACT}, {LISTS}Centroid(")
        assert said.count("Learnt(epochs=2)") == 1
        assert "\n" not in said


class TestRefusals:
    def test_k_above_the_ground_truth(self, with_learn, make_jobs):
        assert make_jobs(with_learn, "out", k=(20,))
        with pytest.raises(RunError, match=r"holds 20 neighbours of each query, expected at least k = 21$"):
            make_jobs(with_learn, "out", k=(5, 21))

    def test_a_metric_that_no_algorithm_knows(self, with_learn):
        description = dataclasses.replace(describe(with_learn), metric="hamming")
        experiment = parse_experiment("algorithms: [{type: Exact}]", "x")
        with pytest.raises(RunError, match=r"^some: found metric 'hamming', expected one of "):
            plan(experiment, [("some", description)], out="out", threads=1)


class TestJob:
    def test_crosses_as_one_line_of_json(self, with_learn, make_jobs):
        for job in make_jobs(with_learn, "oüt", k=(1, 10), seeds=(0, 9), single_queries=None):
            line = job.to_json()
            assert "\n" not in line
            assert json.loads(line)["algorithm"] == job.algorithm
            back = Job.from_json(line)
            assert back == job
            assert (type(back.modes), type(back.points)) == (tuple, tuple)

    def test_the_algorithm_gets_the_seed(self, with_learn, make_jobs):
        exact, centroid, learnt = make_jobs(with_learn, "out", seeds=(41,))
        assert centroid.build_algorithm().seed == 41
        assert learnt.build_algorithm().seed == 41
        assert learnt.build_algorithm().router.epochs == 2
        assert repr(exact.build_algorithm()) == EXACT
        assert "seed" not in learnt.algorithm

    def test_an_unknown_type_says_what_there_is(self, with_learn, make_jobs):
        (job,) = make_jobs(with_learn, "out", ("exact",))
        with pytest.raises(ValueError, match=r"type: found 'Exakt', expected one of .*Exact"):
            dataclasses.replace(job, parameters={"type": "Exakt"}).build_algorithm()

    def test_nothing_is_finished_in_an_empty_folder(self, with_learn, make_jobs, tmp_path):
        for job in make_jobs(with_learn, tmp_path):
            assert earlier_result(job) is None
            assert remaining(job, "any code") is not None


def test_an_order_drawn_with_the_seed(make_jobs, with_learn, tmp_path):
    texts = {
        seed: [job.algorithm for job in make_jobs(with_learn, tmp_path, shuffle=True, seeds=(seed,))]
        for seed in range(8)
    }
    written = [job.algorithm for job in make_jobs(with_learn, tmp_path)]
    assert all(sorted(order) == sorted(written) for order in texts.values())
    assert len({tuple(order) for order in texts.values()}) > 2
    assert texts[3] == [job.algorithm for job in make_jobs(with_learn, tmp_path, shuffle=True, seeds=(3,))]
