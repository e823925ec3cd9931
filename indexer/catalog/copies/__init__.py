"""What copies are found by: embeddings of copy descriptors, and local features."""
