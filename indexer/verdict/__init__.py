"""From matches and findings to a verdict that says what it rests on."""
