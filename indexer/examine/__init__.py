"""A closer look at pictures: comparing two, heat maps, and searching by a region."""
