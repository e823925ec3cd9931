"""Keeping a catalogue sound: deleting, checking files, renewing hashes."""
