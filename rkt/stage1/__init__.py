"""Builds the isolation of a pod; one folder per flavour."""
