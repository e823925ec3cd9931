"""How well a detector does on pictures whose class is known: figures with intervals, peers and what they do not say.

Labelled pictures come from `labelled`, single figures from `metrics`, the whole report from `report`.
"""
