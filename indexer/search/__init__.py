"""One query in, the nearest known images and a verdict out."""
