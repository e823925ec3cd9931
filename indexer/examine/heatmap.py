"""Where the embedding of a picture looked: the detector's attention rollout, drawn over the part that it saw.

The rollout itself is `indexer.detector.rollout`'s.
"""

import io
from dataclasses import dataclass
from typing import Final

import matplotlib
import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.arrays import Floats
from indexer.detector.preprocessing import seen_box
from indexer.errors import NotFoundError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.workspace import Workspace

Box = tuple[float, float, float, float]

LONGEST_SIDE: Final = 1024
"""Of a drawn heat map, in pixels. Smaller pictures keep their size."""
NOTE: Final = (
    "Where the embedding looked: the share of each patch in what the detector made of the picture (attention rollout). "
    "It does not show what was manipulated, and it proves nothing."
)
NOTE_UNTRAINED: Final = "The detector is not trained: where it looked means nothing for fakeness."

_COLOURS: Final = "viridis"
_OPACITY: Final = 0.55
_DIMMED: Final = 0.35


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Where the embedding of one picture looked.

    `values` [24, 24] in [0, 1], sum 1: the share of each patch, from the top left. They cover `box`, given as left,
    top, right and bottom in pixels of the upright picture, whose `size` is width and height; the detector did not see
    the rest. `picture` is the upright picture, mode RGB, at most `LONGEST_SIDE` long. `detector`, `fingerprint` and
    `trained` are of the detector.
    """

    values: Floats
    box: Box
    size: tuple[int, int]
    picture: Image.Image
    detector: str
    fingerprint: str
    trained: bool

    @property
    def note(self) -> str:
        """What it is and what it is not, for a person."""
        return NOTE if self.trained else f"{NOTE} {NOTE_UNTRAINED}"

    def png(self) -> bytes:
        """The heat map over its picture as a PNG, no larger than `picture`.

        Each patch is one flat rectangle, for the map is no finer. Colours (viridis, from dark for the smallest value of
        this picture to yellow for its largest) tell patches of one picture apart, not pictures. What the detector did
        not see is dimmed.
        """
        columns = _patch_of(self.picture.width, self.size[0], (self.box[0], self.box[2]), self.values.shape[1])
        rows = _patch_of(self.picture.height, self.size[1], (self.box[1], self.box[3]), self.values.shape[0])
        pixels = np.asarray(self.picture, np.float32)
        drawn = pixels * np.float32(_DIMMED)
        seen = np.ix_(rows >= 0, columns >= 0)
        patches = _relative(self.values)[np.ix_(rows[rows >= 0], columns[columns >= 0])]
        table = np.asarray(matplotlib.colormaps[_COLOURS](np.arange(256))[:, :3] * 255, np.float32)
        colours = table[np.rint(patches * 255).astype(np.intp)]
        drawn[seen] = pixels[seen] * np.float32(1 - _OPACITY) + colours * np.float32(_OPACITY)
        buffer = io.BytesIO()
        Image.fromarray(np.rint(drawn).astype(np.uint8)).save(buffer, "PNG")
        return buffer.getvalue()


def heat_map(workspace: Workspace, sha256: str) -> HeatMap:
    """The heat map of an image of the catalogue, by the detector in use, from its original.

    Raises:
        NotFoundError: its original is not kept.
        OriginalChangedError: the kept original is not what was kept.
        DejafakeError: the detector cannot be used.
    """
    data = workspace.originals.get(sha256)
    if data is None:
        raise NotFoundError(
            f"the original of {sha256} is not kept here, and a heat map is made from the original: ingest its file "
            "again with DEJAFAKE_KEEP_ORIGINALS=true"
        )
    image = decode(data, ImageLimits.from_settings(workspace.settings))
    detector = workspace.detector()
    rollout = detector.run(detector.prepare(image.rgb)[None], rollout=True).rollout
    if rollout is None:
        raise TypeError("a rollout was asked for and did not come")
    return HeatMap(
        values=rollout[0],
        box=seen_box(image.rgb.size, detector.spec.preprocessing),
        size=image.rgb.size,
        picture=_shrunk(image.rgb),
        detector=detector.spec.name,
        fingerprint=detector.fingerprint,
        trained=detector.spec.trained,
    )


def _shrunk(rgb: Image.Image) -> Image.Image:
    scale = min(1.0, LONGEST_SIDE / max(rgb.size))
    target = max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale))
    return rgb if target == rgb.size else rgb.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _patch_of(drawn: int, pixels: int, span: tuple[float, float], patches: int) -> npt.NDArray[np.intp]:
    """For each of `drawn` pixels along one side of a drawing of a picture `pixels` long: the number of the patch that
    covers its middle, -1 outside `span`."""
    middles = (np.arange(drawn) + 0.5) * (pixels / drawn)
    numbers = np.floor((middles - span[0]) / (span[1] - span[0]) * patches).astype(np.intp)
    return np.where((numbers >= 0) & (numbers < patches), numbers, -1)


def _relative(values: Floats) -> Floats:
    """From 0 for the smallest to 1 for the largest; all 0 when they are equal."""
    low, high = float(values.min()), float(values.max())
    scaled: Floats = (values - np.float32(low)) / np.float32(max(high - low, 1e-12))
    return scaled
