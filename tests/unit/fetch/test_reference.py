from __future__ import annotations

import os
from pathlib import Path

import pytest

from rkt.errors import NotSupportedError
from rkt.fetch.errors import ImageReferenceError
from rkt.fetch.reference import FILE, HASH, NAME, URL, parse_reference


@pytest.fixture(autouse=True)
def in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("text", ["sha512-fcdf12587358af6ebe69b5338a05df67", "sha512-", "sha512-zz"])
def test_a_hash_is_a_hash_even_a_bad_one(text: str) -> None:
    assert parse_reference(text).kind == HASH


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("https://example.com/a/b-1.0.aci", "https://example.com/a/b-1.0.aci"),
        ("HTTPS://example.com/b.aci", "https://example.com/b.aci"),
        ("http://localhost:8080/b.aci?x=1#fragment", "http://localhost:8080/b.aci?x=1"),
        ("https://[::1]:8443/b.aci", "https://[::1]:8443/b.aci"),
    ],
)
def test_urls_keep_all_but_the_fragment(text: str, location: str) -> None:
    found = parse_reference(text)
    assert (found.kind, found.location) == (URL, location)


@pytest.mark.spec("ACI-002")
@pytest.mark.parametrize(
    "text", ["https://example.com/image.tar", "https://example.com/?x=.aci", "https://example.com/a.ACI"]
)
def test_the_path_of_a_url_ends_in_aci(text: str) -> None:
    with pytest.raises(ImageReferenceError, match="invalid image string"):
        parse_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://exa mple.com/a.aci",
        "https://example.com/a\r\nHost: evil/.aci",
        "https:///a.aci",
        "https://example.com:80x/a.aci",
        "https://example.com/%zz.aci",
        "ftp://example.com/a.aci",
        "s3://bucket/a.aci",
        "",
    ],
)
def test_malformed_and_foreign_urls_are_refused(text: str) -> None:
    with pytest.raises(ImageReferenceError):
        parse_reference(text)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ImageReferenceError) as caught:
        parse_reference("https://user:s3cret@example.com/a.aci")
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("text", ["docker://busybox", "docker:busybox", "cimd:appc:v=0:example.com/app"])
def test_forms_that_are_not_supported_yet_say_so(text: str) -> None:
    with pytest.raises(NotSupportedError, match="not supported yet"):
        parse_reference(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///srv/a.aci", "/srv/a.aci"),
        ("file:/srv/a.aci", "/srv/a.aci"),
        ("file://localhost/srv/a%20b.aci", "/srv/a b.aci"),
    ],
)
def test_file_urls_are_files(text: str, path: str) -> None:
    found = parse_reference(text)
    assert (found.kind, found.location) == (FILE, path)


@pytest.mark.parametrize("text", ["file:a.aci", "file://host/a.aci", "file:///a%00.aci", "file:"])
def test_file_urls_of_elsewhere_are_refused(text: str) -> None:
    with pytest.raises(ImageReferenceError):
        parse_reference(text)


@pytest.mark.parametrize("text", ["/etc/hostname", "./image", "../image", "image.aci", "dir/./image"])
def test_what_looks_like_a_path_is_a_file(text: str) -> None:
    found = parse_reference(text)
    assert (found.kind, found.location) == (FILE, text)


def test_a_file_that_exists_is_a_file_and_a_directory_is_not(tmp_path: Path) -> None:
    (tmp_path / "example.com").mkdir()
    (tmp_path / "example.com" / "app").write_bytes(b"")
    (tmp_path / "example.com" / "dir").mkdir()
    assert parse_reference("example.com/app").kind == FILE
    assert parse_reference("example.com/dir").kind == NAME


@pytest.mark.parametrize(
    ("text", "name", "labels"),
    [
        ("example.com/app", "example.com/app", {}),
        ("example.com/app:1.0", "example.com/app", {"version": "1.0"}),
        ("app:v2,os=linux,arch=amd64", "app", {"version": "v2", "os": "linux", "arch": "amd64"}),
        ("example.com/app,version=3", "example.com/app", {"version": "3"}),
        ("example.com/app:1.0+a:b", "example.com/app", {"version": "1.0+a:b"}),
    ],
)
def test_the_rest_are_names(text: str, name: str, labels: dict[str, str]) -> None:
    found = parse_reference(text)
    assert (found.kind, found.name, found.labels) == (NAME, name, labels)


@pytest.mark.parametrize(
    "text",
    ["Example.com/App", "a//b", "app:", "app,os", "app,os=", "app,=x", "app:1,version=2", "app,os=a,os=b", "-x", "a b"],
)
def test_bad_names_are_refused(text: str) -> None:
    with pytest.raises(ImageReferenceError, match="invalid image string"):
        parse_reference(text)


def test_a_deleted_working_directory_does_no_harm(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert parse_reference("example.com/app").kind == NAME
