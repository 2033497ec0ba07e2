"""Every kernel that the roofline measures: a new one is one entry here."""

from collections.abc import Callable
from functools import partial

from .codes import scan_of_codes
from .exact import centroids, winners
from .scans import routing, scan_of_a_batch, scan_of_one_query, search_of_a_batch, search_of_one_query
from .sizes import Sizes
from .work import Work

KERNELS: tuple[Callable[[Sizes], Work], ...] = (
    # What is cold stands together: its half gigabyte is made once.
    partial(scan_of_one_query, metric="ip", cold=True),
    partial(scan_of_one_query, metric="manhattan", cold=True),
    partial(search_of_one_query, cold=True),
    partial(winners, cold=True),
    partial(scan_of_one_query, metric="ip", cold=False),
    partial(scan_of_one_query, metric="manhattan", cold=False),
    partial(search_of_one_query, cold=False),
    partial(winners, cold=False),
    partial(scan_of_a_batch, metric="ip"),
    partial(scan_of_a_batch, metric="manhattan"),
    search_of_a_batch,
    partial(scan_of_codes, bits=4, cold=True),
    partial(scan_of_codes, bits=4, cold=False),
    partial(scan_of_codes, bits=8, cold=True),
    partial(scan_of_codes, bits=8, cold=False),
    partial(routing, batch=False),
    partial(routing, batch=True),
    centroids,
)
