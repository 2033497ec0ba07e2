"""Names beside dots without one lying on another.

Each label tries the places around its dot, near ones first, and takes the first that touches neither another
label nor a dot, a line or the frame; if all do, the one that touches least. A thin line leads to a label that had to go
far. Nothing is random: equal figures get equal labels.
"""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

RADII = (9.0, 14.0, 22.0, 32.0, 44.0, 58.0, 74.0, 92.0, 112.0, 134.0, 158.0)  # points from the dot
DIRECTIONS = tuple(
    math.pi * turn / 16.0
    for turn in sorted(range(32), key=lambda turn: (turn % 16 != 0, turn % 2, abs(turn % 16 - 8) < 5, turn))
)  # beside the dot first, above and below it last
HARM = 20.0  # how much worse a touched label, dot or frame is than a crossed line
DOT = 6.0  # points around a dot that stay free
STEPS = 24  # pieces of a line
LED = 13.0  # from this radius on a line leads to the label


def place_labels(
    canvas: FigureCanvasAgg, axes: Axes, x: Sequence[float], y: Sequence[float], names: Sequence[str], size: float = 7.5
) -> list[Bbox]:
    """Write a name beside each dot that has one and return the boxes they fill, in pixels.

    The axes must have their final limits and place.
    """
    pixel = canvas.figure.dpi / 72.0
    dots = [tuple(axes.transData.transform(dot)) for dot in zip(x, y, strict=True)]
    taken = [Bbox.from_extents(a - DOT * pixel, b - DOT * pixel, a + DOT * pixel, b + DOT * pixel) for a, b in dots]
    frame = axes.get_window_extent()
    boxes: list[Bbox] = []
    lines: list[Bbox] = []
    # The crowded first: they have the fewest places to choose from.
    crowd = sorted(range(len(dots)), key=lambda place: sum(math.dist(dots[place], other) for other in dots))
    for place in (place for place in crowd if names[place]):
        width, height = _extent(canvas, axes, names[place], size)
        radius, box = _best(dots[place], (width, height), pixel, frame, taken, boxes, lines)
        boxes.append(box)
        lines += _steps(dots[place], box) if radius >= LED else []
        line = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(
            names[place],
            xy=(x[place], y[place]),
            xytext=((box.x0 - dots[place][0]) / pixel, (box.y0 - dots[place][1]) / pixel),
            textcoords="offset points",
            fontsize=size,
            va="bottom",
            ha="left",
            arrowprops=line if radius >= LED else None,
        )
    return boxes


def _extent(canvas: FigureCanvasAgg, axes: Axes, name: str, size: float) -> tuple[float, float]:
    text = axes.text(0.0, 0.0, name, fontsize=size)
    box = text.get_window_extent(canvas.get_renderer())  # type: ignore[no-untyped-call]
    text.remove()
    return box.width, box.height


def _best(
    dot: tuple[float, float],
    extent: tuple[float, float],
    pixel: float,
    frame: Bbox,
    dots: Sequence[Bbox],
    labels: Sequence[Bbox],
    lines: Sequence[Bbox],
) -> tuple[float, Bbox]:
    worst = math.inf
    chosen = (0.0, Bbox.from_bounds(*dot, *extent))
    for radius in RADII:
        for angle in DIRECTIONS:
            box = _box(dot, extent, radius * pixel, angle)
            overlap = HARM * (sum(_common(box, other) for other in (*dots, *labels)) + _outside(box, frame))
            overlap += sum(_common(box, step) for step in lines)
            if radius >= LED:  # the line to it should cross no other label, and no dot far from its own
                steps = [step for step in _steps(dot, box) if math.dist(dot, step.min) > 2.5 * DOT * pixel]
                overlap += HARM * sum(_common(step, other) for step in steps for other in (*labels, *dots))
            if overlap == 0.0:
                return radius, box
            if overlap + radius < worst:  # of two poor places the nearer
                worst, chosen = overlap + radius, (radius, box)
    return chosen


def _box(dot: tuple[float, float], extent: tuple[float, float], radius: float, angle: float) -> Bbox:
    # The label's nearest edge or corner is at the radius: text to the left ends there, text to the right begins.
    across, up = math.cos(angle), math.sin(angle)
    left = dot[0] + radius * across - extent[0] * (1.0 - across) / 2.0
    bottom = dot[1] + radius * up - extent[1] * (1.0 - up) / 2.0
    return Bbox.from_bounds(left, bottom, *extent)


def _steps(dot: tuple[float, float], box: Bbox) -> list[Bbox]:
    # The line from a dot to the middle of its label, up to the label, as small boxes.
    middle = ((box.x0 + box.x1) / 2.0, (box.y0 + box.y1) / 2.0)
    points = [
        (dot[0] + part * (middle[0] - dot[0]), dot[1] + part * (middle[1] - dot[1]))
        for part in (step / STEPS for step in range(1, STEPS))
    ]
    return [Bbox.from_extents(a - 1, b - 1, a + 1, b + 1) for a, b in points if not box.contains(a, b)]


def _common(one: Bbox, other: Bbox) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return float(max(0.0, width) * max(0.0, height))


def _outside(box: Bbox, frame: Bbox) -> float:
    return float(box.width * box.height) - _common(box, frame)
