"""One module an area; each defines a blueprint."""
