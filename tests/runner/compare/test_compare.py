"""Paired measurement in real processes: of revisions of a foreign project, of this version, and of wrong input."""

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from ivfbench.results.compare.sides import ARMS, Curve
from ivfbench.results.compare.states import PASS
from ivfbench.results.compare.work import Limits
from ivfbench.runner.compare.arms import opened
from ivfbench.runner.compare.paired import measure, prepare
from ivfbench.runner.compare.question import Question, write_data
from ivfbench.runner.compare.reference import Reference
from ivfbench.runner.compare.revisions import import_path, package_of, running
from ivfbench.runner.compare.rounds import Effort
from ivfbench.runner.compare.selftest import Trial, summary
from ivfbench.runner.compare.turns import orders
from ivfbench.runner.errors import RunError


class TestTurns:
    def test_every_order_is_followed_by_its_mirror_image(self):
        found = orders(ARMS, 24, seed=1)
        assert all(first == second[::-1] for first, second in zip(found[::2], found[1::2], strict=True))

    @pytest.mark.parametrize("seed", range(4))
    def test_everybody_stands_everywhere_equally_often(self, seed):
        found = orders(ARMS, 6, seed)
        for place in range(3):
            assert Counter(order[place] for order in found) == dict.fromkeys(ARMS, 2)

    def test_two_arms_are_abba(self):
        assert orders(("a", "b"), 4, 0)[:2] in ([("a", "b"), ("b", "a")], [("b", "a"), ("a", "b")])

    def test_reference_takes_time(self):
        assert Reference().seconds() > 0.0


@pytest.fixture(scope="module")
def question(tmp_path_factory):
    """A small index of ours, asked at three settings."""
    rng = np.random.default_rng(4)
    train, queries = (rng.standard_normal((count, 16)).astype(np.float32) for count in (600, 50))
    truth = np.argsort(((queries[:, None] - train[None]) ** 2).sum(axis=2), axis=1)[:, :10].astype(np.int32)
    data = write_data(tmp_path_factory.mktemp("data"), "made", "euclidean", train, queries, truth)
    parameters = {"type": "IVF", "clustering": {"type": "KMeans", "lists": 12}, "seed": 3}
    task = {"kind": "ivfbench", "parameters": parameters, "metric": "euclidean", "k": 10, "mode": "single"}
    settings = tuple({"nprobe": nprobe} for nprobe in (1, 3, 12))
    return Question(
        Curve("made", "IVF()", 10, "single"), {**task, "threads": 1, "timed": 20, **data.files}, settings, data
    )


