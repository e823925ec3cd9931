"""From a source of pictures to images in the catalogue."""
