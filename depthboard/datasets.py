"""What a dataset is to everyone but the worker that reads it: its format, its parts, and what the check of it found."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from depthboard.config.base import Frozen

OptionValue = str | float | int
MAX_PROBLEMS = 20
"""How many problems a report names; `problem_count` counts the rest too."""


class OptionInfo(Frozen):
    """One option of a format, as the command line and the browser ask for it."""

    description: str
    required: bool = False
    choices: list[str] | None = None
    default: OptionValue | None = None


class FormatInfo(Frozen):
    summary: str
    path: str = Field(description="What PATH must be.")
    options: dict[str, OptionInfo] = {}


FORMATS: dict[str, FormatInfo] = {
    "nyuv2_mat": FormatInfo(
        summary="NYUv2 labelled: nyu_depth_v2_labeled.mat with splits.mat (795 train, 654 test).",
        path="The file nyu_depth_v2_labeled.mat (MATLAB v7.3).",
        options={
            "splits": OptionInfo(
                description="Path of splits.mat (MATLAB v5); looked for beside the file when left out."
            ),
            "depth": OptionInfo(
                description="filled has no holes; raw has holes as 0.", choices=["filled", "raw"], default="filled"
            ),
        },
    ),
    "nyuv2_raw": FormatInfo(
        summary="NYUv2's raw Kinect dumps: r-….ppm and d-….pgm, synchronised by time, registered to the picture, not filled.",
        path="The folder that NYU's raw archives were unpacked into: one folder a recording, scene folders above it or not.",
        options={
            "train_list": OptionInfo(
                description="Path of a list of training recordings or scenes, one a line; train_scenes.txt in the folder when left out."
            ),
            "test_list": OptionInfo(description="The same for the test part."),
            "labeled": OptionInfo(
                description="Path of nyu_depth_v2_labeled.mat: its 654 test frames are the test part, its training scenes the training part without a list."
            ),
            "splits": OptionInfo(description="Path of splits.mat; looked for beside the labelled file when left out."),
            "labeled_depth": OptionInfo(
                description="Depth of the labelled test frames: filled, or raw with holes as 0.",
                choices=["filled", "raw"],
                default="filled",
            ),
            "test_share": OptionInfo(
                description="Without lists and labelled file: the share of scenes held out for testing, equally spaced.",
                default=0.2,
            ),
            "max_gap": OptionInfo(
                description="Seconds that a depth map and its picture may lie apart; NYU's toolbox has no limit (inf).",
                default=0.1,
            ),
            "broken": OptionInfo(
                description="Truncated and empty files: refuse to train until they are mended, or skip them with a warning.",
                choices=["refuse", "skip"],
                default="refuse",
            ),
        },
    ),
    "densedepth": FormatInfo(
        summary="DenseDepth / Hu: nyu2_train.csv and nyu2_test.csv of `rgb,depth`; 8-bit depth (255 = 10 m) or 16-bit millimetres.",
        path="The folder that holds data/nyu2_train.csv, or that data folder; a splits.csv in it gives more splits.",
    ),
    "bts": FormatInfo(
        summary="BTS sync folders with file lists; 16-bit millimetres, 0 invalid.",
        path="The folder that holds sync/ and official_splits/test/, or the folder the lists' paths start from.",
        options={
            "train_list": OptionInfo(
                description="Path of the train list; nyudepthv2_train_files_with_gt.txt in the folder when left out."
            ),
            "test_list": OptionInfo(
                description="Path of the test list; nyudepthv2_test_files_with_gt.txt in the folder when left out."
            ),
        },
    ),
    "dfd_indoor": FormatInfo(
        summary="The authors' DFD indoor set: DSLR pictures with Xtion depth in 16-bit millimetres (81 train, 29 test).",
        path="The folder that holds dfd_dataset_indoor_N8/.",
        options={
            "aperture": OptionInfo(
                description="N8 is sharp, N2_8 has defocus blur.", choices=["N8", "N2_8"], default="N8"
            ),
        },
    ),
    "sparse_to_dense": FormatInfo(
        summary="sparse-to-dense / FastDepth: one .h5 a frame with rgb (3,480,640) and depth (480,640) in metres.",
        path="The folder that holds train/<scene>/*.h5 and val/official/*.h5.",
    ),
    "folder": FormatInfo(
        summary="Pictures in rgb/ and depth maps of the same names in depth/; 0 is invalid.",
        path="A folder with rgb/ and depth/, or with train/ and test/ that hold them (rgb/train/ … works too).",
        options={
            "unit": OptionInfo(
                description="What a depth value means: mm, cm, m, values per metre (5000), or metres per value (0.001).",
                required=True,
            ),
            "test_share": OptionInfo(
                description="Without train/ and test/: the share held out for testing, equally spaced.", default=0.2
            ),
        },
    ),
}

Format = Literal["rooms", "nyuv2_mat", "nyuv2_raw", "densedepth", "bts", "dfd_indoor", "sparse_to_dense", "folder"]


class DepthRange(Frozen):
    """Valid depths in metres over the frames that were read."""

    min: float
    p1: float
    median: float
    p99: float
    max: float


BIN_METRES = 0.25
BINS = 41
"""Up to 10 m, where the network's output ends, and one for what lies beyond."""


