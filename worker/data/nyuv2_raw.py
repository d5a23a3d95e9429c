"""NYUv2 as the Kinect wrote it: the raw dumps of pictures and disparities, not synchronised, not registered, not filled."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from depthboard.datasets import OptionValue
from depthboard.division import equally_spaced
from depthboard.errors import DataProblem, InvalidInput
from worker.data.folder import share_of
from worker.data.images import COPY_AGAIN, probe_depth, probe_rgb, read_rgb, read_values
from worker.data.kinect import COLUMNS, NO_READING, ROWS, register
from worker.data.nyuv2_mat import NyuV2Mat
from worker.data.pairs import read_lines
from worker.data.source import Frame, FrameId, Probe, Source, natural_key

NAME = re.compile(r"([dr])-(\d+\.\d+)-\d+\.p[gp]m")
"""`d-<seconds>-<tick>.pgm` and `r-<seconds>-<tick>.ppm`; the seconds are Unix time."""
BYTES = {"d": 17 + 2 * ROWS * COLUMNS, "r": 15 + 3 * ROWS * COLUMNS}
"""Shortest header and the pixels: a smaller file is cut."""
KNOWN_BROKEN = "d-1315166703.129542-2466101449.pgm"
"""Broken in NYU's own archive; BTS's script leaves it out by name too."""
LEVELS = 3
"""Folders below PATH that may lie above a recording's files: the archive's, the scene's, the recording's."""
LABELED = "labeled/"
SCENE_LIST = "train_scenes.txt"


@dataclass
class Recording:
    """The sound files of one recording: time in seconds and path below the dataset's folder."""

    name: str
    depth: list[tuple[float, str]] = field(default_factory=list)
    rgb: list[tuple[float, str]] = field(default_factory=list)


