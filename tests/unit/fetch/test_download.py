"""Images from servers: good ones, failing ones and lying ones; what is asked, and what is in the store afterwards."""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from harness.http_server import Asked, Reply, Server, wait_until
from harness.openpgp_forge import ForgedKey

from rkt.errors import RktError
from rkt.fetch.errors import DownloadError, UnverifiedImageError
from rkt.fetch.image_fetch import Fetcher
from rkt.keys.errors import SignatureError, UnknownSignerError
from rkt.store.errors import StoreBusyError
from rkt.store.image_store import ImageStore
from rkt.store.record import ImageRecord

Make = Callable[..., bytes]
MakeFetcher = Callable[..., Fetcher]
Leftovers = Callable[[], list[str]]

PATH = "/images/app-1.0.aci"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def aci(make_aci: Make) -> bytes:
    return make_aci()


@pytest.fixture
def publish(server: Server, aci: bytes, sign: Make) -> Callable[..., str]:
    """``publish(headers...)``: put the image and its signature on the server; its URL."""

    def put(body: bytes = aci, *, signature: bytes | None = None, **reply: object) -> str:
        server.answers[PATH] = Reply(body, **reply)  # type: ignore[arg-type]
        server.answers[PATH + ".asc"] = Reply(sign(body) if signature is None else signature)
        return server.url(PATH)

    return put


# --- the good way ---


def test_a_signed_image_is_downloaded_and_stored_byte_for_byte(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, store: ImageStore, aci: bytes
) -> None:
    import gzip

    record = fetcher("http").fetch(publish())
    assert record.verified
    fd = store.open_blob(record.key)
    with open(fd, "rb") as blob:
        assert blob.read() == gzip.decompress(aci)
    assert server.paths() == [PATH + ".asc", PATH]


def test_the_bytes_are_asked_for_as_they_are(server: Server, publish: Callable[..., str], fetcher: MakeFetcher) -> None:
    """A server that declares the gzip file as an encoding of something else gets no say in what is stored."""
    record = fetcher("http").fetch(publish(headers={"Content-Encoding": "gzip"}))
    assert record.verified
    assert {one.headers["Accept-Encoding"] for one in server.asked} == {"identity"}
    assert {one.headers["User-Agent"] for one in server.asked} == {"rkt/2.0.0"}


def test_what_is_said_is_the_founding_documents(
    publish: Callable[..., str], fetcher: MakeFetcher, capfd: pytest.CaptureFixture[str]
) -> None:
    url = publish()
    record = fetcher("http").fetch(url)
    assert capfd.readouterr().err == (
        f"rkt: fetching image from {url}\n"
        "rkt: signature verified:\n"
        "  Builder <builder@example.com>\n"
        f"  {record.image_id[:39]}\n"
    )


def test_the_names_of_2015_are_tried_when_there_is_no_asc(
    server: Server, aci: bytes, sign: Make, fetcher: MakeFetcher
) -> None:
    server.answers = {PATH + "?v=1": Reply(aci), "/images/app-1.0.sig?v=1": Reply(sign(aci))}
    assert fetcher("http").fetch(server.url(PATH) + "?v=1").verified
    assert server.paths() == [PATH + ".asc?v=1", "/images/app-1.0.sig?v=1", PATH + "?v=1"]


