"""What the processor can do, asked before code of its own is written for it.

Generic vectors (`vector`) need no question. An instruction that only some processors have does: compiled for one that
lacks it, LLVM ends the process.
"""

from numba.core import codegen, config


def processor_has(feature: str) -> bool:
    """Return whether the code that Numba compiles may use a feature.

    Parameters
    ----------
    feature : str
        LLVM's name, such as ``avx512vnni`` (`vpdpbusd`) or ``avx512vbmi`` (`vpermb`).

    Returns
    -------
    bool
        Numba's own settings count: NUMBA_CPU_FEATURES, NUMBA_CPU_NAME=generic and NUMBA_ENABLE_AVX=0 may deny what
        the processor has.
    """
    features = config.CPU_FEATURES
    if features is None:
        features = codegen.get_host_cpu_features()
    return f"+{feature}" in features.split(",")
