"""Every bad flag, UUID, URL and file is one clear line, a hint at most, status 254, and no change on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rkt.cli.main import run

NO_SUCH_ID = "sha512-" + "0" * 32

#: words -> the start of the message, without the verb's prefix
CASES: dict[tuple[str, ...], str] = {
    ("nonsense",): 'unknown command "nonsense"',
    ("image", "nonsense"): 'unknown command "image nonsense"',
    ("--nonsense",): 'unknown flag: "--nonsense"',
    ("--dir",): "flag needs an argument: --dir",
    ("--dir=", "list"): "invalid value for flag --dir: the path is empty",
    ("list", "--debug=maybe"): 'invalid value "maybe" for flag --debug',
    ("list", "--insecure-options=everything"): 'invalid value "everything" for flag --insecure-options',
    ("list", "extra"): 'unexpected argument "extra"',
    ("list", "--format=xml"): 'invalid value "xml" for flag --format',
    ("version", "extra"): 'unexpected argument "extra"',
    # pods
    ("status",): "must provide at least one pod UUID",
    ("status", "a", "b"): "must provide exactly one pod UUID",
    ("status", ""): "UUID cannot be empty",
    ("status", "xyz"): 'no matches found for "xyz"',
    ("status", "../../etc"): 'no matches found for "../../etc"',
    ("status", "abc"): 'no matches found for "abc"',
    ("status", "--wait=soon", "abc"): 'invalid value "soon" for flag --wait: not a duration',
    ("status", "--wait-ready=-1s", "abc"): 'invalid value "-1s" for flag --wait-ready: not a duration',
    ("status", "--uuid-file=/dev/null", "abc"): "--uuid-file and pod UUIDs cannot be used together",
    ("stop",): "must provide at least one pod UUID",
    ("rm",): "must provide at least one pod UUID",
    ("cat-manifest", "abc"): 'no matches found for "abc"',
    ("cat-manifest", "--pretty-print=x", "abc"): 'invalid value "x" for flag --pretty-print',
    ("gc", "--grace-period=1"): 'invalid value "1" for flag --grace-period: not a duration',
    ("gc", "--expire-prepared=-1h"): 'invalid value "-1h" for flag --expire-prepared: not a duration',
    ("gc", "extra"): 'unexpected argument "extra"',
    ("run-prepared",): "must provide exactly one pod UUID",
    ("run-prepared", "--net=host", "abc"): 'no matches found for "abc"',
    ("run-prepared", "--net=all", "abc"): 'network mode "all" comes with a later version',
    # images
    ("fetch",): "must provide at least one image",
    ("fetch", "a", "--", "x"): "app arguments unsupported",
    ("fetch", "--pull-policy=often", "a"): 'invalid value "often" for flag --pull-policy',
    ("fetch", "--signature=x"): "--signature must follow an image",
    ("fetch", NO_SUCH_ID): f'image "{NO_SUCH_ID}": no image IDs found',
    ("fetch", "sha512-x0"): 'image ID "sha512-x0": not hexadecimal',
    ("fetch", "sha512-"): 'image ID "sha512-": image ID too short',
    ("fetch", "ftp://example.com/x.aci"): 'invalid image string "ftp://example.com/x.aci": an unsupported URL scheme',
    ("fetch", "https://example.com/x.tar"): 'invalid image string "https://example.com/x.tar"',
    ("fetch", "https://user:secret@example.com/x.aci"): 'invalid image string "https://...example.com/x.aci"',
    ("fetch", "docker://busybox"): 'image "docker://busybox": docker: images are not supported yet',
    ("fetch", "/nonexistent.aci"): 'cannot open image "/nonexistent.aci": no such file or directory',
    ("fetch", "Not A Name"): 'invalid image string "Not A Name"',
    ("image", "rm"): "must provide at least one image ID",
    ("image", "cat-manifest"): "must provide exactly one image",
    ("image", "cat-manifest", NO_SUCH_ID): f'image "{NO_SUCH_ID}": no image IDs found',
    ("image", "cat-manifest", "a/b:1"): 'cannot find aci satisfying name: "a/b" and labels: ["version":"1"]',
    ("image", "list", "--fields=id,colour"): 'invalid value "colour" for flag --fields',
    ("image", "list", "--sort=id"): 'invalid value "id" for flag --sort',
    ("image", "list", "--order=up"): 'invalid value "up" for flag --order',
    ("image", "build", "x"): "must provide directory and output file",
    ("image", "build", "/nonexistent", "/nonexistent.tar"): 'cannot build "/nonexistent.tar": extension must be .aci',
    ("image", "validate"): "must pass one or more files",
    ("image", "validate", "--type=zip", "x"): 'invalid value "zip" for flag --type',
    ("image", "validate", "/nonexistent"): "unable to access /nonexistent: no such file or directory",
    ("trust", "key"): "aborting due to implicit unbounded trust (root domain)",
    ("trust",): "nothing to trust",
    ("trust", "--root", "--prefix=a", "key"): "--root and --prefix usage mutually exclusive",
    ("trust", "--root", "/nonexistent"): 'cannot read key "/nonexistent": no such file or directory',
    ("trust", "--prefix=https://a", "key"): "--prefix must not contain a URL scheme, omit https://",
    # run
    ("run",): "must provide at least one image or specify the pod manifest",
    ("run", "--", "x"): "an image is required before any app arguments",
    ("run", "--exec=x", "a"): "--exec must follow an image",
    ("run", NO_SUCH_ID): f'image "{NO_SUCH_ID}": no image IDs found',
    ("run", "--net=default", "a"): 'network mode "default" comes with a later version',
    ("run", "--net=", "a"): "invalid value for flag --net: netname must not be empty",
    ("run", "--port=http:80", "a"): "--port flag does not work with 'none' networking",
    ("run", "--port=http", "a"): 'invalid value for flag --port: "http" is not in name:[ip:]port format',
    ("run", "--dns=1.1.1.1", "a"): "flag --dns is not supported",
    ("run", "--private-users", "a"): "flag --private-users is not supported",
    ("run", "--stage1-path=/x", "a"): "flag --stage1-path is not supported",
    ("run", "--volume=x", "a"): 'invalid value in --volume flag "x": kind must be host or empty',
    ("run", "--mount=volume=x,target=/x", NO_SUCH_ID): f'image "{NO_SUCH_ID}": no image IDs found',
    ("run", "--set-env=x", "a"): 'invalid value "x" for flag --set-env: must be specified as key=value',
    ("run", "--set-env=A=1", "--set-env=A=2", "a"): 'invalid value "A=2" for flag --set-env: key "A" already set',
    ("run", "--set-env-file=/nonexistent", "a"): 'read environment file "/nonexistent": no such file or directory',
    ("run", "--hostname=a b", "a"): 'invalid value "a b" for flag --hostname',
    ("run", "--ipc=shared", "a"): "unknown value for --ipc parameter: shared",
    ("run", "--interactive", "a", "b"): "interactive option only supports one image",
    ("run", "--store-only", "--no-store", "a"): "both --store-only and --no-store specified",
    ("run", "a", "--memory=1"): "memory limit of 1 bytes too low. Try a reasonable value, such as --memory=16M",
    ("run", "a", "--memory=much"): 'invalid value "much" for flag --memory',
    ("run", "a", "--caps-retain=CAP_X"): 'invalid value "CAP_X" for flag --caps-retain: no such capability',
    ("run", "a", "--caps-retain=CAP_KILL", "--caps-remove=CAP_KILL"): "--caps-retain and --caps-remove cannot be used",
    ("run", "a", "--seccomp=mount"): 'invalid value "mount" for flag --seccomp',
    ("run", "a", "--user="): 'invalid value "" for flag --user',
    ("run", "a", "--name=A"): 'invalid value "A" for flag --name',
    ("run", "a", "--working-dir=x"): 'invalid value "x" for flag --working-dir: must be an absolute path',
    ("run", "a", "--stdin=tty"): "flag --stdin is not supported",
    ("run", "--pod-manifest=/dev/null", "a"): "conflicting flags set with --pod-manifest (see --help)",
    ("run", "--pod-manifest=/dev/null", "--volume=a:/b"): "conflicting flags set with --pod-manifest (see --help)",
    ("run", "--pod-manifest=/dev/null", "--pull-policy=never"): "conflicting flags set with --pod-manifest",
    ("run", "--pod-manifest=/nonexistent"): 'error reading pod manifest "/nonexistent": no such file or directory',
    ("run", "--pod-manifest=/dev/null"): 'invalid pod manifest "/dev/null"',
    ("prepare",): "must provide at least one image or specify the pod manifest",
    ("prepare", "--net=none", "a"): 'unknown flag: "--net"',
    ("prepare", "a", "--exec="): "invalid value for flag --exec: the path is empty",
}  # fmt: skip


def entries(directory: Path) -> set[str]:
    return {
        os.path.relpath(os.path.join(parent, name), directory)
        for parent, _, names in os.walk(directory)
        for name in names
    }


#: they look at who runs them before they look at their values
NEEDS_ROOT = ("gc", "prepare", "rm", "run", "run-prepared")


def parameters() -> list[object]:
    return [
        pytest.param(words, id=" ".join(words), marks=[pytest.mark.root] if words[0] in NEEDS_ROOT else [])
        for words in CASES
    ]


@pytest.mark.parametrize("words", parameters())
def test_bad_command_line_is_one_clear_line(
    words: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    directories = [f"--dir={tmp_path}/data", f"--local-config={tmp_path}/local", f"--system-config={tmp_path}/system"]
    assert run([*directories, *words]) == 254
    output = capfd.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    lines = [line.partition(": ")[2] for line in output.err.splitlines()]
    said = [line for line in lines if not line.startswith(("hint: ", "Flag --", "networking namespace"))]
    assert len(said) == 1, output.err
    assert said[0].startswith(CASES[words])
    assert sum(line.startswith("hint: ") for line in lines) <= 1
    # files: a store that a fetch has opened may have made its directories
    assert entries(tmp_path) == set()


@pytest.mark.parametrize("verb", NEEDS_ROOT)
def test_verbs_that_need_root_say_so(
    verb: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run([verb, "x"]) == 254
    assert capfd.readouterr().err.splitlines()[0] == f"{verb}: cannot run as unprivileged user"


@pytest.mark.parametrize("words", [("list",), ("image", "list"), ("version",)])
def test_other_verbs_leave_it_to_the_files(
    words: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run([f"--dir={tmp_path}", *words]) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("verb", ["status", "stop"])
def test_unreadable_uuid_file_ends_with_1(verb: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run([f"--dir={tmp_path}", verb, "--uuid-file=/nonexistent"]) == 1
    assert capfd.readouterr().err == (
        f'{verb}: unable to resolve UUID from file "/nonexistent": no such file or directory\n'
    )


@pytest.mark.parametrize("verb", ["stop", pytest.param("rm", marks=pytest.mark.root)])
def test_pods_that_are_not_there_are_each_named(verb: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run([f"--dir={tmp_path}", verb, "abc", "def"]) == 254
    output = capfd.readouterr()
    assert output.out == ""
    assert 'no matches found for "abc"' in output.err
    assert 'no matches found for "def"' in output.err
    assert "failed to " in output.err.splitlines()[-1]


def test_removing_an_image_that_is_not_there_says_so_and_succeeds(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([f"--dir={tmp_path}", "image", "rm", NO_SUCH_ID]) == 0
    assert "no image IDs found" in capfd.readouterr().err
