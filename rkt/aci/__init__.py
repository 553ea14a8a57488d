"""The App Container Image archive format."""
