"""Reading and writing watches, arrivals and events."""
