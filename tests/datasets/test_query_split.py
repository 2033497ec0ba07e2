"""Which queries are tested on and which are learnt from."""

import json

import pytest
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.query_split import Split, split_queries


def write(path, named):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in named.items()))
    return path


@pytest.fixture
def many(tmp_path):
    """Fifty queries."""
    return write(tmp_path / "queries.jsonl", {f"q{place}": f"question {place}" for place in range(50)})


@pytest.fixture
def qrels(tmp_path):
    """A function writing judgements: a file's name and the queries judged in it."""

    def make(**files):
        folder = tmp_path / f"qrels-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name, ids in files.items():
            rows = "".join(f"{query}\td{place}\t1\n" for place, query in enumerate(ids))
            (folder / f"{name}.tsv").write_text("query-id\tcorpus-id\tscore\n" + rows)
        return folder

    return make


def names(part):
    return [name for name, _ in part]


def test_a_draw_parts_every_query_and_is_the_same_every_time(many):
    got = split_queries(many, Split(test_count=12))
    assert (len(got.test), len(got.learn), got.dropped) == (12, 38, 0)
    assert set(names(got.test)) | set(names(got.learn)) == {f"q{place}" for place in range(50)}
    assert got == split_queries(many, Split(test_count=12))
    order = [f"q{place}" for place in range(50)]
    assert names(got.test) == sorted(names(got.test), key=order.index) != order[:12]
    assert set(names(got.test)) < set(names(split_queries(many, Split(test_count=20)).test))


def test_a_fifth_by_default(many, tmp_path):
    assert len(split_queries(many, Split()).test) == 10
    one = write(tmp_path / "one.jsonl", {"a": "b"})
    assert (len(split_queries(one, Split()).test), split_queries(one, Split()).learn) == (1, ())


def test_a_file_of_test_queries(many, tmp_path):
    tests = write(tmp_path / "test.jsonl", {"t1": "another", "q3": "question 7 "})
    got = split_queries(many, Split(test_queries=tests))
    assert got.test == (("t1", "another"), ("q3", "question 7 "))
    assert len(got.learn) == 49
    assert "q7" not in names(got.learn)  # its text is tested
    assert "q3" in names(got.learn)  # its text is not
    assert got.dropped == 1


def test_judgements_decide(many, qrels):
    folder = qrels(test=["q5", "q4", "q5"], dev=["q8"], train=["q20", "q4", "q10"])
    got = split_queries(many, Split(qrels=folder))
    assert (names(got.test), names(got.learn), got.dropped) == (["q4", "q5"], ["q10", "q20"], 1)
    got = split_queries(many, Split(qrels=folder, test_split="dev"))
    assert (names(got.test), names(got.learn)) == (["q8"], ["q4", "q10", "q20"])


def test_dev_stands_in_for_test_and_training_may_be_absent(many, qrels):
    got = split_queries(many, Split(qrels=qrels(dev=["q8", "q9"])))
    assert (names(got.test), got.learn) == (["q8", "q9"], ())


def test_fewer_training_queries_are_part_of_more(many):
    few, more = (split_queries(many, Split(test_count=5, learn_count=count)) for count in (10, 30))
    assert few.test == more.test
    assert (len(few.learn), len(more.learn)) == (10, 30)
    assert set(few.learn) < set(more.learn)
    assert len(split_queries(many, Split(test_count=5, learn_count=1000)).learn) == 45


def test_what_is_refused(many, qrels, tmp_path):
    empty = write(tmp_path / "empty.jsonl", {})
    folder = qrels(train=["q1"])
    for split, path, said in (
        (Split(qrels=folder), many, f"{folder}: found no test.tsv or dev.tsv"),
        (Split(qrels=folder, test_split="dev"), many, f"{folder}: found no dev.tsv"),
        (Split(qrels=qrels(test=["q1", "zz"])), many, "test.tsv:3: found query id 'zz', expected one of the queries"),
        (Split(qrels=qrels(test=[])), many, "no test queries, expected at least one"),
        (Split(test_count=51), many, "found 50 queries, expected at least 51 to draw"),
        (Split(test_queries=empty), many, "empty.jsonl: no test queries"),
        (Split(), empty, "found 0 queries, expected at least 1"),
    ):
        with pytest.raises(DatasetError) as caught:
            split_queries(path, split)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        ({"test_count": 3, "qrels": "x"}, "found qrels and test_count, expected at most one of them"),
        ({"test_queries": "x", "qrels": "x"}, "found test_queries and qrels"),
        ({"test_split": "dev"}, "test_split: found 'dev' without qrels"),
        ({"test_count": 0}, "test_count: found 0"),
        ({"learn_count": -1}, "learn_count: found -1"),
    ],
)
def test_splits_that_contradict_themselves(spelled, said):
    with pytest.raises(DatasetError) as caught:
        Split(**spelled)
    assert said in str(caught.value)
