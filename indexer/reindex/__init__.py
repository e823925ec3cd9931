"""Moving a catalogue to another detector."""
