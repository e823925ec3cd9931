"""The pages: the search page and the interactive documentation, without anything from elsewhere."""
