"""Bad input, one row per case: one line that names the file and says what is wrong, exit code 2, nothing written."""

import subprocess
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from ivfbench.datasets.truth import exact_neighbors
from ivfbench.datasets.write import write_dataset
from ivfbench.results.store import save_run

EXACT = "k: 2\nalgorithms: [{type: Exact}]\n"
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}]}}\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def vectors(metric="euclidean"):
    """Twelve vectors, three test queries, three training queries, and the truth about them."""
    rng = np.random.default_rng(0)
    train, test, learn = (rng.integers(-9, 10, (rows, 4)).astype("f4") for rows in (12, 3, 3))
    neighbors, distances = exact_neighbors(train, test, 3, metric)
    learned, _ = exact_neighbors(train, learn, 2, metric)
    return {
        "train": train,
        "test": test,
        "neighbors": neighbors,
        "distances": distances,
        "learn": learn,
        "learn_neighbors": learned,
    }


NEAREST = vectors()

# ---- datasets -----------------------------------------------------------------------------------------------


def sound(path, metric="euclidean", **replaced):
    """Write a dataset with some of its arrays replaced; None leaves one out."""
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = metric
        for key, array in {**vectors(metric), **replaced}.items():
            if array is not None:
                file[key] = array


def with_arrays(**makers):
    """A dataset whose arrays are what the makers turn them into."""
    return lambda path: sound(path, **{key: make(vectors()[key]) for key, make in makers.items()})


def without(*keys):
    return lambda path: sound(path, **dict.fromkeys(keys))


def planted(place, value, dtype=None):
    def make(array):
        changed = array.astype(dtype or array.dtype)
        changed[place] = value
        return changed

    return make


def in_file(act, libver=None):
    """A dataset that `act` then changes."""

    def make(path):
        sound(path)
        with h5py.File(path, "r+", libver=libver) as file:
            act(file)

    return make


def instead(key, put):
    def act(file):
        del file[key]
        put(file)

    return in_file(act)


def marked(**attributes):
    return in_file(lambda file: file.attrs.update(attributes))


def linked(key, link):
    return instead(key, lambda file: file.update({key: link}))


def cut(share):
    def make(path):
        sound(path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])

    return make


def patched(old, new):
    """A dataset as this project writes it, with bytes exchanged."""

    def make(path):
        write_dataset(path, metric="euclidean", **vectors())
        whole = path.read_bytes()
        assert whole.count(old) == 1
        path.write_bytes(whole.replace(old, new))

    return make


def long_attribute(path):
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["distance"] = "euclidean"
        file.attrs["note"] = np.zeros(2**21, "u1")


def many_attributes(path):
    with h5py.File(path, "w", libver="latest") as file:
        for place in range(1001):
            file.attrs[f"a{place}"] = 1


def elsewhere(path):
    """Another file, which a bad one points to."""
    other = path.with_name("elsewhere.h5")
    with h5py.File(other, "w") as file:
        file["train"] = vectors()["train"]
    return other


def virtual(path):
    layout = h5py.VirtualLayout((12, 4), "f4")
    layout[:] = h5py.VirtualSource(elsewhere(path), "train", (12, 4))
    instead("train", lambda file: file.create_virtual_dataset("train", layout))(path)


def external_storage(path):
    raw = [(str(path.with_suffix(".raw")), 0, 192)]
    instead("train", lambda file: file.create_dataset("train", (12, 4), "f4", external=raw))(path)


def soft_link_through_external(path):
    def put(file):
        file["there"] = h5py.ExternalLink(elsewhere(path), "/")
        file["train"] = h5py.SoftLink("/there/train")

    instead("train", put)(path)


def empty_chunks(shape, **options):
    return instead("train", lambda file: file.create_dataset("train", shape, "f4", chunks=(1024, 4), **options))


