"""The loopback interface of a new network namespace."""

from __future__ import annotations

import errno
import socket

import pytest
from harness.forked_child import run_in_child

from rkt.linux import syscalls
from rkt.linux.loopback import bring_up_loopback


@pytest.mark.root
def test_loopback_is_down_in_a_new_namespace_until_it_is_brought_up() -> None:
    def body() -> tuple[bool, bool]:
        def reachable() -> bool:
            with socket.socket() as server, socket.socket() as client:
                try:
                    server.bind(("127.0.0.1", 0))
                    server.listen()
                    client.settimeout(2)
                    client.connect(server.getsockname())
                except OSError:
                    return False
                return True

        before = reachable()
        bring_up_loopback()
        return before, reachable()

    assert run_in_child(body, unshare=syscalls.CLONE_NEWNET) == (False, True)


@pytest.mark.root
def test_bringing_loopback_up_twice_is_no_error() -> None:
    def body() -> None:
        bring_up_loopback()
        bring_up_loopback()

    run_in_child(body, unshare=syscalls.CLONE_NEWNET)


@pytest.mark.root
def test_loopback_needs_the_right_over_the_namespace() -> None:
    def body() -> None:
        syscalls.capset(effective=0, permitted=0, inheritable=0)
        bring_up_loopback()

    with pytest.raises(OSError) as caught:
        run_in_child(body, unshare=syscalls.CLONE_NEWNET)
    assert caught.value.errno == errno.EPERM
