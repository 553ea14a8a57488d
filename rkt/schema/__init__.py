"""The manifests of App Container 0.8.11 as immutable values; pure, no I/O.

``image`` and ``pod`` decode and encode the two manifests; ``app``, ``volume``, ``label`` ... are their parts.
``json_reader`` and ``reading`` are the trust border, ``problems`` what they report. ``isolator_value`` says what
isolators ask for, ``reification`` whether a pod is complete, ``advice`` what a valid manifest should better not have.
``migration`` brings manifests of older releases to today's form. Nothing is imported here: each user pays for its part.
"""