def deflate_bomb(path):
    packed = zlib.compress(bytes(2**23))

    def put(file):
        item = file.create_dataset("train", (9 * 2**19, 4), "f4", chunks=(2**19, 4), compression="gzip")
        for start in range(0, 9 * 2**19, 2**19):
            item.id.write_direct_chunk((start, 0), packed)

    instead("train", put)(path)


def zero_vectors(path):
    arrays = vectors("angular")
    arrays["train"][arrays["neighbors"][0, 0]] = 0
    sound(path, "angular", **{**arrays, "learn": None, "learn_neighbors": None})


def unending(path):
    """The free space of the heap of texts has no size: HDF5 steps over it for ever."""
    write_dataset(path, metric="euclidean", **vectors())
    whole = bytearray(path.read_bytes())
    heap = whole.index(b"GCOL\x01\0\0\0")
    place = heap + 16
    while int.from_bytes(whole[place : place + 2], "little"):
        place += 16 + -(-int.from_bytes(whole[place + 8 : place + 16], "little") // 8) * 8
    whole[place + 8 : place + 16] = bytes(8)
    path.write_bytes(whole)


def other_metric(path):
    arrays = vectors("ip")
    sound(path, **{key: arrays[key] for key in ("neighbors", "distances", "learn_neighbors")})


DATASETS = {
    "missing": (lambda path: None, "no such file"),
    "folder": (Path.mkdir, "is not a file"),
    "empty file": (Path.touch, "not a readable HDF5 file"),
    "web page": (lambda path: path.write_text("<!DOCTYPE html>"), "not a readable HDF5 file"),
    "only a signature": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "not a readable HDF5 file"),
    **{f"cut at {share}": (cut(share), "not a readable HDF5 file") for share in (0.001, 0.02, 0.2, 0.5, 0.9, 0.9999)},
    **{f"no {key}": (without(key), f"{key!r} is missing") for key in ("train", "test", "neighbors")},
    "nothing in it": (without(*vectors()), "'train' is missing: found nothing"),
    **{f"vector for {key}": (with_arrays(**{key: lambda array: array[0]}), f"{key!r} has shape") for key in vectors()},
    "cube": (with_arrays(train=lambda array: array[None]), "'train' has shape (1, 12, 4): expected a matrix"),
    "number": (with_arrays(neighbors=lambda array: array[0, 0]), "'neighbors' has shape (): expected a matrix"),
    "d of queries": (with_arrays(test=lambda array: array[:, 1:]), "'test' has 3 columns, expected 4 as in 'train'"),
    "d of learn": (with_arrays(learn=lambda array: array[:, 1:]), "'learn' has 3 columns, expected 4 as in 'train'"),
    "d said": (marked(dimension=5), "'train' has 4 columns, but attribute 'dimension' says 5"),
    "rows of neighbors": (with_arrays(neighbors=lambda array: array[1:]), "'neighbors' has 2 rows, expected 3"),
    "shape of distances": (with_arrays(distances=lambda array: array[:, 1:]), "'distances' has shape (3, 2)"),
    "fewer rows than neighbors": (with_arrays(train=lambda array: array[:2]), "'neighbors' has 3 columns, but 'train'"),
    "NaN": (with_arrays(train=planted((5, 1), np.nan)), "'train' row 5, column 1: found nan, expected a finite"),
    "infinity": (with_arrays(test=planted((1, 2), -np.inf)), "'test' row 1, column 2: found -inf, expected a finite"),
    "beyond float32": (with_arrays(train=planted((5, 1), 1e300, "f8")), "'train' row 5, column 1: found 1e+300"),
    "NaN to learn from": (with_arrays(learn=planted((1, 0), np.nan)), "'learn' row 1, column 0: found nan"),
    "NaN distance": (with_arrays(distances=planted((1, 0), np.nan)), "'distances' row 1: holds NaN"),
    "no rows": (with_arrays(train=lambda array: array[:0]), "'train' has shape (0, 4): expected a matrix"),
    "no columns": (with_arrays(train=lambda array: array[:, :0]), "'train' has shape (12, 0): expected a matrix"),
    "K < k": (lambda path: sound(path, neighbors=NEAREST["neighbors"][:, :1], distances=None), "at least k = 2"),
    "id n": (with_arrays(neighbors=planted((2, 1), 12)), "'neighbors' row 2, rank 1: found id 12, expected 0 .. 11"),
    "id -1": (with_arrays(neighbors=planted((2, 1), -1)), "'neighbors' row 2, rank 1: found id -1, expected 0 .. 11"),
    "id 2^33": (with_arrays(neighbors=planted((2, 1), 2**33, "i8")), "found id 8589934592, expected 0 .. 11"),
    "learnt id": (with_arrays(learn_neighbors=planted((2, 1), 12)), "'learn_neighbors' row 2, rank 1: found id 12"),
    "id twice": (with_arrays(neighbors=lambda array: array[:, [0, 0, 2]]), "row 0: names an id twice, expected"),
    "not sorted": (with_arrays(distances=lambda array: array[:, ::-1]), "expected nearest first"),
    "another metric": (other_metric, "'neighbors' of query 0, rank 0: found id 5 at distance"),
    "squared": (with_arrays(distances=np.square), "'distances' of query 0, rank 0: found"),
    "not the nearest": (with_arrays(neighbors=lambda array: (array + 1) % 12), "'neighbors' of query 0"),
    "zero vectors under angular": (zero_vectors, "of query 0"),
    "unknown metric": (marked(distance="euclidan"), "did you mean 'euclidean'?"),
    "metric not measured": (marked(distance="hamming"), "'hamming' is not supported"),
    "no metric": (in_file(lambda file: file.attrs.clear()), "does not say its metric"),
    "sparse": (marked(type="sparse"), "only dense vectors"),
    "texts": (with_arrays(train=lambda array: array.astype("S8")), "'train' has dtype |S8: expected numbers"),
    "texts of any length": (
        instead("train", lambda file: file.create_dataset("train", data=[["1"] * 4] * 12, dtype=h5py.string_dtype())),
        "'train' has dtype object: expected numbers",
    ),
    "bits": (with_arrays(train=lambda array: array > 0), "'train' has dtype bool"),
    "ids with fractions": (with_arrays(neighbors=lambda array: array.astype("f4")), "'neighbors' has dtype float32"),
    "attribute of 2 MB": (long_attribute, "attribute 'note' has 2,097,152 bytes, expected at most 1,048,576"),
    "1001 attributes": (many_attributes, "has 1,001 attributes, expected at most 1,000"),
    "attribute that claims 4 GB": (
        # In the file a text is its length, the address of its heap and its place there.
        patched(b"\x09\0\0\0\0\x08\0\0", b"\xf0\xff\xff\xff\0\x08\0\0"),
        "not a readable HDF5 file",
    ),
    "heap of texts without end": (unending, "not a readable HDF5 file"),
    "shape of a terabyte": (empty_chunks((2**36, 4)), "'train' has 0 chunks: expected 67,108,864"),
    "chunks left out": (empty_chunks((2048, 4)), "'train' has 0 chunks: expected 2"),
    "values left out": (
        instead("train", lambda file: file.create_dataset("train", (2**36, 4), "f4")),
        "'train' has 0 bytes of values: expected 1,099,511,627,776",
    ),
    "deflate bomb": (deflate_bomb, "expected at most 200 times as many"),
    "external link": (
        lambda path: linked("train", h5py.ExternalLink(elsewhere(path), "train"))(path),
        "'train' is a link to another file",
    ),
    "external link behind another": (soft_link_through_external, "'train' is a link to another file"),
    "dangling link": (
        linked("train", h5py.SoftLink("/nowhere")),
        "'train' is a dangling link",
    ),
    "group": (instead("train", lambda file: file.create_group("train")), "'train' is a group: expected an array"),
    "virtual dataset": (virtual, "'train' is a virtual dataset: expected the array itself"),
    "external storage": (external_storage, "'train' keeps its values in another file"),
}  # fmt: skip