@pytest.fixture(scope="module")
def prepared(question, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "0"
    return prepare(question, running(), running(), Limits(), folder, "auto", lambda said: None)


class TestOwnIndex:
    def test_equal_code_answers_equally_from_one_file(self, prepared):
        assert (prepared.work.state, prepared.work.changed, prepared.work.deterministic) == (PASS, False, True)
        assert prepared.base.mean_recall[-1] == 1.0
        assert prepared.base.points[-1].tolist() == [600] * 50
        assert prepared.clock == "processor"
        files = {task["index"] for _, task in prepared.arms.values()}
        assert len(files) == 1

    def test_builds_are_told(self, prepared):
        assert prepared.base.build_seconds > 0
        assert prepared.rebuild_seconds > 0
        for side in (prepared.base, prepared.head):  # an interpreter with NumPy and Numba, and a few rows
            assert 30e6 < side.peak_bytes < 3e9

    def test_rounds_are_measured_until_looked_at(self, prepared):
        effort = Effort(passes=2, first=3, rounds=3)
        (judged,), rounds, looks = measure(
            [prepared], Limits(), effort, lambda said: None, started=time.monotonic(), extra=0.5
        )
        assert (rounds, looks) == (3, 1)
        assert judged.times.pairs == 3
        assert judged.times.queries == 20
        for values in judged.times.seconds.values():
            assert values.shape == (3, 2, 3)
            assert (values > 0).all()
        assert (judged.times.reference > 0).all()
        assert set(judged.at) == {0.8, 0.9, 0.95, 0.99}

    def test_a_budget_that_is_spent_ends_after_one_round(self, prepared):
        effort = Effort(passes=1, first=6, budget=1e-9)
        (judged,), rounds, looks = measure([prepared], Limits(), effort, lambda said: None, started=time.monotonic())
        assert (rounds, looks) == (1, 1)
        assert judged.state != PASS  # nothing passes because little was seen

    def test_repeated_queries_do_not_show_in_the_answers(self, prepared, question, tmp_path):
        side, task = prepared.arms["head"]
        with opened([(side, {**task, "extra": 0.5})], 1) as ((arm, _),):
            arm.ask("answer", setting={"nprobe": 3}, path=str(tmp_path / "answers.npz"))
        with np.load(tmp_path / "answers.npz") as held:
            assert held["ids"].shape == (50, 10)
            assert held["points"].tolist() == prepared.base.points[1].tolist()

    def test_a_wrong_setting_is_one_line(self, prepared):
        with (
            opened([prepared.arms["base"]], 1) as ((arm, _),),
            pytest.raises(RunError, match=r"this version: ValueError: nprobe") as caught,
        ):
            arm.ask("time", setting={"nprobe": 0}, repeat=1)
        assert "\n" not in str(caught.value)

    def test_a_process_that_dies_is_one_line(self, question, tmp_path):
        side = running()
        broken = {**question.task, "queries": str(tmp_path / "none.npy")}
        with pytest.raises(RunError, match="FileNotFoundError"), opened([(side, broken)], 1):
            pass


@pytest.fixture(scope="module")
def compare(project):
    """A function: one command in the foreign project."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "ivfbench", "compare", *map(str, arguments)],
            cwd=project, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    return run


class TestRevisions:
    def test_the_same_answers_are_timed_and_everything_is_written(self, compare, project, tmp_path):
        names = ("markdown", "junit", "json", "samples", "figure", "history")
        endings = ("md", "xml", "json", "parquet", "png", "history.parquet")
        paths = {name: tmp_path / f"out.{ending}" for name, ending in zip(names, endings, strict=True)}
        options = [part for name, path in paths.items() for part in (f"--{name}", path)]
        done = compare("first", "same", "--revisions", "--subject", "subject.yml", "--rounds", "3", "--budget", "1",
                       "--tolerance", "0.9", *options)  # fmt: skip
        assert done.returncode in (0, 3, 4), done.stderr
        document = json.loads(paths["json"].read_text())
        assert document["curves"][0]["work"]["state"] == PASS
        assert document["curves"][0]["work"]["settings"][2]["points"] == [400.0, 400.0]
        assert document["rounds"] >= 1
        assert len(document["machine"]["head_commit"]) == 40
        assert ET.parse(paths["junit"]).getroot().find("testsuite").get("tests") == "2"
        assert len(pd.read_parquet(paths["samples"])) == document["rounds"] * 3 * 5 * 3
        assert len(pd.read_parquet(paths["history"])) == 1
        assert paths["figure"].read_bytes().startswith(b"\x89PNG")
        assert "same" in paths["markdown"].read_text()
        left = subprocess.run(["git", "worktree", "list"], cwd=project, capture_output=True, text=True, check=True)
        assert len(left.stdout.splitlines()) == 1

    def test_lost_neighbours_fail_without_a_clock(self, compare):
        done = compare("first", "worse", "--revisions", "--subject", "subject.yml")
        assert done.returncode == 1, done.stderr
        assert "## ❌" in done.stdout
        assert "nothing was timed" in done.stdout

    def test_ids_that_no_row_has_fail(self, compare):
        done = compare("first", "astray", "--revisions", "--subject", "subject.yml")
        assert done.returncode == 1, done.stderr
        assert "❌ missing in head" in done.stdout
        assert "ids must lie in -1 .. 399, found 1000000 .. 1000099" in done.stdout

    def test_a_head_that_breaks_fails_and_a_base_that_breaks_cannot_be_asked(self, compare):
        done = compare("first", "broken", "--revisions", "--subject", "subject.yml")
        assert done.returncode == 1, done.stderr
        assert "❌ missing in head: small, Partial(euclidean, 50)" in done.stdout
        assert "TypeError" in done.stdout
        assert compare("broken", "first", "--revisions", "--subject", "subject.yml").returncode == 2

    def test_the_working_tree_as_it_is(self, compare):
        assert compare("mended", ".", "--revisions", "--subject", "subject.yml", "--clock", "none").returncode == 0

    def test_two_interpreters(self, compare):
        done = compare(sys.executable, sys.executable, "--environments", "--subject", "subject.yml", "--clock", "none")
        assert (done.returncode, done.stderr.count("building")) == (0, 3)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("first", "nowhere", "--revisions", "--subject", "subject.yml"), "found no revision 'nowhere'"),
            (("none", "none", "--environments", "--subject", "subject.yml"), "found no interpreter"),
            (
                ("first", "same", "--revisions", "--subject", "subject.yml", "--figure", "x.jpg"),
                "--figure: found x.jpg",
            ),
            (("first", "same", "--revisions", "--subject", "subject.yml", "--json", "bench"), "--json: found bench"),
            (("first", "same", "--history", "h.parquet"), "--history: found no revisions"),
            (
                ("first", ".", "--revisions", "--dataset", "small.hdf5", "--experiment", "thesis"),
                "only the mode routing",
            ),
            (("first", "same", "--revisions", "--subject", "none.yml"), "none.yml: found no readable YAML"),
            (("first", "same", "--revisions", "--subject", "bench/partial.py"), "bench/partial.py"),
            (("first",), "expected both"),
            (("first", "same", "--revisions", "--environments"), "expected one at most"),
            (("first", "same"), "found no such folder"),
            (("first", "same", "--tolerance", "2"), "tolerance of time"),
        ],
    )
    def test_what_is_asked_wrongly_is_one_line(self, compare, arguments, said):
        done = compare(*arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1

    def test_layouts_of_projects(self, tmp_path):
        (tmp_path / "flat").mkdir()
        (tmp_path / "modern" / "src").mkdir(parents=True)
        (tmp_path / "root").mkdir()
        (tmp_path / "root" / "__init__.py").touch()
        assert import_path(tmp_path / "flat") == tmp_path / "flat"
        assert import_path(tmp_path / "modern") == tmp_path / "modern" / "src"
        assert import_path(tmp_path / "root") == tmp_path
        assert package_of(tmp_path / "flat") == "checkout"


class TestSelftest:
    def test_rates(self):
        trials = [
            Trial(extra, state, 1.0, 0.9, 1.1, 1.0, 6, 60.0, 2.0)
            for extra, state in ((0.0, "pass"), (0.0, "fail"), (0.1, "fail"), (0.05, "inconclusive"))
        ]
        rows = {row["injected"]: row for row in summary(trials, Limits())}
        assert [rows[extra]["expected"] for extra in (0.0, 0.05, 0.1)] == ["pass", "inconclusive", "fail"]
        assert (rows[0.0]["failed"], rows[0.0]["passed"], rows[0.1]["failed"]) == (1, 1, 1)


class TestPlugin:
    TEST = """
import numpy as np

def test_front(ivfbench_compare):
    truth = np.arange(200).reshape(20, 10)
    ids = truth.copy()
    ids[:{lost}, 0] = -1
    ivfbench_compare("mine", {{"one": ids[:, :5], "two": (ids, np.full(20, {points}))}}, truth)
"""

    @pytest.fixture
    def run(self, tmp_path):
        def run(lost, points, *options):
            (tmp_path / "test_mine.py").write_text(self.TEST.format(lost=lost, points=points))
            plugin = ["-p", "ivfbench.runner.compare.pytest_plugin", "-p", "no:cacheprovider"]
            return subprocess.run(
                [sys.executable, "-m", "pytest", "-q", *plugin, *options, str(tmp_path)],
                cwd=tmp_path, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
                capture_output=True, text=True, timeout=120,
            )  # fmt: skip

        return run

    def test_asserts_a_front(self, run, tmp_path):
        first = run(0, 100)
        assert first.returncode == 1
        assert "--ivfbench-accept writes it" in first.stdout
        assert run(0, 100, "--ivfbench-accept").returncode == 0
        assert (tmp_path / "fronts" / "mine.json").exists()
        assert run(0, 100).returncode == 0
        lost = run(1, 100)
        assert lost.returncode == 1
        assert "lost 1.00 points" in lost.stdout
        more = run(0, 120)
        assert more.returncode == 0  # one setting tells no work: there is no front of work to compare
