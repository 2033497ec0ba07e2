"""What turns texts into vectors: anything with `encode`, and sentence-transformers models by name or folder.

The protocol is one method, so that embedding can be resumed, tested and fed by encoders of one's own without that
library. It is an extra, imported when a model is asked for.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .errors import DatasetError, one_line


class Encoder(Protocol):
    """Turns texts into vectors."""

    def encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Encode n texts as (n, d) float32; the same texts give the same vectors."""


class SentenceEncoder:
    """A sentence-transformers model.

    Parameters
    ----------
    model
        A name of the Hugging Face hub, or a folder.
    batch
        Texts at a time.
    device
        ``auto``, or what torch calls it: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    raw
        Leave out the model's own normalisation (its ``Normalize`` modules), where it has one.

    Raises
    ------
    DatasetError
        If the library is not installed or the model cannot be loaded.
    """

    def __init__(self, model: str, *, batch: int = 64, device: str = "auto", raw: bool = False) -> None:
        library = _library()
        place = None if device == "auto" else device
        try:
            loaded = library(model, device=place)
            if raw:
                modules = [module for module in loaded if type(module).__name__ != "Normalize"]
                prompts = {"prompts": loaded.prompts, "default_prompt_name": loaded.default_prompt_name}
                loaded = library(modules=modules, device=place, **prompts)
        except Exception as error:  # the library and those below it raise what they like
            raise DatasetError(f"model {model!r}: cannot be loaded: {one_line(error)}") from error
        self._model = loaded
        self._batch = batch

    def encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Encode n texts: (n, d) float32."""
        rows = self._model.encode(texts, batch_size=self._batch, convert_to_numpy=True, show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)


def model_label(model: str) -> str:
    """Give what a file may say of its model: a hub name as it is, of a folder only its last part."""
    return Path(model).resolve().name if Path(model).is_dir() else model


def _library() -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise DatasetError(
            f"sentence-transformers cannot be imported ({one_line(error)}): pip install 'ivfbench[text]'"
        ) from error
    return SentenceTransformer
