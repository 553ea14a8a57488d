"""A pod directory is the state of a pod."""
