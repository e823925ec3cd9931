"""Stops C decoders from printing warnings about hostile files to standard error.

Errors are still raised, with their reason.
"""

import contextlib
import ctypes
import ctypes.util
import logging
from pathlib import Path

import PIL
from PIL import _imaging

# without a handler of its own, what Pillow logs would be printed wherever nobody set up logging
logging.getLogger("PIL").addHandler(logging.NullHandler())


def quiet_libtiff() -> None:
    """Removes the warning and error handlers of the libtiff that Pillow uses, if it can be located."""
    folder = Path(PIL.__file__).parent
    bundled = [*folder.parent.glob("pillow.libs/libtiff*"), *folder.glob(".dylibs/libtiff*")]
    named = ctypes.util.find_library("tiff")
    for library in (*map(str, bundled), _imaging.__file__, *([] if bundled or named is None else [named])):
        with contextlib.suppress(OSError, AttributeError):
            tiff = ctypes.CDLL(library)
            for handler in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
                set_handler = getattr(tiff, handler)
                set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
                set_handler(None)
