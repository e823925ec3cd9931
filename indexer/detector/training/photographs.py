"""The photographs the bundled detector is trained on: freely licensed ones that Debian packages, scikit-image and
scikit-learn carry. Paintings, renderings and screenshots of the same packages are left out."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from indexer.errors import NotFoundError, UsageError

PACKAGES: Final = {
    "lomiri-wallpapers-16.04": (
        *("Bridge_by_*", "Dragonfly_by_*", "Picture_0B_by_*", "Picture_1A_by_*", "Wine_by_*", "aitzgorri_by_*"),
        *("free_by_*", "friends_by_*", "greentock_by_*", "life_by_*", "picosdeeuropa_by_*", "seeding_by_*"),
        "sunset_by_*",
    ),
    "lomiri-wallpapers-20.04": ("Kleiber_by_*",),
    "mate-backgrounds": ("mate/nature/*.jpg",),
    "opencv-doc": (
        *(f"examples/data/{name}.jpg" for name in ("aero1", "aero3", "aloeL", "apple", "baboon", "board", "building")),
        *(f"examples/data/{name}.jpg" for name in ("butterfly", "fruits", "home", "leuvenA", "licenseplate_motion")),
        *(f"examples/data/{name}.jpg" for name in ("left", "messi5", "orange", "squirrel_cls", "stuff")),
        *(f"examples/data/{name}.png" for name in ("chicky_512", "graf1", "rubberwhale1", "home", "butterfly")),
        *(f"examples/text/scenetext0{number}.jpg" for number in range(1, 7)),
        *(f"opencv4/html/{name}.jpg" for name in ("227943776_1", "230501201_1", "handSrc", "space_shuttle")),
    ),
    "palapeli-data": ("palapeli/collection/*.jpg",),
    "plasma-workspace-wallpapers": tuple(
        f"wallpapers/{name}/contents/images/2560x1600.jpg"
        for name in (
            *("BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "EveningGlow", "FallenLeaf", "Grey", "Kite"),
            *("OneStandsOut", "Path", "summer_1am"),
        )
    ),
}
"""Debian packages (bookworm) and the ends of the paths of their photographs."""
LIBRARIES: Final = {
    "skimage": ("astronaut.png", "brick.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png", "rocket.jpg"),
    "sklearn": ("china.jpg", "flower.jpg"),
}
"""Python packages and the photographs they carry."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph's file; `name` (`package/file`) is the same on every machine."""

    name: str
    path: Path


def fetch(folder: Path) -> None:
    """Downloads and unpacks the Debian packages into `folder`, one folder a package; those already there stay.

    Raises:
        UsageError: apt-get or dpkg-deb is missing or failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        target = folder / package
        if target.is_dir():
            continue
        staging = folder / f".{package}"
        staging.mkdir(exist_ok=True)
        try:
            subprocess.run(["apt-get", "download", package], cwd=staging, check=True, capture_output=True)  # noqa: S607
            archive = next(staging.glob("*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=staging, check=True, capture_output=True)  # noqa: S607
        except (OSError, subprocess.CalledProcessError, StopIteration) as error:
            raise UsageError(f"Debian's package {package} cannot be fetched here: {error}") from None
        archive.unlink()
        staging.rename(target)


def find(folder: Path) -> tuple[Photograph, ...]:
    """The photographs unpacked in `folder` and those of the installed libraries, ordered by name.

    Raises:
        NotFoundError: a package is not there.
    """
    paths: dict[str, Path] = {}
    for package, ends in PACKAGES.items():
        if not (folder / package).is_dir():
            raise NotFoundError(
                f"no {package} in {folder}: run `python -m indexer.detector.training fetch --photographs {folder}`"
            )
        files = [path for path in (folder / package).rglob("*") if path.is_file() and not path.is_symlink()]
        for end in ends:
            for path in files:
                if path.match(f"*/{end}"):
                    paths[f"{package}/{path.relative_to(folder / package).as_posix()}"] = path
    for package, path in _of_libraries():
        paths[f"{package}/{path.name}"] = path
    return tuple(Photograph(name, paths[name]) for name in sorted(paths))


def _of_libraries() -> Iterator[tuple[str, Path]]:
    for package, names in LIBRARIES.items():
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise NotFoundError(f"{package} is not installed: pip install 'dejafake[train]'")
        root = Path(spec.origin).parent
        for name in names:
            yield from ((package, path) for path in root.rglob(name))
