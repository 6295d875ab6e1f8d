"""One reader for each format, and what all of them check."""
