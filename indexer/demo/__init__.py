"""The demo: a collection of fakes made in code, and a tour of the main job on it.

It needs scikit-image, which the rest of dejafake does not.
"""

from importlib import import_module
from pathlib import Path

from indexer.errors import DejafakeError
from indexer.settings import Settings


def run_demo(settings: Settings, folder: Path) -> None:
    """Runs the main job end to end in `folder` and prints what it does; see `indexer.demo.tour`.

    Args:
        settings: detector and limits are taken from it; home and database are inside `folder`.
        folder: made if needed; `collection/`, `home/` and `report/` go into it. Running it again is harmless.

    Raises:
        DejafakeError: scikit-image is missing, the folder cannot be written, or a step fails.
    """
    try:
        import_module("skimage")
    except ImportError:
        raise DejafakeError("the demo needs scikit-image: pip install 'dejafake[demo]'") from None
    from indexer.demo.tour import Tour

    try:
        Tour(settings, folder).run()
    except OSError as error:
        raise DejafakeError(
            f"the demo cannot write to {folder} ({error.strerror or error}): choose another with --folder"
        ) from None
