"""The compressed scans at work: codes of 4 and of 8 bits, one query after the other."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ...algorithms.codecs.product_quantiser import default_subquantisers
from ...algorithms.kernels.alone import scan_codes_each
from ...algorithms.kernels.blocks import Blocks, make_blocks
from ...algorithms.kernels.lookup import LAYOUT
from .lists import PARTS, PROBES, SEED
from .sizes import Sizes
from .work import Work

CANDIDATES = 60
READ_AT_ONCE = 8 << 20  # bytes of codes that a call reads of what is warm


def _parts(dimension: int, bits: int) -> int:
    # Codes of a vector, as the codecs choose them.
    return -(-dimension // 4) * 4 if bits == 8 else default_subquantisers(dimension)


@lru_cache(maxsize=1)
def _lists(lists: int, list_size: int, parts: int, bits: int) -> Blocks:
    generator = np.random.default_rng(SEED)
    codes = generator.integers(0, 2**bits, (lists * list_size, parts), dtype=np.uint8)
    assignment = np.repeat(np.arange(lists, dtype=np.int32), list_size)
    return make_blocks(
        codes, np.zeros(len(codes), dtype=np.float32), assignment, lists, bits=bits, layout=LAYOUT
    )  # fmt: skip


def _tables(queries: int, parts: int, bits: int) -> npt.NDArray[np.uint8]:
    generator = np.random.default_rng(SEED)
    return generator.integers(0, 256, (PARTS, queries, parts if bits == 8 else 16 * parts), dtype=np.uint8)


def scan_of_codes(sizes: Sizes, bits: int, cold: bool) -> Work:
    """One query after the other scans the codes of its lists."""
    parts = _parts(sizes.dimension, bits)
    each = parts * bits // 8 + 4
    count = max(PROBES, sizes.cold // 4 // (each * sizes.list_size) // PROBES * PROBES) if cold else PROBES
    blocks = _lists(count, sizes.list_size, parts, bits)
    queries = max(1, (sizes.part if cold else READ_AT_ONCE) // (PROBES * each * sizes.list_size))
    queries = min(queries, count // PROBES) if cold else queries
    order = np.random.default_rng(SEED).permutation(count).astype(np.int32).reshape(-1, PROBES)
    starts = range(0, len(order) - queries + 1, queries)
    probes = [np.repeat(order, queries, axis=0)] if len(order) == 1 else [order[i : i + queries] for i in starts]
    tables = _tables(queries, parts, bits)
    pairs = queries * PROBES * sizes.list_size
    operation = "int8 multiply-adds" if bits == 8 else "byte look-ups"
    return Work(
        f"scan, {bits}-bit codes", "cold" if cold else "warm", pairs * each, {operation: pairs * parts},
        count * sizes.list_size * each,
        lambda i: scan_codes_each(blocks, bits == 4, tables[i % PARTS], probes[i % len(probes)], CANDIDATES),
    )  # fmt: skip
