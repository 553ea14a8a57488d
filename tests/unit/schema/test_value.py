from __future__ import annotations

import copy
import pickle

import pytest

from rkt.schema.app import App, MountPoint
from rkt.schema.isolator import Isolator
from rkt.schema.label import Label


def test_values_cannot_be_changed() -> None:
    label = Label(name="a", value="b")
    with pytest.raises(AttributeError, match="immutable"):
        label.name = "c"
    with pytest.raises(AttributeError, match="immutable"):
        del label.name
    with pytest.raises(AttributeError):
        label.other = 1


def test_replace_makes_a_changed_copy() -> None:
    app = App(exec=["/a"], user="0", group="0")
    other = app.replace(user="1", mount_points=[MountPoint(name="x", path="/y")])
    assert (app.user, other.user, other.exec, len(other.mount_points)) == ("0", "1", ("/a",), 1)
    with pytest.raises(TypeError):
        app.replace(nonsense=1)


def test_equal_fields_mean_equal_values_of_one_type() -> None:
    assert Label(name="a", value="b") == Label(name="a", value="b")
    assert Label(name="a", value="b") != Label(name="a", value="c")
    assert Label(name="a", value="b") != MountPoint(name="a", path="b")
    assert len({Label(name="a", value="b"), Label(name="a", value="b")}) == 1


def test_values_can_be_copied_and_pickled() -> None:
    isolator = Isolator(name="a", value={"x": [1]})
    assert copy.copy(isolator) is isolator
    assert copy.deepcopy(isolator) is isolator
    assert pickle.loads(pickle.dumps(isolator)) == isolator


def test_repr_shows_what_is_set() -> None:
    assert repr(MountPoint(name="a", path="/b")) == "MountPoint(name='a', path='/b', read_only=False)"
