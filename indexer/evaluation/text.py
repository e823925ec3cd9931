"""Figures and outside names as text for a person."""

from indexer.campaigns.report.display_text import shown

__all__ = ["as_percent", "as_score", "shown"]


def as_score(value: float) -> str:
    """A figure within 0 and 1: three decimals."""
    return f"{value:.3f}"


def as_percent(value: float) -> str:
    """A share as a percentage, one decimal where it matters."""
    percent = 100 * value
    digits = 1 if 0 < percent < 10 or 90 < percent < 100 else 0
    return f"{percent:.{digits}f}".removesuffix(".0") + "\N{NO-BREAK SPACE}%"
