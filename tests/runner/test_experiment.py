"""Experiment files: grids, percentages, and one clear line for everything else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ivfbench.algorithms.exact import Exact
from ivfbench.algorithms.registry import MEMBERS
from ivfbench.algorithms.value import text
from ivfbench.runner.errors import RunError
from ivfbench.runner.experiment import (
    Experiment,
    expand,
    expand_variants,
    load_experiment,
    parse_experiment,
    shipped,
)
from ivfbench.runner.query_grid import query_points, resolve_count

EXACT = "algorithms: [{type: Exact}]\n"
TWENTY = "algorithms: [{type: IVF, clustering: {type: KMeans, lists: 20}}]\n"


def refusal(content):
    with pytest.raises(RunError) as caught:
        parse_experiment(content, "some.yml")
    message = str(caught.value)
    assert message.startswith("some.yml: ")
    assert "\n" not in message
    return message.removeprefix("some.yml: ")


def texts(content):
    experiment = parse_experiment(content, "some.yml")
    return [text(algorithm) for spelled in experiment.algorithms for algorithm, _ in expand(spelled)]


class TestGrids:
    def test_a_list_of_alternatives_is_a_product(self):
        assert texts(
            """
            algorithms:
              - type: IVF
                clustering: {type: KMeans, lists: [4, 8]}
                router: [{type: Centroid}, {type: Learnt, start: [scratch, centroids]}]
            """
        ) == [
            f"IVF(KMeans(lists={lists}), {router}, Float32())"
            for lists in (4, 8)
            for router in ("Centroid()", "Learnt(start='scratch')", "Learnt()")
        ]

    def test_nested_lists_are_flattened(self):
        spelled = "algorithms: [{type: IVF, clustering: {type: KMeans, lists: [[4, [8]], 16]}}]"
        assert [line.split(")")[0] for line in texts(spelled)] == [f"IVF(KMeans(lists={n}" for n in (4, 8, 16)]

    def test_the_query_grid_is_no_alternative(self):
        (spelled,) = parse_experiment("algorithms: [{type: IVF, query: {nprobe: [1, '5%']}}]", "x").algorithms
        ((_, grid),) = expand(spelled)
        assert grid == {"nprobe": [1, "5%"]}

    def test_a_single_nprobe_needs_no_list(self):
        (spelled,) = parse_experiment("algorithms: [{type: IVF, query: {nprobe: 7}}]", "x").algorithms
        ((_, grid),) = expand(spelled)
        assert grid == {"nprobe": [7]}

    def test_policies_are_a_grid_of_unequal_types(self):
        content = """
            algorithms:
              - type: IVF
                clustering: {type: KMeans, lists: 20}
                query:
                  nprobe: [4, "50%"]
                  probing:
                    - {type: Fixed, nprobe: ["5%", 8]}
                    - {type: SoftmaxMass, recall: [0.5, 0.8, 0.5]}
                    - {type: Patience, patience: [2, 4], overlap: [0.9, 1]}
        """
        (spelled,) = parse_experiment(content, "x").algorithms
        ((algorithm, grid),) = expand(spelled)
        mass = [{"type": "SoftmaxMass", "recall": recall, "temperature": None} for recall in (0.5, 0.8)]
        patience = [
            {"type": "Patience", "overlap": overlap, "patience": patience, "most": None}
            for patience in (2, 4)
            for overlap in (0.9, 1)
        ]
        points = query_points(algorithm, grid)
        counts = [{"nprobe": count} for count in (1, 4, 8, 10)]  # Fixed is what nprobe is short for
        assert list(points) == [*counts, *({"probing": policy} for policy in mass + patience)]
        assert json.loads(json.dumps(points)) == list(points)

    def test_policies_alone_take_the_place_of_nprobe(self):
        content = "algorithms: [{type: IVF, clustering: {type: KMeans, lists: 20}, query: {probing: {type: BallCap}}}]"
        (spelled,) = parse_experiment(content, "x").algorithms
        ((algorithm, grid),) = expand(spelled)
        assert query_points(algorithm, grid) == ({"probing": {"type": "BallCap", "recall": 0.9, "candidates": None}},)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("[{type: IVF, query: {probing: []}}]", "query.probing: found an empty list, expected at least one"),
            ("[{type: IVF, query: {probing: [{type: Patience, most: []}]}}]", "found an empty list of alternatives"),
            ("[{type: IVF, clustering: []}]", "algorithms[0]: found an empty list of alternatives"),
            ("[{type: Exact}, {type: IVF, clustering: {type: KMeans, lists: []}}]", "algorithms[1]: found an empty"),
            ("[{type: IVF, query: {nprobe: []}}]", "algorithms[0]: query.nprobe: found an empty list"),
            ("[]", "algorithms: found []"),
        ],
    )
    def test_empty_lists_are_refused(self, content, said):
        assert said in refusal(f"algorithms: {content}")


class TestDoor:
    def test_defaults(self):
        experiment = parse_experiment(EXACT, "folder/my-test.yml")
        assert experiment.name == "my-test"
        assert (experiment.datasets, experiment.k, experiment.seeds) == ((), (10,), (0,))
        assert (experiment.repetitions, experiment.single_queries) == (5, 1000)
        assert experiment.modes == ("single", "batch")

    def test_one_value_stands_for_a_list_of_one(self):
        experiment = parse_experiment(EXACT + "k: 3\nseeds: 4\ndatasets: drift\nmode: batch\n", "x")
        assert (experiment.k, experiment.seeds, experiment.datasets) == ((3,), (4,), ("drift",))
        assert experiment.modes == ("batch",)

    @pytest.mark.parametrize(("wrong", "near"), [("datset", "datasets"), ("repetition", "repetitions"), ("K", "k")])
    def test_an_unknown_key_suggests_the_nearest(self, wrong, near):
        assert refusal(EXACT + f"{wrong}: 1\n") == f"{wrong}: no such key, the nearest is {near}"

    @pytest.mark.parametrize(
        ("line", "field"),
        [
            ("k: 0", "k.0"),
            ("k: []", "k"),
            ("k: ten", "k.0"),
            ("k: [5, 2.5]", "k.1"),
            ("seeds: []", "seeds"),
            ("seeds: [-1]", "seeds.0"),
            ("seeds: [4294967296]", "seeds.0"),
            ("mode: singel", "mode.0"),
            ("mode: [routing, singel]", "mode.1"),
            ("report: thesys\nmode: routing", "report"),
            ("report: thesis\nmode: single", "report"),
            ("repetitions: 0", "repetitions"),
            ("single_queries: 0", "single_queries"),
            ("datasets: null", "datasets.0"),
            ("datasets: [{a: 1}]", "datasets.0"),
            ("name: [1]", "name"),
            ("description: {a: 1}", "description"),
        ],
    )
    def test_wrong_values_are_named_with_their_place(self, line, field):
        said = refusal(EXACT + line)
        assert said.startswith(f"{field}: found ")

    @pytest.mark.parametrize(
        ("algorithm", "said"),
        [
            ("5", "algorithms.0: found 5"),
            ("{}", "type: found None, expected one of Exact, IVF"),
            ("{type: Exakt}", "type: found 'Exakt', expected one of Exact, IVF"),
            ("{type: KMeans}", "type: found 'KMeans', expected one of Exact, IVF"),
            ("{type: [Exact, IVF]}", "type: found ['Exact', 'IVF'], expected one of Exact, IVF"),
            ("{type: Exact, lists: 4}", "Exact.lists: no such field"),
            ("{type: IVF, clusterin: {type: KMeans}}", "IVF.clusterin: no such field"),
            ("{type: IVF, clustering: {lists: 4}}", "type: found None"),
            ("{type: IVF, clustering: {type: {a: b}}}", "algorithms[0]: type: found {'a': 'b'}"),
            ("{type: IVF, clustering: 4}", "IVF.clustering: found 4"),
            ("{type: IVF, router: {type: KMeans}}", "IVF.router: found KMeans()"),
            ("{type: IVF, router: {type: Learnt, epochs: many}}", "Learnt.epochs: found 'many'"),
            ("{type: IVF, seed: 3}", "seed: found here, expected `seeds`"),
            ("{type: IVF, query: 4}", "query: found 4, expected a mapping"),
            (
                "{type: Exact, query: {nprobe: 4}}",
                "query: found {'nprobe': 4}, expected none: Exact() has no lists to probe",
            ),
            ("{type: IVF, query: {probes: 4}}", "query.probes: no such query parameter, expected nprobe"),
            ("{type: IVF, query: {nprobe: [1, 0]}}", "nprobe: found 0"),
            (
                "{type: IVF, query: {probing: 8}}",
                "query.probing: found 8, expected a mapping such as {type: SoftmaxMass",
            ),
            (
                "{type: IVF, query: {probing: {type: KMeans}}}",
                "query.probing: type: found 'KMeans', expected one of Ball",
            ),
            ("{type: IVF, query: {probing: {recall: 1}}}", "query.probing: type: found None"),
            ("{type: IVF, query: {probing: {type: Fixed}}}", "query.probing: Fixed: "),
            ("{type: IVF, query: {probing: {type: Fixed, nprobe: [3, 0%]}}}", "nprobe: found '0%'"),
            ("{type: IVF, query: {probing: {type: Patience, recall: 1}}}", "query.probing: Patience.recall: no such"),
            (
                "{type: IVF, query: {probing: {type: SoftmaxMass, recall: [0.9, 2]}}}",
                "query.probing: SoftmaxMass.recall: found 2, expected a number above 0 and at most 1",
            ),
            ("{type: Exact, query: {probing: {type: Patience}}}", "expected none: Exact() has no lists to probe"),
            ("{type: IVF, query: {nprobe: '0%'}}", "nprobe: found '0%'"),
            ("{type: IVF, query: {nprobe: true}}", "nprobe: found True"),
            ('{type: IVF, "a\\nb": 1}', "IVF.a b: no such field"),
        ],
    )
    def test_what_is_wrong_with_an_algorithm(self, algorithm, said):
        assert said in refusal(f"algorithms: [{algorithm}]")

    @pytest.mark.parametrize("content", ["", "5", "[1, 2]", "text", "null"])
    def test_no_mapping(self, content):
        assert "expected a mapping with the key `algorithms`" in refusal(content)

    def test_no_algorithms(self):
        assert refusal("name: x") == "algorithms: found none, expected at least one"
        assert refusal("algorithm: x") == "algorithm: no such key, the nearest is algorithms"

    @pytest.mark.parametrize(
        "content",
        [
            "algorithms: [",
            "\x00",
            "a: b: c",
            "{[1]: 2}",
            "x: !!python/object/apply:os.system ['false']",
            "x: !!python/name:os.system",
            "x: !somebody {a: 1}",
            "x: !!bool maybe",
            "x: !!timestamp never",
            "x: !!int ''",
            "x: 2024-13-45",
            "x: " + "9" * 5000,
            "[" * 5000,
        ],
        ids=lambda content: content[:24],
    )
    def test_not_yaml_or_no_plain_yaml(self, content):
        assert refusal(content).startswith("not YAML: ")

    def test_an_object_tag_is_refused_before_it_acts(self, tmp_path):
        mark = tmp_path / "mark"
        refusal(f"x: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{mark}']]")
        assert not mark.exists()

    def test_a_value_inside_itself(self):
        content = "algorithms: [&a {type: IVF, router: [*a]}]"
        assert refusal(content) == "line 1: found a value inside itself, expected plain values"

    def test_a_long_value_is_not_repeated_in_full(self):
        assert len(refusal(EXACT + "k: " + "x" * 10_000)) < 300


class TestVariants:
    def variants(self, content):
        return [str(variant) for variant in expand_variants(parse_experiment(EXACT + content, "some.yml"))]

    def test_the_default_is_the_dataset_itself(self):
        assert self.variants("") == [""]
        assert self.variants("variants: {}") == [""]

    def test_a_mapping_is_a_grid_and_a_list_its_union(self):
        grid = "{pca: [null, 64, 32], metric: [ip, euclidean]}"
        assert self.variants(f"variants: {grid}") == [
            "metric=ip",
            "metric=euclidean",
            "pca=64,metric=ip",
            "pca=64,metric=euclidean",
            "pca=32,metric=ip",
            "pca=32,metric=euclidean",
        ]
        assert self.variants("variants: [{}, {base: [10, 20]}, {normalise: [false, true]}]") == [
            "",
            "base=10",
            "base=20",
            "normalise",
        ]

    def test_they_outlive_the_overrides_of_the_command_line(self):
        experiment = parse_experiment(EXACT + "variants: {pca: [4, 2]}", "x")
        again = Experiment.model_validate({**experiment.model_dump(), "k": (3,)})
        assert [str(variant) for variant in expand_variants(again)] == ["pca=4", "pca=2"]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("[]", "variants: found []"),
            ("null", "variants.0: found None"),
            ("pca", "variants.0: found 'pca'"),
            ("{pca: []}", "variants: found an empty list of alternatives"),
            ("{pac: 4}", "variants: pac: no such key, the nearest is pca"),
            ("{pca: [4, 0]}", "variants: pca: found 0, expected a positive integer"),
            ("[{}, {metric: euclidan}]", "variants: unknown metric 'euclidan'"),
            ("{normalise: sometimes}", "variants: normalise: found 'sometimes', expected true or false"),
        ],
    )
    def test_what_is_wrong_with_a_variant(self, content, said):
        assert refusal(EXACT + f"variants: {content}").startswith(said)


class TestFiles:
    def test_every_shipped_experiment_can_be_run(self):
        assert "quickstart" in shipped()
        for name in shipped():
            experiment = load_experiment(name)
            assert experiment.name == name
            assert experiment.datasets
            for spelled in experiment.algorithms:
                for algorithm, grid in expand(spelled):
                    assert type(algorithm).__name__ in MEMBERS
                    for metric in ("euclidean", "angular", "normalized", "ip"):
                        resolved = algorithm.resolve(metric, 50_000)
                        assert resolved.resolve(metric, 50_000) == resolved
                        assert query_points(resolved, grid)

    def test_a_file(self, tmp_path):
        path = tmp_path / "mine.yml"
        path.write_text(EXACT)
        assert load_experiment(str(path)).name == "mine"

    def test_a_wrong_name_suggests_the_nearest(self):
        with pytest.raises(RunError, match=r"^experiment quikstart: no such file.*; did you mean quickstart\?$"):
            load_experiment("quikstart")

    @pytest.mark.parametrize("name", ["", "x" * 5000, "nowhere/at/all.yml", "a\0b"])
    def test_a_name_that_is_nothing(self, name):
        with pytest.raises(RunError, match="no such file or shipped experiment") if name else pytest.raises(RunError):
            load_experiment(name)

    def test_a_folder(self, tmp_path):
        with pytest.raises(RunError, match="is a folder, expected a YAML file"):
            load_experiment(str(tmp_path))

    def test_bytes_that_are_no_text(self, tmp_path):
        path = tmp_path / "mine.yml"
        path.write_bytes(b"\xff\xfe\x00\xd8")
        with pytest.raises(RunError, match=r"mine\.yml: cannot be read as text"):
            load_experiment(str(path))


class TestCounts:
    @pytest.mark.parametrize(
        ("value", "lists", "count"),
        [
            (1, 100, 1),
            (12, 100, 12),
            (500, 100, 100),
            ("5%", 100, 5),
            ("5 %", 200, 10),
            ("0.3%", 224, 1),
            ("0.0001%", 100, 1),
            ("12.5%", 80, 10),
            ("100%", 7, 7),
            ("1000%", 7, 7),
            ("9" * 400 + "%", 7, 7),
            (10**400, 7, 7),
        ],
    )
    def test_counts_and_percentages(self, value, lists, count):
        assert resolve_count(value, lists) == count

    @pytest.mark.parametrize(
        "value", [0, -3, 2.5, True, None, "5", "%", "-5%", "0%", "0.0%", "5%%", "nan%", "1e2%", "", [], {}]
    )
    def test_anything_else_is_refused(self, value):
        with pytest.raises(ValueError, match=r"nprobe: found .*, expected a positive integer"):
            resolve_count(value, 100)

    @given(st.one_of(st.integers(1), st.floats(1e-6, 1e6).map(lambda share: f"{share:.9f}%")), st.integers(1, 100_000))
    def test_always_between_one_and_all(self, value, lists):
        count = resolve_count(value, lists)
        assert 1 <= count <= lists
        if isinstance(value, str):
            assert abs(count - float(value[:-1]) / 100 * lists) <= 0.5001 or count in (1, lists)

    def test_points_are_swept_once_in_order(self):
        (spelled,) = parse_experiment(
            "algorithms: [{type: IVF, clustering: {type: KMeans, lists: 20}}]", "x"
        ).algorithms
        ((algorithm, _),) = expand(spelled)
        points = query_points(algorithm, {"nprobe": ["50%", 3, "1%", 10, 1, "990%"]})
        assert points == ({"nprobe": 1}, {"nprobe": 3}, {"nprobe": 10}, {"nprobe": 20})

    def test_more_lists_than_there_are_is_refused(self):
        (spelled,) = parse_experiment(
            "algorithms: [{type: IVF, clustering: {type: KMeans, lists: 20}}]", "x"
        ).algorithms
        ((algorithm, _),) = expand(spelled)
        with pytest.raises(ValueError, match=r"query\.nprobe: found 21, expected at most the 20 lists of IVF\("):
            query_points(algorithm, {"nprobe": ["50%", 20, 21]})

    def test_without_a_grid_the_algorithm_has_its_own(self):
        assert query_points(Exact(), {}) == ({},)
        (spelled,) = parse_experiment(
            "algorithms: [{type: IVF, clustering: {type: KMeans, lists: 20}}]", "x"
        ).algorithms
        ((algorithm, grid),) = expand(spelled)
        assert query_points(algorithm, grid) == algorithm.query_grid()
        assert query_points(algorithm, grid)[-1] == {"nprobe": 20}
