"""Prepares a pod directory, chooses a stage1 and hands over."""
