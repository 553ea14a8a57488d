"""The manifests of App Container 0.8.11 as immutable values; no I/O."""
