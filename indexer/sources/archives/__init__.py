"""Zip and tar archives of pictures, with bounds on what they unpack to."""
