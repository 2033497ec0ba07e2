"""An index that was saved answers as it did; a file that was spoilt says so in one line."""

import hashlib
import json
import resource
import subprocess
import sys

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.float32 import Float32
from ivfbench.algorithms.codecs.int8 import Int8
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.lookup import LAYOUT
from ivfbench.algorithms.probing.softmax_mass import SoftmaxMass
from ivfbench.algorithms.registry import CODECS, ROUTERS
from ivfbench.algorithms.routers.optimist import Optimist
from ivfbench.algorithms.routers.router import TrainingQueries
from ivfbench.algorithms.saving.array_file import SMALL, IndexFileError, read_header, write_array_file
from ivfbench.algorithms.saving.index_file import read_facts

K = 7


def brief(router):
    return router(epochs=2) if "epochs" in router.__dataclass_fields__ else router()


def lists_of(count):
    return KMeans(lists=count, iterations=3)


# Every router and every codec that there is: a new one fails here until its parts stand in `saving.parts`.
ALGORITHMS = [
    *(IVF(lists_of(8), brief(router)) for name, router in ROUTERS.items() if name != "Oracle"),
    *(IVF(lists_of(8), codec=codec()) for codec in CODECS.values() if codec is not Float32),
    *(IVF(lists_of(8), codec=codec) for codec in (ProductQuantiser(storage="float16"), Int8(storage="given"))),
    IVF(lists_of(8), Optimist(covariance="low rank", rank=2)),
    IVF(lists_of(8), routing="int8"),
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    rows, queries, learn = (rng.standard_normal((count, 16)).astype(np.float32) for count in (300, 12, 64))
    return rows, queries, TrainingQueries(learn)


@pytest.fixture(scope="module")
def saved(data, tmp_path_factory):
    """A small index, its file and the bytes of that."""
    index = IVF(lists_of(4), codec=ProductQuantiser()).build(data[0], "angular", data[2])
    path = tmp_path_factory.mktemp("saved") / "index.ivf"
    index.save(path)
    return index, path, path.read_bytes()


def digest(index, queries):
    """Everything that searches answer: one by one, as a batch, with a policy that calibrates."""
    everything = hashlib.sha256()
    for choice in ({"nprobe": 3}, {"probing": SoftmaxMass(recall=0.8)}):
        for found in (*(index.search(query, K, **choice) for query in queries), index.search(queries, K, **choice)):
            for array in (found.ids, found.distances, found.probed, found.scanned):
                everything.update(array.tobytes())
    return everything.hexdigest()


# ---- round trips ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_a_loaded_index_answers_as_it_did(algorithm, data, tmp_path):
    rows, queries, training = data
    index = algorithm.build(rows, "euclidean", training)
    index.save(tmp_path / "index.ivf")
    expected = digest(index, queries)
    for loaded in (IVF.load(tmp_path / "index.ivf"), IVF.load(str(tmp_path / "index.ivf"), mmap=False)):
        assert digest(loaded, queries) == expected
        assert (loaded.nbytes, loaded.router_nbytes, loaded.count) == (index.nbytes, index.router_nbytes, index.count)
        assert (loaded.built, loaded.algorithm) == (index.built, index.algorithm)
        np.testing.assert_array_equal(loaded.assignment(), index.assignment())


def test_every_metric(data, metric, tmp_path):
    rows, queries, training = data
    index = IVF(lists_of(8)).build(rows, metric, training)
    index.save(tmp_path / "index.ivf")
    assert digest(IVF.load(tmp_path / "index.ivf"), queries) == digest(index, queries)


def test_another_process_answers_the_same(saved, data, tmp_path):
    index, path, _ = saved
    np.save(tmp_path / "queries.npy", data[1])
    script = (
        "import sys, numpy as np\n"
        "from ivfbench.algorithms.ivf import IVF\n"
        "found = IVF.load(sys.argv[1]).search(np.load(sys.argv[2]), 7, nprobe=3)\n"
        "sys.stdout.write(found.ids.tobytes().hex() + ' ' + found.distances.tobytes().hex())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(tmp_path / "queries.npy")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = index.search(data[1], K, nprobe=3)
    assert done.stdout.split() == [found.ids.tobytes().hex(), found.distances.tobytes().hex()]


def test_the_same_index_gives_the_same_bytes(saved, tmp_path):
    index, _, content = saved
    index.save(tmp_path / "again.ivf")
    assert (tmp_path / "again.ivf").read_bytes() == content


def test_a_loaded_index_can_be_saved_onto_its_own_file(saved, data, tmp_path):
    _, _, content = saved
    path = tmp_path / "index.ivf"
    path.write_bytes(content)
    loaded = IVF.load(path)
    expected = digest(loaded, data[1])
    loaded.save(path)
    assert path.read_bytes() == content
    assert digest(loaded, data[1]) == expected


def test_the_file_says_what_it_holds(saved):
    index, path, _ = saved
    facts = read_facts(path)
    assert facts["algorithm"]["text"] == repr(index.algorithm)
    assert facts["algorithm"]["parameters"]["router"] == {"type": "Centroid", "scoring": "normalised"}
    assert (facts["metric"], facts["n"], facts["d"], facts["lists"]) == ("angular", 300, 16, 4)
    assert facts["code_layout"] == LAYOUT
    assert facts["created_by"].startswith("ivfbench ")


def test_notes_survive_whatever_they_are(data, tmp_path):
    index = IVF(lists_of(4)).build(data[0], "ip")
    odd = {"none": None, "nan": float("nan"), "far": [float("-inf"), np.float32(0.1)], 3: (True, -1, 2**70), "ü": {}}
    index.built.notes.clear()
    index.built.notes.update(odd)
    index.save(tmp_path / "index.ivf")
    read = IVF.load(tmp_path / "index.ivf").built.notes
    assert repr(read) == repr(odd)  # of NaN too; the order and every type


# ---- arrays ---------------------------------------------------------------------------------------------------


def arrays_of(value):
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays_of(part)


@pytest.mark.parametrize("mmap", [True, False])
def test_arrays_are_aligned_and_compile_nothing_anew(saved, data, mmap):
    from ivfbench.algorithms.kernels.compressed import compressed_share, compressed_single

    index, path, _ = saved
    digest(index, data[1])
    kernels = [kernel for kernel in (compressed_single, compressed_share) if hasattr(kernel, "signatures")]
    before = [list(kernel.signatures) for kernel in kernels]
    loaded = IVF.load(path, mmap=mmap)
    arrays = list(arrays_of((loaded.lists.compressed, loaded.routes.panels, loaded.centroids)))
    assert len(arrays) > 10
    assert all(array.ctypes.data % 64 == 0 and array.flags.writeable for array in arrays if array.size)
    digest(loaded, data[1])
    assert [list(kernel.signatures) for kernel in kernels] == before


def test_what_is_written_into_a_mapped_index_stays_out_of_the_file(saved):
    _, path, content = saved
    IVF.load(path).centroids[:] = 0
    assert path.read_bytes() == content


def test_an_array_of_two_parts_is_stored_once(saved):
    index, path, _ = saved
    assert index.lists.space.center is index.routes.space.center
    names = [entry["name"] for entry in read_header(path).entries]
    assert "index.lists.space.center" in names
    assert "index.routes.space.center" not in names


def test_opening_reads_no_large_array(data, tmp_path):
    rows = np.random.default_rng(0).standard_normal((SMALL // 64, 20)).astype(np.float32)
    path = tmp_path / "index.ivf"
    IVF(lists_of(4)).build(rows, "euclidean").save(path)
    header = read_header(path)
    entry = next(entry for entry in header.entries if entry["name"] == "index.lists.panels.values")
    assert entry["nbytes"] > SMALL
    flip(path, header.start + entry["offset"] + entry["nbytes"] // 2)
    IVF.load(path)
    IVF.load(path, mmap=False, verify=False)
    for choice in ({"verify": True}, {"mmap": False}):
        with pytest.raises(IndexFileError, match=r"index\.ivf: damaged array index\.lists\.panels\.values: found"):
            IVF.load(path, **choice)


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 16
    path.write_bytes(content)


def test_arrays_of_every_kind(tmp_path):
    from ivfbench.algorithms.saving.array_file import DTYPES, read_array_file

    arrays = {dtype: np.arange(6).astype(dtype).reshape(2, 3) for dtype in DTYPES}
    arrays |= {"turned": np.arange(6.0).reshape(2, 3).T, "every other": np.arange(9)[::2], "none": np.array(4.5)}
    arrays |= {"big end first": np.arange(3, dtype=">i4"), "empty": np.empty((0, 3), dtype=np.float32)}
    for chosen in (arrays, {}):
        write_array_file(tmp_path / "arrays", {"of": "all kinds"}, chosen)
        for mapped in (True, False):
            header, read = read_array_file(tmp_path / "arrays", mapped=mapped)
            assert header.content == {"of": "all kinds"}
            for expected, found in zip(chosen.values(), read, strict=True):
                np.testing.assert_array_equal(found, expected, strict=expected.dtype.isnative)
                assert found.flags.c_contiguous


def test_nothing_is_left_behind(saved):
    _, path, _ = saved
    assert [entry.name for entry in path.parent.iterdir()] == ["index.ivf"]


# ---- layouts of 4-bit codes -------------------------------------------------------------------------------------


def test_codes_of_another_processor_are_put_in_order(saved, data, tmp_path):
    from ivfbench.algorithms.kernels.blocks import LAYOUTS, convert_layout

    index, path, _ = saved
    (other,) = set(LAYOUTS) - {LAYOUT}
    content, arrays = opened(path)
    name = "index.lists.compressed.blocks.codes"
    arrays[name] = convert_layout(arrays[name], LAYOUT, other)
    content["facts"]["code_layout"] = other
    write_array_file(tmp_path / "other.ivf", content, arrays)
    assert (tmp_path / "other.ivf").read_bytes() != path.read_bytes()
    assert digest(IVF.load(tmp_path / "other.ivf"), data[1]) == digest(index, data[1])
    content["facts"]["code_layout"] = "rows"
    write_array_file(tmp_path / "other.ivf", content, arrays)
    with pytest.raises(IndexFileError, match=r"code_layout: found 'rows', expected one of quads, lanes$"):
        IVF.load(tmp_path / "other.ivf")


def opened(path):
    """The content and the arrays of a file, to write another one with."""
    from ivfbench.algorithms.saving.array_file import read_array_file

    header, arrays = read_array_file(path, mapped=False)
    names = [entry["name"] for entry in header.entries]
    return json.loads(json.dumps(header.content)), dict(zip(names, arrays, strict=True))


# ---- refusals -------------------------------------------------------------------------------------------------


def test_what_cannot_be_saved_is_named_and_nothing_is_written(data, tmp_path):
    path = tmp_path / "index.ivf"
    path.write_bytes(b"what was here")
    index = IVF(lists_of(4), ROUTERS["Oracle"]()).build(data[0], "ip")
    with pytest.raises(ValueError, match=r"^index\.routes: found OracleRoutes, which cannot be saved, expected "):
        index.save(path)
    index = IVF(lists_of(4)).build(data[0], "ip")
    index.built.notes["made by"] = [object()]
    with pytest.raises(ValueError, match=r"^index\.built\.notes\['made by'\]\[0\]: found object, which cannot be"):
        index.save(path)
    index.built.notes["made by"] = np.array(["a"])
    with pytest.raises(ValueError, match=r"^index\.built\.notes\['made by'\]: found an array of <U1, expected one of"):
        index.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["index.ivf"]
    assert path.read_bytes() == b"what was here"


def test_a_write_that_fails_leaves_the_old_file(saved, tmp_path):
    index, _, content = saved
    path = tmp_path / "index.ivf"
    path.write_bytes(b"what was here")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) // 2, before[1]))  # as a full disk would
    try:
        with pytest.raises(OSError, match=r"cannot be written: .*index\.ivf"):
            index.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [entry.name for entry in tmp_path.iterdir()] == ["index.ivf"]
    assert path.read_bytes() == b"what was here"
    with pytest.raises(IsADirectoryError, match="cannot be written"):
        index.save(tmp_path)
    index.save(tmp_path / "new" / "folder" / "index.ivf")
    assert (tmp_path / "new" / "folder" / "index.ivf").read_bytes() == content