class NyuV2Raw(Source):
    """Folders of `r-….ppm`, `d-….pgm` (and `a-….dump`, INDEX.txt, which are not read), one a recording, at most three levels below PATH.

    Each depth map goes with the picture nearest in time (get_synched_frames.m of NYU's toolbox), but no further than `max_gap` seconds;
    a picture may serve twice. Names carry the time. Depth is registered to the undistorted picture as `kinect.register` does, its holes 0.
    """

    format = "nyuv2_raw"

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        super().__init__(path, options)
        self.root = Path(path)
        self.max_gap = _seconds(self.options["max_gap"])
        self.labeled = self._open_labeled()
        self._partner: dict[FrameId, str] = {}
        recordings = self._listed()
        self._recordings = {name: self._paired(recordings[name]) for name in sorted(recordings, key=natural_key)}
        self._report_far(recordings.values())
        self.parts = self._parts()
        self.default_split = next(iter(self.parts))

    def read(self, frame_id: FrameId) -> Frame:
        if self.labeled and frame_id.startswith(LABELED):
            return self.labeled.read(frame_id.removeprefix(LABELED))
        self.probe(frame_id)
        rgb = read_rgb(self.root / self._partner[frame_id])
        return Frame(*register(rgb, read_disparity(self.root / frame_id)))

    def probe(self, frame_id: FrameId) -> Probe:
        if self.labeled and frame_id.startswith(LABELED):
            return self.labeled.probe(frame_id.removeprefix(LABELED))
        picture, depth = self.root / self._partner[frame_id], self.root / frame_id
        found = Probe(probe_rgb(picture), probe_depth(depth))
        for file, size in ((picture, found.rgb), (depth, found.depth)):
            if size != (ROWS, COLUMNS):
                raise DataProblem(
                    f"{file} has {size[0]}×{size[1]} pixels (rows × columns), but NYU's calibration is for {ROWS}×{COLUMNS}.",
                    remedy="Give the files as NYU's archives hold them.",
                )
        return found

    def files(self) -> Iterator[tuple[str, Path]]:
        for frame in self.all_frames():
            if not frame.startswith(LABELED):
                yield f"{frame} rgb", self.root / self._partner[frame]
                yield f"{frame} depth", self.root / frame
        if self.labeled:
            yield from self.labeled.files()

    def meaning(self) -> dict[str, OptionValue]:
        return self.labeled.meaning() if self.labeled else {}

    def label(self, frame_id: FrameId) -> str:
        if self.labeled and frame_id.startswith(LABELED):
            return f"labelled {self.labeled.label(frame_id.removeprefix(LABELED))}"
        return frame_id

    def scene_of(self, frame_id: FrameId) -> str:
        if self.labeled and frame_id.startswith(LABELED):
            return scene(self.labeled.scene(frame_id.removeprefix(LABELED)))
        return scene(Path(frame_id).parent.name or self.root.name)

    def _open_labeled(self) -> NyuV2Mat | None:
        """NYU's labelled file, if the options name it."""
        given = self.options.get("labeled")
        if given is None:
            return None
        file = Path(str(given)).expanduser().absolute()
        splits = Path(str(self.options.get("splits", file.parent / "splits.mat"))).expanduser().absolute()
        self.options |= {"labeled": str(file), "splits": str(splits)}
        return NyuV2Mat(str(file), {"splits": str(splits), "depth": self.options["labeled_depth"]})

    def _listed(self) -> dict[str, Recording]:
        """The recordings by name. Raises DataProblem if there are none."""
        if not self.root.is_dir():
            raise DataProblem(f"{self.root} is not a folder.", field="path", remedy="Give the folder of the dumps.")
        found: dict[str, Recording] = {}
        for folder, files in _folders(self.root, LEVELS):
            if folder.name in found:
                self.warnings.append(f"{folder} is left out: the recording {folder.name} lies elsewhere too.")
            elif (recording := self._recording(folder, files)).depth or recording.rgb:
                found[folder.name] = recording
        if not found:
            raise DataProblem(
                f"{self.root} holds no raw recordings: no folder with r-….ppm and d-….pgm files.",
                field="path",
                remedy="Unpack NYU's raw archives there; each recording is a folder, such as basement_0001a.",
            )
        return found

    def _recording(self, folder: Path, files: Iterable[os.DirEntry[str]]) -> Recording:
        """The files that are whole, in order of time; the others are noted."""
        recording = Recording(folder.name)
        below = "" if folder == self.root else f"{folder.relative_to(self.root).as_posix()}/"
        for file in sorted(files, key=lambda entry: entry.name):
            match = NAME.fullmatch(file.name)
            if match and self._whole(file, BYTES[match[1]]):
                kind = recording.depth if match[1] == "d" else recording.rgb
                kind.append((float(match[2]), below + file.name))
        recording.depth.sort()
        recording.rgb.sort()
        return recording

    def _whole(self, file: os.DirEntry[str], due: int) -> bool:
        """Whether a file has its pixels, by size alone; what is wrong with it is noted."""
        if file.name == KNOWN_BROKEN:
            self.warnings.append(f"{file.path} is skipped: it is broken in NYU's own archive.")
            return False
        try:
            size = file.stat().st_size
        except OSError as error:
            self.problems.append(f"{file.path} cannot be read: {error.strerror}. Restore it, or delete it.")
            return False
        if size >= due:
            return True
        what = "is empty" if size == 0 else f"is truncated: it has {size} of {due} bytes"
        if self.options["broken"] == "skip":
            self.warnings.append(f"{file.path} {what}. It is skipped.")
        else:
            self.problems.append(f"{file.path} {what}. Unpack it again, or delete it, or give broken=skip.")
        return False

    def _paired(self, recording: Recording) -> tuple[FrameId, ...]:
        """The depth maps in order of time that have a picture near enough."""
        if not recording.depth or not recording.rgb:
            missing, kind = ("d-….pgm", "pictures") if recording.rgb else ("r-….ppm", "depth maps")
            self.warnings.append(f"The recording {recording.name} has {kind} but no {missing}, and is left out.")
            return ()
        times = [np.array([time for time, _ in kind]) for kind in (recording.depth, recording.rgb)]
        partners = nearest_in_time(*times)
        near = np.abs(times[0] - times[1][partners]) <= self.max_gap
        frames = {
            name: recording.rgb[at][1] for (_, name), at, ok in zip(recording.depth, partners, near, strict=True) if ok
        }
        self._partner |= frames
        return tuple(frames)

    def _report_far(self, recordings: Iterable[Recording]) -> None:
        far = sum(len(found.depth) for found in recordings if found.rgb) - len(self._partner)
        if far:
            self.warnings.append(f"{far} depth maps have no picture within {self.max_gap:g} s and are left out.")

    def _parts(self) -> dict[str, dict[str, tuple[FrameId, ...]]]:
        """`official` by lists or the labelled file; without either, `held_out`: a share of the scenes."""
        train, test = self._named("train"), self._named("test")
        if train is None and test is None and self.labeled is None:
            held = self._held_out()
            return {"held_out": {"train": self._of(set(self._recordings) - held), "test": self._of(held)}}
        if train is None:
            train = self._remaining(test or set())
        self._warn_of_shared_scenes(train, test)
        return {"official": {"train": self._of(train)} | self._test(test)}

    def _remaining(self, test: set[str]) -> set[str]:
        """Without a training list: the labelled file's training scenes, or all, but none of those in the test list."""
        every = {scene(name) for name in self._recordings}
        wanted = (self._labeled_scenes("train") if self.labeled else every) - {scene(name) for name in test}
        return {name for name in self._recordings if scene(name) in wanted}

    def _test(self, named: set[str] | None) -> dict[str, tuple[FrameId, ...]]:
        if named is not None:
            return {"test": self._of(named)}
        if self.labeled:
            return {"test": tuple(LABELED + frame for frame in self.labeled.frames("official", "test"))}
        self.warnings.append(
            "The dump holds no test frames of its own: NYU's 654 are in nyu_depth_v2_labeled.mat. Give that file with labeled=…, or "
            "recordings of your choice with test_list=…."
        )
        return {}

    def _warn_of_shared_scenes(self, train: set[str], test: set[str] | None) -> None:
        """A room that is trained on makes the test part too easy."""
        tested = self._labeled_scenes("test") if test is None else {scene(name) for name in test}
        shared = sorted({scene(name) for name in train} & tested, key=natural_key)
        if shared:
            self.warnings.append(f"{len(shared)} scenes are in both the train and the test part: {_listing(shared)}.")

    def _of(self, names: Iterable[str]) -> tuple[FrameId, ...]:
        return tuple(frame for name in sorted(names, key=natural_key) for frame in self._recordings[name])

    def _named(self, part: str) -> set[str] | None:
        """The recordings that a part's list names; None without a list."""
        option = f"{part}_list"
        usual = self.root / SCENE_LIST
        if option not in self.options and (part == "test" or not usual.is_file()):
            return None
        file = Path(str(self.options.get(option, usual))).expanduser().absolute()
        self.options[option] = str(file)
        # BTS's list of files, `/recording/rgb_00000.jpg …`, names recordings as well as its train_scenes.txt does.
        entries = {line.split()[0].strip("/").split("/")[0] for line in read_lines(file, f"options.{option}")}
        known = set(self._recordings) | {scene(name) for name in self._recordings}
        absent = sorted(entries - known, key=natural_key)
        if len(absent) == len(entries):
            raise DataProblem(
                f"{file} names none of the recordings in {self.root}.",
                field=f"options.{option}",
                remedy="One recording or scene a line, such as basement_0001a or basement_0001.",
            )
        if absent:
            self.warnings.append(f"{len(absent)} of {len(entries)} names in {file} are not here: {_listing(absent)}.")
        return {name for name in self._recordings if name in entries or scene(name) in entries}

    def _labeled_scenes(self, part: str) -> set[str]:
        """Scenes of the labelled file's part; empty without the file."""
        if self.labeled is None:
            return set()
        return {scene(self.labeled.scene(frame)) for frame in self.labeled.frames("official", part)}

    def _held_out(self) -> set[str]:
        """Recordings of an equally spaced share of the scenes, so that no room is in both parts."""
        scenes = sorted({scene(name) for name in self._recordings}, key=natural_key)
        count = min(len(scenes) - 1, max(1, round(share_of(self.options["test_share"]) * len(scenes))))
        if count == 0:
            self.warnings.append(f"All recordings are of one scene, {scenes[0]}, so that none can be held out.")
        chosen = {scenes[i] for i in equally_spaced(len(scenes), count)}
        return {name for name in self._recordings if scene(name) in chosen}