# ---- experiments --------------------------------------------------------------------------------------------

IVF = "k: 2\nalgorithms: [{type: IVF, clustering: {type: KMeans, lists: 3}, "
EXPERIMENTS = {
    "missing": (None, "no such file or shipped experiment"),
    "empty": ("", "found NoneType, expected a mapping with the key `algorithms`"),
    "a list": ("[1, 2]", "found list, expected a mapping"),
    "bytes": (b"\xff\xfe\0\xd8", "cannot be read as text"),
    "half a file": (IVF, "not YAML: "),
    "unknown key": (EXACT + "repetition: 3", "repetition: no such key, the nearest is repetitions"),
    "unknown type": ("algorithms: [{type: Exakt}]", "type: found 'Exakt', expected one of Exact, IVF"),
    "unknown type, near": ("algorithms: [{type: Exakt}]", "did you mean Exact?"),
    "unknown field": (IVF + "clusterin: {type: KMeans}}]", "did you mean clustering?"),
    "unknown field of a part": (IVF + "router: {type: Learnt, epoch: 3}}]", "did you mean epochs?"),
    "unknown query": (IVF + "query: {nprobes: 3}}]", "did you mean nprobe?"),
    "unknown variant": (EXACT + "variants: {pac: 4}", "variants: pac: no such key, the nearest is pca"),
    "k is text": ("k: ten\nalgorithms: [{type: Exact}]", "k.0: found 'ten'"),
    "k is 0": ("k: 0\nalgorithms: [{type: Exact}]", "k.0: found 0"),
    "k is a fraction": ("k: 2.5\nalgorithms: [{type: Exact}]", "k.0: found 2.5"),
    "k above K": ("k: 4\nalgorithms: [{type: Exact}]", "expected at least k = 4"),
    "k of 100 bits": (f"k: {10**30}\nalgorithms: [{{type: Exact}}]", "line 1: found an integer of 100 bits, expected"),
    "mode": (EXACT + "mode: singel", "mode.0: found 'singel'"),
    "algorithms is a mapping": ("algorithms: {type: Exact}", "algorithms: found"),
    "part is a number": (IVF + "router: 3}]", "IVF.router: found 3"),
    "part of another kind": (IVF + "router: {type: Int8}}]", "IVF.router: found Int8()"),
    "field is text": (IVF + "router: {type: Learnt, epochs: many}}]", "Learnt.epochs: found 'many'"),
    "no algorithms": ("algorithms: []", "algorithms: found []"),
    "no k": ("k: []\nalgorithms: [{type: Exact}]", "k: found []"),
    "empty grid": (IVF + "query: {nprobe: []}}]", "query.nprobe: found an empty list, expected at least one"),
    "empty alternatives": (IVF + "router: []}]", "found an empty list of alternatives, expected at least one"),
    "more lists than there are": (IVF + "query: {nprobe: [1, 4]}}]", "query.nprobe: found 4, expected at most the 3"),
    "no lists": (IVF + "query: {nprobe: 0}}]", "nprobe: found 0, expected a positive integer"),
    "repetitions": (EXACT + "repetitions: 1000000000", "repetitions: found 1000000000"),
    "seed": (EXACT + "seeds: 4294967296", "seeds.0: found 4294967296"),
    "number of 5000 digits": ("k: " + "9" * 5000, "not YAML: "),
    "octal of 6000 digits": ("k: 0" + "7" * 6000, "line 1: found an integer of 18000 bits, expected at most 63"),
    "grid of a million": (
        "algorithms:\n- type: IVF\n"
        f"  clustering: {{type: KMeans, lists: {list(range(1, 1001))}}}\n"
        f"  router: {{type: Learnt, epochs: {list(range(1, 1001))}}}\n",
        "algorithms[0]: found a grid of 1,000,000 combinations, expected at most 10,000",
    ),
    "alias bomb": (BOMB, "values with all aliases, expected at most 100,000"),
    "merge bomb": (MERGES, "values with all aliases, expected at most 100,000"),
    "inside itself": ("algorithms: &a [*a]", "line 1: found a value inside itself, expected plain values"),
    "nested deeply": ("algorithms: " + "[" * 60 + "]" * 60, "line 1: found more than 50 levels, expected fewer"),
    "nested very deeply": ("[" * 5000, "not YAML: "),
    "file of 200 kB": (EXACT + "#" * 200_000, "found 200,033 bytes, expected an experiment of at most 100,000"),
    "object tag": ("x: !!python/object/apply:os.mkdir ['made']", "not YAML: "),
    "name tag": ("x: !!python/name:os.system", "not YAML: "),
    "own tag": ("x: !somebody {a: 1}", "not YAML: "),
    "wrong tag": ("x: !!bool maybe", "not YAML: KeyError"),
    "two documents": (EXACT + "---\n" + EXACT, "not YAML: "),
}

