"""Which word is an image, a flag of it, a flag of the pod, or an argument of an app."""

from __future__ import annotations

import pytest

from rkt.cli.app_arguments import AppArguments, parse_app_arguments
from rkt.cli.flags import FlagValues, flag_table
from rkt.cli.pod_flags import FETCH_FLAGS, IMAGE_FLAGS, LAUNCH_FLAGS, POD_FLAGS
from rkt.errors import UsageError

TABLE = flag_table(POD_FLAGS, FETCH_FLAGS, LAUNCH_FLAGS, IMAGE_FLAGS)


def parse(*words: str) -> tuple[AppArguments, FlagValues]:
    pod = FlagValues()
    return parse_app_arguments(words, TABLE, pod), pod


def test_words_of_the_behaviour_document_s_example_go_where_they_belong() -> None:
    apps, pod = parse(
        *["--volume", "data,kind=host,source=/srv", "--mount", "volume=data,target=/data"],
        *["example.com/a:1.0", "--exec=/bin/x", "--cpu=500m", "--", "-v", "2", "---"],
        *["example.com/b", "--user=1000", "--mount", "volume=data,target=/other", "--", "--flag"],
    )
    first, second = apps.images
    assert pod.texts("volume") == ("data,kind=host,source=/srv",)
    assert pod.texts("mount") == ("volume=data,target=/data",)
    assert (first.reference, first.arguments) == ("example.com/a:1.0", ("-v", "2"))
    assert first.flags.text("exec") == "/bin/x"
    assert first.flags.text("cpu") == "500m"
    assert (second.reference, second.arguments) == ("example.com/b", ("--flag",))
    assert second.flags.text("user") == "1000"
    assert second.flags.texts("mount") == ("volume=data,target=/other",)


def test_command_line_of_the_founding_document_is_read() -> None:
    apps, pod = parse("-volume", "database:/tmp", "https://a/main.aci", "https://a/sidekick.aci")
    assert [image.reference for image in apps.images] == ["https://a/main.aci", "https://a/sidekick.aci"]
    assert pod.texts("volume") == ("database:/tmp",)


def test_flags_of_the_pod_may_stand_between_images_and_after_them() -> None:
    apps, pod = parse("a", "--net=none", "b", "--volume=v:/x", "--no-overlay")
    assert [image.reference for image in apps.images] == ["a", "b"]
    assert pod.text("net") == "none"
    assert pod.texts("volume") == ("v:/x",)
    assert pod.boolean("no-overlay")


def test_empty_words_are_skipped_but_not_among_arguments() -> None:
    apps, _ = parse("", "a", "", "--", "", "x")
    assert [image.reference for image in apps.images] == ["a"]
    assert apps.images[0].arguments == ("", "x")


def test_end_of_arguments_without_a_beginning_is_ignored() -> None:
    apps, _ = parse("---", "a", "---", "b")
    assert [image.reference for image in apps.images] == ["a", "b"]


def test_no_arguments_differs_from_an_empty_list_of_them() -> None:
    apps, _ = parse("a", "b", "--")
    assert [image.arguments for image in apps.images] == [None, ()]


def test_everything_between_the_dashes_is_verbatim() -> None:
    apps, _ = parse("a", "--", "--net=host", "--", "-h", "--help", "---", "b")
    assert apps.images[0].arguments == ("--net=host", "--", "-h", "--help")
    assert apps.images[1].reference == "b"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--", "x"), "an image is required before any app arguments"),
        (("a", "--", "x", "---", "--", "y"), "only one set of app arguments allowed per image"),
        (("a", "--exec=x", "--exec=y"), "--exec specified multiple times for the same image"),
        (("a", "--signature=x", "--signature=y"), "--signature specified multiple times for the same image"),
        *(
            ((f"--{flag.name}=1", "a"), f"--{flag.name} must follow an image")
            for flag in IMAGE_FLAGS
            if flag.name != "mount" and flag.unavailable is None
        ),
    ],
)
def test_words_that_do_not_fit_are_an_error(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(*words)
    assert caught.value.message == message


def test_exec_may_be_given_once_for_each_image() -> None:
    apps, _ = parse("a", "--exec=x", "b", "--exec=y")
    assert [image.flags.text("exec") for image in apps.images] == ["x", "y"]


def test_verbs_that_start_nothing_refuse_arguments() -> None:
    parse("a")[0].refuse_arguments()
    with pytest.raises(UsageError, match="app arguments unsupported"):
        parse("a", "--", "x")[0].refuse_arguments()
