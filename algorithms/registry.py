"""Everything that an experiment may name: one line for each member.

Adding a clustering, router, codec or probing policy is one new file and one line here.
"""

from .clustering.kmeans import KMeans
from .codecs.float32 import Float32
from .exact import Exact
from .ivf import IVF
from .probing.ball_cap import BallCap
from .probing.conformal import Conformal
from .probing.distance_ratio import DistanceRatio
from .probing.fixed import Fixed
from .probing.patience import Patience
from .probing.softmax_mass import SoftmaxMass
from .routers.centroid import Centroid
from .routers.learnt import Learnt

ALGORITHMS: dict[str, type] = {"Exact": Exact, "IVF": IVF}
CLUSTERINGS: dict[str, type] = {"KMeans": KMeans}
ROUTERS: dict[str, type] = {"Centroid": Centroid, "Learnt": Learnt}
CODECS: dict[str, type] = {"Float32": Float32}
PROBINGS: dict[str, type] = {
    "BallCap": BallCap,
    "Conformal": Conformal,
    "DistanceRatio": DistanceRatio,
    "Fixed": Fixed,
    "Patience": Patience,
    "SoftmaxMass": SoftmaxMass,
}

MEMBERS: dict[str, type] = {**ALGORITHMS, **CLUSTERINGS, **ROUTERS, **CODECS, **PROBINGS}