@pytest.mark.spec("DISC-026")
def test_without_verification_the_signature_is_not_asked_for(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not fetcher("http", "image").fetch(publish()).verified
    assert server.paths() == [PATH]
    assert "rkt: warning: image signature verification has been disabled\n" in capfd.readouterr().err


def test_a_local_signature_saves_the_download_of_one(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, sign: Make, aci: bytes, tmp_path: Path
) -> None:
    (tmp_path / "app.asc").write_bytes(sign(aci))
    assert fetcher("http").fetch(publish(), signature=str(tmp_path / "app.asc")).verified
    assert server.paths() == [PATH]


def test_redirects_are_followed(server: Server, publish: Callable[..., str], fetcher: MakeFetcher, sign: Make) -> None:
    publish()
    for suffix in ("", ".asc"):
        server.answers[f"/old.aci{suffix}"] = Reply(status=302, headers={"Location": f"images/app-1.0.aci{suffix}"})
    assert fetcher("http").fetch(server.url("/old.aci")).verified


# --- refused ---


def test_plain_http_is_refused_without_the_option(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher
) -> None:
    with pytest.raises(DownloadError, match="plain http") as caught:
        fetcher().fetch(publish())
    assert "--insecure-options=http" in (caught.value.hint or "")
    assert server.asked == []


def test_an_unsigned_image_is_refused_before_it_is_downloaded(
    server: Server, aci: bytes, fetcher: MakeFetcher, leftovers: Leftovers
) -> None:
    server.answers[PATH] = Reply(aci)
    with pytest.raises(UnverifiedImageError, match="no signature"):
        fetcher("http").fetch(server.url(PATH))
    assert PATH not in server.paths()
    assert leftovers() == []


def test_a_strangers_image_is_refused_before_it_is_downloaded(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, sign: Make, aci: bytes, other_key: ForgedKey
) -> None:
    with pytest.raises(UnknownSignerError, match=other_key.fingerprint):
        fetcher("http").fetch(publish(signature=sign(aci, other_key)))
    assert PATH not in server.paths()


def test_an_image_that_was_tampered_with_is_refused(
    publish: Callable[..., str], fetcher: MakeFetcher, sign: Make, make_aci: Make, leftovers: Leftovers
) -> None:
    with pytest.raises(SignatureError, match="not one over these bytes"):
        fetcher("http").fetch(publish(make_aci(content=b"evil"), signature=sign(make_aci())))
    assert leftovers() == []


BAD_SERVERS: dict[str, tuple[Reply, str]] = {
    "not found": (Reply(status=404), "bad HTTP status code: 404"),
    "forbidden": (Reply(status=403), "bad HTTP status code: 403"),
    "internal error": (Reply(status=500), "bad HTTP status code: 500"),
    "partial content that nobody asked for": (Reply(b"x", status=206), "bad HTTP status code: 206"),
    "not modified, though nothing is known": (Reply(status=304), "bad HTTP status code: 304"),
    "redirect to itself": (Reply(status=302, headers={"Location": PATH}), "more than 10 redirects"),
    "redirect to a file": (Reply(status=302, headers={"Location": "file:///etc/passwd"}), "not https"),
    "redirect to ftp": (Reply(status=307, headers={"Location": "ftp://localhost/x.aci"}), "not https"),
    "redirect to nowhere": (Reply(status=302), "bad HTTP status code: 302"),
    "redirect to a bad port": (Reply(status=302, headers={"Location": "http://localhost:99999/"}), "cannot download"),
}


@pytest.mark.parametrize("name", BAD_SERVERS)
def test_a_server_that_answers_otherwise_is_an_error(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, leftovers: Leftovers, name: str
) -> None:
    reply, reason = BAD_SERVERS[name]
    url = publish()
    server.answers[PATH] = reply
    with pytest.raises(DownloadError, match=reason):
        fetcher("http").fetch(url)
    assert leftovers() == []
    assert fetcher("http").fetch(publish()).verified


BROKEN_BODIES: dict[str, dict[str, object]] = {
    "cut short": {"hang_up_after": 100},
    "cut before the first byte": {"hang_up_after": 0},
    "cut before the last byte": {"hang_up_after": -1},
    "longer than announced": {"length": "50"},
    "shorter than announced": {"length": "9999999"},
    "a negative length": {"length": "-5", "hang_up_after": 10},
    "without a length, cut short": {"length": "", "hang_up_after": 60},
    "stalled": {"stall_seconds": 30.0},
}


@pytest.mark.parametrize("verified", [True, False], ids=["verified", "insecure"])
@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_a_broken_body_is_an_error_and_leaves_nothing(
    publish: Callable[..., str], fetcher: MakeFetcher, leftovers: Leftovers, name: str, verified: bool
) -> None:
    insecure = ("http",) if verified else ("http", "image")
    started = time.monotonic()
    with pytest.raises(RktError):
        fetcher(*insecure, read_seconds=0.3).fetch(publish(**BROKEN_BODIES[name]))
    assert time.monotonic() - started < 5
    assert leftovers() == []
    assert fetcher(*insecure).fetch(publish()).name == "example.com/app"


def test_a_signature_without_an_end_is_cut_off(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, leftovers: Leftovers
) -> None:
    url = publish(signature=bytes(1 << 20))
    with pytest.raises(DownloadError, match="more than 65536 bytes"):
        fetcher("http").fetch(url)
    assert PATH not in server.paths()


def test_a_server_that_is_not_there_is_named(fetcher: MakeFetcher) -> None:
    with Server() as gone:
        url = gone.url(PATH)
    with pytest.raises(DownloadError, match="connection refused"):
        fetcher("http").fetch(url)


def test_a_password_in_a_redirect_is_not_repeated(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher
) -> None:
    url = publish()
    server.answers[PATH] = Reply(status=302, headers={"Location": "ftp://user:s3cret@localhost/x.aci"})
    with pytest.raises(DownloadError) as caught:
        fetcher("http").fetch(url)
    assert "s3cret" not in caught.value.message


def test_nothing_is_taken_from_netrc(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine localhost login user password s3cret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fetcher("http").fetch(publish())
    assert all("Authorization" not in one.headers for one in server.asked)


# --- what the server said is remembered ---


def conditional(etag: str, body: bytes, **headers: str) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        if asked.headers.get("If-None-Match") == etag:
            return Reply(status=304, headers={"ETag": etag, **headers})
        return Reply(body, headers={"ETag": etag, **headers})

    return answer


def test_an_image_that_has_not_changed_is_not_downloaded_again(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, store: ImageStore, aci: bytes
) -> None:
    url = publish()
    server.answers[PATH] = conditional('"v1"', aci)
    first = fetcher("http").fetch(url)
    assert fetcher("http").fetch(url) == first
    assert server.asked[-1].headers["If-None-Match"] == '"v1"'
    remembered = store.find_remote(url)
    assert remembered is not None
    assert (remembered.etag, remembered.sig_url) == ('"v1"', url + ".asc")


def test_a_new_image_replaces_what_the_url_means(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, sign: Make, make_aci: Make
) -> None:
    url = publish(headers={"ETag": '"v1"'})
    first = fetcher("http").fetch(url)
    second = fetcher("http").fetch(publish(make_aci(content=b"new"), headers={"ETag": '"v2"'}))
    assert second.key != first.key
    assert fetcher("http", policy="new").fetch(url) == second


def test_within_max_age_the_server_is_not_asked(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher
) -> None:
    url = publish(headers={"Cache-Control": "max-age=3600"})
    first = fetcher("http").fetch(url)
    server.asked.clear()
    assert fetcher("http").fetch(url) == first
    assert server.asked == []


def test_the_policies_new_and_never_do_not_ask_the_server(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher
) -> None:
    url = publish()
    first = fetcher("http", policy="new").fetch(url)
    server.asked.clear()
    assert fetcher("http", policy="new").fetch(url) == first
    assert fetcher("http", policy="never").fetch(url) == first
    assert server.asked == []


@pytest.mark.parametrize("damage", ["removed", "truncated"])
def test_not_modified_never_keeps_a_damaged_image_alive(
    server: Server,
    publish: Callable[..., str],
    fetcher: MakeFetcher,
    store: ImageStore,
    aci: bytes,
    damage: str,
) -> None:
    """Security row P11."""
    url = publish()
    server.answers[PATH] = conditional('"v1"', aci, **{"Cache-Control": "max-age=3600"})
    first = fetcher("http").fetch(url)
    if damage == "removed":
        store.remove(first.key)
    else:
        os.truncate(store.layout.blob(first.key), 100)
    again = fetcher("http").fetch(url)
    assert "If-None-Match" not in server.asked[-1].headers
    assert again.key == first.key
    store.verify_blob(again.key)


def test_not_modified_never_makes_an_unverified_image_a_verified_one(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, aci: bytes
) -> None:
    url = publish()
    server.answers[PATH] = conditional('"v1"', aci, **{"Cache-Control": "max-age=3600"})
    assert not fetcher("http", "image").fetch(url).verified
    assert fetcher("http").fetch(url).verified
    assert "If-None-Match" not in server.asked[-1].headers


# --- TLS ---


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with Server(context) as running:
        yield running


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.mark.usefixtures("trusting")
def test_https_needs_no_option(tls_server: Server, aci: bytes, sign: Make, fetcher: MakeFetcher) -> None:
    tls_server.answers = {PATH: Reply(aci), PATH + ".asc": Reply(sign(aci))}
    assert fetcher().fetch(tls_server.url(PATH)).verified


def test_a_certificate_of_an_unknown_authority_is_refused(
    tls_server: Server, aci: bytes, sign: Make, fetcher: MakeFetcher, capfd: pytest.CaptureFixture[str]
) -> None:
    tls_server.answers = {PATH: Reply(aci), PATH + ".asc": Reply(sign(aci))}
    with pytest.raises(DownloadError, match="TLS verification failed") as caught:
        fetcher().fetch(tls_server.url(PATH))
    assert "--insecure-options=tls" in (caught.value.hint or "")
    assert tls_server.asked == []
    capfd.readouterr()
    assert fetcher("tls").fetch(tls_server.url(PATH)).verified
    assert "rkt: warning: TLS verification has been disabled\n" in capfd.readouterr().err


@pytest.mark.usefixtures("trusting")
def test_a_certificate_for_another_host_is_refused(tls_server: Server, fetcher: MakeFetcher) -> None:
    with pytest.raises(DownloadError, match="TLS verification failed"):
        fetcher().fetch(tls_server.url(PATH).replace("localhost", "127.0.0.1"))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("insecure", [(), ("http",)])
def test_a_redirect_from_https_to_http_is_refused(
    tls_server: Server, server: Server, publish: Callable[..., str], fetcher: MakeFetcher, insecure: tuple[str, ...]
) -> None:
    url = publish()
    for suffix in ("", ".asc"):
        tls_server.answers[PATH + suffix] = Reply(status=301, headers={"Location": url + suffix})
    with pytest.raises(DownloadError, match="not https"):
        fetcher(*insecure).fetch(tls_server.url(PATH))
    assert server.asked == []


# --- several at once ---


@contextmanager
def stderr_in(path: Path) -> Iterator[None]:
    """stderr goes to a file: reading it while threads write loses nothing, which capfd cannot say of itself."""
    saved, fd = os.dup(2), os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(fd, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        for each in (saved, fd):
            os.close(each)


def test_of_several_fetches_one_downloads_and_the_others_wait(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, aci: bytes, tmp_path: Path, leftovers: Leftovers
) -> None:
    url, asked, go = publish(), threading.Event(), threading.Event()

    def answer(_: Asked) -> Reply:
        asked.set()
        go.wait(10)
        return Reply(aci)

    server.answers[PATH] = answer
    results: list[ImageRecord] = []
    threads = [threading.Thread(target=lambda: results.append(fetcher("http").fetch(url))) for _ in range(5)]
    shown = tmp_path / "stderr"
    with stderr_in(shown):
        threads[0].start()
        assert asked.wait(10)
        for thread in threads[1:]:
            thread.start()
        waiting = "another rkt instance is downloading this file, waiting..."
        wait_until(lambda: shown.read_text().count(waiting) == 4)
        go.set()
        for thread in threads:
            thread.join()
    assert len(results) == 5 and len(set(results)) == 1
    assert server.paths().count(PATH) == 1
    assert [path for path in leftovers() if "downloadlocks" in path] == []


def test_waiting_for_another_fetch_has_an_end(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, aci: bytes
) -> None:
    url, asked, go = publish(), threading.Event(), threading.Event()

    def answer(_: Asked) -> Reply:
        asked.set()
        go.wait(10)
        return Reply(aci)

    server.answers[PATH] = answer
    first = threading.Thread(target=lambda: fetcher("http").fetch(url))
    first.start()
    assert asked.wait(10)
    with pytest.raises(StoreBusyError, match=f"process {os.getpid()}"):
        fetcher("http", wait_seconds=0.2).fetch(url)
    go.set()
    first.join()


def test_after_a_failed_fetch_the_one_that_waited_tries_itself(
    server: Server, publish: Callable[..., str], fetcher: MakeFetcher, aci: bytes
) -> None:
    url, asked, go = publish(), threading.Event(), threading.Event()

    def answer(_: Asked) -> Reply:
        if asked.is_set():
            return Reply(aci)
        asked.set()
        go.wait(10)
        return Reply(status=500)

    server.answers[PATH] = answer
    errors: list[DownloadError] = []

    def fail() -> None:
        try:
            fetcher("http").fetch(url)
        except DownloadError as error:
            errors.append(error)

    first = threading.Thread(target=fail)
    first.start()
    assert asked.wait(10)
    results: list[ImageRecord] = []
    second = threading.Thread(target=lambda: results.append(fetcher("http").fetch(url)))
    second.start()
    go.set()
    first.join()
    second.join()
    assert len(errors) == len(results) == 1
