"""Linear routes on two levels, for tens of thousands of lists: groups of representatives first, then those of the best.

At 16,384 lists reading all representatives costs as much as scanning the lists that they choose. Here the
representatives are clustered into √L groups. A query ranks the groups by the means of their representatives, and scores
the representatives of the best groups alone, `BREADTH` times as many as it opens lists. Some of the best lists are
missed; with as many lists as this is made for, their neighbours in rank are nearly as good.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..clustering.kmeans import KMeans
from ..kernels.blocks import Blocks, make_blocks
from ..kernels.byte_queries import byte_codes, byte_steps
from ..kernels.nearest_grouped import nearest_grouped
from ..kernels.space import Space, identity
from .byte_routes import as_linear, one_list
from .router import Routed, Routes

BREADTH = 8  # representatives scored for each list opened, at least
PART = 4  # and at least one of so many of all
GROUPING = KMeans(iterations=10)  # √L groups


@dataclass(frozen=True, slots=True)
class TwoLevelRoutes:
    """Representatives as bytes, in groups.

    Attributes
    ----------
    groups : Blocks
        The mean representative of each group; its bias is their mean bias.
    blocks : Blocks
        Representatives, group after group; ids are lists.
    steps : (d,) float32
        What one code is worth in each coordinate.
    space : Space
        How queries are prepared.
    """

    groups: Blocks
    blocks: Blocks
    steps: npt.NDArray[np.float32]
    space: Space

    @property
    def nbytes(self) -> int:
        """Bytes of codes, biases, lists and steps."""
        return self.groups.codes.nbytes + self.groups.bias.nbytes + self.blocks.nbytes + self.steps.nbytes

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return nprobe good lists of each query, best first: the best of those whose groups are ranked highest."""
        enough = max(BREADTH * nprobe, int(self.blocks.sizes.sum()) // PART)
        return Routed(
            *nearest_grouped(self.groups, self.blocks, self.steps, queries, self.space, nprobe, enough, threads)
        )


def two_level_routes(routes: Routes, seed: int, threads: int) -> TwoLevelRoutes:
    """Return linear routes on two levels.

    Parameters
    ----------
    routes : LinearRoutes
    seed : int
        Of the grouping.
    threads : int
        The result does not depend on it.

    Raises
    ------
    ValueError
        Routes that are not one representative for each list.
    """
    linear = as_linear(routes, "two levels")
    rows, bias = linear.representatives()
    clusters = GROUPING.cluster(rows, identity(rows.shape[1]), seed=seed, threads=threads)
    members = np.maximum(clusters.sizes, 1)
    means = np.zeros((len(members), rows.shape[1]))
    np.add.at(means, clusters.assignment, rows)
    mean_bias = np.bincount(clusters.assignment, bias, minlength=len(members)) / members
    mean_bias[clusters.sizes == 0] = np.inf  # never opened: there is nothing in it
    steps = byte_steps(rows)
    groups = one_list((means / members[:, None]).astype(np.float32), mean_bias.astype(np.float32), steps)
    blocks = make_blocks(
        byte_codes(rows, steps), bias, clusters.assignment, len(members), bits=8, threads=threads
    )  # fmt: skip
    return TwoLevelRoutes(groups, blocks, steps, linear.space)
