"""Where two pictures differ that show the same: registration, alignment of colours, difference map, regions, drawing.

OpenCV is imported by the modules that compute; `finding` (the numbers and the words) does without it, so that what only
passes findings on starts quickly.
"""
