"""OpenPGP signatures and the store of trusted keys."""
