"""How thorough an evaluation is."""

from dataclasses import dataclass

from indexer.errors import UsageError
from indexer.estimates import RESAMPLES, Groups, Resampling


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """Sizes and seeds of an evaluation.

    Attributes:
        threshold: p(fake) from which on a picture counts as fake, within 0 and 1.
        seed: of every random choice: samples, resamples, folds, noise.
        resamples: of the bootstrap.
        queries: pictures searched with in altered copies.
        database: most pictures that are decoded, searched in and shown to peers; None: all.
        robustness: pictures degraded in every way, half of each class where possible; None: all; 0: none.
        max_distance, min_quality: what counts as `same_picture`, as the settings have it.
    """

    threshold: float = 0.5
    seed: int = 0
    resamples: int = RESAMPLES
    queries: int = 100
    database: int | None = 2_000
    robustness: int | None = 60
    max_distance: int = 31
    min_quality: int = 50

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise UsageError(f"a threshold on p(fake) lies within 0 and 1, not at {self.threshold}")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"a seed is 0 to {2**32 - 1}, not {self.seed}")

    def resampling(self, groups: Groups | None) -> Resampling:
        """How intervals over pictures of these groups are drawn."""
        return Resampling(groups=groups, seed=self.seed, resamples=self.resamples)