# ---- folders of results -------------------------------------------------------------------------------------


def held(change=None):
    """A folder that holds one result, which `change` may change."""

    def make(out, run):
        path = save_run(out, run)
        if change is not None:
            with h5py.File(path, "r+") as file:
                change(file)

    return make


def replaced(name, put):
    def change(file):
        file.move(name, "was")
        put(file, name)

    return change


def facts(make):
    def put(file, name):
        file.create_dataset(name, data=np.frombuffer(make(bytes(file["was"][()])), "u1"))

    return replaced("facts", put)


def half_written(out, run):
    path = save_run(out, run)
    path.write_bytes(path.read_bytes()[:2000])


def foreign(out, run):
    out.mkdir()
    sound(out / "dataset.hdf5")


def dangling(out, run):
    out.symlink_to(out.with_name("nowhere"))


def linked_away(out, run):
    save_run(out.with_name("other"), run)
    out.mkdir()
    (out / "sample-64-euclidean").symlink_to(out.with_name("other") / "sample-64-euclidean")


TABLE, RUN = "table --out out", "run sound.yml --dataset sound.hdf5 --out out"
FOLDERS = {
    "missing": (lambda out, run: None, TABLE, "out: found no such folder"),
    "a file": (lambda out, run: out.write_text("text"), TABLE, "out: found no such folder"),
    "a file to write into": (lambda out, run: out.write_text("text"), RUN, "out: is a file, expected a folder"),
    "empty": (lambda out, run: out.mkdir(), TABLE, "out: found no results, expected some"),
    "empty, to draw": (lambda out, run: out.mkdir(), "plot --out out", "out: found no results, expected some"),
    "empty, to report": (lambda out, run: out.mkdir(), "report --out out", "out: found no results, expected some"),
    "half-written": (half_written, TABLE, "hdf5: found an unreadable file, expected a result file in HDF5"),
    "not finished": (held(lambda file: file.attrs.pop("complete")), TABLE, "found no completion mark, expected"),
    "foreign": (foreign, TABLE, "dataset.hdf5: found no mark 'ivfbench run', expected a result file"),
    "newer": (held(lambda file: file.attrs.update(schema_version=99)), TABLE, "found schema 99, expected 2 or older"),
    "newer, to write into": (held(lambda file: file.attrs.update(schema_version=99)), RUN, "found schema 99, expected"),
    "no schema": (held(lambda file: file.attrs.update(schema_version="x")), TABLE, "found a damaged header"),
    "array for a mark": (held(lambda file: file.attrs.update(format=[1, 2])), TABLE, "attribute 'format': found int64"),
    "no array": (held(lambda file: file.pop("truth_ids")), TABLE, "found a damaged run"),
    "link": (
        held(replaced("truth_ids", lambda file, name: file.update({name: h5py.ExternalLink("x", "y")}))),
        TABLE,
        "/truth_ids: found a link to elsewhere, expected the values",
    ),
    "group": (
        held(replaced("truth_ids", lambda file, name: file.create_group(name))),
        TABLE,
        "/truth_ids: found a group, expected an array",
    ),
    "values left out": (
        held(replaced("truth_ids", lambda file, name: file.create_dataset(name, (2**36, 10), "i4", chunks=(9, 9)))),
        TABLE,
        "/truth_ids: found 0 bytes stored, expected enough for 2,748,779,069,440 bytes of values",
    ),
    "external storage": (
        held(replaced("truth_ids", lambda file, name: file.create_dataset(name, (4,), "i4", external=[("x", 0, 16)]))),
        TABLE,
        "/truth_ids: found an array whose values lie in other files",
    ),
    "facts nested deeply": (held(facts(lambda old: b"[" * 50_000)), TABLE, "found a damaged run"),
    "facts of other types": (held(facts(lambda old: old.replace(b'"k":10', b'"k":"x"'))), TABLE, "k: found 'x'"),
    "facts unknown": (held(facts(lambda old: old.replace(b'"k":10', b'"k":10,"l":1'))), TABLE, "keyword argument 'l'"),
    "facts with a number of 30 digits": (
        held(facts(lambda old: old.replace(b'"n":4000', b'"n":' + b"9" * 30))),
        TABLE,
        "n: found 999999999999999999999999999999, expected 64 bits at most",
    ),
    "dangling link": (dangling, RUN, "is a link to"),
    "linked away": (linked_away, TABLE, "found a link to a folder elsewhere, expected the folder itself"),
    "linked away, to write into": (linked_away, RUN, "found a link to a folder elsewhere, expected the folder itself"),
    "read-only": (lambda out, run: out.symlink_to("/proc/self"), RUN, "out: cannot be written to"),
}  # fmt: skip


