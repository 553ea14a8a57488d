"""Plans and applies the networking of a pod."""
