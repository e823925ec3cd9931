"""Reading and writing images with their labels, sightings, collections and provenance."""