# ---- the table: what to put into a folder, the command, and what its one line says ---------------------------


def dataset(make, *said):
    def prepare(folder, make_runs):
        (folder / "some.yml").write_text(EXACT)
        make(folder / "bad.hdf5")

    return prepare, "run some.yml --dataset bad.hdf5 --out out", ("bad", *said)


def experiment(content, *said):
    def prepare(folder, make_runs):
        sound(folder / "sound.hdf5")
        if content is not None:
            (folder / "bad.yml").write_bytes(content.encode() if isinstance(content, str) else content)

    return prepare, "run bad.yml --dataset sound.hdf5 --out out", said


def results(make, command, *said):
    def prepare(folder, make_runs):
        sound(folder / "sound.hdf5")
        (folder / "sound.yml").write_text(EXACT)
        make(folder / "out", make_runs()[0])

    return prepare, command, said


CASES = {
    **{f"dataset: {name}": dataset(*row) for name, row in DATASETS.items()},
    **{f"experiment: {name}": experiment(*row) for name, row in EXPERIMENTS.items()},
    **{f"results: {name}": results(*row) for name, row in FOLDERS.items()},
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_is_wrong_and_nothing_is_written(tmp_path, refused, sample_runs, case):
    prepare, command, said = CASES[case]
    prepare(tmp_path, sample_runs)
    refused(command, *said)


@pytest.mark.parametrize(
    ("case", "command"),
    [
        ("cut at 0.5", "run some.yml --dataset bad.hdf5"),
        ("NaN", "datasets verify bad.hdf5"),
        ("texts", "datasets info bad.hdf5"),
    ],
)
def test_so_it_is_in_a_process(tmp_path, invocation, snapshot, case, command):
    (tmp_path / "some.yml").write_text(EXACT)
    DATASETS[case][0](tmp_path / "bad.hdf5")
    before = snapshot()
    done = subprocess.run(
        **{**invocation(*command.split()), "cwd": tmp_path}, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert DATASETS[case][1] in done.stderr
    assert snapshot() == before
