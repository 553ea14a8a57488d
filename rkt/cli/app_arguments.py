"""The grammar of images, their flags and their arguments in ``run``, ``prepare`` and ``fetch`` (section 1.2).

    [FLAGS] IMAGE [FLAGS OF THE IMAGE] [-- ARGUMENTS [---]] IMAGE ...

Flags of the pod may stand anywhere, flags of an image follow it. It says which word is what; the meaning of a value
is for :mod:`rkt.cli.pod_values` and :mod:`rkt.cli.app_values`.
"""

from __future__ import annotations

from rkt.cli.flags import FlagValues, is_flag, take_flag
from rkt.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rkt.cli.flags import Flag

BEGIN_ARGUMENTS = "--"
END_ARGUMENTS = "---"

#: flags of an image that make no sense twice; the others take the last value or collect all
ONCE_PER_IMAGE = frozenset(("exec", "signature"))
#: flags that belong to the pod before the first image, and to the image after it
POD_OR_IMAGE = frozenset(("mount",))


class ImageWords:
    """One image as typed: the reference, the values of its flags, and the words after ``--`` (None: no ``--``)."""

    __slots__ = ("arguments", "flags", "reference")

    def __init__(self, reference: str) -> None:
        self.reference = reference
        self.flags = FlagValues()
        self.arguments: tuple[str, ...] | None = None


class AppArguments:
    """What was typed after the verb, apart from flags of the pod: the images in their order."""

    __slots__ = ("images",)

    def __init__(self) -> None:
        self.images: list[ImageWords] = []

    def refuse_arguments(self) -> None:
        """For verbs that start nothing: raises UsageError if an image has words after ``--``."""
        if any(image.arguments is not None for image in self.images):
            raise UsageError("app arguments unsupported")


def parse_app_arguments(words: Sequence[str], table: Mapping[str, Flag], pod_flags: FlagValues) -> AppArguments:
    """Read the words after the verb: flags of the pod into ``pod_flags``, everything else into the result.

    Raises UsageError, and what :func:`rkt.cli.flags.take_flag` raises.
    """
    apps = AppArguments()
    index = 0
    while index < len(words):
        word = words[index]
        if word in ("", END_ARGUMENTS):
            index += 1
        elif word == BEGIN_ARGUMENTS:
            index = _take_arguments(words, index + 1, apps)
        elif is_flag(word):
            flag, text, index = take_flag(words, index, table)
            _apply(flag, text, apps, pod_flags)
        else:
            apps.images.append(ImageWords(word))
            index += 1
    return apps


def _take_arguments(words: Sequence[str], start: int, apps: AppArguments) -> int:
    if not apps.images:
        raise UsageError("an image is required before any app arguments")
    image = apps.images[-1]
    if image.arguments is not None:
        raise UsageError("only one set of app arguments allowed per image")
    end = start
    while end < len(words) and words[end] != END_ARGUMENTS:
        end += 1
    image.arguments = tuple(words[start:end])
    return end + 1


def _apply(flag: Flag, text: str, apps: AppArguments, pod_flags: FlagValues) -> None:
    if not flag.of_image or (flag.name in POD_OR_IMAGE and not apps.images):
        pod_flags.add(flag, text)
        return
    if not apps.images:
        raise UsageError(f"--{flag.name} must follow an image")
    image = apps.images[-1]
    if flag.name in ONCE_PER_IMAGE and image.flags.is_given(flag.name):
        raise UsageError(f"--{flag.name} specified multiple times for the same image")
    image.flags.add(flag, text)
