"""The photographs the demo starts from: files inside the scikit-image and scikit-learn wheels, with their credits.

Nothing is downloaded. Licences are as the two packages state them beside the files.
"""

from dataclasses import dataclass
from importlib import resources
from io import BytesIO

from PIL import Image

from indexer.errors import DejafakeError

_SKIMAGE = "skimage"
_SKLEARN = "sklearn.datasets.images"


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph of a wheel: `path` inside `package`, what it shows, who made it and under which licence."""

    name: str
    package: str
    path: str
    shows: str
    credit: str
    licence: str

    def read(self) -> bytes:
        """The bytes as the wheel carries them.

        Raises:
            DejafakeError: this version of the package does not carry the file.
        """
        try:
            return resources.files(self.package).joinpath(self.path).read_bytes()
        except OSError:
            raise DejafakeError(
                f"{self.package} carries no {self.path}: reinstall it with pip install 'dejafake[demo]'"
            ) from None

    def rgb(self) -> Image.Image:
        """The picture in mode RGB."""
        return Image.open(BytesIO(self.read())).convert("RGB")


_ALL = (
    Photograph("astronaut", _SKIMAGE, "data/astronaut.png", "Eileen Collins", "NASA", "public domain"),
    Photograph("brick", _SKIMAGE, "data/brick.png", "a brick wall", "CC0Textures", "CC0"),
    Photograph("camera", _SKIMAGE, "data/camera.png", "a man with a camera", "Lav Varshney", "CC0"),
    Photograph("chelsea", _SKIMAGE, "data/chelsea.png", "a cat", "Stéfan van der Walt", "CC0"),
    Photograph("coffee", _SKIMAGE, "data/coffee.png", "a cup of coffee", "Rachel Michetti", "CC0"),
    Photograph(
        "coins",
        _SKIMAGE,
        "data/coins.png",
        "coins from Pompeii",
        "Brooklyn Museum",
        "no known copyright restrictions",
    ),
    Photograph("grass", _SKIMAGE, "data/grass.png", "grass", "linolafett", "CC0"),
    Photograph("gravel", _SKIMAGE, "data/gravel.png", "gravel", "CC0Textures", "CC0"),
    Photograph("hubble", _SKIMAGE, "data/hubble_deep_field.jpg", "the Hubble deep field", "NASA", "public domain"),
    Photograph("ihc", _SKIMAGE, "data/ihc.png", "stained tissue", "CMMI", "no known copyright restrictions"),
    Photograph(
        "motorcycle",
        _SKIMAGE,
        "data/motorcycle_left.png",
        "a motorcycle",
        "Middlebury 2014 stereo data set",
        "as shipped by scikit-image",
    ),
    Photograph("retina", _SKIMAGE, "data/retina.jpg", "a human retina", "Mikael Häggström", "CC0"),
    Photograph("rocket", _SKIMAGE, "data/rocket.jpg", "a rocket on its pad", "SpaceX", "public domain"),
    Photograph("china", _SKLEARN, "china.jpg", "a pavilion in Beijing", "danielbuechele", "CC BY 2.0"),
    Photograph("flower", _SKLEARN, "flower.jpg", "a dahlia", "vultilion", "CC BY 2.0"),
)

PHOTOGRAPHS: dict[str, Photograph] = {photograph.name: photograph for photograph in _ALL}
"""Every photograph of the demo by name."""
