"""Which campaign a new image would join."""
