"""The answer retriever on real data: it finds, it abstains, its figures are what they say."""

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from tests.trainers.test_text_classifier import Recorder
from workbench.errors import WorkbenchError
from workbench.trainers import Inputs, Pair, load_package, trainer, trainer_of
from workbench.trainers.nearest import Index, Trust, best_threshold, word_overlap
from workbench.trainers.ngrams import Ngrams
from workbench.trainers.protocol import Size

DATA = Path(__file__).parents[2] / "datasets" / "stdlib_functions.csv"


@pytest.fixture(scope="module")
def sides():
    """Questions about functions; each is asked twice, in two wordings, so that half can be held out."""
    with DATA.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:600]
    known = [Pair(f"k{i}", f"What does this do: {r['summary']}", f"{r['module']}: {r['summary']}") for i, r in enumerate(rows)]
    asked = [
        Pair(f"a{i}", f"please tell me, {r['summary'].lower()}", f"{r['module']}: {r['summary']}") for i, r in enumerate(rows)
    ]
    extra = [Pair("x1", "How do I bake a sourdough bread?", "No idea."), Pair("x2", "qqq zzz", "No idea.")]
    # Half of the held-out wordings is learned too: then the others show which similarity can be trusted.
    return known + asked[::2], asked[1::2] + extra


def trained(folder, sides, **config):
    values, faults = trainer("answer-retriever").Config.complete(config)
    assert not faults
    context = Recorder(folder)
    return context, trainer("answer-retriever").train(context, Inputs(sides[0], sides[1], values, "nearest-question"))


@pytest.fixture(scope="module")
def default(tmp_path_factory, sides):
    return trained(tmp_path_factory.mktemp("retriever"), sides)


def test_it_finds_rephrased_questions_and_abstains_from_strange_ones(default, sides):
    context, metrics = default
    assert metrics["recall_at_1"] > 0.9
    assert metrics["recall_at_1"] <= metrics["mrr"] <= metrics["recall_at_k"] <= metrics["answerable"]
    model = load_package(context.folder / "package")
    known, strange = model.predict([sides[1][0].prompt, "How do I bake a sourdough bread?"])
    assert known["value"] == sides[1][0].response
    assert (strange["value"], strange["abstained"]) == ("", True)
    assert known["confidence"] > strange["confidence"]


def test_what_no_known_answer_is_lies_farthest_from_the_truth(tmp_path, sides):
    """Answers that are all different: none of the held-out ones can be given, and the loss has to say so."""
    known = sides[0][:60]
    strange = [Pair(f"s{n}", pair.prompt, f"never seen {n}") for n, pair in enumerate(known[:20])]
    context, metrics = trained(tmp_path, (known, [*known[20:30], *strange]))
    rows = json.loads((context.folder / "predictions.json").read_text())
    assert min(row["loss"] for row in rows if row["pair_id"].startswith("s")) > 20
    assert metrics["val_loss"] > 10


def test_the_figures_agree_with_counting_by_hand(default, sides):
    context, metrics = default
    rows = json.loads((context.folder / "predictions.json").read_text())
    assert [r["pair_id"] for r in rows] == [p.id for p in sides[1]]
    assert metrics["accuracy"] == pytest.approx(np.mean([r["correct"] for r in rows]))
    answered = [r for r in rows if r["prediction"]]
    assert metrics["coverage"] == pytest.approx(len(answered) / len(rows))
    assert metrics["precision"] == pytest.approx(np.mean([r["correct"] for r in answered]))
    assert metrics["answerable"] == pytest.approx((len(rows) - 2) / len(rows))
    assert metrics["val_loss"] == pytest.approx(np.mean([r["loss"] for r in rows]))


def test_a_given_threshold_and_words_are_kept(tmp_path, sides):
    context, metrics = trained(tmp_path, sides, abstain_below=1.0, abstention="I do not know.")
    assert (metrics["coverage"], metrics["precision"]) == (0.0, None)
    model = load_package(context.folder / "package")
    assert model.predict(["anything"])[0]["value"] == "I do not know."


def test_two_trainings_are_the_same(default, sides, tmp_path):
    _, again = trained(tmp_path, sides)
    same = {k: v for k, v in again.items() if k != "training_duration_seconds"}
    assert same == {k: v for k, v in default[1].items() if k != "training_duration_seconds"}


def test_a_changed_package_is_refused(tmp_path, sides):
    context, _ = trained(tmp_path, ([*sides[0][:30]], sides[1][:5]))
    path = context.folder / "package" / "answers.json"
    path.write_text(path.read_text().replace("answers", "Answers"))
    with pytest.raises(WorkbenchError, match=r"answers\.json"):
        load_package(context.folder / "package")


def test_no_question_finds_itself_when_left_out():
    rows = Ngrams().fit(["red apple", "red apples", "blue sky", "blue skies"])
    places, _ = Index(rows).nearest(rows, 1, leave_out=0)
    assert list(places[:, 0]) == [1, 0, 3, 2]
    places, similarities = Index(rows).nearest(rows, 4)
    assert list(places[:, 0]) == [0, 1, 2, 3]
    assert (np.diff(similarities, axis=1) <= 0).all()


def test_the_threshold_is_where_answering_stops_to_pay():
    similarity = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert best_threshold(similarity, np.array([1, 1, 0, 1, 0, 0], bool)) == 0.8
    assert best_threshold(similarity, np.array([1, 1, 1, 1, 1, 1], bool)) == 0.4
    assert best_threshold(similarity, np.zeros(6, bool)) == 0.9
    assert best_threshold(np.array([0.5, 0.5, 0.4]), np.array([1, 0, 1], bool)) == 0.4


def test_trust_never_falls_as_similarity_rises():
    rng = np.random.default_rng(0)
    similarity = rng.random(500)
    trust = Trust.learned(similarity, rng.random(500) < similarity)
    chances = [trust.chance(s) for s in np.linspace(0, 1, 50)]
    assert all(a <= b for a, b in itertools.pairwise(chances))
    assert chances[0] < 0.2
    assert chances[-1] > 0.8


def test_words_shared():
    assert word_overlap("a b", "a b") == 1.0
    assert word_overlap("", "a") == 0.0
    assert word_overlap("a b", "a c") == 0.5


def test_it_advises_the_classifier_for_a_closed_set():
    advice = trainer("answer-retriever").advise({}, Size(pairs=1000, characters=10_000, classes=4, largest_class=300))
    assert [one.message for one in advice] == ["Consider the text classifier."]
    assert trainer_of("nearest-question").name == "answer-retriever"
