import pytest
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.metric import METRICS, canonical_metric, metric_from_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cosine", "angular"),
        (" Angular ", "angular"),
        ("dot", "ip"),
        ("inner product", "ip"),
        ("L2", "euclidean"),
        ("L1", "manhattan"),
        ("cityblock", "manhattan"),
        ("Taxicab", "manhattan"),
    ],
)
def test_aliases(text, expected):
    assert canonical_metric(text) == expected


@pytest.mark.parametrize("metric", METRICS)
def test_canonical_names_stay(metric):
    assert canonical_metric(metric) == metric


def test_unknown_names_the_nearest():
    with pytest.raises(DatasetError, match="did you mean 'euclidean'") as caught:
        canonical_metric("euclidian")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_unsupported(metric):
    with pytest.raises(DatasetError, match=f"{metric}.*not supported"):
        canonical_metric(metric)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("glove-200-cosine", "angular"),
        ("agnews-mxbai-1024-euclidean-uint8", "euclidean"),
        ("dbpedia-openai-100k-angular", "angular"),
        ("yi-128-ip", "ip"),
        ("sift-128-l1", "manhattan"),
        ("sift-photos-manhattan", "manhattan"),
        ("my-vectors", None),
        ("euclid-3000", None),
    ],
)
def test_names_tell_the_metric(name, expected):
    assert metric_from_name(name) == expected


def test_name_of_bits_is_refused():
    with pytest.raises(DatasetError, match="hamming"):
        metric_from_name("agnews-mxbai-1024-hamming-binary")
