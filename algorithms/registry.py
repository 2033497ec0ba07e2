"""Everything that an experiment may name: one line for each member.

Adding a clustering, router, codec or probing policy is one new file and one line here.
"""

from .clustering.kmeans import KMeans
from .clustering.shallow import Shallow
from .clustering.spherical import SphericalKMeans
from .codecs.float32 import Float32
from .exact import Exact
from .ivf import IVF
from .probing.fixed import Fixed
from .routers.anisotropic import Anisotropic
from .routers.centroid import Centroid
from .routers.learnt import Learnt
from .routers.list_size import ListSize
from .routers.multi_centroid import MultiCentroid
from .routers.optimist import Optimist
from .routers.oracle import Oracle
from .routers.random_order import Random
from .routers.support_regression import SupportRegression

ALGORITHMS: dict[str, type] = {"Exact": Exact, "IVF": IVF}
CLUSTERINGS: dict[str, type] = {"KMeans": KMeans, "SphericalKMeans": SphericalKMeans, "Shallow": Shallow}
ROUTERS: dict[str, type] = {
    "Centroid": Centroid,
    "Learnt": Learnt,
    "Optimist": Optimist,
    "MultiCentroid": MultiCentroid,
    "Anisotropic": Anisotropic,
    "SupportRegression": SupportRegression,
    "Oracle": Oracle,
    "Random": Random,
    "ListSize": ListSize,
}
CODECS: dict[str, type] = {"Float32": Float32}
PROBINGS: dict[str, type] = {"Fixed": Fixed}

MEMBERS: dict[str, type] = {**ALGORITHMS, **CLUSTERINGS, **ROUTERS, **CODECS, **PROBINGS}
