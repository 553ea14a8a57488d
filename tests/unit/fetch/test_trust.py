from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness.http_server import Reply, Server
from harness.openpgp_forge import CERTIFY, ForgedKey

from rkt.errors import NotSupportedError, UsageError
from rkt.fetch.errors import DownloadError
from rkt.fetch.trust import TrustError, TrustRequest, format_fingerprint, trust_keys
from rkt.keys.armor import PUBLIC_KEY, format_armor
from rkt.keys.errors import KeyFileError
from rkt.keys.trust_store import TrustStore
from rkt.paths import ConfigDirectories


class Dialogue:
    """A user who types ``answers``, and what he was shown: ``out`` and ``err`` lines in one list."""

    def __init__(self, *answers: str, can_ask: bool = True) -> None:
        self.can_ask = can_ask
        self.answers = list(answers)
        self.shown: list[str] = []

    def show(self, text: str) -> None:
        self.shown.append(f"out {text}")

    def note(self, text: str) -> None:
        self.shown.append(f"err {text}")

    def ask(self, question: str) -> str | None:
        self.shown.append(f"ask {question}")
        return self.answers.pop(0) if self.answers else None


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(ConfigDirectories(local=str(tmp_path / "local"), system=str(tmp_path / "system")))


@pytest.fixture
def key_file(tmp_path: Path, key: ForgedKey) -> Path:
    path = tmp_path / "key.asc"
    path.write_bytes(format_armor(key.certificate(b"Builder <builder@example.com>"), kind=PUBLIC_KEY))
    return path


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.spec("ACI-030")
def test_a_key_is_shown_reviewed_and_added(store: TrustStore, key_file: Path, key: ForgedKey) -> None:
    dialogue = Dialogue("maybe", "", "yes")
    (path,) = trust_keys(TrustRequest(locations=(str(key_file),), prefix="example.com/app"), store, dialogue=dialogue)
    assert dialogue.shown == [
        'err prefix: "example.com/app"',
        f'err key: "{key_file}"',
        f"out gpg key fingerprint is: {format_fingerprint(key.fingerprint)}",
        "out \tBuilder <builder@example.com>",
        "ask Are you sure you want to trust this key (yes/no)?",
        "err Please enter 'yes' or 'no'",
        "ask Are you sure you want to trust this key (yes/no)?",
        "err Please enter 'yes' or 'no'",
        "ask Are you sure you want to trust this key (yes/no)?",
        f'out Trusting "{key_file}" for prefix "example.com/app" after fingerprint review.',
        f'out Added key for prefix "example.com/app" at "{path}"',
    ]
    assert [one.path for one in store.keys_for("example.com/app/x")] == [path]


def test_fingerprints_are_grouped_as_gpg_does() -> None:
    expected = "8B86 DE38 890D DB72 9186  7B02 5210 BD88 8818 2190"
    assert format_fingerprint("8b86de38890ddb7291867b025210bd8888182190") == expected


def test_a_root_key_is_added_without_review_if_asked(store: TrustStore, key_file: Path) -> None:
    dialogue = Dialogue(can_ask=False)
    request = TrustRequest(locations=(f"file://{key_file}",), root=True, skip_review=True)
    (path,) = trust_keys(request, store, dialogue=dialogue)
    assert dialogue.shown[-2:] == [
        f'out Trusting "file://{key_file}" for prefix "" without fingerprint review.',
        f'out Added root key at "{path}"',
    ]


def test_declining_skips_one_key_and_goes_on(
    store: TrustStore, key_file: Path, other_key: ForgedKey, tmp_path: Path
) -> None:
    second = tmp_path / "second.gpg"
    second.write_bytes(other_key.certificate())
    dialogue = Dialogue("no", "yes")
    request = TrustRequest(locations=(str(key_file), str(second)), prefix="example.com")
    (path,) = trust_keys(request, store, dialogue=dialogue)
    assert f'err not trusting "{key_file}"' in dialogue.shown
    assert path.endswith(other_key.fingerprint)


def test_every_key_of_a_ring_is_shown_and_added(
    store: TrustStore, key: ForgedKey, other_key: ForgedKey, tmp_path: Path
) -> None:
    ring = tmp_path / "ring.asc"
    subkey = ForgedKey(at=key.at)
    ring.write_bytes(format_armor(key.certificate() + key.bind(subkey) + other_key.certificate(), kind=PUBLIC_KEY))
    dialogue = Dialogue("yes")
    added = trust_keys(TrustRequest(locations=(str(ring),), root=True), store, dialogue=dialogue)
    assert [path.rpartition("/")[2] for path in added] == [key.fingerprint, other_key.fingerprint]
    assert f"out     Subkey fingerprint: {format_fingerprint(subkey.fingerprint)}" in dialogue.shown
    assert {one.fingerprint for one in store.list_keys()} == {key.fingerprint, other_key.fingerprint}


