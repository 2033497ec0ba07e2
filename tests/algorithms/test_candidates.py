import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ivfbench.algorithms.kernels.candidates import FEW, append, cut, select, sort_keys
from ivfbench.algorithms.kernels.heap import key_score, key_slot, make_key

pytestmark = pytest.mark.interpreted

LARGEST = 2**64 - 1
# Distinct keys, and beside them the largest of all any number of times: what an empty place would hold.
DISTINCT = st.lists(st.one_of(st.integers(0, 60), st.integers(0, LARGEST - 1)), min_size=1, max_size=80, unique=True)
KEYS = st.builds(lambda keys, ends: keys + [LARGEST] * ends, DISTINCT, st.integers(0, 8))
ORDERED = st.sampled_from([lambda keys: keys, sorted, lambda keys: sorted(keys)[::-1]])


def matrix(keys, width=0):
    """The keys in the middle row of three, the rest of which must stay as it is."""
    made = np.full((3, max(len(keys), width) + 2), 7, dtype=np.uint64)
    made[1, : len(keys)] = keys
    return made


def untouched(made, count):
    return (made[[0, 2]] == 7).all() and (made[1, count:] == 7).all()


@given(KEYS, ORDERED, st.data())
def test_select_brings_the_lowest_to_the_front(keys, ordered, data):
    keys = ordered(keys)
    fewest = data.draw(st.integers(1, len(keys)))
    most = data.draw(st.integers(fewest, len(keys) + 3))
    made = matrix(keys)
    kept = select(made, 1, len(keys), fewest, most)
    assert min(fewest, len(keys)) <= kept <= most
    assert sorted(made[1, :kept].tolist()) == sorted(keys)[:kept]
    assert sorted(made[1, : len(keys)].tolist()) == sorted(keys)
    assert untouched(made, len(keys))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.data())
def test_select_of_equal_keys(keys, data):
    fewest = data.draw(st.integers(1, len(keys)))
    made = matrix(keys)
    kept = select(made, 1, len(keys), fewest, fewest)
    assert kept == fewest
    assert sorted(made[1, :kept].tolist()) == sorted(keys)[:kept]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 64, FEW, FEW + 1, 500])
def test_select_of_random_keys(count):
    generator = np.random.default_rng(count)
    for fewest in sorted({1, count // 3 + 1, count}):
        keys = generator.integers(0, 2**63, count).astype(np.uint64)
        made = matrix(keys)
        kept = select(made, 1, count, fewest, fewest + fewest // 4)
        assert min(fewest, count) <= kept <= fewest + fewest // 4
        np.testing.assert_array_equal(np.sort(made[1, :kept]), np.sort(keys)[:kept])


@pytest.mark.parametrize("count", [0, 1, 2, 17, FEW, FEW + 1])
def test_sort_keys(count):
    keys = np.random.default_rng(count).permutation(count).astype(np.uint64) << np.uint64(40)
    made, ranked = matrix(keys), np.empty((1, max(1, count)), dtype=np.uint64)
    sort_keys(made, 1, count, ranked)
    np.testing.assert_array_equal(made[1, :count], np.sort(keys))
    assert untouched(made, count)


@given(DISTINCT, st.data())
def test_sort_keys_of_any(keys, data):
    count = data.draw(st.integers(0, len(keys)))
    made = matrix(keys)
    sort_keys(made, 1, count, np.empty((1, len(keys)), dtype=np.uint64))
    assert made[1, : len(keys)].tolist() == sorted(keys[:count]) + keys[count:]


@given(st.lists(st.floats(-1024, 1024, width=32), min_size=1, max_size=60), st.data())
def test_cut_tells_the_score_of_the_worst_that_it_keeps(scores, data):
    keys = [int(make_key(np.float32(score), np.uint64(slot))) for slot, score in enumerate(scores)]
    fewest = data.draw(st.integers(1, len(keys)))
    made = matrix(keys)
    kept, limit = cut(made, 1, len(keys), fewest, fewest + 2)
    assert sorted(made[1, :kept].tolist()) == sorted(keys)[:kept]
    worst = np.uint64(sorted(keys)[kept - 1])
    assert np.float32(limit).tobytes() == np.float32(key_score(worst)).tobytes()


@given(st.integers(0, 2**16 - 1), st.integers(0, 5))
def test_append_takes_what_the_mask_marks(mask, count):
    scores = np.arange(96, dtype=np.float32).reshape(2, 48) - 20
    made = matrix([], 30)
    after = append(np.uint64(mask), scores, 1, 16, 320, made, 1, count)
    lanes = [lane for lane in range(16) if mask >> lane & 1]
    assert after == count + len(lanes)
    assert [key_slot(key) for key in made[1, count:after]] == [320 + lane for lane in lanes]
    assert [key_score(key) for key in made[1, count:after]] == [scores[1, 16 + lane] for lane in lanes]
    made[1, count:after] = 7
    assert untouched(made, 0)


def test_a_buffer_that_is_cut_keeps_what_sorting_everything_keeps():
    generator = np.random.default_rng(3)
    scores = generator.integers(-40, 40, 4000).astype(np.float32)  # ties abound; slots decide
    wanted, count, limit = 25, 0, np.float32(np.inf)
    made = matrix([], 3 * wanted + 16)
    for begin in range(0, len(scores), 16):
        step = scores[None, begin : begin + 16]
        mask = sum(1 << lane for lane in range(16) if step[0, lane] <= limit)
        count = append(np.uint64(mask), step, 0, 0, begin, made, 1, count)
        if count + 16 > 3 * wanted + 16:
            count, limit = cut(made, 1, count, wanted, wanted + wanted // 4)
    kept = sorted(made[1, :count].tolist())[:wanted]
    order = np.lexsort((np.arange(len(scores)), scores))[:wanted]
    assert [key_slot(np.uint64(key)) for key in kept] == order.tolist()
