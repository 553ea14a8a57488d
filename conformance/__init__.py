"""The ACE conformance harness: drives any App Container runtime from outside; imports nothing of rkt."""
