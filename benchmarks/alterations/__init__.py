"""Everyday alterations of shared pictures, in families and at three strengths, seeded; and AugLy's beside them."""

from benchmarks.alterations.kinds import Alteration, Family, Strength
from benchmarks.alterations.registry import ALTERATIONS, LEFT_OUT_OF_TRAINING, alter

__all__ = ["ALTERATIONS", "LEFT_OUT_OF_TRAINING", "Alteration", "Family", "Strength", "alter"]
