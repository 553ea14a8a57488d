from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rkt.fetch.errors import UnverifiedImageError
from rkt.fetch.stored import find_stored
from rkt.store.errors import ImageNotFoundError
from rkt.store.image_store import ImageStore
from rkt.store.index import RemoteRecord
from rkt.store.record import ImageOrigin, ImageRecord, SignedBy

SIGNED = (SignedBy("ab" * 20, ("Builder",)),)
URL = "https://example.com/app.aci"
SECURE: frozenset[str] = frozenset()
INSECURE = frozenset({"image"})


@pytest.fixture
def put(store: ImageStore, make_aci: Callable[..., bytes]) -> Callable[..., ImageRecord]:
    def put_image(*, signed: bool, content: bytes = b"x") -> ImageRecord:
        with store.stage(io.BytesIO(make_aci(content=content))) as staged:
            record = staged.commit(ImageOrigin(signed_by=SIGNED if signed else ()))
        store.put_remote(RemoteRecord(url=URL, key=record.key))
        return record

    return put_image


@pytest.mark.parametrize("policy", ["never", "new", "update"])
def test_a_hash_is_found_under_every_policy(store: ImageStore, put: Callable[..., ImageRecord], policy: str) -> None:
    record = put(signed=True)
    for text in (record.image_id, record.key, record.key[:20]):
        assert find_stored(text, store, insecure=SECURE, pull_policy=policy) == record


@pytest.mark.parametrize("policy", ["never", "new", "update"])
def test_a_name_is_found_under_every_policy(store: ImageStore, put: Callable[..., ImageRecord], policy: str) -> None:
    record = put(signed=True)
    assert find_stored("example.com/app", store, insecure=SECURE, pull_policy=policy) == record
    assert find_stored("example.com/app:2", store, insecure=SECURE, pull_policy=policy) is None


def test_a_url_is_found_unless_the_policy_is_to_ask_the_server(
    store: ImageStore, put: Callable[..., ImageRecord]
) -> None:
    record = put(signed=True)
    assert find_stored(URL, store, insecure=SECURE, pull_policy="new") == record
    assert find_stored(URL, store, insecure=SECURE, pull_policy="never") == record
    assert find_stored(URL, store, insecure=SECURE, pull_policy="update") is None
    assert find_stored(URL + "x.aci", store, insecure=SECURE, pull_policy="new") is None


def test_a_file_is_always_read_again(store: ImageStore, put: Callable[..., ImageRecord]) -> None:
    put(signed=True)
    assert find_stored("/tmp/app.aci", store, insecure=SECURE, pull_policy="never") is None


def test_an_unknown_hash_is_an_error(store: ImageStore) -> None:
    with pytest.raises(ImageNotFoundError):
        find_stored("sha512-abcd", store, insecure=SECURE, pull_policy="new")


@pytest.mark.parametrize("reference", ["hash", "example.com/app", URL])
def test_an_unsigned_image_is_refused_once_verification_is_on(
    store: ImageStore, put: Callable[..., ImageRecord], reference: str
) -> None:
    """Security row R9."""
    record = put(signed=False)
    text = record.key if reference == "hash" else reference
    with pytest.raises(UnverifiedImageError, match="without a verified signature") as caught:
        find_stored(text, store, insecure=SECURE, pull_policy="never")
    assert "--insecure-options=image" in (caught.value.hint or "")
    assert find_stored(text, store, insecure=INSECURE, pull_policy="never") == record


def test_an_unsigned_image_of_a_url_is_to_be_fetched_anew(store: ImageStore, put: Callable[..., ImageRecord]) -> None:
    put(signed=False)
    assert find_stored(URL, store, insecure=SECURE, pull_policy="new") is None


def test_looking_up_a_hash_imports_nothing_heavy(repository: Path) -> None:
    heavy = "requests urllib3 pgpy cryptography dataclasses typing enum pathlib subprocess tempfile logging ssl"
    code = (
        f"import sys; sys.path.insert(0, {str(repository)!r}); import rkt.fetch.stored;"
        f"print(*[name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
