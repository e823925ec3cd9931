"""Training a head on frozen embeddings from labelled pictures, judged by cross-validation."""

from indexer.evaluation.head_training.training import TrainedHead, train_head

__all__ = ["TrainedHead", "train_head"]
