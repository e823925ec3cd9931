"""Evaluates a detector on labelled pictures: figures with intervals, simple baselines, and limits.

`labelled` gives the pictures, `metrics` single figures, `report` the whole report.
"""
