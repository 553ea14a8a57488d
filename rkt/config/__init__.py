"""Configuration files of the administrator and the vendor."""