class DepthHistogram(Frozen):
    """How many valid pixels have which depth, over the frames that were read."""

    bin_metres: float = Field(BIN_METRES, gt=0)
    pixels: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=1, max_length=1000, description="Bin k holds k × bin_metres and deeper; the last has no end."
    )


class Counts(Frozen):
    frames: int = Field(ge=0, description="Different frames in all splits.")
    opened: int = Field(ge=0, description="Frames whose headers were checked.")
    decoded: int = Field(ge=0, description="Frames that were read in full; depth statistics are over these.")


class DatasetReport(Frozen):
    """What `depthboard data add` found. `problems` are errors and forbid training; `warnings` do not."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    format: str = Field(description="One of FORMATS, or rooms; whatever was asked for if that does not exist.")
    path: str
    options: dict[str, OptionValue] = {}
    fingerprint: str = Field(
        description="sha256 over names, sizes and contents of all files and the split lists; empty if unreadable."
    )
    splits: dict[str, dict[str, Annotated[int, Field(ge=0)]]] = Field(
        description="Split → part (train, test) → frames."
    )
    default_split: str
    height: int | None = Field(None, description="Rows of a frame as stored; the first frame's where they differ.")
    width: int | None = None
    depth: DepthRange | None = None
    histogram: DepthHistogram | None = Field(None, description="None in reports of before there was one.")
    scenes: dict[str, dict[str, Annotated[int, Field(ge=0)]]] = Field(
        {}, description="Split → part → different scenes, of formats that name them."
    )
    invalid_share: float | None = Field(None, ge=0, le=1, description="Share of pixels without depth.")
    counts: Counts
    problems: list[str] = Field([], max_length=MAX_PROBLEMS)
    problem_count: int = Field(0, ge=0)
    warnings: list[str] = []

    @property
    def usable(self) -> bool:
        """Whether runs can train on it."""
        return self.problem_count == 0


ROOMS = DatasetReport(
    name="rooms",
    format="rooms",
    path="",
    fingerprint="672c897426a86e837f6156ff4b4e21f28ab658ff280d7946eb5a9477f38aebb4",
    splits={"official": {"train": 4096, "test": 64}},
    default_split="official",
    height=480,
    width=640,
    depth=DepthRange(min=0.656, p1=1.149, median=3.256, p99=8.222, max=9.879),
    histogram=DepthHistogram(pixels=[
        0, 0, 14839, 106157, 455752, 694467, 1066992, 1481949, 2126905, 2644951, 2731731, 2163567,
        1831342, 1676362, 1684981, 1426410, 1371243, 1208936, 1115152, 936400, 687478, 673262, 574369, 548110,
        456943, 439681, 369515, 422607, 382516, 367856, 341712, 246649, 181982, 130350, 86403, 43768,
        14505, 9498, 4172, 488, 0,
    ]),
    invalid_share=0.0,
    counts=Counts(frames=4160, opened=4160, decoded=100),
)  # fmt: skip
"""The built-in dataset. Its fingerprint is the sha256 of frames that a test draws again."""
