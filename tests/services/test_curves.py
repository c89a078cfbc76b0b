"""Curves do not lie: extremes stay, what is no number is told, ranges are thinned anew, names are paged."""

from __future__ import annotations

import math
import random

import pytest


@pytest.fixture
def run(ws):
    return ws.jobs.start_external("measured")


def points_of(count, name="loss", value=lambda i: 0.0):
    return [{"name": name, "step": i, "value": value(i), "epoch": i // 1000} for i in range(count)]


def test_a_thousand_spikes_are_all_visible(ws, run):
    spikes = sorted(random.Random(3).sample(range(100_000), 1000))
    points = points_of(100_000, value=lambda i: math.sin(i / 500))
    for place in spikes:
        points[place]["value"] = 50.0
    ws.jobs.log_metrics(run.id, points)

    curve = ws.jobs.metrics(run.id, max_points=2000).metrics[0]

    assert curve.shown == len(curve.points) <= 2000
    assert curve.total == 100_000
    high = [point["step"] for point in curve.points if point["value"] == 50.0]
    width = 128  # the steps that one bucket holds: the next power of two of 100,000 / 998
    assert {place // width for place in spikes} == {step // width for step in high}


def test_a_range_is_thinned_by_itself(ws, run):
    ws.jobs.log_metrics(run.id, points_of(50_000, value=lambda i: i % 13))
    whole = ws.jobs.metrics(run.id, max_points=200).metrics[0]
    near = ws.jobs.metrics(run.id, max_points=200, start=1000, stop=1100).metrics[0]

    assert whole.shown <= 200
    assert [p["step"] for p in near.points] == list(range(1000, 1101))
    assert (near.total, near.shown) == (101, 101)


def test_what_is_no_number_is_told_and_stays(ws, run):
    points = points_of(20_000, value=lambda i: 1.0)
    points[5000]["value"], points[15_000]["value"] = math.nan, -math.inf
    ws.jobs.log_metrics(run.id, [{**p, "value": str(p["value"]).replace("nan", "NaN").replace("inf", "Infinity")}
                                 if not math.isfinite(p["value"]) else p for p in points])  # fmt: skip
    curve = ws.jobs.metrics(run.id, max_points=100).metrics[0]

    assert curve.not_finite == 2
    assert [(p["step"], p["value"], p["word"]) for p in curve.points if "word" in p] == [
        (5000, None, "NaN"), (15_000, None, "-Infinity"),
    ]  # fmt: skip
    told = ws.jobs.metric_names(run.id)[0]
    assert (told.name, told.total, told.last, told.lowest, told.not_finite) == ("loss", 20_000, 1.0, 1.0, 2)


def test_thousands_of_names_are_paged_and_searched(ws, run):
    ws.jobs.log_metrics(run.id, [{"name": f"layer_{i}/norm", "step": s, "value": i + s} for i in range(12_000) for s in (0, 1)])
    ws.jobs.log_metrics(run.id, [{"name": "val_loss", "step": 1, "value": 0.5}])

    first = ws.jobs.metric_names(run.id, page_size=20)
    assert (first.total, len(first), first[0].name) == (12_001, 20, "val_loss")
    found = ws.jobs.metric_names(run.id, search="LAYER_777")
    assert [name.name for name in found][:2] == ["layer_777/norm", "layer_7770/norm"]
    assert (found[0].last, found[0].lowest, found.total) == (778.0, 777.0, 11)
    assert ws.jobs.metric_names(run.id, search="nothing").total == 0
    drawn = ws.jobs.metrics(run.id)
    assert (len(drawn.metrics), drawn.total) == (100, 12_001)
    chosen = ws.jobs.metrics(run.id, names=["layer_5/norm", "val_loss", "not there"])
    assert [curve.name for curve in chosen.metrics] == ["layer_5/norm", "val_loss"]


def test_a_growing_curve_changes_at_its_end_only(ws, run):
    ws.jobs.log_metrics(run.id, points_of(9000, value=lambda i: (i * 7919) % 1000))
    before = ws.jobs.metrics(run.id, max_points=500).metrics[0].points
    more = [{"name": "loss", "step": 9000 + i, "value": i} for i in range(50)]
    ws.jobs.log_metrics(run.id, more)
    after = ws.jobs.metrics(run.id, max_points=500).metrics[0].points

    assert before[:-4] == after[: len(before) - 4]
