"""Reading and writing detections, embeddings, local features and calibrations."""
