"""Commands about detectors and what their scores mean."""
