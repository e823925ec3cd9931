"""Made-up second photographs of one place. Imports OpenCV."""

import cv2
import numpy as np
from PIL import Image


def photographed_again(picture: Image.Image, pixels: float) -> Image.Image:
    """Another photograph of the place: what is nearer moved against what is farther, by up to so many pixels."""
    columns, rows = np.meshgrid(np.arange(picture.width, dtype=np.float32), np.arange(picture.height, dtype=np.float32))
    away = pixels * np.sin(columns / 30) * np.sin(rows / 24)
    moved = cv2.remap(np.asarray(picture), columns + away, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return Image.fromarray(np.asarray(moved, np.uint8))
