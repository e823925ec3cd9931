"""What the campaign benchmarks share: methods, scores, the pictures of a corpus, the cost of a run."""
