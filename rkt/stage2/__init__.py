"""The last steps inside the pod, then exec of the app."""
