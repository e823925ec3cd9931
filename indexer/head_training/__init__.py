"""Training a head on frozen embeddings from labelled pictures, judged by cross-validation."""

from indexer.head_training.training import TrainedHead, train_head

__all__ = ["TrainedHead", "train_head"]
