"""Everything that an experiment may name: one line for each member.

Adding a clustering, router, codec or probing policy is one new file and its name here.
"""

from .clustering.kmeans import KMeans
from .clustering.shallow import Shallow
from .clustering.spherical import SphericalKMeans
from .codecs.float32 import Float32
from .codecs.int8 import Int8
from .codecs.product_quantiser import ProductQuantiser
from .definitions.definition import Definition
from .exact import Exact
from .ivf import IVF
from .peers.annoy_forest import Annoy
from .peers.faiss_flat import FaissFlat
from .peers.faiss_hnsw import FaissHNSW, FaissHNSWSQ
from .peers.faiss_ivf import FaissIVFFastScan, FaissIVFFlat, FaissIVFPQ
from .peers.hnswlib_graph import Hnswlib
from .peers.lorann_clusters import LoRANN
from .peers.pynndescent_graph import PyNNDescent
from .peers.scann_tree import ScaNN
from .peers.scikit_learn import ScikitLearn
from .peers.usearch_graph import USearch
from .peers.vamana import Vamana
from .peers.voyager_graph import Voyager
from .probing.ball_cap import BallCap
from .probing.conformal import Conformal
from .probing.distance_ratio import DistanceRatio
from .probing.fixed import Fixed
from .probing.patience import Patience
from .probing.softmax_mass import SoftmaxMass
from .routers.anisotropic import Anisotropic
from .routers.centroid import Centroid
from .routers.hybrid import Hybrid
from .routers.learnt import Learnt
from .routers.list_size import ListSize
from .routers.low_rank import LowRank
from .routers.multi_centroid import MultiCentroid
from .routers.multi_learnt import MultiLearnt
from .routers.network import Network
from .routers.optimist import Optimist
from .routers.oracle import Oracle
from .routers.paper import PaperLearnt
from .routers.random_order import Random
from .routers.support_regression import SupportRegression
from .routers.two_tower import TwoTower

PEERS: dict[str, type] = {
    "FaissFlat": FaissFlat,
    "FaissIVFFlat": FaissIVFFlat,
    "FaissIVFFastScan": FaissIVFFastScan,
    "FaissIVFPQ": FaissIVFPQ,
    "FaissHNSW": FaissHNSW,
    "FaissHNSWSQ": FaissHNSWSQ,
    "Hnswlib": Hnswlib,
    "ScaNN": ScaNN,
    "LoRANN": LoRANN,
    "USearch": USearch,
    "PyNNDescent": PyNNDescent,
    "Annoy": Annoy,
    "Voyager": Voyager,
    "ScikitLearn": ScikitLearn,
    "Vamana": Vamana,
}
ALGORITHMS: dict[str, type] = {"Exact": Exact, "IVF": IVF, **PEERS}
CLUSTERINGS: dict[str, type] = {"KMeans": KMeans, "SphericalKMeans": SphericalKMeans, "Shallow": Shallow}
ROUTERS: dict[str, type] = {
    "Centroid": Centroid,
    "Learnt": Learnt,
    "PaperLearnt": PaperLearnt,
    "MultiLearnt": MultiLearnt,
    "LowRank": LowRank,
    "Network": Network,
    "TwoTower": TwoTower,
    "Hybrid": Hybrid,
    "Optimist": Optimist,
    "MultiCentroid": MultiCentroid,
    "Anisotropic": Anisotropic,
    "SupportRegression": SupportRegression,
    "Oracle": Oracle,
    "Random": Random,
    "ListSize": ListSize,
}
CODECS: dict[str, type] = {"Float32": Float32, "Int8": Int8, "ProductQuantiser": ProductQuantiser}
PROBINGS: dict[str, type] = {
    "BallCap": BallCap,
    "Conformal": Conformal,
    "DistanceRatio": DistanceRatio,
    "Fixed": Fixed,
    "Patience": Patience,
    "SoftmaxMass": SoftmaxMass,
}

# A definition is no algorithm that an experiment may name: it runs code that is not ours, which the command line alone
# can ask for.
MEMBERS: dict[str, type] = {**ALGORITHMS, **CLUSTERINGS, **ROUTERS, **CODECS, **PROBINGS, "Definition": Definition}
