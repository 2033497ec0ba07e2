"""A table that fits the terminal it is read in.

Rows of one dataset, k, mode and threads stand together under one heading line, so that those columns take no
room and rows that must not be compared are never mixed. What still does not fit is left out, the least
important first, and counted below. Nothing is left out in silence.
"""

import textwrap

from .cells import Cells
from .probing import NO_PROBING

GAP = "  "
HEADING = ("dataset", "k", "mode", "threads")
CONSTANT = ("n", "dimension", "seed", "seeds", "probing", "status")
"""Said once above the table where they are the same in every row (that has any probing)."""
KEPT_LONGEST = (
    *("algorithm", "recall", "qps", "probing", "query_parameters", "points_scanned", "status", "message"),
    *("lists_probed", "latency_p50_ms", "build_seconds", "learn_seconds"),
    *("latency_p99_ms", "qps_low", "qps_high", "index_bytes", "cores_used", "seed", "label_seconds", "latency_p95_ms"),
    *("recall_promised", "lists_probed_p90", "lists_probed_p50", "lists_probed_p10"),
    *("peak_memory_bytes", "compile_seconds", "recall_ann_benchmarks", "n", "dimension", "router_bytes", "parameters"),
)
_NEVER_DROPPED = 3  # the most important columns stay, shortened if need be
_NARROWEST = 8  # characters a text column keeps even then


def terminal_table(table: Cells, width: int) -> str:
    """Return aligned text of at most `width` characters a line, where eight a column allow it."""
    said = _constants(table)
    heading = [name for name in HEADING if name in table.headers]
    wanted = [name for name in table.headers if name not in (*said, *heading)]
    shown = _fit(_only(table, wanted), width)
    widths = _widths(shown)
    lines = textwrap.wrap(" · ".join(said.values()), width) if said else []
    for title, rows in _sections(table, heading, shown):
        lines += ["", *textwrap.wrap(title, width)] if title else []
        lines += _aligned(rows, widths)
    left_out = len(wanted) - len(shown.headers)
    lines += ["", *textwrap.wrap(_note(left_out), width, break_on_hyphens=False)] if left_out else []
    return "\n".join(lines).lstrip("\n") + "\n"


def _note(left_out: int) -> str:
    columns = "1 column, it is" if left_out == 1 else f"{left_out} columns, all of them"
    return f"left out for want of room: {columns} in --format csv"


def _constants(table: Cells) -> dict[str, str]:
    if len(table.rows) < 2:
        return {}
    columns = dict(zip(table.headers, zip(*table.rows, strict=True), strict=True))
    found = {name: set(columns[name]) for name in CONSTANT if name in columns}
    found = {name: values - {NO_PROBING} or values for name, values in found.items()}
    return {name: f"{name} {values.pop()}" for name, values in found.items() if len(values) == 1}


def _sections(table: Cells, heading: list[str], shown: Cells) -> list[tuple[str, Cells]]:
    """The shown rows under their headings, in order of first appearance."""
    places = [table.headers.index(name) for name in heading]
    found: dict[str, list[tuple[str, ...]]] = {}
    for full, row in zip(table.rows, shown.rows, strict=True):
        title = " · ".join(f"{name} {full[place]}" for name, place in zip(heading, places, strict=True))
        found.setdefault(title, []).append(row)
    found = found or {"": []}
    return [(title, Cells(shown.headers, tuple(rows), shown.right)) for title, rows in found.items()]


def _fit(table: Cells, width: int) -> Cells:
    """Leave out columns until the rest fits; columns without a rank go before the ranked, from the right."""
    kept = list(table.headers)
    rank = {name: position for position, name in enumerate(KEPT_LONGEST)}
    # The first word counts: "qps (ratio)" is as important as "qps".
    by_rank = sorted(kept, key=lambda name: (rank.get(name.partition(" ")[0], len(rank)), kept.index(name)))
    for name in reversed(by_rank[_NEVER_DROPPED:]):
        if _width(_only(table, kept)) <= width:
            break
        kept.remove(name)
    return _shorten(_only(table, kept), width)


def _only(table: Cells, names: list[str]) -> Cells:
    chosen = [table.headers.index(name) for name in names]
    rows = tuple(tuple(row[column] for column in chosen) for row in table.rows)
    return Cells(tuple(names), rows, tuple(table.right[column] for column in chosen))


def _widths(table: Cells) -> list[int]:
    return [max(map(len, column)) for column in zip(table.headers, *table.rows, strict=True)]


def _width(table: Cells) -> int:
    widths = _widths(table)
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _shorten(table: Cells, width: int) -> Cells:
    """Cut the widest text column by what is still too much."""
    excess = _width(table) - width
    text = [column for column, right in enumerate(table.right) if not right]
    if excess <= 0 or not text:
        return table
    widths = _widths(table)
    widest = max(text, key=widths.__getitem__)
    room = max(_NARROWEST, widths[widest] - excess)
    headers, *rows = (_cut(row, widest, room) for row in (table.headers, *table.rows))
    return Cells(headers, tuple(rows), table.right)


def _cut(row: tuple[str, ...], place: int, room: int) -> tuple[str, ...]:
    text = row[place]
    short = text if len(text) <= room else f"{text[: room - 1]}…"
    return (*row[:place], short, *row[place + 1 :])


def _aligned(table: Cells, widths: list[int]) -> list[str]:
    rule = tuple("-" * column for column in widths)
    return [_line(row, widths, table.right) for row in (table.headers, rule, *table.rows)]


def _line(row: tuple[str, ...], widths: list[int], right: tuple[bool, ...]) -> str:
    padded = [
        text.rjust(column) if to_right else text.ljust(column)
        for text, column, to_right in zip(row, widths, right, strict=True)
    ]
    return GAP.join(padded).rstrip()
