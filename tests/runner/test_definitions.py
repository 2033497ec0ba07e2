"""Folders of ann-benchmarks algorithms: read, selected by metric, planned, and run by the command line."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import yaml
from ivfbench.algorithms.definitions.definition import Definition
from ivfbench.datasets.layout import describe
from ivfbench.results.store import load_runs
from ivfbench.results.table import table
from ivfbench.runner.definitions import expand_definitions, read_definitions
from ivfbench.runner.errors import RunError
from ivfbench.runner.experiment import parse_experiment
from ivfbench.runner.plan import plan

ENTRY = {"name": "x", "module": "ann_benchmarks.algorithms.x", "constructor": "X", "docker_tag": "ann-benchmarks-x"}
EXACT = parse_experiment("{mode: both, repetitions: 2, k: [5, 10], algorithms: [{type: Exact}]}", "x")


def entry(**changes):
    return {**ENTRY, "run_groups": {"base": {"args": [[1, 2]], "query_args": [[3, 4]]}}, **changes}


def expanded(folder, metric="angular", k=10):
    """(name, arguments, points, why it is refused) of every definition."""
    found = expand_definitions(read_definitions(folder), metric, 16, k)
    return [(one.name, one.arguments, points, one.refused) for one, points in found]


POINTS = ({"query_arguments": [3]}, {"query_arguments": [4]})


class TestSelection:
    @pytest.fixture
    def of(self, definitions):
        """A function: what these sections stand for under a metric."""

        def select(sections, metric):
            folder = definitions("x", "", yaml.safe_dump(sections))
            return [(name, arguments) for name, arguments, _, refused in expanded(folder, metric) if not refused]

        return select

    def test_any_and_the_metric(self, of):
        sections = {
            "float": {
                "any": [entry(run_groups={"a": {"args": [1]}}), entry(name="y", run_groups={"a": {"args": [2]}})],
                "euclidean": [entry(run_groups={"a": {"args": [3]}})],
            }
        }
        assert of(sections, "angular") == [("x", (1,)), ("y", (2,))]
        assert of(sections, "euclidean") == [("x", (3,)), ("y", (2,))]

    def test_normalized_vectors_are_served_by_angular_or_their_own_section(self, of):
        told = entry(base_args=["@metric"], run_groups={"a": {"args": []}})
        assert of({"float": {"any": [told]}}, "normalized") == [("x", ("angular",))]
        assert of({"float": {"any": [told], "normalized": [told]}}, "normalized") == [("x", ("normalized",))]

    @pytest.mark.parametrize("metric", ["ip", "manhattan"])
    def test_any_are_the_two_metrics_that_ann_benchmarks_knows(self, of, metric):
        assert of({"float": {"any": [entry()]}}, metric) == []
        assert of({"float": {metric: [entry()]}}, metric) == [("x", (1,)), ("x", (2,))]

    def test_a_later_entry_replaces_an_earlier_one(self, of):
        twice = [entry(run_groups={"a": {"args": [number]}}) for number in (1, 2)]
        assert of({"float": {"any": twice}}, "angular") == [("x", (2,))]

    def test_disabled_entries_are_left_out(self, of, definitions):
        assert of({"float": {"any": [entry(disabled=True), entry(name="y")]}}, "angular")[0][0] == "y"
        folder = definitions("x", "", yaml.safe_dump({"float": {"any": [entry(disabled=True)]}}))
        assert expanded(folder) == []

    def test_groups_of_a_definition_keep_their_own_points(self, definitions):
        groups = {"a": {"args": [1], "query_args": [[3, 4, 3]]}, "b": {"args": {}}}
        folder = definitions(
            "x", "", yaml.safe_dump({"float": {"any": [entry(base_args=["@count"], run_groups=groups)]}})
        )
        assert expanded(folder, k=7) == [("x", (7, 1), POINTS, ""), ("x", (7, {}), ({},), "")]

    def test_what_serves_other_vectors_says_so_once(self, definitions):
        sections = {"bit": {"hamming": [entry()], "jaccard": [entry()]}, "float": {"any": [entry(name="y")]}}
        folder = definitions("x", "", yaml.safe_dump(sections))
        assert [(name, bool(why)) for name, _, _, why in expanded(folder)] == [("y", False)] * 2 + [("x", True)]
        refused = {name: why for name, _, _, why in expanded(folder, "ip")}
        path = folder / "x" / "config.yml"
        assert refused == {
            "x": f"metric: found float.ip, {path} has x for bit.hamming, bit.jaccard",
            "y": f"metric: found float.ip, {path} has y for float.any (any: euclidean and angular)",
        }
        (one, _), *_ = expand_definitions(read_definitions(folder), "ip", 16, 10)
        assert one.unavailable("ip", 16) == one.refused

    def test_modules_are_named_by_where_ann_benchmarks_has_them(self, definitions):
        definitions("y", "", "{float: {}}")
        own, other = entry(module="somewhere.else"), entry(name="other", module="ann_benchmarks.algorithms.y")
        folder = definitions("x", "", yaml.safe_dump({"float": {"any": [own, other]}}))
        found = {one.name: one.folder for one, _ in expand_definitions(read_definitions(folder), "angular", 16, 10)}
        assert found == {"x": str(folder / "x"), "other": str(folder / "y")}

    def test_base_is_no_algorithm(self, definitions):
        definitions()
        folder = definitions("base", "", "no: configuration")
        assert {name for name, *_ in expanded(folder)} == {"scanner"}


class TestErrors:
    @pytest.mark.parametrize(
        ("config", "said"),
        [
            ("{", "x/config.yml: not YAML: "),
            ("!!bool maybe", "x/config.yml: not YAML: "),
            ("!!python/object/apply:os.getcwd []", "x/config.yml: not YAML: "),
            ("[]", "x/config.yml: the file: found []: input should be a valid dictionary"),
            ("", "x/config.yml: the file: found None: input should be a valid dictionary"),
            ("float: 5", "x/config.yml: float: found 5: "),
            ("float: {any: }", "x/config.yml: float.any: found None: "),
            ({"name": 5}, "x/config.yml: float.any[0].name: found 5: input should be a valid string"),
            ({"constructor": None}, "x/config.yml: float.any[0].constructor: found None: "),
            ({"module": "a.nowhere"}, "x/config.yml: float.any[0].module: found 'a.nowhere', expected the file "),
            ({"run_groups": {"a": {}}}, "float.any[0].run_groups: a: found neither args nor arg_groups"),
            ({"run_groups": {"a": {"args": [], "querry_args": 1}}}, "run_groups.a.querry_args: found 1: extra inputs"),
            ({"run_groups": {"a": {"args": [], "query_args": {"b": 1}}}}, "run_groups: a: query_args: found a mapping"),
            ({"run_groups": {"a": {"args": [float("nan")]}}}, "run_groups: a: expected finite numbers, texts,"),
            ({"run_groups": {"a": {"args": {1: 2}}}}, "run_groups: a: expected finite numbers, texts,"),
            ({"base_args": [float("inf")]}, "base_args: expected finite numbers, texts,"),
        ],
    )  # fmt: skip
    def test_one_line_names_file_and_field(self, definitions, config, said):
        module = None if isinstance(config, dict) and "module" in config else ""
        if isinstance(config, dict):
            config = yaml.safe_dump({"float": {"any": [entry(**config)]}})
        folder = definitions("x", module or "", config)
        if module is None:
            (folder / "x" / "module.py").unlink()
        with pytest.raises(RunError) as error:
            read_definitions(folder)
        assert said in str(error.value)
        assert "\n" not in str(error.value)

    def test_a_missing_field(self, definitions):
        lacking = {key: value for key, value in entry().items() if key != "constructor"}
        folder = definitions("x", "", yaml.safe_dump({"float": {"any": [lacking]}}))
        with pytest.raises(RunError, match=r"float\.any\[0\]\.constructor: field required"):
            read_definitions(folder)

    def test_no_folder_or_the_wrong_one(self, definitions, tmp_path):
        folder = definitions()
        with pytest.raises(RunError, match=r"nowhere: no such folder"):
            read_definitions(tmp_path / "nowhere")
        with pytest.raises(RunError, match=r"found no \*/config.yml.*is its parent meant\?"):
            read_definitions(folder / "scanner")

    def test_nothing_to_measure(self, definitions, with_learn):
        folder = definitions("x", "", yaml.safe_dump({"float": {"any": [entry(disabled=True)]}}))
        with pytest.raises(RunError, match="every entry is disabled"):
            plan(EXACT, [("d", describe(with_learn))], out="out", threads=1, definitions=read_definitions(folder))


class TestPlan:
    @pytest.fixture
    def jobs(self, with_learn, tmp_path):
        """A function: the jobs of a folder of definitions."""

        def make(folder, **more):
            read = read_definitions(folder)
            described = [("d", describe(with_learn))]
            return plan(EXACT, described, out=str(tmp_path / "out"), threads=1, definitions=read, **more)

        return make

    def test_definitions_take_the_place_of_algorithms(self, definitions, jobs):
        found = jobs(definitions())
        assert [job.k for job in found] == [5, 10]
        assert {job.modes for job in found} == {("single", "batch")}
        for job in found:
            assert job.points == tuple({"query_arguments": [first]} for first in (450, 13, 7, 900))
            assert job.algorithm.startswith("Definition(name='scanner', arguments=('angular', 0), content='")
            assert job.build_algorithm() == Definition(**{k: v for k, v in job.parameters.items() if k != "type"})
            assert type(job).from_json(job.to_json()).build_algorithm() == job.build_algorithm()

    def test_globs_choose_among_them(self, definitions, jobs):
        definitions("x", "", yaml.safe_dump({"float": {"any": [entry(base_args=["@count"])]}}))
        found = jobs(definitions(), pattern=("*'x'*1)*",))
        assert [tuple(job.parameters["arguments"]) for job in found] == [(5, 1), (10, 1)]

    def test_an_edited_module_is_another_algorithm_and_an_edited_grid_is_not(self, definitions, jobs):
        before = jobs(definitions())
        grid = (definitions() / "scanner" / "config.yml").read_text().replace("450", "451")
        regrid = jobs(definitions(config=grid))
        assert [job.parameters for job in regrid] == [job.parameters for job in before]
        assert regrid[0].points != before[0].points
        edited = jobs(definitions(module="# edited"))
        assert edited[0].parameters["content"] != before[0].parameters["content"]
        assert dataclasses.replace(edited[0], algorithm="", parameters={}, points=()) == dataclasses.replace(
            before[0], algorithm="", parameters={}, points=()
        )


OTHERS = """
from ann_benchmarks.algorithms.base.module import BaseANN


