"""The words typed become one call into the stages, text and an exit status."""
