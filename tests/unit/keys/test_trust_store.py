from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness.openpgp_forge import ForgedKey

from rkt.keys.certificate import parse_certificates
from rkt.keys.errors import KeyFileError, TrustStoreError
from rkt.keys.trust_store import TrustStore
from rkt.paths import ConfigDirectories


class Places:
    """A system and a local configuration directory, and the store on top of them."""

    def __init__(self, root: Path) -> None:
        self.local = root / "local"
        self.system = root / "system"
        self.store = TrustStore(ConfigDirectories(local=str(self.local), system=str(self.system)))

    def put_system(self, key: ForgedKey, prefix: str | None = None) -> Path:
        return _put(self.system, key, prefix)

    def put_local(self, key: ForgedKey, prefix: str | None = None) -> Path:
        return _put(self.local, key, prefix)

    def trusted(self, name: str) -> set[str]:
        return {key.fingerprint for key in self.store.keys_for(name)}


def _put(root: Path, key: ForgedKey, prefix: str | None) -> Path:
    directory = root / "trustedkeys" / (f"prefix.d/{prefix}" if prefix else "root.d")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / key.fingerprint
    path.write_bytes(parse_certificates(key.certificate())[0].armored())
    return path


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_without_directories_nothing_is_trusted(places: Places) -> None:
    assert places.store.keys_for("example.com/app") == []
    assert places.store.list_keys() == []


def test_a_root_key_is_trusted_for_everything(places: Places, key: ForgedKey) -> None:
    places.put_system(key)
    assert places.trusted("example.com/app") == {key.fingerprint}
    assert places.trusted("Not.An//Identifier of today") == {key.fingerprint}


@pytest.mark.spec("ACI-030")
def test_added_keys_are_found_for_their_prefix(places: Places, key: ForgedKey, other_key: ForgedKey) -> None:
    path = places.store.add(key.certificate(), prefix="example.com/app")
    assert path == f"{places.local}/trustedkeys/prefix.d/example.com/app/{key.fingerprint}"
    assert os.stat(path).st_mode & 0o777 == 0o644
    assert Path(path).read_bytes().startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    assert places.store.add(other_key.certificate(), prefix=None).endswith(f"/root.d/{other_key.fingerprint}")
    assert places.trusted("example.com/app") == {key.fingerprint, other_key.fingerprint}
    assert places.trusted("example.com/app/sub/deep") == {key.fingerprint, other_key.fingerprint}
    assert places.trusted("example.com") == {other_key.fingerprint}


@pytest.mark.parametrize(
    "name", ["example.com/app-evil", "example.com/application", "example.com/ap", "example.community/app", "evil.com"]
)
def test_a_prefix_ends_at_a_segment(places: Places, key: ForgedKey, name: str) -> None:
    """Security row R12."""
    places.put_local(key, "example.com/app")
    assert places.trusted(name) == set()


def test_an_empty_local_file_takes_trust_from_a_system_key(places: Places, key: ForgedKey) -> None:
    places.put_system(key)
    places.put_system(key, "example.com")
    mask = places.put_local(key, "example.com")
    mask.write_bytes(b"")
    assert places.trusted("example.com/app") == set()
    assert places.trusted("example.org/app") == {key.fingerprint}


def test_an_empty_local_root_file_takes_trust_everywhere(places: Places, key: ForgedKey) -> None:
    places.put_system(key, "example.com/app")
    places.put_local(key).write_bytes(b"")
    assert places.trusted("example.com/app") == set()


def test_adding_a_masked_key_trusts_it_again(places: Places, key: ForgedKey) -> None:
    places.put_system(key)
    places.put_local(key).write_bytes(b"")
    places.store.add(key.certificate(), prefix=None)
    assert places.trusted("example.com") == {key.fingerprint}


def test_an_empty_system_file_masks_nothing(places: Places, key: ForgedKey) -> None:
    places.put_system(key).write_bytes(b"")
    places.put_local(key)
    assert places.trusted("example.com") == {key.fingerprint}


def test_keys_are_listed_with_what_they_are_trusted_for(places: Places, key: ForgedKey, other_key: ForgedKey) -> None:
    places.put_system(key)
    places.put_local(other_key, "example.com/app")
    places.put_local(other_key, "example.com")
    listed = [(one.fingerprint, one.prefix) for one in places.store.list_keys()]
    assert listed == [
        (key.fingerprint, None),
        (other_key.fingerprint, "example.com"),
        (other_key.fingerprint, "example.com/app"),
    ]


