"""Student's t distribution for whole degrees of freedom: tails and quantiles, without a statistics library.

Source: M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4: for whole degrees of
freedom the distribution is a finite sum of powers of a cosine.
"""

import math

_STEPS = 200  # halvings of a bracket: more than the digits of a float64


def tail(t: float, freedom: int) -> float:
    """Return the probability of a value above `t`; infinite `t` are allowed."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    angle = math.atan(t / math.sqrt(freedom))
    term = power = math.cos(angle) ** (freedom % 2)
    total = power if freedom > 1 else 0.0
    for place in range(2 + freedom % 2, freedom, 2):
        term *= (place - 1) / place * math.cos(angle) ** 2
        total += term
    inside = math.sin(angle) * total
    if freedom % 2:
        inside = 2.0 / math.pi * (angle + inside)
    return 0.5 * (1.0 - inside)


def quantile(above: float, freedom: int) -> float:
    """Return the value with the probability `above` beyond it, 0 < above <= 0.5."""
    low, high = 0.0, 1.0
    while tail(high, freedom) > above:
        high *= 2.0
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if tail(middle, freedom) > above else (low, middle)
    return high
