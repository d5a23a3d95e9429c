"""What is trained on: the dataset, its split, how much of it, and how a frame becomes a network input."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from depthboard.config.base import Frozen


class EquallySpaced(Frozen):
    """Frames (2·i·(N−1)+(n−1)) // (2·(n−1)) of the naturally sorted training part; n = 1 takes frame 0."""

    kind: Literal["equally_spaced"] = "equally_spaced"


class RandomSubset(Frozen):
    """n frames drawn without replacement with `seed`, kept in order."""

    kind: Literal["random"] = "random"
    seed: int = Field(0, ge=0, le=2**31 - 1)


Subset = Annotated[EquallySpaced | RandomSubset, Field(discriminator="kind")]

Crop = Literal["none", "toolbox", "bts", "eigen"]

CROPPED_FRAME = (480, 640)
"""Rows and columns of the frames that the named crops are made for: NYUv2's."""

CROPS: dict[Crop, tuple[int, int, int, int] | None] = {
    "none": None,
    # NYU toolbox: rows 45..471 and columns 41..601 in Matlab, 1-based and inclusive. BTS reads the same numbers as Python slices.
    "toolbox": (44, 471, 40, 601),
    "bts": (45, 471, 41, 601),
    "eigen": (20, 460, 24, 616),
}
"""Top, bottom, left and right of the window, the ends excluded; None is the whole frame."""


class DataConfig(Frozen):
    dataset: str = Field("rooms", min_length=1, max_length=80, description="Name of a registered dataset.")
    split: str = Field("official", min_length=1, max_length=80, description="Which division into train and test parts.")
    train_size: int | None = Field(None, ge=1, le=10**9, description="Training images; empty takes all.")
    subset: Subset = Field(EquallySpaced(), description="How the training images are chosen.")
    validation: float = Field(
        0.0, ge=0, lt=1, description="Share of the training part held out before sizes are drawn."
    )
    height: int = Field(64, ge=32, le=2048, multiple_of=32, description="Input rows; a multiple of 32.")
    width: int = Field(96, ge=32, le=2048, multiple_of=32, description="Input columns; a multiple of 32.")
    crop: Crop = Field(
        "none",
        description="Window of the frame that becomes the input: toolbox, bts and eigen are NYUv2's, for frames of 480×640.",
    )
    hflip: float = Field(0.5, ge=0, le=1, description="Probability of a horizontal flip in training.")
    zoom: float = Field(
        1.0,
        ge=1,
        le=4,
        description="In training, each image is cut and enlarged by 1 to this much, its depth divided by the same; 1 is off.",
    )
    rotation: float = Field(
        0.0,
        ge=0,
        le=45,
        description="In training, half of the images are turned about the optical axis by N(0, this many degrees); 0 is off, the authors' is 5/3.",
    )
    colour: float = Field(
        0.0, ge=0, lt=1, description="In training, each colour channel is multiplied by 1 ± up to this much; 0 is off."
    )
