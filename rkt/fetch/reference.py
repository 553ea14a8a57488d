"""What the user typed for an image, told apart: image ID, URL, file, name (rkt 1.30, section 5.1).

The rules are heuristics, in a fixed order; the only thing that is looked at beside the text is whether a file of that
name exists. Nothing is fetched or looked up here, and nothing heavy is imported: ``rkt run sha512-...`` passes by.
"""

from __future__ import annotations

import os

from rkt.errors import NotSupportedError
from rkt.fetch.errors import ImageReferenceError
from rkt.schema.names import find_identifier_problem
from rkt.schema.web_url import find_url_problem

HASH, URL, FILE, NAME = "hash", "url", "file", "name"

ARCHIVE_SUFFIX = ".aci"

HASH_PREFIX = "sha512-"
_SCHEME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")


class ImageReference:
    """One image as asked for. ``kind`` is HASH, URL, FILE or NAME; ``text`` is what was typed.

    ``location`` is the URL, or the path of a file; ``name`` and ``labels`` are those of a NAME.
    """

    __slots__ = ("kind", "labels", "location", "name", "text")

    def __init__(
        self, kind: str, *, text: str, location: str = "", name: str = "", labels: dict[str, str] | None = None
    ) -> None:
        self.kind = kind
        self.text = text
        self.location = location
        self.name = name
        self.labels = labels or {}

    def __repr__(self) -> str:
        return f"ImageReference({self.kind!r}, text={self.text!r})"


def parse_reference(text: str) -> ImageReference:
    """Classify ``text``. Raises ImageReferenceError for what is no form of an image reference, NotSupportedError."""
    if not text:
        raise _invalid(text, "it is empty")
    if text.startswith(HASH_PREFIX):
        return ImageReference(HASH, text=text)
    scheme = _find_scheme(text)
    if scheme in ("http", "https"):
        return _parse_url(text, scheme)
    if scheme == "file":
        return ImageReference(FILE, text=text, location=parse_file_url(text))
    if scheme in ("docker", "cimd"):
        raise NotSupportedError(
            f'image "{text}": {scheme}: images are not supported yet', "convert it to an ACI and fetch that file or URL"
        )
    if "://" in text:
        only = "the only URL schemes supported by rkt for an archive are http, https and file"
        raise _invalid(text, f'an unsupported URL scheme "{scheme}" - {only}')
    return _parse_plain(text)


def _parse_plain(text: str) -> ImageReference:
    """A word without a scheme that we know: ``name:version`` looks like one with a scheme, and is none."""
    named_like_a_file = "./" in text or text.endswith(ARCHIVE_SUFFIX)
    if text.startswith("/") or os.path.isfile(text) or (":" not in text and named_like_a_file):
        return ImageReference(FILE, text=text, location=text)
    name, labels = parse_name(text)
    return ImageReference(NAME, text=text, name=name, labels=labels)


def parse_name(text: str) -> tuple[str, dict[str, str]]:
    """``name[:version][,label=value]...`` as name and labels. Raises ImageReferenceError."""
    head, *pairs = text.split(",")
    name, colon, version = head.partition(":")
    labels = {"version": version} if colon else {}
    why = find_identifier_problem(name)
    if why or (colon and not version):
        raise _invalid(text, f'"{name}" {why}' if why else "the version is empty")
    for pair in pairs:
        label, equals, value = pair.partition("=")
        why = find_identifier_problem(label)
        if not equals or not value or why:
            raise _invalid(text, f'"{pair}" is no label=value' if not why or not equals else f'label "{label}" {why}')
        if label in labels:
            raise _invalid(text, f'the label "{label}" is given twice')
        labels[label] = value
    return name, labels


def parse_file_url(text: str) -> str:
    """The path of a ``file:`` URL of this host. Raises ImageReferenceError."""
    from urllib.parse import unquote

    rest = text[len("file:") :]
    host, path = "", rest
    if rest.startswith("//"):
        host, slash, below = rest[2:].partition("/")
        path = slash + below
    if host not in ("", "localhost") or not path.startswith("/") or "\0" in unquote(path):
        raise _invalid(text, "a file URL names an absolute path of this host, like file:///path/image.aci")
    return unquote(path)


def _parse_url(text: str, scheme: str) -> ImageReference:
    why = find_url_problem(text)
    if why:
        raise _invalid(text, why)
    rest = text[len(scheme) + 3 :]
    path = rest.partition("#")[0].partition("?")[0]
    if "@" in path.partition("/")[0]:
        raise _invalid(text, "a user name and password in a URL end up in logs and in the list of processes")
    if not path.endswith(ARCHIVE_SUFFIX):
        raise _invalid(text, f"the path of an image's URL ends in {ARCHIVE_SUFFIX}")
    return ImageReference(URL, text=text, location=f"{scheme}://{rest.partition('#')[0]}")


def _find_scheme(text: str) -> str:
    """The lower-case scheme that ``text`` seems to begin with, as a URL parser sees it; "" if there is none."""
    scheme, colon, _ = text.partition(":")
    scheme = scheme.lower()
    if not colon or not scheme or not scheme[0].isalpha() or not _SCHEME_CHARACTERS.issuperset(scheme):
        return ""
    return scheme


def _invalid(text: str, why: str) -> ImageReferenceError:
    shown = text
    if "@" in text and "://" in text:  # never print a password
        shown = text.partition("://")[0] + "://..." + text.rpartition("@")[2]
    return ImageReferenceError(f'invalid image string "{shown}": {why}', "an image is a hash, a URL, a file or a name")
