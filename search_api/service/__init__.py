"""What routes call: the library with the state of one server process."""
