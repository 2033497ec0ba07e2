"""Everything that an experiment may name: one line for each member.

Adding a clustering, router, codec or probing policy is one new file and one line here.
"""

from .clustering.kmeans import KMeans
from .codecs.float32 import Float32
from .exact import Exact
from .ivf import IVF
from .probing.fixed import Fixed
from .routers.centroid import Centroid
from .routers.hybrid import Hybrid
from .routers.learnt import Learnt
from .routers.low_rank import LowRank
from .routers.multi_learnt import MultiLearnt
from .routers.network import Network
from .routers.paper import PaperLearnt
from .routers.two_tower import TwoTower

ALGORITHMS: dict[str, type] = {"Exact": Exact, "IVF": IVF}
CLUSTERINGS: dict[str, type] = {"KMeans": KMeans}
ROUTERS: dict[str, type] = {
    "Centroid": Centroid,
    "Learnt": Learnt,
    "PaperLearnt": PaperLearnt,
    "MultiLearnt": MultiLearnt,
    "LowRank": LowRank,
    "Network": Network,
    "TwoTower": TwoTower,
    "Hybrid": Hybrid,
}
CODECS: dict[str, type] = {"Float32": Float32}
PROBINGS: dict[str, type] = {"Fixed": Fixed}

MEMBERS: dict[str, type] = {**ALGORITHMS, **CLUSTERINGS, **ROUTERS, **CODECS, **PROBINGS}
