"""What a query is turned into before it meets 4-bit codes: tables of 8-bit numbers, one scale for all.

``⟨q, r̂⟩ = Σ_m table_m[code_m]`` holds for a vector whose part r̂ is put together from codewords. Each table is
reduced by its least entry and all are divided by one scale, so that entries are integers up to 255 and

    ⟨q, r̂⟩ ≈ offset + scale · Σ_m entry_m[code_m].

Symbols: d' rotated dimension, M sub-quantisers, w = d' / M.
"""

import numpy as np

from .compile import kernel


@kernel
def make_tables(rotated, codewords, values, tables, row):  # type: ignore[no-untyped-def]
    """Fill row `row` of the tables; return the scale and the offset.

    rotated (d',) float32 · codewords (M, w, 16) float32 ·
    values (M, 16) float32, scratch · tables (q, 16·M) uint8
    """
    parts, width = codewords.shape[0], codewords.shape[1]
    offset, span = np.float32(0.0), np.float32(0.0)
    for m in range(parts):
        for code in range(16):
            values[m, code] = np.float32(0.0)
        for j in range(width):
            factor = rotated[m * width + j]
            for code in range(16):
                values[m, code] += factor * codewords[m, j, code]
        low, high = values[m, 0], values[m, 0]
        for code in range(1, 16):
            low = min(low, values[m, code])
            high = max(high, values[m, code])
        for code in range(16):
            values[m, code] -= low
        offset += low
        span = max(span, high - low)
    scale = span / np.float32(255.0) if span > np.float32(0.0) else np.float32(1.0)
    inverse = np.float32(1.0) / scale
    for m in range(parts):
        for code in range(16):
            tables[row, m * 16 + code] = np.uint8(np.int32(values[m, code] * inverse + np.float32(0.5)))
    return scale, offset
