"""Commands that exchange data with others."""
