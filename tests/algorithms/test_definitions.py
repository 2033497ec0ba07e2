"""Algorithms of ann-benchmarks driven one by one: what they are handed, and what is made of their answers."""

import sys

import numpy as np
import pytest
from ivfbench.algorithms.base.module import BaseANN
from ivfbench.algorithms.definitions.definition import Definition, is_json
from ivfbench.algorithms.definitions.foreign_module import folder_digest
from ivfbench.algorithms.index import Unavailable
from ivfbench.algorithms.registry import ALGORITHMS, MEMBERS
from ivfbench.algorithms.value import from_parameters, parameters, text

ROWS = np.random.default_rng(3).standard_normal((40, 6)).astype(np.float32)
QUERIES = ROWS[:5] + np.float32(0.01)
for part in (ROWS, QUERIES):
    part.flags.writeable = False


@pytest.fixture(autouse=True)
def no_trace():
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "ann_benchmarks"]:
        del sys.modules[name]


@pytest.fixture
def define_one(definitions):
    """A function: the definition of a class in a module of this text."""

    def make(module, *arguments, constructor="A", name="a"):
        folder = definitions(name, module) / name
        return Definition(name, arguments, folder_digest(folder), str(folder), constructor)

    return make


@pytest.fixture
def answers(define_one):
    """A function: the index of a class whose `query` returns this expression of v and n."""

    def make(expression, more=""):
        module = f"""
import numpy as np
from ..base.module import BaseANN
class A(BaseANN):
    def query(self, v, n):
        return {expression}
{more}
"""
        return define_one(module).build(ROWS, "euclidean")

    return make


class TestAnswers:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("[3, 1, 2]", [3, 1, 2]),
            ("np.array([3, 1, 2], dtype=np.uint64)", [3, 1, 2]),
            ("iter((3, 1, 2))", [3, 1, 2]),
            ("{3: 0, 1: 0}.keys()", [3, 1, -1]),
            ("[]", [-1, -1, -1]),
            ("np.array([])", [-1, -1, -1]),
            ("[-1, 4, -1]", [4, -1, -1]),
            ("np.array([4, -1, -1])", [4, -1, -1]),
            ("[9, 8, 7, 6, 5]", [9, 8, 7]),
            ("[39, 0]", [39, 0, -1]),
        ],
    )
    def test_padding_is_dropped_and_what_exceeds_k_cut_off(self, answers, expression, expected):
        index = answers(expression)
        for queries in (QUERIES[:1], QUERIES):
            found = index.search(queries, 3, threads=2)
            np.testing.assert_array_equal(found.ids, [expected] * len(queries))
            assert (found.ids.dtype, found.distances.dtype) == (np.int32, np.float32)
            assert (found.probed.dtype, found.scanned.dtype) == (np.int64, np.int64)
            assert found.scanned.tolist() == found.probed.tolist() == [0] * len(queries)

    @pytest.mark.parametrize(
        ("expression", "said"),
        [
            ("[3, 1, 3]", "found the id 3 twice"),
            ("[1, 2, 3, 4, 4]", "found the id 4 twice"),
            ("[1, 40]", "found the id 40 in an answer, expected 0 to 39"),
            ("[1, -2]", "found the id -2 in an answer"),
            ("np.array([1, 2**64 - 1], dtype=np.uint64)", "found the id 18446744073709551615"),
            ("[1.0, 2.0]", "found an answer of float64 and shape"),
            ("np.array([[1, 2]])", r"of int64 and shape \(1, 2\)"),
            ("['1']", "expected a sequence of integer ids"),
            ("[True]", "found an answer of bool"),
            ("None", "not iterable"),
        ],
    )
    def test_what_is_no_answer(self, answers, expression, said):
        index = answers(expression)
        for queries in (QUERIES[:1], QUERIES):
            with pytest.raises((ValueError, TypeError), match=said):
                index.search(queries, 3)

    def test_an_answer_for_each_query(self, answers):
        index = answers("[1]", "    def get_batch_results(self): return self.res[1:]")
        with pytest.raises(ValueError, match="found 4 answers, expected one for each of 5 queries"):
            index.search(QUERIES, 3)


