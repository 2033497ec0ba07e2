"""Dense layers at query time, without torch: what small networks become once they are trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..kernels.panels import Panels, make_panels
from ..kernels.score import score_all
from ..kernels.space import Space, identity
from .router import Routed
from .scored import route_by_scores


def dense(weights: npt.NDArray[np.float32], constants: npt.NDArray[np.float32] | None = None) -> Panels:
    """Lay a layer out: weights (outputs, inputs), constants (outputs,) or None for zeros."""
    rows = np.ascontiguousarray(weights, dtype=np.float32)
    bias = None if constants is None else np.float32(0.0) - constants
    return make_panels(rows, identity(rows.shape[1]), bias=bias)


def dense_from(layer: Any, scale: Any = 1.0) -> Panels:
    """Lay a torch layer out, for inputs that were multiplied by `scale` in training and are not here."""
    constants = None if layer.bias is None else layer.bias.detach().numpy()
    return dense(layer.weight.detach().numpy() * np.float32(scale), constants)


def through(
    layers: Sequence[Panels], inputs: npt.NDArray[np.float32], space: Space, threads: int, *, rectified: bool
) -> npt.NDArray[np.float32]:
    """Return the outputs of layers one after the other, with a ReLU between them if `rectified`.

    Parameters
    ----------
    layers : sequence of Panels
    inputs : (q, d) float32
    space : Space
        How the inputs are prepared on their way into the first layer.
    threads : int
    rectified : bool
    """
    outputs = score_all(layers[0], inputs, space, threads)
    for layer in layers[1:]:
        if rectified:
            np.maximum(outputs, 0, out=outputs)
        outputs = score_all(layer, outputs, identity(outputs.shape[1]), threads)
    return outputs


def columns_of(layers: Sequence[Panels]) -> int:
    """Return how many numbers all outputs of a query are together."""
    return sum(int(layer.sizes.sum()) for layer in layers)


@dataclass(frozen=True, slots=True)
class LayeredRoutes:
    """Scores are the outputs of the last layer.

    Attributes
    ----------
    layers : tuple of Panels
    space : Space
        How queries are prepared.
    rectified : bool
        A ReLU between layers; without it the layers are a product of matrices.
    """

    layers: tuple[Panels, ...]
    space: Space
    rectified: bool

    @property
    def nbytes(self) -> int:
        """Bytes of weights and constants."""
        return sum(layer.values.nbytes + layer.bias.nbytes for layer in self.layers)

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query."""

        def score(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            return through(self.layers, block, self.space, threads, rectified=self.rectified)

        return route_by_scores(score, queries, nprobe, columns_of(self.layers), threads)
