"""From an image reference to verified bytes in the store."""
