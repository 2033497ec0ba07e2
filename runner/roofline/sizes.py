"""How large the arrays are that the roofline is measured on."""

from dataclasses import dataclass

from ...algorithms.rows import positive

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Sizes:
    """What to measure with.

    Attributes
    ----------
    dimension : int
    list_size : int
        Vectors of a list.
    cold : int
        Bytes that are read in turn: so many more than the last cache holds that none of them is still there.
    warm : int
        Bytes that the second-level cache holds.
    part : int
        Bytes that one timed call reads of what is cold.
    seconds : float
        That each kernel, and each limit beside it, is timed for.
    """

    dimension: int = 128
    list_size: int = 300
    cold: int = 512 * MIB
    warm: int = MIB // 4
    part: int = 8 * MIB
    seconds: float = 0.4

    def __post_init__(self) -> None:
        for name in ("dimension", "list_size", "cold", "warm", "part"):
            positive(getattr(self, name), name)

    @property
    def list_bytes(self) -> int:
        """Bytes of the float32 vectors of a list."""
        return 4 * self.dimension * self.list_size

    @property
    def arrays(self) -> tuple[int, ...]:
        """Bytes of the arrays whose reading is timed: in the first, second and last cache, and in memory."""
        return (min(self.warm, 16 << 10), self.warm, min(self.cold, 16 * self.warm), self.cold)
