"""Every class that an index file may name: one line for each.

A router or codec whose routes or lists stand here can be saved; it needs no code of its own (`spelling`). The names are
those in the files: a class that is renamed keeps its name here, and a field that it gains has a default, so that files
from before remain readable.
"""

from ..codecs.compressed_lists import CompressedLists
from ..codecs.float32 import Float32Lists
from ..index import Built
from ..kernels.blocks import Blocks
from ..kernels.panels import Panels
from ..kernels.search_compressed import Compressed
from ..kernels.space import Space
from ..probing.calibration import Calibration
from ..routers.byte_routes import ByteRoutes
from ..routers.hybrid import HybridRoutes, SpreadSketch
from ..routers.layers import LayeredRoutes
from ..routers.linear import LinearRoutes
from ..routers.list_size import ListSizeRoutes
from ..routers.manhattan import ManhattanRoutes
from ..routers.multi_centroid import MultiCentroidRoutes
from ..routers.multi_learnt import GroupedRoutes
from ..routers.optimist import OptimistRoutes
from ..routers.random_order import RandomRoutes
from ..routers.two_level_routes import TwoLevelRoutes
from ..routers.two_tower import TwoTowerRoutes

# Not OracleRoutes: they hold a function that searches the lists, and bound what is possible rather than serve anybody.
ROUTES: dict[str, type] = {
    "LinearRoutes": LinearRoutes,
    "ByteRoutes": ByteRoutes,
    "TwoLevelRoutes": TwoLevelRoutes,
    "ManhattanRoutes": ManhattanRoutes,
    "MultiCentroidRoutes": MultiCentroidRoutes,
    "GroupedRoutes": GroupedRoutes,
    "LayeredRoutes": LayeredRoutes,
    "HybridRoutes": HybridRoutes,
    "OptimistRoutes": OptimistRoutes,
    "RandomRoutes": RandomRoutes,
    "ListSizeRoutes": ListSizeRoutes,
    "TwoTowerRoutes": TwoTowerRoutes,
}
LISTS: dict[str, type] = {"Float32Lists": Float32Lists, "CompressedLists": CompressedLists}
PARTS: dict[str, type] = {
    **LISTS,
    **ROUTES,
    "Panels": Panels,
    "Blocks": Blocks,
    "Compressed": Compressed,
    "Space": Space,
    "SpreadSketch": SpreadSketch,
    "Built": Built,
    "Calibration": Calibration,
}
