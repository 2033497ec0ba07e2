"""Fuzz one target with atheris: ``python tests/fuzz/fuzz.py TARGET [options of libFuzzer]``.

The corpus in the repository is read and never written; new inputs are kept in a temporary folder.
"""

import random
import resource
import sys
from pathlib import Path

import atheris

READERS = ["ivfbench.datasets", "ivfbench.results", "ivfbench.runner"]
with atheris.instrument_imports(include=READERS, exclude=["ivfbench.datasets.differences"]):  # Numba reads that one
    import targets

CORPUS = Path(__file__).parent / "corpus"
MEMORY = 1536 * 2**20  # of addresses; half of it is taken before the first input
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


def mutate_in_place(data: bytes, most: int, seed: int) -> bytes:
    """Change some bytes and leave all others where they are: binary formats point into themselves."""
    draw = random.Random(seed)
    if not data or draw.random() < 0.1:
        return atheris.Mutate(data, most)
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        place = next((at for at in (draw.randrange(len(changed)) for _ in range(6)) if changed[at]), 0)
        if draw.random() < 0.6:
            changed[place] = draw.choice((draw.randrange(256), changed[place] ^ (1 << draw.randrange(8)), 0, 1, 255))
            continue
        width = draw.choice((2, 4, 8))
        number = draw.choice((*NUMBERS, draw.randrange(len(changed)))) % 256**width
        changed[place : place + width] = number.to_bytes(width, "little")[: len(changed) - place]
    return bytes(changed[:most])


def main() -> None:
    """Fuzz the target that the first argument names."""
    name = sys.argv[1]
    options = {} if name == "experiment" else {"custom_mutator": mutate_in_place}
    (targets.FOLDER / "found").mkdir()
    found = str(targets.FOLDER / "found")  # libFuzzer keeps new inputs in the first folder it is given
    arguments = ["-rss_limit_mb=1024", "-timeout=10", "-max_len=65536", *sys.argv[2:], found, str(CORPUS / name)]
    # HDF5 asks for as much memory as a file tells it to: as in `datasets.isolated`, it does not get that much.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    atheris.Setup([sys.argv[0], *arguments], targets.TARGETS[name], **options)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