@pytest.mark.parametrize("prefix", ["..", "../x", "a/../b", "/etc", "", "a//b", "A", "x\n"])
def test_a_prefix_never_leaves_the_store(places: Places, key: ForgedKey, prefix: str, tmp_path: Path) -> None:
    with pytest.raises(TrustStoreError):
        places.store.add(key.certificate(), prefix=prefix)
    assert list(tmp_path.rglob(key.fingerprint)) == []


def test_a_file_named_for_another_key_is_an_error(places: Places, key: ForgedKey, other_key: ForgedKey) -> None:
    path = places.put_local(key)
    path.rename(path.with_name(other_key.fingerprint))
    with pytest.raises(TrustStoreError, match=key.fingerprint):
        places.store.keys_for("example.com")


def test_a_second_key_in_a_file_is_an_error(places: Places, key: ForgedKey, other_key: ForgedKey) -> None:
    path = places.put_local(key)
    path.write_bytes(key.certificate() + other_key.certificate())
    with pytest.raises(TrustStoreError, match=other_key.fingerprint):
        places.store.keys_for("example.com")


@pytest.mark.parametrize("name", ["key.asc", "A" * 40, "0" * 39, "0" * 41])
def test_a_file_that_is_not_named_by_a_fingerprint_is_an_error(places: Places, key: ForgedKey, name: str) -> None:
    path = places.put_local(key)
    path.rename(path.with_name(name))
    with pytest.raises(TrustStoreError, match="not a key's fingerprint"):
        places.store.keys_for("example.com")


def test_hidden_files_are_left_alone(places: Places, key: ForgedKey) -> None:
    path = places.put_local(key)
    path.with_name(".tmp-1-2-half").write_bytes(b"half a key")
    assert places.trusted("example.com") == {key.fingerprint}


def test_a_link_to_a_key_is_an_error(places: Places, key: ForgedKey, tmp_path: Path) -> None:
    path = places.put_local(key)
    target = tmp_path / "elsewhere"
    path.rename(target)
    path.symlink_to(target)
    with pytest.raises(TrustStoreError, match="symbolic link"):
        places.store.keys_for("example.com")


@pytest.mark.parametrize(
    "part", ["trustedkeys", "trustedkeys/root.d", "trustedkeys/prefix.d", "trustedkeys/prefix.d/a"]
)
def test_a_link_among_the_directories_is_an_error(places: Places, key: ForgedKey, tmp_path: Path, part: str) -> None:
    places.put_local(key)
    places.put_local(key, "a")
    directory = places.local / part
    directory.rename(tmp_path / "elsewhere")
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TrustStoreError, match="symbolic link"):
        places.store.keys_for("a")


@pytest.mark.parametrize("part", ["", "..", "../.."])
def test_what_everybody_may_write_is_an_error(places: Places, key: ForgedKey, part: str) -> None:
    path = places.put_local(key)
    writable = Path(os.path.normpath(path / part))
    writable.chmod(0o777)
    with pytest.raises(TrustStoreError, match=r"everybody may write it.*") as caught:
        places.store.keys_for("example.com")
    assert caught.value.hint is not None and f"chmod o-w {writable}" in caught.value.hint


def test_a_fifo_is_an_error_and_not_waited_for(places: Places, key: ForgedKey) -> None:
    path = places.put_local(key)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(TrustStoreError, match="not a regular file"):
        places.store.keys_for("example.com")


def test_damaged_keys_are_an_error_only_where_they_would_count(places: Places, key: ForgedKey) -> None:
    places.put_local(key, "example.com/app").write_bytes(b"damaged")
    with pytest.raises(TrustStoreError, match="not an OpenPGP packet"):
        places.store.keys_for("example.com/app/x")
    assert places.trusted("example.org") == set()


def test_adding_several_keys_in_one_file_is_refused(places: Places, key: ForgedKey, other_key: ForgedKey) -> None:
    with pytest.raises(KeyFileError, match="2 keys"):
        places.store.add(key.certificate() + other_key.certificate(), prefix=None)


def test_adding_does_not_pass_through_a_link(places: Places, key: ForgedKey, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (places.local / "trustedkeys").mkdir(parents=True)
    (places.local / "trustedkeys" / "root.d").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TrustStoreError, match="symbolic link"):
        places.store.add(key.certificate(), prefix=None)
    assert list((tmp_path / "elsewhere").iterdir()) == []
