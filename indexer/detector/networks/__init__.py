"""What any network needs, a copy descriptor's as well: its numbers out of a file, and its passes in pieces."""
