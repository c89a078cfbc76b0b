"""What a study searches: the trainer's own space, narrowed or replaced, every fault at once."""

import pytest

from tests.services.tiny_trainer import Tiny
from workbench.services import study_space
from workbench.trainers import trainers

TINY = Tiny()


def faults(wanted, fixed=None):
    """Return the faulty fields with the words on each."""
    return {f["field"].removeprefix("search_space."): f["message"] for f in study_space.completed(TINY, wanted, fixed or {})[1]}


def test_without_a_wish_it_is_the_trainers_own_less_what_is_fixed():
    assert study_space.completed(TINY, None, {}) == (
        {"x": {"type": "float", "low": 0.0, "high": 1.0, "log": False}, "n": {"type": "int", "low": 1, "high": 9, "log": False}},
        [],
    )
    assert set(study_space.completed(TINY, None, {"x": 0.5})[0]) == {"n"}
    assert faults(None, {"x": 0.5, "n": 3}) == {"search_space": f"names nothing to search; {Tiny.name} suggests x, n"}


def test_a_wish_narrows_extends_and_replaces():
    wanted = {"x": {"low": 0.1, "log": True}, "n": {"choices": [1, 5]}, "epochs": {"low": 2, "high": 8}, "mode": {}}
    space, found = study_space.completed(TINY, wanted, {})
    assert found == []
    assert space == {
        "x": {"type": "float", "low": 0.1, "high": 1.0, "log": True},
        "n": {"type": "choice", "choices": [1, 5]},
        "epochs": {"type": "int", "low": 2, "high": 8, "log": False},
        "mode": {"type": "choice", "choices": ["fine", "fails", "nan", "nothing"]},
    }
    assert study_space.size({name: space[name] for name in ("n", "epochs", "mode")}) == 2 * 7 * 4
    assert study_space.size(space) is None


def test_a_declared_list_of_choices_may_become_a_range():
    space, found = study_space.completed(trainers()["text-classifier"], {"batch_size": {"low": 1, "high": 64}}, {})
    assert (space["batch_size"], found) == ({"type": "int", "low": 1, "high": 64, "log": False}, [])


@pytest.mark.parametrize(
    ("wish", "field", "words"),
    [
        ({"y": {}}, "y", "unknown setting"),
        ({"x": [0, 1]}, "x", "takes an object"),
        ({"x": None}, "x", "takes an object"),
        ({"x": {"low": 0.8, "high": 0.2}}, "x.low", "above high"),
        ({"x": {"low": 0.2, "high": 0.2}}, "x.low", "fix it in training_config"),
        ({"x": {"low": -1}}, "x.low", "between 0.0 and 1.0"),
        ({"x": {"high": 2}}, "x.high", "between 0.0 and 1.0"),
        ({"x": {"low": "a"}}, "x.low", "takes a number"),
        ({"x": {"low": float("nan")}}, "x.low", "between 0.0 and 1.0"),
        ({"n": {"low": 1.5}}, "n.low", "whole number"),
        ({"n": {"low": True}}, "n.low", "whole number"),
        ({"free": {}}, "free.low", "is needed"),
        ({"x": {"log": True}}, "x.log", "low above 0"),
        ({"x": {"log": "yes"}}, "x.log", "true or false"),
        ({"x": {"step": 0.1}}, "x.step", "no part of it"),
        ({"n": {"type": "float"}}, "n.type", "is int here"),
        ({"n": {"choices": []}}, "n.choices", "2 to 100 values"),
        ({"n": {"choices": 5}}, "n.choices", "2 to 100 values"),
        ({"n": {"choices": [1, 99]}}, "n.choices.1", "between 1 and 9"),
        ({"n": {"choices": [1, 1]}}, "n.choices", "twice"),
        ({"mode": {"choices": ["fine", "off"]}}, "mode.choices.1", "off"),
        ({"mode": {"low": 1, "high": 2}}, "mode.low", ""),
        ({}, "search_space", "nothing to search"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_each_fault_names_its_field(wish, field, words):
    found = faults(wish)
    assert words in found[field], found


def test_all_faults_come_at_once():
    assert set(faults({"y": {}, "x": {"low": -1, "high": 2}, "n": {"low": 5, "high": 4}})) == {"y", "x.low", "x.high", "n.low"}
    assert faults({"x": {}}, {"x": 0.5}) == {"training_config.x": "is searched as well: leave it out here or there"}


@pytest.mark.parametrize("name", sorted(trainers()))
def test_the_space_of_every_trainer_is_sound_and_holds_its_defaults(name):
    found = trainers()[name]
    space, wrong = study_space.completed(found, found.search_space(), {})
    assert (wrong, space) == ([], study_space.completed(found, None, {})[0])
    assert study_space.holds(space, found.Config.complete({})[0])
