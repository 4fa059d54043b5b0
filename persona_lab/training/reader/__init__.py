"""Training of the reader, on texts that readers rated."""