class TestTheSuite:
    def test_arrays_of_ours_are_not_theirs(self, define_one):
        module = """
from ..base.module import BaseANN
class A(BaseANN):
    def fit(self, X):
        assert X.flags.c_contiguous and X.dtype == "float32"
        X[:] = 0
    def query(self, v, n):
        assert v.shape == (6,)
        v[:] = 0
        return [0]
    def batch_query(self, X, n):
        X[:] = 0
        self.res = [[0]] * len(X)
"""
        rows, queries = ROWS.copy(), QUERIES.copy()  # writable, unlike those of a dataset
        index = define_one(module).build(rows, "euclidean")
        index.search(queries, 1)
        index.search(queries[:1], 1)
        assert rows.tobytes() == ROWS.tobytes()
        assert queries.tobytes() == QUERIES.tobytes()

    def test_query_arguments_are_set_where_they_change_as_copies(self, define_one):
        module = """
from ..base.module import BaseANN
class A(BaseANN):
    def __init__(self, lists): self.calls = lists
    def set_query_arguments(self, *given):
        if given == (13,): raise RuntimeError("unlucky")
        self.calls.append(list(map(str, given)))
        if isinstance(given[0], list): given[0].clear()
    def query(self, v, n): return list(range(len(self.calls)))
"""
        definition = define_one(module, [])
        index = definition.build(ROWS, "euclidean")

        def calls(*given):
            return int((index.search(QUERIES[:1], 10, query_arguments=list(given)).ids >= 0).sum())

        shared = [1, 2]
        assert [calls(5), calls(5), calls(5, 6), calls(shared), calls(shared), calls(5)] == [1, 1, 2, 3, 3, 4]
        assert shared == [1, 2]
        with pytest.raises(RuntimeError, match="unlucky"):
            calls(13)
        assert calls(5) == 5  # what failed in between left who knows what behind
        assert index.search(QUERIES[:1], 10).ids.max() == 4  # no arguments, no call
        assert definition.arguments == ([],)

    def test_prepared_queries_and_what_the_clock_encloses(self, define_one):
        module = """
from ..base.module import BaseANN
class A(BaseANN):
    told = []
    def supports_prepared_queries(self): return True
    def prepare_query(self, v, n): self.told.append("prepare")
    def run_prepared_query(self): self.told.append("run")
    def get_prepared_query_results(self): self.told.append("results"); return [1]
    def prepare_batch_query(self, X, n): self.told.append("prepare batch"); self.res = [[2]] * len(X)
    def run_batch_query(self): self.told.append("run batch")
    def get_additional(self): return {"dist_comps": len(self.told)}
"""
        index = define_one(module).build(ROWS, "euclidean")
        told = index._algorithm.told
        one, many = index.prepare(QUERIES[:1], 2), index.prepare(QUERIES, 2)
        assert told == ["prepare", "prepare batch"]
        one.run()
        many.run()
        assert told[2:] == ["run", "run batch"]
        assert one.found(None).ids.tolist() == [[1, -1]]
        assert many.found(None).ids.tolist() == [[2, -1]] * 5

    def test_distances_computed_are_told_per_query(self, answers):
        counting = """
    count = 1000
    def query(self, v, n):
        self.count += 3
        return [0]
    def batch_query(self, X, n):
        self.count += 17
        self.res = [[0]] * len(X)
    def set_query_arguments(self, reset):
        if reset: self.count = 0
    def get_additional(self): return {"dist_comps": self.count, "other": "told"}
"""
        index = answers("[0]", counting)
        for reset in (True, False):
            index.search(QUERIES[:1], 1, query_arguments=[reset])
            assert index.search(QUERIES[:1], 1, query_arguments=[reset]).scanned.tolist() == [3]
            assert index.search(QUERIES, 1, query_arguments=[reset]).scanned.tolist() == [4, 4, 3, 3, 3]

    def test_batches_by_default_are_single_queries_on_a_pool(self):
        class Sum(BaseANN):
            def query(self, q, n):
                return [int(q.sum()), n]

        algorithm = Sum()
        algorithm.batch_threads = 2
        assert algorithm.batch_query(np.arange(6).reshape(3, 2), 9) is None
        assert algorithm.get_batch_results() == [[1, 9], [5, 9], [9, 9]]
        assert str(algorithm) == "Sum"
        assert algorithm.get_memory_usage() > 1000
        assert (algorithm.get_additional(), algorithm.fit(ROWS), algorithm.done()) == ({}, None, None)

    def test_memory_and_name_are_told_where_they_can_be(self, answers):
        grown = """
    def fit(self, X): self.size = 100
    def get_memory_usage(self): return getattr(self, "size", 25)
    def __str__(self): return f"probes {self.probes}"
"""
        index = answers("[0]", grown)
        assert index.nbytes == 75 * 1024
        assert set(index.built.notes) == {"folder"}
        assert answers("[0]", "    def get_memory_usage(self): return None").nbytes == 0

    def test_done_is_called_at_the_end(self, answers, tmp_path):
        mark = tmp_path / "done"
        index = answers("[0]", f"    def done(self): open({str(mark)!r}, 'w').close()")
        assert not mark.exists()
        del index
        assert mark.exists()

    def test_done_is_called_when_the_build_fails(self, answers, tmp_path):
        mark = tmp_path / "done"
        failing = f"""
    def fit(self, X): raise RuntimeError("no")
    def done(self): open({str(mark)!r}, 'w').close()
"""
        try:
            answers("[0]", failing)
        except RuntimeError as error:
            error.__traceback__ = None
        assert mark.exists()


