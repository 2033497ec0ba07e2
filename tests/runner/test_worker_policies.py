"""Probing policies in the fresh process of a job: measured, kept as plain data, calibrated on training queries."""

import numpy as np
import pytest
from ivfbench.datasets.layout import describe
from ivfbench.datasets.load import load
from ivfbench.results.caption import remarks
from ivfbench.results.store import load_run
from ivfbench.results.table import table
from ivfbench.runner.environment import code_digest
from ivfbench.runner.experiment import parse_experiment
from ivfbench.runner.job import earlier_result
from ivfbench.runner.lessons import lessons
from ivfbench.runner.plan import plan, remaining
from ivfbench.runner.policies import search_arguments
from ivfbench.runner.run import run_job

SWEEP = """
algorithms:
  - type: IVF
    clustering: {type: KMeans, lists: 12}
    query:
      nprobe: 3
      probing:
        - {type: SoftmaxMass, recall: [0.5, 1]}
        - {type: Conformal, recall: 0.8}
        - {type: Patience}
        - {type: BallCap}
"""


def swept(path, out, told, content=SWEEP):
    """The job of an experiment on a dataset, done."""
    experiment = parse_experiment(content, "adaptive.yml")
    (job,) = plan(experiment, [(str(path), describe(path))], out=str(out), threads=1)
    return job, run_job(job, describe(path), told)


@pytest.fixture(scope="module")
def adaptive(tmp_path_factory, with_learn, make_told):
    return swept(with_learn, tmp_path_factory.mktemp("adaptive"), make_told())


class TestPolicies:
    def test_every_one_is_measured_and_kept_as_plain_data(self, adaptive):
        job, run = adaptive
        assert run.status == "ok", run.message
        half = len(run.points) // 2
        assert [dict(point.query_parameters) for point in run.points[:half]] == list(job.points)
        stored = load_run(earlier_result(job))
        assert [point.query_parameters for point in stored.points] == [point.query_parameters for point in run.points]
        expected = {"type": "SoftmaxMass", "recall": 0.5, "temperature": None}
        assert stored.points[1].query_parameters == {"probing": expected}
        assert remaining(job, code_digest()) is None

    def test_they_do_what_the_policies_do(self, adaptive, with_learn):
        job, run = adaptive
        data = load(with_learn)
        taught, _ = lessons(data, job.build_algorithm(), job.seed, job.k, calibrates=True)
        index = job.build_algorithm().build(data.train, data.metric, taught)
        batch = [point for point in run.points if point.mode == "batch"]
        for point, query_parameters in zip(batch, job.points, strict=True):
            found = index.search(data.test, 10, **search_arguments(query_parameters))
            np.testing.assert_array_equal(point.ids, found.ids)
            np.testing.assert_array_equal(point.lists_probed, found.probed)
            np.testing.assert_array_equal(point.points_scanned, found.scanned)

    def test_both_modes_give_the_same_answers(self, adaptive):
        _, run = adaptive
        half = len(run.points) // 2
        for single, batch in zip(run.points[:half], run.points[half:], strict=True):
            assert single.query_parameters == batch.query_parameters
            np.testing.assert_array_equal(single.ids, batch.ids[: len(single.ids)])
            np.testing.assert_array_equal(single.lists_probed, batch.lists_probed[: len(single.ids)])

    def test_the_table_tells_them_apart(self, adaptive):
        _, run = adaptive
        frame = table([run])
        frame = frame[frame["mode"] == "batch"].set_index("probing")
        assert set(frame.index) == {"Fixed", "SoftmaxMass", "Conformal", "Patience", "BallCap"}
        assert frame.loc["Conformal", "recall_promised"] == 0.8
        assert np.isnan(frame.loc["Patience", "recall_promised"])
        everything = frame[frame["recall_promised"] == 1]
        assert everything["recall"].tolist() == [1.0]
        assert everything["lists_probed_p10"].tolist() == [12.0]

    def test_training_queries_are_loaded_for_calibration_alone(self, adaptive, with_learn):
        job, run = adaptive
        assert run.notes["calibration_source"] == "learn"
        assert (run.learn_seconds, run.label_seconds) == (0, 0)
        data = load(with_learn)
        assert lessons(data, job.build_algorithm(), 0, job.k) == (None, 0.0)
        assert len(lessons(data, job.build_algorithm(), 0, job.k, calibrates=True)[0].queries) == 300

    def test_a_stand_in_for_training_queries_is_named(self, without_learn, tmp_path, told):
        content = SWEEP.replace("nprobe: 3", "").replace("{type: BallCap}", "{type: DistanceRatio}")
        _, run = swept(without_learn, tmp_path, told, content)
        assert run.status == "ok"
        assert {point.status for point in run.points} == {"ok"}
        assert run.notes["calibration_source"] == "train sample, self excluded"
        assert "probing policies were calibrated on a stand-in: train sample" in " ".join(remarks([run]))

    def test_a_policy_that_refuses_the_metric_costs_its_own_points_only(self, tmp_path, make_dataset, told):
        content = "algorithms: [{type: IVF, query: {nprobe: 2, probing: {type: BallCap}}}]"
        _, run = swept(make_dataset("ip"), tmp_path, told, content)
        assert [point.status for point in run.points] == ["ok", "failed"] * 2
        message = "ValueError: BallCap(): found metric 'ip', expected one of euclidean, angular, normalized"
        assert run.points[1].message == message
        assert table([run])["probing"].tolist().count("BallCap") == 2
