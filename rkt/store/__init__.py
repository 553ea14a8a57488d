"""Content-addressed images and the trees rendered from them."""