class TestModules:
    @pytest.mark.parametrize(
        "imports",
        [
            "from ..base.module import BaseANN",
            "from ann_benchmarks.algorithms.base.module import BaseANN",
            "import ann_benchmarks.algorithms.base.module as m; BaseANN = m.BaseANN",
            "from ann_benchmarks.algorithms import base; BaseANN = base.module.BaseANN",
        ],
    )
    def test_ways_to_import_the_base(self, define_one, imports):
        assert issubclass(define_one(f"{imports}\nclass A(BaseANN): pass").load_code(), BaseANN)

    def test_algorithms_extend_each_other(self, define_one):
        define_one("from ..base.module import BaseANN\nclass A(BaseANN): inherited = 5", name="first")
        definition = define_one("from ..first.module import A as First\nclass A(First): pass", name="second")
        assert definition.load_code().inherited == 5

    def test_files_of_a_checkout(self, define, tmp_path):
        algorithms = tmp_path / "ann_benchmarks" / "algorithms"
        define(algorithms, "a", "from ...constants import INDEX_DIR\nclass A: where = INDEX_DIR")
        (algorithms.parent / "constants.py").write_text("INDEX_DIR = 'indices'\n")
        folder = algorithms / "a"
        definition = Definition("a", (), folder_digest(folder), str(folder), "A")
        assert definition.load_code().where == "indices"

    def test_what_is_not_installed_is_unavailable(self, define_one):
        with pytest.raises(Unavailable, match=r"a/module.py imports nobody_has_this, which is not installed"):
            define_one("import nobody_has_this.part").build(ROWS, "euclidean")
        with pytest.raises(Unavailable, match=r"imports ann_benchmarks.constants, which"):
            define_one("from ...constants import INDEX_DIR").load_code()

    def test_an_edited_module_is_imported_anew_and_never_under_its_old_name(self, define_one):
        old = define_one("class A: version = 1")
        assert old.load_code().version == 1
        assert define_one("class A: version = 22").load_code().version == 22
        with pytest.raises(ValueError, match="the files changed while the run was going on"):
            old.load_code()

    def test_the_digest_is_of_all_files_but_grids(self, definitions):
        folder = definitions() / "scanner"
        before = folder_digest(folder)
        (folder / "config.yml").write_text("")
        (folder / "Dockerfile").write_text("")
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "module.pyc").write_text("")
        assert folder_digest(folder) == before
        (folder / "kernels").mkdir()
        (folder / "kernels" / "config.yml").write_text("")
        assert folder_digest(folder) != before

    def test_no_such_class(self, define_one):
        with pytest.raises(ValueError, match="found no class B, expected the one that"):
            define_one("class A: pass", constructor="B").load_code()


class TestValue:
    def test_its_text_and_its_parameters(self):
        value = Definition("annoy", ("angular", {"trees": [1, 2]}), "0123456789ab", "some/annoy", "Annoy")
        assert (
            text(value) == "Definition(name='annoy', arguments=('angular', {'trees': [1, 2]}), content='0123456789ab')"
        )
        assert parameters(value)["folder"] == "some/annoy"
        read = {**parameters(value), "arguments": list(value.arguments)}
        assert from_parameters(read, MEMBERS) == value

    def test_no_experiment_can_name_it(self):
        assert "Definition" not in ALGORITHMS

    @pytest.mark.parametrize(
        ("value", "expected"),
        [([1, "a", {"b": [None, True, 0.5]}], True), ({1: 2}, False), ([float("nan")], False), ({1, 2}, False)],
    )
    def test_plain_data(self, value, expected):
        assert is_json(value) is expected
