"""An encoder that needs no model: words hashed to signed coordinates. As a script it embeds a folder's texts, slowly.

``python hashing.py OUT FOLDER SECONDS`` pauses so long per block, prints one line per block, and is meant to be killed.
"""

import hashlib
import sys
import time
from pathlib import Path

import numpy as np


class Hashing:
    """A bag of hashed words, (n, 32) float32; counts its calls."""

    def __init__(self, dimension=32, pause=0.0):
        self.dimension, self.pause, self.calls = dimension, pause, 0

    def encode(self, texts):
        self.calls += 1
        out = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(out, texts, strict=True):
            row[0] = 0.5  # no text is at the origin
            for word in text.lower().split():
                digest = hashlib.sha256(word.encode()).digest()
                row[digest[0] % self.dimension] += 1.0 if digest[1] % 2 else -1.0
                row[digest[2] % self.dimension] += 0.25 * digest[3] / 255
        if self.pause:
            time.sleep(self.pause)
            print("a block", flush=True)
        return out


def main():
    from ivfbench.datasets.embed import Embedding, embed
    from ivfbench.datasets.query_split import Split

    out, folder, pause = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    encoder = Hashing(pause=pause)
    embedding = Embedding("hashing", block=16)
    embed(out, folder / "corpus.jsonl", folder / "queries.jsonl", encoder, embedding, Split(test_count=20))


if __name__ == "__main__":
    main()