def test_without_a_terminal_a_review_is_an_error(store: TrustStore, key_file: Path) -> None:
    dialogue = Dialogue(can_ask=False)
    with pytest.raises(TrustError, match="due to lack of tty"):
        trust_keys(TrustRequest(locations=(str(key_file),), prefix="example.com"), store, dialogue=dialogue)
    assert dialogue.shown[-3:] == [
        'err To trust the key for "example.com", do one of the following:',
        "err  - call rkt with --trust-keys-from-https",
        'err  - run: rkt trust --prefix "example.com"',
    ]
    assert store.list_keys() == []


def test_the_end_of_the_input_is_no_yes(store: TrustStore, key_file: Path) -> None:
    with pytest.raises(TrustError, match="input ended"):
        trust_keys(TrustRequest(locations=(str(key_file),), root=True), store, dialogue=Dialogue("maybe"))
    assert store.list_keys() == []


def test_a_key_that_cannot_sign_is_warned_of(store: TrustStore, tmp_path: Path, key: ForgedKey) -> None:
    path = tmp_path / "certifier.asc"
    path.write_bytes(key.packet() + key.certify(b"x", usage=CERTIFY))
    dialogue = Dialogue("no")
    trust_keys(TrustRequest(locations=(str(path),), root=True), store, dialogue=dialogue)
    assert any(line.startswith("err warning: images signed with this key will be refused") for line in dialogue.shown)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"root": True, "prefix": "example.com"}, "--root and --prefix usage mutually exclusive"),
        ({}, "aborting due to implicit unbounded trust"),
        ({"locations": ()}, "nothing to trust"),
        ({"prefix": "https://example.com"}, "must not contain a URL scheme, omit https://"),
        ({"prefix": "../../etc"}, "invalid --prefix"),
    ],
)
def test_requests_that_make_no_sense_are_refused(changes: dict[str, object], reason: str) -> None:
    arguments: dict[str, object] = {"locations": ("key.asc",), **changes}
    with pytest.raises(UsageError, match=reason):
        TrustRequest(**arguments)  # type: ignore[arg-type]


def test_discovery_is_named_as_missing(store: TrustStore) -> None:
    with pytest.raises(NotSupportedError, match="discovery"):
        trust_keys(TrustRequest(locations=(), prefix="example.com"), store, dialogue=Dialogue())


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "no public key"), (b"hello", "not an OpenPGP packet"), (None, "no such file")]
)
def test_what_is_no_key_is_refused_by_name(
    store: TrustStore, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "key.asc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises((KeyFileError, TrustError), match=f"{path}.*{reason}"):
        trust_keys(TrustRequest(locations=(str(path),), root=True), store, dialogue=Dialogue("yes"))


def test_a_key_comes_over_http_only_with_the_option(store: TrustStore, server: Server, key: ForgedKey) -> None:
    server.answers["/key.asc"] = Reply(key.certificate())
    url = server.url("/key.asc")
    with pytest.raises(TrustError, match="--insecure-allow-http required for http URLs"):
        trust_keys(TrustRequest(locations=(url,), root=True), store, dialogue=Dialogue("yes"))
    assert server.asked == []
    request = TrustRequest(locations=(url,), root=True, allow_http=True, trust_https=True)
    assert len(trust_keys(request, store, dialogue=Dialogue("yes"))) == 1


def test_trusting_https_does_not_mean_trusting_http(store: TrustStore, server: Server, key: ForgedKey) -> None:
    server.answers["/key.asc"] = Reply(key.certificate())
    request = TrustRequest(locations=(server.url("/key.asc"),), root=True, allow_http=True, trust_https=True)
    with pytest.raises(TrustError, match="lack of tty"):
        trust_keys(request, store, dialogue=Dialogue(can_ask=False))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=404), "bad HTTP status code: 404"),
        (Reply(bytes(3 << 20)), "more than"),
        (Reply(status=302, headers={"Location": "file:///etc/passwd"}), "not https"),
    ],
)
def test_a_server_without_the_key_is_an_error(store: TrustStore, server: Server, reply: Reply, reason: str) -> None:
    server.answers["/key.asc"] = reply
    request = TrustRequest(locations=(server.url("/key.asc"),), root=True, allow_http=True)
    with pytest.raises(DownloadError, match=reason):
        trust_keys(request, store, dialogue=Dialogue("yes"))


def test_other_schemes_are_refused(store: TrustStore) -> None:
    with pytest.raises(TrustError, match="only local files and http or https URLs supported"):
        trust_keys(TrustRequest(locations=("ftp://example.com/key",), root=True), store, dialogue=Dialogue())


def test_what_was_trusted_verifies_images(
    store: TrustStore, key_file: Path, sign: Callable[..., bytes], make_aci: Callable[..., bytes]
) -> None:
    from rkt.keys.signature import DetachedSignature

    trust_keys(TrustRequest(locations=(str(key_file),), prefix="example.com"), store, dialogue=Dialogue("yes"))
    signature = DetachedSignature(sign(make_aci()))
    signature.update(make_aci())
    keys = [one.certificate for one in store.keys_for("example.com/app")]
    assert signature.verify(keys).identities == ("Builder <builder@example.com>",)
