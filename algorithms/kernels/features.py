"""What the processor can do, asked once.

An instruction that the processor lacks does not raise, it ends the process. Every kernel that names one asks here
first. Numba's own settings (`NUMBA_CPU_NAME`, `NUMBA_CPU_FEATURES`) are honoured: code is compiled for what they say.
"""

import llvmlite.binding
from numba.core import config


def host_has(*features: str) -> bool:
    """Return whether code may use all of the features, named as LLVM names them (``avx2``, ``avx512vbmi``)."""
    if config.CPU_FEATURES is not None:
        named = set(config.CPU_FEATURES.split(","))
        return all(f"+{feature}" in named for feature in features)
    if config.CPU_NAME not in (None, "host"):  # another processor without a list of features: nothing is known
        return False
    known = llvmlite.binding.get_host_cpu_features()
    return all(known.get(feature, False) for feature in features)
