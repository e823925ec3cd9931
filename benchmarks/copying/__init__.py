"""What `benchmarks.copies` consists of: who is known, who asks, what the product and its peers say of it."""
