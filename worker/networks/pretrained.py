"""ImageNet weights of torchvision, from a file that the user gives, copied into the encoder by name and shape."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from depthboard.errors import InvalidInput, Unavailable
from worker.networks.d3net import D3Net

FIELD = "network.weights"

OLD_DENSE_NAME = re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\..+)$")
"""torchvision's DenseNet files of 2017 say `norm.1`, its modules since then `norm1`."""

COUNTER = "num_batches_tracked"
"""BatchNorm's step counters: they have one shape in every network and no effect here, so they are neither copied nor listed."""


@dataclass(frozen=True)
class PretrainedReport:
    """What came from the file and what kept its initialisation, by the names of the network's state dict; the file's hash and its own leftovers."""

    sha256: str
    copied: list[str]
    not_copied: list[str]
    unused: list[str]


def load_pretrained(network: D3Net, path: str | Path) -> PretrainedReport:
    """Copy every tensor of a state dict whose name and shape the encoder has.

    Raises Unavailable where there is no such file; InvalidInput for a file that is no state dict, or of which nothing
    fits.
    """
    given = _current_names(_read(Path(path)))
    own = {name: tensor for name, tensor in network.encoder.state_dict().items() if not name.endswith(COUNTER)}
    copied = [name for name, tensor in own.items() if name in given and given[name].shape == tensor.shape]
    if not copied:
        raise InvalidInput(
            f"No tensor of {path} fits the encoder: the file has {_sample(given)}, the encoder {_sample(own)}.",
            field=FIELD,
            remedy="Give torchvision's ImageNet weights of the same network: densenet121 or resnet50.",
        )
    with torch.no_grad():
        for name in copied:
            own[name].copy_(given[name])
    prefixed = [f"encoder.{name}" for name in copied]
    every = [name for name in network.state_dict() if not name.endswith(COUNTER)]
    with Path(path).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return PretrainedReport(
        sha256=sha256,
        copied=prefixed,
        not_copied=sorted(set(every) - set(prefixed), key=every.index),
        unused=[name for name in given if name not in copied],
    )


def _read(path: Path) -> dict[str, Tensor]:
    """A file's tensors, unpickled without running code from it."""
    if not path.is_file():
        raise Unavailable(
            f"There is no weights file at {path} on this worker.",
            field=FIELD,
            remedy="Give a path that exists on the worker, or leave it empty to train from scratch.",
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign pickle raises almost anything
        raise InvalidInput(
            f"{path} cannot be read as PyTorch weights ({type(error).__name__}).",
            field=FIELD,
            remedy="Give a state dict as torchvision publishes it (.pth), complete and holding tensors only.",
        ) from error
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InvalidInput(
            f"{path} is not a state dict: it holds {_kind(content)}, not tensors by name.",
            field=FIELD,
            remedy="Save model.state_dict() and give that file.",
        )
    return content


def _current_names(given: dict[str, Tensor]) -> dict[str, Tensor]:
    named = {OLD_DENSE_NAME.sub(r"\1\2", name): tensor for name, tensor in given.items()}
    return {name: tensor for name, tensor in named.items() if not name.endswith(COUNTER)}


def _kind(content: object) -> str:
    if isinstance(content, dict):
        return "a dictionary with the keys " + ", ".join(repr(key) for key in list(content)[:4])
    return f"a {type(content).__name__}"


def _sample(tensors: dict[str, Tensor]) -> str:
    if not tensors:
        return "none"
    name, tensor = next(iter(tensors.items()))
    return f"{len(tensors)} such as {name} {tuple(tensor.shape)}"