class Broken(BaseANN):
    def fit(self, X):
        raise MemoryError("too many rows")


class Bits(BaseANN):
    pass
"""
OTHERS_CONFIG = """
float:
  any:
  - {name: broken, module: ann_benchmarks.algorithms.others, constructor: Broken, run_groups: {a: {args: []}}}
  - {name: mistaken, module: ann_benchmarks.algorithms.others, constructor: Nobody, run_groups: {a: {args: []}}}
  - {name: disabled, module: m.others, constructor: Broken, disabled: true, run_groups: {a: {args: []}}}
bit:
  hamming:
  - {name: bits, module: ann_benchmarks.algorithms.others, constructor: Bits, run_groups: {a: {args: {}}}}
"""
NEEDY = "import a_library_that_nobody_has"
NEEDY_CONFIG = "{float: {any: [{name: needy, module: m.needy, constructor: N, run_groups: {a: {args: []}}}]}}"


@pytest.fixture(scope="module")
def ran(with_learn, define, tmp_path_factory):
    """A function: the command line on three folders of definitions; and what it left the first time."""
    folder = tmp_path_factory.mktemp("run")
    define(folder / "definitions")
    define(folder / "definitions", "others", OTHERS, OTHERS_CONFIG)
    define(folder / "definitions", "needy", NEEDY, NEEDY_CONFIG)

    def run(*arguments):
        command = [
            sys.executable,
            "-m",
            "ivfbench",
            "run",
            "--definitions",
            "definitions",
            "--dataset",
            str(with_learn),
        ]
        return subprocess.run(
            [*command, "--threads", "2", "--repetitions", "2", "--out", "out", "--no-figures", *arguments],
            cwd=folder, env={**os.environ, "COLUMNS": "100"}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    done = run()
    return run, done, {run.parameters["name"]: run for run in load_runs(folder / "out")}


class TestProcess:
    def test_every_row_says_what_became_of_it(self, ran):
        _, done, runs = ran
        assert done.returncode == 1, done.stderr
        assert "scanner ('angular', 0)" in done.stdout
        assert {name: run.status for name, run in runs.items()} == {
            "scanner": "ok", "broken": "memory", "mistaken": "failed", "needy": "skipped", "bits": "skipped",
        }  # fmt: skip
        assert runs["broken"].message == "MemoryError: too many rows"
        assert "found no class Nobody" in runs["mistaken"].message
        assert runs["needy"].message.endswith("imports a_library_that_nobody_has, which is not installed")
        assert runs["bits"].message.endswith("has bits for bit.hamming")

    def test_one_failing_point_leaves_the_others_intact(self, ran):
        _, _, runs = ran
        found = {(point.mode, point.query_parameters["query_arguments"][0]): point for point in runs["scanner"].points}
        assert len(found) == 8
        for mode in ("single", "batch"):
            assert found[mode, 13].message == "RuntimeError: an unlucky number"
            assert found[mode, 7].message.startswith("ValueError: found the id ")
            assert "twice in an answer" in found[mode, 7].message
            assert {found[mode, first].status for first in (450, 900)} == {"ok"}
            np.testing.assert_array_equal(found[mode, 900].points_scanned, 900)
            np.testing.assert_array_equal(found[mode, 450].points_scanned, 450)
            assert found[mode, 900].seconds.shape == ((2, 60) if mode == "single" else (2, 1))
        np.testing.assert_array_equal(found["single", 900].ids, found["batch", 900].ids)
        rows = table([runs["scanner"]]).query("status == 'ok'").set_index(["mode", "points_scanned"])
        assert (rows["recall"].loc[:, 900] == 1.0).all()
        assert (rows["recall"].loc[:, 450] < 0.9).all()

    def test_a_build_is_told_by_folder_and_name(self, ran):
        _, _, runs = ran
        told = {"folder": "definitions/scanner", "name": "scanner angular"}
        assert runs["scanner"].notes.items() >= told.items()

    def test_an_experiment_cannot_ask_for_foreign_code(self):
        with pytest.raises(RunError, match="type: found 'Definition'"):
            parse_experiment("algorithms: [{type: Definition, name: x}]", "x")

    def test_a_wrong_folder_is_one_line(self, ran):
        run, _, _ = ran
        done = run("--definitions", "nowhere")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "ivfbench: --definitions nowhere: no such folder\n"
