"""With what an app starts: variables, working directory, program, signals, limits (appc ace.md, aci.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.archives import directory, entry
from harness.images import PROBE, app_section, image_manifest, write_image
from harness.stocked_store import PodRuns

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def variables(lines: list[str]) -> dict[str, str]:
    """The environment as the probe prints it; a name that is set twice fails."""
    pairs = [line.partition("=")[::2] for line in lines]
    assert len(dict(pairs)) == len(pairs), lines
    return dict(pairs)


@pytest.mark.spec("ACE-040", "ACE-042", "ACE-046", "ACE-049")
def test_environment_is_the_manifests_and_the_executors_and_nothing_else(runs: PodRuns) -> None:
    result = runs(
        "env", image="probe", app=["--name=another-name"], environment={"PATH": "/bin:/usr/bin", "CANARY": "x"}
    )
    assert variables(result.facts["env"]) == {
        "PATH": PATH,
        "GREETING": "hello from the manifest",
        "AC_APP_NAME": "another-name",
        "container": "rkt",
        "SHELL": "/bin/sh",
        "USER": "root",
        "LOGNAME": "root",
        "HOME": "/root",
    }


@pytest.mark.spec("ACE-049", "ACE-050")
def test_values_arrive_byte_for_byte_and_a_path_of_the_app_wins(runs: PodRuns, tmp_path: Path) -> None:
    wanted = {"ODD": 'a b=c\t"quoted" $HOME\nsecond line', "EMPTY": "", "UNICODE": "grüße", "PATH": "/opt/bin"}
    environment = [{"name": name, "value": value} for name, value in wanted.items()]
    path = write_image(tmp_path / "env.aci", image_manifest(app_section("env", environment=environment)))
    found = variables(runs.image(path).facts["env"])
    assert {name: found[name] for name in wanted} == wanted


def test_set_env_overrides_and_inherit_env_only_fills_gaps(runs: PodRuns, tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text("# comment\nFROM_FILE=1\nGREETING=file\n")
    result = runs(
        "env",
        image="probe",
        flags=["--inherit-env", f"--set-env-file={file}", "--set-env=GREETING=pod"],
        app=["--environment=GREETING=app", "--environment=ONLY_APP=1"],
        environment={"PATH": "/bin", "ONLY_CALLER": "1", "ONLY_APP": "caller"},
    )
    found = variables(result.facts["env"])
    assert found["GREETING"] == "pod"
    assert (found["ONLY_CALLER"], found["ONLY_APP"], found["FROM_FILE"]) == ("1", "1", "1")
    assert found["PATH"] == "/bin", "inherited because the image sets none"


@pytest.mark.spec("IMG-015")
def test_words_of_exec_arrive_verbatim(runs: PodRuns) -> None:
    words = ["$HOME", "`id`", "a b", "", "*", "%n", "\n[Service]\nExecStart=/bin/false", "grüße", "\x1b[2J", "'\"\\"]
    assert runs("args", "+", "print-out", *words).facts["args"] == ["/bin/probe", "args", "+", "print-out", *words]


@pytest.mark.spec("ACE-052")
def test_working_directory_is_the_root_by_default(runs: PodRuns) -> None:
    assert runs("cwd", directory=Path("/var/tmp")).facts["cwd"] == "/"


@pytest.mark.spec("ACE-051", "ACE-053")
def test_working_directory_of_the_manifest_holds_for_app_and_handlers(runs: PodRuns, tmp_path: Path) -> None:
    handlers = [{"name": name, "exec": ["/bin/probe", "cwd"]} for name in ("pre-start", "post-stop")]
    section = app_section("cwd", workingDirectory="/srv/deep", eventHandlers=handlers)
    path = write_image(
        tmp_path / "cwd.aci", image_manifest(section), directory("rootfs/srv"), directory("rootfs/srv/deep")
    )
    assert runs.image(path).every("cwd") == ["/srv/deep"] * 3


@pytest.mark.spec("IMG-032", "ACE-065")
def test_missing_working_directory_is_a_refusal_that_names_it(runs: PodRuns) -> None:
    result = runs("print-out", "ran", app=["--working-dir=/not/here"], status=254)
    assert 'cannot enter working directory "/not/here" of app "hello": no such file or directory' in result.stderr
    assert result.stdout == ""


@pytest.mark.spec("IMG-032")
def test_working_directory_may_lie_on_a_volume(runs: PodRuns, tmp_path: Path) -> None:
    (tmp_path / "source" / "inner").mkdir(parents=True)
    flags = [f"--volume=v,kind=host,source={tmp_path / 'source'}", "--mount=volume=v,target=/mnt"]
    assert runs("cwd", flags=flags, app=["--working-dir=/mnt/inner"]).facts["cwd"] == "/mnt/inner"


@pytest.mark.spec("IMG-011")
def test_name_without_slash_is_searched_along_path(runs: PodRuns) -> None:
    result = runs.rkt("run", "--net=none", runs.ids["hello"], "--exec=probe", "--", "args").checked()
    assert result.facts["args"] == ["probe", "args"]


@pytest.mark.spec("IMG-011")
def test_search_takes_the_first_executable_file_of_the_apps_own_path(runs: PodRuns, tmp_path: Path) -> None:
    section = app_section() | {
        "exec": ["tool", "args"],
        "environment": [{"name": "PATH", "value": "/none:/data:/tools:/bin"}],
    }
    path = write_image(
        tmp_path / "path.aci",
        image_manifest(section),
        *(directory("rootfs/data"), entry("rootfs/data/tool", b"not executable", mode=0o644)),
        *(directory("rootfs/tools"), directory("rootfs/tools/sub")),
        entry("rootfs/tools/tool", PROBE.read_bytes(), mode=0o755),
        entry("rootfs/bin/tool", b"never reached", mode=0o755),
    )
    assert runs.image(path).facts["args"] == ["tool", "args"]


@pytest.mark.spec("IMG-011")
def test_name_that_is_not_on_path_is_refused(runs: PodRuns) -> None:
    result = runs.rkt("run", "--net=none", runs.ids["hello"], "--exec=missing").checked(254)
    assert f'cannot execute "missing" of app "hello": not found in "{PATH}"' in result.stderr


@pytest.mark.spec("IMG-013")
def test_name_with_slash_ignores_path_and_starts_from_the_working_directory(runs: PodRuns) -> None:
    words = ["--exec=./probe", "--working-dir=/bin", "--", "args"]
    assert runs.rkt("run", "--net=none", runs.ids["hello"], *words).checked().facts["args"][0] == "./probe"
    failed = runs.rkt("run", "--net=none", runs.ids["hello"], "--exec=./probe").checked(254)
    assert 'cannot execute "./probe" of app "hello": no such file or directory' in failed.stderr


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (b"#!/no/interpreter\n", '(its interpreter is "/no/interpreter")'),
        (b"just text\n", "exec format error"),
    ],
)
def test_program_that_cannot_be_executed_is_explained(
    runs: PodRuns, tmp_path: Path, program: bytes, reason: str
) -> None:
    section = app_section() | {"exec": ["/bin/broken"]}
    path = write_image(tmp_path / "x.aci", image_manifest(section), entry("rootfs/bin/broken", program, mode=0o755))
    assert reason in runs.image(path, status=254).stderr


def test_app_starts_in_a_session_of_its_own_with_ordinary_limits_and_three_descriptors(runs: PodRuns) -> None:
    facts = runs("pid", "+", "umask", "+", "rlimits", "+", "fds", "+", "status", "SigBlk", "SigIgn", "CapInh").facts
    assert facts["pid"]["group"] == facts["pid"]["session"] == facts["pid"]["pid"]
    assert facts["umask"] == 0o022
    assert facts["rlimits"]["nofile"][0] <= 1024 and facts["rlimits"]["core"][0] == 0
    assert sorted(facts["fds"]) == ["0", "1", "2"]
    assert facts["fds"]["0"].endswith("/null")
    assert {int(value, 16) for value in facts["status"].values()} == {0}


def test_interpreter_and_dynamic_image_programs_of_the_host_are_not_needed(runs: PodRuns) -> None:
    """An empty PATH of the caller: rkt runs no program of the host."""
    assert runs("print-out", "well", environment={"PATH": "/nonexistent"}).stdout == "well\n"
