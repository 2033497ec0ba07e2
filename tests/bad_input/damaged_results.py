"""Folders of results that must be refused: how each is made, the command that meets it, and what is said of it."""

import h5py
import numpy as np
from damaged_datasets import sound
from ivfbench.results.store import save_run


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
