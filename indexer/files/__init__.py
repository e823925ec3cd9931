"""Files on disk: pictures named by their content, and files that appear whole or not at all."""
