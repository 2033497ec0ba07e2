"""What the limits are measured with does what it says: the rates mean something only then."""

import numpy as np
import pytest
from ivfbench.algorithms.kernels import limits
from ivfbench.algorithms.kernels.processor import processor_has
from numba.core import config


def test_floats_go_through_every_step():
    for kind, dtype in (("float32 multiply-adds", "float32"), ("float64 multiply-adds", "float64")):
        chains, operations = limits.compute(kind, 4)
        assert (chains.view(dtype) == 1.875).all()  # 0, 1, 1.5, 1.75, 1.875
        assert operations == 4 * chains.view(dtype).size


def test_differences_go_through_every_step():
    chains, operations = limits.compute("float32 differences", 3)
    assert (chains.view("float32") == 2.5).all()  # 0, 1.5, 2, 2.5
    assert operations == 3 * chains.view("float32").size


@pytest.mark.skipif(not processor_has("avx512vnni"), reason="this processor has no vpdpbusd")
def test_byte_products_are_summed_in_fours():
    chains, operations = limits.compute("int8 multiply-adds", 5)
    assert (chains.view("int32") == 5 * 4 * 2 * 3).all()
    assert operations == 5 * chains.size


def test_byte_look_ups_are_chained():
    chains, operations = limits.compute("byte look-ups", 3)
    assert (chains == np.roll(np.arange(64), 3)).all()
    assert operations == 3 * chains.size


def test_the_loops_that_stand_in_do_every_step():
    operands = np.zeros((2, 64), dtype=np.uint8)
    operands[0] = np.roll(np.arange(64, dtype=np.uint8), 1)
    chains = np.tile(np.arange(64, dtype=np.uint8), (3, 1))
    limits._look_up_loop(operands, chains, 70)
    assert (chains == np.roll(np.arange(64), 70)).all()
    operands[0], chains[:] = 2, 1
    limits._byte_product_loop(operands, chains, 2)
    first = 64 * 2  # then the first byte holds the sum so far
    assert (chains[:, 0] == (63 * 2 + first * 2) % 256).all()


@pytest.mark.parametrize("size", [1, 512, 5000, 70_000])
def test_all_of_an_array_is_read(size):
    data = limits.readable(size)
    assert data.ctypes.data % 64 == 0
    assert len(data) % limits.BYTES_PER_STEP == 0
    assert abs(len(data) - size) < limits.BYTES_PER_STEP
    rng = np.random.default_rng(size)
    data[:] = 1 << rng.integers(0, 8, len(data))
    expected = np.bitwise_or.reduce(data.reshape(-1, limits.BYTES_PER_STEP), axis=0)
    for passes in (1, 3):
        np.testing.assert_array_equal(limits.read(data, passes).reshape(-1), expected)
    assert (limits.read(data, 0) == 0).all()


def test_settings_of_numba_deny_what_the_processor_has(monkeypatch):
    monkeypatch.setattr(config, "CPU_FEATURES", "+avx2,-avx512vnni,+avx512vbmi2")
    assert processor_has("avx2")
    assert not processor_has("avx512vnni")
    assert not processor_has("avx512vbmi")  # another one begins with its name
    monkeypatch.setattr(config, "CPU_FEATURES", None)
    monkeypatch.setattr(config, "ENABLE_AVX", 0)
    assert not processor_has("avx2")
    assert not processor_has("avx512f")
