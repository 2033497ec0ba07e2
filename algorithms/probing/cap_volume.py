"""Volumes of the caps of a ball, as a table."""

import numpy as np
import numpy.typing as npt

STEPS = 1024  # a power of two, so that place and remainder are exact
NODES = 8  # of Gauss and Legendre in each step


def cap_volumes(dimension: int, steps: int = STEPS) -> npt.NDArray[np.float64]:
    """Return the volume of the cap beyond a height, as a part of the volume of the ball.

    With u the height over the radius it is ½ I_{1-u²}((d+1)/2, ½), I the regularised incomplete beta function; that is
    the integral of ``(1 - t²)^((d-1)/2)`` from u to 1, over the same from -1 to 1 (S. Li, "Concise Formulas for the
    Area and Volume of a Hyperspherical Cap", Asian Journal of Mathematics and Statistics 4, 2011). With t = sin φ the
    integrand is ``cos φ ^ d``, smooth everywhere. Sums run from the pole down, so that small caps keep their digits.

    Parameters
    ----------
    dimension : int
        d, at least 1.
    steps : int

    Returns
    -------
    (steps + 1,) float64
        At the heights 0, 1 / steps, ..., 1: from ½ down to 0.
    """
    edges = np.arcsin(np.linspace(0.0, 1.0, steps + 1))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    middles, halves = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    slices = (np.cos(middles[:, None] + halves[:, None] * nodes) ** dimension) @ weights * halves
    beyond = np.append(np.cumsum(slices[::-1])[::-1], 0.0)
    return np.asarray(beyond / (2 * beyond[0]), dtype=np.float64)