def nearest_in_time(depth: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """For each depth time the index of the nearest RGB time, the later of two equally near; both ascending.

    What get_synched_frames.m finds by moving a pointer on while the difference does not grow.
    """
    if len(rgb) == 1:
        return np.zeros(len(depth), np.intp)
    after = np.searchsorted(rgb, depth, side="right").clip(1, len(rgb) - 1)
    return np.where(rgb[after] - depth <= depth - rgb[after - 1], after, after - 1)


def read_disparity(path: Path) -> np.ndarray:
    """(480,640) uint16, 11-bit Kinect disparity: PGM says big endian, but the dump wrote little endian. Raises DataProblem."""
    values = read_values(path).astype(np.uint16).byteswap()
    if values.max() > NO_READING:
        raise DataProblem(
            f"{path} has values above {NO_READING}: it is not Kinect disparity in NYU's byte order.", remedy=COPY_AGAIN
        )
    return values


def scene(recording: str) -> str:
    """`basement_0001a` and `basement_0001b` are of the scene `basement_0001`."""
    return re.sub(r"(?<=\d)[a-z]$", "", recording)


def _folders(folder: Path, levels: int) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """A folder with its files and then those below it, in natural order. Raises DataProblem for one that may not be read."""
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError as error:
        raise DataProblem(
            f"{folder} cannot be listed: {error.strerror}.", field="path", remedy="Give permission to read it."
        ) from None
    below = [entry for entry in listed if entry.is_dir()]
    yield folder, [entry for entry in listed if not entry.is_dir()]
    for entry in sorted(below if levels else [], key=lambda entry: natural_key(entry.name)):
        yield from _folders(Path(entry.path), levels - 1)


def _listing(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _seconds(value: OptionValue) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise InvalidInput(
            f"max_gap must be a time above 0, not {value!r}.", field="options.max_gap", remedy="Give 0.1, for example."
        )
    return seconds
