"""The built-in flavour: namespaces, overlayfs and cgroups, without systemd."""
