"""A variant is a value: checked, printed canonically, and refused where the data have too little."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.layout import describe
from ivfbench.datasets.variant import Variant, variant_of

COUNTS = st.none() | st.integers(1, 100)
VARIANTS = st.builds(
    Variant,
    base=COUNTS,
    pca=COUNTS,
    normalise=st.booleans(),
    metric=st.none() | st.sampled_from(["ip", "euclidean"]),
    learn=COUNTS,
    learn_k=COUNTS,
)


@pytest.mark.parametrize(
    ("variant", "text"),
    [
        (Variant(), ""),
        (Variant(pca=64, metric="ip"), "pca=64,metric=ip"),
        (Variant(metric="Cosine", normalise=True, base=9), "base=9,normalise,metric=angular"),
        (Variant(learn_k=100, learn=5), "learn=5,learn_k=100"),
    ],
)
def test_the_text_is_canonical(variant, text):
    assert str(variant) == text
    assert variant.changes_nothing == (text == "")


@given(VARIANTS, VARIANTS)
def test_the_text_tells_variants_apart(left, right):
    assert (str(left) == str(right)) == (left == right)


@given(VARIANTS)
def test_a_mapping_and_back(variant):
    assert variant_of(dataclasses.asdict(variant)) == variant


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        ({"pca": 0}, "pca: found 0, expected a positive integer"),
        ({"base": -3}, "base: found -3"),
        ({"learn": True}, "learn: found True"),
        ({"pca": 2.5}, "pca: found 2.5"),
        ({"pca": "64"}, "pca: found '64'"),
        ({"learn_k": 101}, "learn_k: found 101, expected at most 100"),
        ({"normalise": 1}, "normalise: found 1, expected true or false"),
        ({"metric": 3}, "metric: found 3, expected a name"),
        ({"metric": "euclidan"}, "did you mean 'euclidean'"),
        ({"normalize": True}, "normalize: no such key, the nearest is normalise"),
        ({3: True}, "3: no such key, the nearest is "),
    ],
)
def test_what_is_refused(spelled, said):
    with pytest.raises(DatasetError) as caught:
        variant_of(spelled)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        (Variant(base=61), "small: has 60 vectors, expected at least 61 for [base=61]"),
        (Variant(pca=6), "small: has 5 dimensions, expected at least 6 for [pca=6]"),
        (
            Variant(learn=10, metric="ip"),
            "small: has 9 training queries, expected at least 10 for [metric=ip,",
        ),
    ],
)
def test_too_little_of_something(dataset_file, variant, said):
    told = describe(dataset_file(), "small")
    Variant(base=60, pca=5, learn=9, learn_k=100).check(told)
    with pytest.raises(DatasetError) as caught:
        variant.check(told)
    assert str(caught.value).startswith(said)


def test_labels_need_training_queries(dataset_file):
    told = describe(dataset_file(drop=("learn", "learn_neighbors")), "small")
    Variant(pca=2).check(told)
    with pytest.raises(DatasetError, match=r"^small: has no training queries, expected some for \[learn_k=3\]$"):
        Variant(learn_k=3).check(told)
