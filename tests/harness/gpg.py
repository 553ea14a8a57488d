"""GnuPG in a throw-away home directory: makes keys and signatures for tests, and leaves no agent behind."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType


class Gpg:
    """One home directory under /tmp (its sockets need a short path). A context manager."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="rkt-gpg-", dir="/tmp"))

    def __enter__(self) -> Gpg:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=True, capture_output=True)
        shutil.rmtree(self.home)

    def run(self, *arguments: str, stdin: bytes = b"", at: str | None = None) -> bytes:
        """stdout of gpg; ``at`` is the time that gpg believes it is (``20200101T000000``). Fails with gpg's stderr."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--no-tty", "--quiet"]
        command += ["--pinentry-mode", "loopback", "--passphrase", ""]
        if at:
            command += ["--faked-system-time", at]
        done = subprocess.run([*command, *arguments], input=stdin, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def generate(
        self, identity: str, *, algorithm: str, usage: str = "sign", expire: str = "never", at: str | None = None
    ) -> str:
        """A new key; its fingerprint in lower case."""
        self.run("--quick-generate-key", identity, algorithm, usage, expire, at=at)
        return self.fingerprints(identity)[0]

    def add_subkey(self, fingerprint: str, *, algorithm: str, expire: str = "never", at: str | None = None) -> str:
        """A new signing subkey; its fingerprint in lower case."""
        self.run("--quick-add-key", fingerprint.upper(), algorithm, "sign", expire, at=at)
        return self.fingerprints(fingerprint)[-1]

    def fingerprints(self, name: str) -> list[str]:
        """The fingerprints of a key and its subkeys, in order."""
        listing = self.run("--with-colons", "--list-keys", name).decode()
        return [line.split(":")[9].lower() for line in listing.splitlines() if line.startswith("fpr:")]

    def export(self, name: str, *, armor: bool = True) -> bytes:
        return self.run(*(("--armor",) if armor else ()), "--export", name)

    def sign(self, data: bytes, *options: str, key: str, armor: bool = True, at: str | None = None) -> bytes:
        """A detached signature by exactly ``key``, which may be a subkey."""
        form = ("--armor",) if armor else ()
        return self.run(*form, *options, "--local-user", f"{key}!", "--detach-sign", stdin=data, at=at)

    def revoke(self, fingerprint: str) -> None:
        """Revoke a primary key with the certificate that gpg made with it."""
        certificate = self.home / "openpgp-revocs.d" / f"{fingerprint.upper()}.rev"
        self.run("--import", stdin=certificate.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))

    def revoke_subkey(self, fingerprint: str) -> None:
        """Revoke the first subkey."""
        answers = b"key 1\nrevkey\ny\n0\n\ny\nsave\n"
        self.run("--command-fd", "0", "--edit-key", fingerprint, stdin=answers)
