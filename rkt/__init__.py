"""rkt: fetch, verify, prepare and run App Containers (appc) on amd64 Linux.

The folders are the stages, in the order in which an image passes them; ``docs/architecture.md`` draws them.
Nothing is imported here: the start of the interpreter is most of the cost of a short command.
"""

#: this package's version, a literal because looking it up in the metadata costs 55 ms
__version__ = "2.0.0"

#: the newest version of the App Container specification that is implemented
APPC_VERSION = "0.8.11"
