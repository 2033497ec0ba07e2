"""Linear routes whose representatives are bytes: a quarter of the memory, and of the time, of float32.

Any linear router may be stored so after it was fitted (`IVF(routing="int8")`): the order of lists changes where scores
are nearly equal, and nowhere else.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels.blocks import Blocks, make_blocks
from ..kernels.byte_queries import byte_codes, byte_steps
from ..kernels.nearest_bytes import nearest_bytes
from ..kernels.space import Space
from .linear import LinearRoutes
from .router import Routed, Routes


@dataclass(frozen=True, slots=True)
class ByteRoutes:
    """Representatives in blocks of bytes; the list of lowest ``bias - ⟨q, representative⟩`` comes first.

    Attributes
    ----------
    blocks : Blocks
        Slot i is the representative of list i.
    steps : (d,) float32
        What one code is worth in each coordinate.
    space : Space
        How queries are prepared.
    """

    blocks: Blocks
    steps: npt.NDArray[np.float32]
    space: Space

    @property
    def nbytes(self) -> int:
        """Bytes of codes, biases and steps."""
        return self.blocks.codes.nbytes + self.blocks.bias.nbytes + self.steps.nbytes

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query."""
        return Routed(*nearest_bytes(self.blocks, self.steps, queries, self.space, nprobe, threads))


def byte_routes(routes: Routes) -> ByteRoutes:
    """Return linear routes with their representatives stored as bytes.

    Raises
    ------
    ValueError
        Routes that are not one representative for each list.
    """
    linear = as_linear(routes, "int8")
    rows, bias = linear.representatives()
    steps = byte_steps(rows)
    return ByteRoutes(one_list(rows, bias, steps), steps, linear.space)


def as_linear(routes: Routes, routing: str) -> LinearRoutes:
    """Return routes that are one representative for each list, which is what can be stored as `routing` says.

    Raises
    ------
    ValueError
        They are something else.
    """
    if not isinstance(routes, LinearRoutes):
        raise ValueError(f"IVF.routing: found {routing!r} for {type(routes).__name__}, expected a linear router")
    return routes


def one_list(rows: npt.NDArray[np.float32], bias: npt.NDArray[np.float32], steps: npt.NDArray[np.float32]) -> Blocks:
    """Lay rows (n, d) out as bytes, in their order."""
    return make_blocks(byte_codes(rows, steps), bias, np.zeros(len(rows), dtype=np.int32), 1, bits=8)
