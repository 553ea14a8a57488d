"""``rkt image VERB``: what can be done with images in the store and with image files."""
