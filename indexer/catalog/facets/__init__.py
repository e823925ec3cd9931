"""How many images of the catalogue have which value of what they can be filtered by, exactly and in milliseconds."""
