"""The global flags become settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rkt.cli.flags import FlagValues, flag_table, parse_flags
from rkt.cli.settings import GLOBAL_FLAGS, Settings, parse_insecure_options, read_settings
from rkt.errors import RktError, UsageError


def read(*words: str) -> Settings:
    values = FlagValues()
    parse_flags(words, flag_table(GLOBAL_FLAGS), values)
    return read_settings(values)


def test_defaults_are_rkt_s_directories_and_nothing_insecure(tmp_path: Path) -> None:
    settings = read(f"--local-config={tmp_path}", f"--system-config={tmp_path}")
    assert settings.data.root == "/var/lib/rkt"
    assert settings.insecure == frozenset()
    assert not settings.debug
    assert not settings.trust_keys_from_https
    assert read("--dir=/x").configuration.in_order() == ("/usr/lib/rkt", "/etc/rkt")


def test_data_directory_is_made_absolute_and_free_of_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert read("--dir=link/../link/data/").data.root == f"{tmp_path.resolve()}/real/data"


def test_empty_directory_is_refused() -> None:
    for name in ("dir", "local-config", "system-config"):
        with pytest.raises(UsageError, match=f"--{name}: the path is empty"):
            read(f"--{name}=")


def test_relative_directory_in_a_deleted_working_directory_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match='resolve --dir "data": no such file or directory'):
        read("--dir=data")
    assert read("--dir=/data").data.root == "/data"


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    (tmp_path / "paths.d").mkdir()
    configuration = {"rktKind": "paths", "rktVersion": "v1", "data": "/configured"}
    (tmp_path / "paths.d" / "paths.json").write_text(json.dumps(configuration))
    return tmp_path


def test_configured_data_directory_counts_unless_the_flag_is_given(configured: Path) -> None:
    flag = f"--local-config={configured}"
    assert read(flag).data.root == "/configured"
    assert read(flag, "--dir=/given").data.root == "/given"


def test_broken_paths_configuration_is_an_error(configured: Path) -> None:
    (configured / "paths.d" / "paths.json").write_text("{")
    with pytest.raises(RktError, match=r"paths\.json"):
        read(f"--local-config={configured}")


@pytest.mark.parametrize(
    ("texts", "off"),
    [
        (("none",), set()),
        (("image",), {"image"}),
        (("Image,TLS",), {"image", "tls"}),
        (("image", "http"), {"image", "http"}),
        (("all-fetch",), {"image", "tls", "http", "pubkey"}),
        (("all-run",), {"capabilities", "paths", "seccomp"}),
        (("all",), {"image", "tls", "ondisk", "http", "pubkey", "capabilities", "paths", "seccomp"}),
    ],
)
def test_insecure_options_are_spelled_out(texts: tuple[str, ...], off: set[str]) -> None:
    assert parse_insecure_options(texts) == off


@pytest.mark.parametrize("texts", [("nonsense",), ("",), ("image,",), ("image,image",), ("image", "IMAGE")])
def test_unknown_or_repeated_insecure_option_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--insecure-options"):
        parse_insecure_options(texts)
