"""What a record looks like in a terminal: one line that says something, whatever the record."""

import datetime as dt

import pytest

import workbench.services.application  # noqa: F401 - every record is declared
from workbench.domain.generate import Export, ExportedFile
from workbench.domain.jobs import Job, JobEvent
from workbench.domain.label import Progress
from workbench.domain.record import Record


def kinds(base=Record):
    return [kind for sub in base.__subclasses__() for kind in (sub, *kinds(sub))]


@pytest.mark.parametrize("text", [repr, str])
def test_what_has_an_id_is_named_and_the_rest_tells_its_figures(text):
    assert text(Job(id="job_1", name="Train", message="words")) == "Job(id='job_1', name='Train', status='queued', version=1)"
    told = Progress(total=4, labeled=1, percent_complete=100 / 3, summary="1 labeled of 4.")
    assert text(told) == "Progress(summary='1 labeled of 4.', total=4, labeled=1, percent_complete=33.3333)"
    event = JobEvent(job_id="job_1", seq=2, logged_at=dt.datetime(2026, 1, 2, 3, 4, 5, 678))
    assert text(event) == "JobEvent(job_id='job_1', seq=2, logged_at=2026-01-02 03:04:05)"


def test_long_values_are_cut_and_nothing_is_never_empty():
    files = [ExportedFile(name="x" * 500, url=f"/{i}") for i in range(9)]
    assert len(repr(Export(files=files, manifest={"a": "b" * 500}))) < 250
    for kind in kinds():
        shown = repr(kind())
        assert "=" in shown, kind
        assert "\n" not in shown, kind
