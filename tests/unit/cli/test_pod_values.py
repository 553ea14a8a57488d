"""Values of the flags that describe a pod."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rkt.cli.pod_values import (
    load_environment_files,
    parse_environment,
    parse_mount,
    parse_pairs_once,
    parse_port,
    parse_volume,
)
from rkt.errors import UsageError
from rkt.schema.pod import ExposedPort, Mount
from rkt.schema.volume import Volume


@pytest.mark.parametrize(
    ("text", "volume"),
    [
        ("data,kind=host,source=/srv", Volume(name="data", kind="host", source="/srv")),
        ("database:/tmp", Volume(name="database", kind="host", source="/tmp")),
        ("bind:/opt/tenant1/database", Volume(name="bind", kind="host", source="/opt/tenant1/database")),
        (
            "data,kind=host,source=/a b+%41=c,readOnly=true,recursive=false",
            Volume(name="data", kind="host", source="/a b+%41=c", read_only=True, recursive=False),
        ),
        ("data,source=/with:colon,kind=host", Volume(name="data", kind="host", source="/with:colon")),
        ("t,kind=empty", Volume(name="t", kind="empty", mode=0o755, uid=0, gid=0)),
        (
            "t,kind=empty,mode=1777,uid=1000,gid=100,readOnly=0",
            Volume(name="t", kind="empty", mode=0o1777, uid=1000, gid=100, read_only=False),
        ),
    ],
)
def test_volume_is_read_in_today_s_form_and_in_that_of_rkt_0_2(text: str, volume: Volume) -> None:
    assert parse_volume(text) == volume


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "invalid volume name"),
        ("data", "kind must be host or empty"),
        ("Data,kind=empty", 'invalid volume name "Data"'),
        ("a--b,kind=empty", "invalid volume name"),
        ("data,kind=tmpfs", 'not "tmpfs"'),
        ("data,kind=host", "source must be an absolute path"),
        ("data,kind=host,source=srv", "source must be an absolute path"),
        ("data,kind=host,source=/x,source=/y", "label source with multiple values [/x /y]"),
        ("data,kind=host,/x", "has a label without a value: /x"),
        ("data,kind=host,source=/x,size=1", 'unknown volume parameter "size"'),
        ("data,kind=host,source=/x,mode=0755", '"mode" is not for volumes of kind host'),
        ("data,kind=empty,source=/x", '"source" is not for volumes of kind empty'),
        ("data,kind=empty,recursive=true", '"recursive" is not for volumes of kind empty'),
        ("data,kind=empty,mode=755x", "octal mode"),
        ("data,kind=empty,mode=888", "octal mode"),
        ("data,kind=empty,mode=", "octal mode"),
        ("data,kind=empty,mode=0o755", "octal mode"),
        ("data,kind=empty,uid=-1", "numeric user or group ID"),
        ("data,kind=empty,gid=root", "numeric user or group ID"),
        ("data,kind=empty,uid=4294967295", "numeric user or group ID"),
        ("data,kind=empty,readOnly=yes", "readOnly must be true or false"),
        ("database:/tmp:ro", "must be NAME:PATH"),
        (":/tmp", "must be NAME:PATH"),
        ("database:tmp", "source must be an absolute path"),
    ],
)
def test_bad_volume_is_an_error_that_says_why(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_volume(text)
    assert part in caught.value.message


def test_mount_names_a_volume_and_a_target() -> None:
    assert parse_mount("volume=data,target=/d a t") == Mount(volume="data", path="/d a t")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "label without a value"),
        ("volume=data", "missing target= parameter"),
        ("target=/x", "missing volume= parameter"),
        ("volume=data,target=x", "target must be an absolute path"),
        ("volume=Data,target=/x", 'invalid volume name "Data" in --mount flag "volume=Data,target=/x"'),
        ("volume=data,target=/x,ro=1", 'unknown mount parameter "ro"'),
        ("volume=data,volume=x,target=/x", "multiple values"),
    ],
)
def test_bad_mount_is_an_error_that_says_why(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_mount(text)
    assert part in caught.value.message


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("http:8080", ExposedPort(name="http", host_port=8080)),
        ("http:127.0.0.1:80", ExposedPort(name="http", host_port=80, host_ip="127.0.0.1")),
        ("http:0.0.0.0:65535", ExposedPort(name="http", host_port=65535, host_ip="0.0.0.0")),
    ],
)
def test_port_has_an_optional_address(text: str, port: ExposedPort) -> None:
    assert parse_port(text) == port


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http", '"http" is not in name:[ip:]port format'),
        ("http::80", '"http::80" is not in name:[ip:]port format'),
        ("HTTP:80", '"HTTP" is not a valid port name'),
        (":80", '"" is not a valid port name'),
        ("http:localhost:80", '"localhost" is not a valid IP'),
        ("http:1.2.3:80", '"1.2.3" is not a valid IP'),
        ("http:0", '"0" is not a valid port number'),
        ("http:65536", '"65536" is not a valid port number'),
        ("http:", '"" is not a valid port number'),
        ("http:٣", '"٣" is not a valid port number'),
        ("http:" + "9" * 5000, "is not a valid port number"),
    ],
)
def test_bad_port_is_an_error_that_says_why(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_port(text)
    assert message in caught.value.message


def test_environment_value_may_be_anything() -> None:
    assert parse_environment("A=b=c, d", flag="set-env") == ("A", "b=c, d")
    assert parse_environment("A=", flag="set-env") == ("A", "")


@pytest.mark.parametrize("text", ["A", "", "=x", "1A=x", "A B=x"])
def test_environment_without_a_usable_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--set-env"):
        parse_environment(text, flag="set-env")


def test_variable_of_the_pod_may_be_set_once() -> None:
    assert parse_pairs_once(["A=1", "B=2"], flag="set-env") == (("A", "1"), ("B", "2"))
    with pytest.raises(UsageError, match='key "A" already set'):
        parse_pairs_once(["A=1", "A=2"], flag="set-env")


@pytest.fixture
def environment_file(tmp_path: Path) -> Callable[[bytes], str]:
    def write(data: bytes) -> str:
        path = tmp_path / "environment"
        path.write_bytes(data)
        return str(path)

    return write


def test_environment_file_has_comments_and_blank_lines(environment_file: Callable[[bytes], str]) -> None:
    path = environment_file(b"# comment\n\n; comment\n  A = not trimmed inside \nB=x=y\r\n".replace(b" =", b"="))
    assert load_environment_files([path]) == (("A", " not trimmed inside"), ("B", "x=y"))


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"A", "must be specified as name=value"),
        (b"=x", "must be specified as name=value"),
        (b"A=1\nA=2", 'environment variable "A" already set'),
        (b"A=\xff", "not valid UTF-8"),
        (b"A=\0", "not a file of NAME=VALUE lines"),
    ],
)
def test_bad_environment_file_is_an_error_with_its_name(
    environment_file: Callable[[bytes], str], data: bytes, part: str
) -> None:
    path = environment_file(data)
    with pytest.raises(UsageError) as caught:
        load_environment_files([path])
    assert part in caught.value.message
    assert path in caught.value.message


@pytest.mark.parametrize(("path", "part"), [("/nonexistent", "no such file or directory"), ("/", "is a directory")])
def test_unreadable_environment_file_is_an_error(path: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        load_environment_files([path])


def test_endless_environment_file_is_not_read_to_its_end() -> None:
    with pytest.raises(UsageError, match="not a file of NAME=VALUE lines"):
        load_environment_files(["/dev/zero"])
