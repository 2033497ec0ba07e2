import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ivfbench.algorithms.kernels.compile import kernel
from ivfbench.algorithms.kernels.heap import (
    LARGEST,
    NO_SLOT,
    clear,
    key_score,
    key_slot,
    make_heap,
    make_key,
    offer,
    sort_heap,
)  # fmt: skip

pytestmark = pytest.mark.interpreted

SCORES = st.floats(width=32, allow_nan=False, allow_infinity=True)
SLOTS = st.integers(0, NO_SLOT - 1)
SUBNORMAL = 1e-45
EDGES = [-np.inf, -LARGEST, -1.0, -SUBNORMAL, -0.0, 0.0, SUBNORMAL, 1.1754944e-38, 1.0, LARGEST, np.inf]


def key(score, slot):
    return int(make_key(np.float32(score), np.uint64(slot)))


def keys_of(pairs):
    return np.array([key(score, slot) for score, slot in pairs], dtype=np.uint64)


@kernel
def keep(heaps, row, scores, slots, limits):
    # Offer everything to one heap, and tell the limit after each offer.
    clear(heaps, row)
    for i in range(scores.shape[0]):
        limits[i] = offer(heaps, row, scores[i], slots[i])
    sort_heap(heaps, row, heaps.shape[1])


def test_keys_sort_as_floats_do():
    keys = [key(score, 5) for score in EDGES]
    assert keys == sorted(set(keys))


@given(SCORES, SLOTS, SCORES, SLOTS)
def test_keys_order_by_score_then_slot(score, slot, other_score, other_slot):
    if score != other_score:
        assert (key(score, slot) < key(other_score, other_slot)) == (score < other_score)
    elif np.signbit(score) == np.signbit(other_score):
        assert (key(score, slot) < key(other_score, other_slot)) == (slot < other_slot)


@given(SCORES, SLOTS)
def test_a_key_gives_back_what_went_in(score, slot):
    made = np.uint64(key(score, slot))
    assert np.float32(key_score(made)).tobytes() == np.float32(score).tobytes()
    assert key_slot(made) == slot


def test_an_empty_place_has_no_slot_and_comes_last():
    heaps = np.zeros((3, 2), dtype=np.uint64)
    clear(heaps, 1)
    assert [key_slot(place) for place in heaps[1]] == [-1, -1]
    assert not heaps[[0, 2]].any()
    assert key(LARGEST, NO_SLOT - 1) < int(heaps[1, 0])


@given(st.lists(SCORES.filter(np.isfinite), max_size=40), st.integers(1, 12), st.randoms(use_true_random=False))
def test_a_heap_keeps_the_smallest_in_any_order_of_arrival(scores, k, random):
    pairs = [(score, slot) for slot, score in enumerate(scores)]
    expected = sorted(keys_of(pairs).tolist())[:k]
    random.shuffle(pairs)
    heaps, limits = np.full((3, k), 5, dtype=np.uint64), np.empty(len(pairs), dtype=np.float32)
    arrived = np.array([score for score, _ in pairs], dtype=np.float32)
    keep(heaps, 1, arrived, np.array([slot for _, slot in pairs], dtype=np.int64), limits)
    heap = heaps[1]
    assert (heaps[[0, 2]] == 5).all()
    assert heap[: len(expected)].tolist() == expected
    assert all(key_slot(place) == -1 for place in heap[len(expected) :])
    for i in range(len(pairs)):
        kept = np.sort(arrived[: i + 1])[:k]
        assert limits[i] == (kept[-1] if len(kept) == k else np.float32(LARGEST))


@given(st.lists(st.tuples(SCORES, SLOTS), max_size=40))
def test_make_heap_then_sort_heap_sorts(pairs):
    heaps, size = np.full((2, len(pairs) + 1), 5, dtype=np.uint64), len(pairs)
    heaps[1, :size] = keys_of(pairs)
    expected = [*sorted(heaps[1, :size].tolist()), 5]
    make_heap(heaps, 1, size)
    assert all(heaps[1, (i - 1) // 2] >= heaps[1, i] for i in range(1, size))
    sort_heap(heaps, 1, size)
    assert heaps[1].tolist() == expected
    assert (heaps[0] == 5).all()


def test_duplicates_keep_the_lower_slots():
    heaps, limits = np.empty((1, 3), dtype=np.uint64), np.empty(8, dtype=np.float32)
    keep(heaps, 0, np.ones(8, dtype=np.float32), np.arange(7, -1, -1), limits)
    assert [key_slot(place) for place in heaps[0]] == [0, 1, 2]
