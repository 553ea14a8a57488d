"""The store of trusted keys: which certificates may vouch for which image names (rkt 1.30, section 2.7).

Two directories, ``<system>/trustedkeys`` by the vendor and ``<local>/trustedkeys`` by the administrator, each with

    root.d/<fingerprint>                  trusted for every image
    prefix.d/<prefix...>/<fingerprint>    trusted for the image names at and beneath the prefix

A file is one armored key, named after its fingerprint. An *empty* local file takes the trust away from the system's key
of that name. Only the local directory is written. What others could have tampered with is an error and not merely
ignored: symbolic links, files and directories that everybody may write, files whose name is not the key's. Signatures
are not looked at here.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from rkt.errors import reason
from rkt.keys.certificate import LARGEST_KEY_FILE_BYTES, Certificate, parse_certificates
from rkt.keys.errors import KeyFileError, TrustStoreError
from rkt.keys.prefix import find_prefix_problem, prefixes_of
from rkt.linux import durable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rkt.paths import ConfigDirectories

_ROOT = "root.d"
_PREFIXES = "prefix.d"
_HEX = frozenset("0123456789abcdef")

#: no link is followed, no FIFO waited for
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class TrustedKey:
    """A certificate and what it is trusted for: ``prefix`` is None for a root key. ``path`` names its file."""

    __slots__ = ("certificate", "path", "prefix")

    def __init__(self, certificate: Certificate, *, prefix: str | None, path: str) -> None:
        self.certificate = certificate
        self.prefix = prefix
        self.path = path

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint


class TrustStore:
    """The trusted keys under the configuration directories; every call reads the disk anew."""

    __slots__ = ("_local", "_system")

    def __init__(self, directories: ConfigDirectories) -> None:
        self._system = f"{directories.system}/trustedkeys"
        self._local = f"{directories.local}/trustedkeys"

    def keys_for(self, image_name: str) -> list[TrustedKey]:
        """The keys that may vouch for ``image_name``, root keys first. Raises TrustStoreError."""
        places = [None, *prefixes_of(image_name)]
        local = [found for place in places for found in _read_directory(self._local, place)]
        system = [found for place in places for found in _read_directory(self._system, place)]
        return _merge(system, local)

    def list_keys(self) -> list[TrustedKey]:
        """Every trusted key: root keys, then by prefix. Raises TrustStoreError.

        A key that a local empty file masks for *some* of the names that it was trusted for is not listed there.
        """
        prefixes = sorted({*_find_prefixes(self._system), *_find_prefixes(self._local)})
        return [key for name in [None, *prefixes] for key in self.keys_for(name or "") if key.prefix == name]

    def add(self, armored: bytes, *, prefix: str | None) -> str:
        """Trust one key for ``prefix`` (None: for everything) and return the path of its file, which is on disk then.

        An empty file that masked the key is replaced. Raises KeyFileError for bytes that are not exactly one key,
        TrustStoreError if the file cannot be written.
        """
        certificates = parse_certificates(armored)
        if len(certificates) != 1:
            raise KeyFileError(f"it holds {len(certificates)} keys, and each is kept in a file of its own")
        why = None if prefix is None else find_prefix_problem(prefix)
        if why:
            raise TrustStoreError(f'cannot trust a key for "{prefix}": {why}')
        directory = f"{self._local}/{_place(prefix)}"
        path = f"{directory}/{certificates[0].fingerprint}"
        try:
            _make_directories(self._local, _place(prefix))
            durable.write_file(path, certificates[0].armored(), mode=0o644)
        except OSError as error:
            hint = "run as root, or as a member of group rkt-admin" if isinstance(error, PermissionError) else None
            raise TrustStoreError(f'cannot add key "{path}": {reason(error)}', hint) from error
        return path


class _KeyFile:
    """One file: the certificate in it, or None for an empty file."""

    __slots__ = ("certificate", "name", "path", "prefix")

    def __init__(self, *, name: str, path: str, prefix: str | None, certificate: Certificate | None) -> None:
        self.name = name
        self.path = path
        self.prefix = prefix
        self.certificate = certificate


def _merge(system: list[_KeyFile], local: list[_KeyFile]) -> list[TrustedKey]:
    """What remains trusted: local files stand, system files unless a local one of that name says otherwise."""
    masked = {one.name for one in local if one.certificate is None}
    seen: dict[tuple[str | None, str], TrustedKey] = {}
    for one in [*(s for s in system if s.name not in masked), *local]:
        if one.certificate is not None:
            seen[one.prefix, one.name] = TrustedKey(one.certificate, prefix=one.prefix, path=one.path)
    return list(seen.values())


def _place(prefix: str | None) -> str:
    return _ROOT if prefix is None else f"{_PREFIXES}/{prefix}"


def _read_directory(root: str, prefix: str | None) -> Iterator[_KeyFile]:
    """The key files directly in one directory of the store; none if it does not exist."""
    path = f"{root}/{_place(prefix)}"
    directory = _open_directory(root, _place(prefix))
    if directory < 0:
        return
    try:
        for name in sorted(name for name in os.listdir(directory) if not name.startswith(".")):
            try:
                if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
                    continue
                certificate = _load_key(directory, name, path=f"{path}/{name}")
            except FileNotFoundError:
                continue  # removed since the directory was listed
            yield _KeyFile(name=name, path=f"{path}/{name}", prefix=prefix, certificate=certificate)
    except OSError as error:
        raise TrustStoreError(f'cannot read trusted keys "{path}": {reason(error)}') from error
    finally:
        os.close(directory)


def _load_key(directory: int, name: str, *, path: str) -> Certificate | None:
    """The key in one file, None for an empty file.

    Raises TrustStoreError for anything that is not in order, FileNotFoundError if there is no such file any more.
    """
    if len(name) != 40 or not _HEX.issuperset(name):
        raise _bad(path, "its name is not a key's fingerprint", f"add keys with: rkt trust; remove the file: rm {path}")
    try:
        fd = os.open(name, _OPEN_FLAGS, dir_fd=directory)
        try:
            _check_status(os.fstat(fd), path, file=True)
            data = _read_all(fd)
        finally:
            os.close(fd)
    except FileNotFoundError:
        raise
    except OSError as error:
        link = os.path.islink(path)
        raise _bad(path, "it is a symbolic link" if link else reason(error), None) from error
    if not data:
        return None
    try:
        certificates = parse_certificates(data)
    except KeyFileError as error:
        raise _bad(path, error.message, f"add the key again with: rkt trust; or remove the file: rm {path}") from None
    if len(certificates) != 1 or certificates[0].fingerprint != name:
        found = ", ".join(one.fingerprint for one in certificates)
        raise _bad(path, f'it should hold the key of its name and no other, and it holds "{found}"', None)
    return certificates[0]


def _read_all(fd: int) -> bytes:
    data = b""
    while len(data) <= LARGEST_KEY_FILE_BYTES and (chunk := os.read(fd, 1 << 16)):
        data += chunk
    return data


def _open_directory(root: str, place: str) -> int:
    """An fd of ``root/place``, each step checked and no link followed; -1 if there is no such directory."""
    path, fd = root, -1
    try:
        fd = os.open(root, _OPEN_FLAGS | os.O_DIRECTORY)
        _check_status(os.fstat(fd), path, file=False)
        for segment in place.split("/"):
            path = f"{path}/{segment}"
            below = os.open(segment, _OPEN_FLAGS | os.O_DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = below
            _check_status(os.fstat(fd), path, file=False)
    except OSError as error:
        if fd >= 0:
            os.close(fd)
        if os.path.islink(path):
            raise _bad(path, "it is a symbolic link", None) from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return -1
        raise _bad(path, reason(error), None) from error
    except TrustStoreError:
        os.close(fd)
        raise
    return fd


def _check_status(status: os.stat_result, path: str, *, file: bool) -> None:
    """Raises TrustStoreError unless ``path`` is what it should be and only its owner and group can have written it."""
    if file and not stat.S_ISREG(status.st_mode):
        raise _bad(path, "it is not a regular file", f"remove it: rm {path}")
    if status.st_mode & stat.S_IWOTH:
        raise _bad(path, "everybody may write it, so anybody may have", f"check it, then: chmod o-w {path}")


def _find_prefixes(root: str) -> Iterator[str]:
    """Every directory below ``prefix.d`` whose path is the beginning of an image name."""
    top = f"{root}/{_PREFIXES}"
    for directory, below, _ in os.walk(top):
        prefix = directory[len(top) + 1 :]
        below[:] = sorted(name for name in below if not find_prefix_problem(name))
        if prefix:
            yield prefix


def _make_directories(root: str, place: str) -> None:
    """Create ``root/place``, refusing to pass through a link. Raises OSError and TrustStoreError."""
    durable.make_directories(root)
    path = root
    for segment in place.split("/"):
        path = f"{path}/{segment}"
        if os.path.islink(path):
            raise _bad(path, "it is a symbolic link", None)
        durable.make_directories(path)


def _bad(path: str, why: str, hint: str | None) -> TrustStoreError:
    return TrustStoreError(f'cannot use trusted key "{path}": {why}', hint)
