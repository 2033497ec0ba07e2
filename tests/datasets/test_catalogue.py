import re
from urllib.parse import urlparse

import pytest
from ivfbench.datasets.catalogue import COLLECTIONS, Entry, catalogue, entry, parse_catalogue
from ivfbench.datasets.errors import DatasetError, UnknownDataset
from ivfbench.datasets.metric import METRICS, metric_from_name

ROW = """
- name: one-4-ip
  url: https://example.org/one-4-ip.hdf5
  metric: ip
  dimension: 4
  n: 10
  queries: 2
  sha256: null
  collection: vibe
  note: null
"""


@pytest.mark.parametrize("each", catalogue(), ids=lambda each: each.name)
def test_contract(each: Entry):
    url = urlparse(each.url)
    assert url.scheme == "https"
    assert url.path.endswith(f"/{each.name}.hdf5")
    assert each.metric in METRICS
    assert each.collection in COLLECTIONS
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each.name)
    assert each.queries < each.n
    assert each.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", each.sha256)
    consistent = str(each.dimension) in each.name.split("-") and metric_from_name(each.name) == each.metric
    assert consistent or each.note
    assert entry(each.name) is each


def test_the_collections_are_whole():
    names = {each.name for each in catalogue()}
    assert {
        "sift-128-euclidean",
        "lastfm-64-dot",
        "coco-t2i-512-angular",
        "dbpedia-openai-300k-angular",
    } <= names
    assert {"yandex-200-cosine", "cqadupstack-muvera-5120-ip", "celeba-resnet-2048-cosine"} <= names
    counts = [sum(each.collection == collection for each in catalogue()) for collection in COLLECTIONS]
    assert counts == [28, 30]
    assert not any(word in name for name in names for word in ("hamming", "jaccard", "binary"))


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UnknownDataset, match="sift-128-euclidean"):
        entry("sift-128-euclidian")
    with pytest.raises(UnknownDataset, match="drift"):
        entry("drfit")
    with pytest.raises(UnknownDataset, match="a path"):
        entry("zzzzzz")


def test_a_name_given_twice():
    with pytest.raises(DatasetError, match="entry 2: the name 'one-4-ip' is taken"):
        parse_catalogue(ROW + ROW, "test.yml")
    with pytest.raises(DatasetError, match="'drift' is taken"):
        parse_catalogue(ROW.replace("name: one-4-ip", "name: drift"), "test.yml")


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("metric: ip", "metric: dot", "metric is 'dot'"),
        ("n: 10", "n: 0", "n is 0"),
        ("n: 10", "n: true", "n is True"),
        ("dimension: 4", "dimension: 4.5", "dimension is 4.5"),
        ("  note: null", "", "expected name, url"),
        ("note: null", "note: null\n  extra: 1", "extra"),
        ("note: null", "note: 3", "note is 3"),
        ("collection: vibe", "collection: mine", "collection is 'mine'"),
        ("url: https://example.org/one-4-ip.hdf5", "url: ''", "url is ''"),
    ],
)
def test_entries_that_are_wrong(old, new, word):
    with pytest.raises(DatasetError, match="entry 1") as caught:
        parse_catalogue(ROW.replace(old, new), "test.yml")
    assert word in str(caught.value)


@pytest.mark.parametrize("text", ["just text", "a: [", "!!python/object/apply:os.getcwd []"])
def test_texts_that_are_no_catalogue(text):
    with pytest.raises(DatasetError, match=r"test\.yml"):
        parse_catalogue(text, "test.yml")
