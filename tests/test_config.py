"""Settings from the environment: both spellings, and every unusable value named at once."""

from __future__ import annotations

import pytest

from workbench.config import Settings
from workbench.engine.queue import Limits
from workbench.errors import ValidationError


def test_both_spellings_are_read() -> None:
    found = Settings.from_environment({"WORKBENCH_MAX_JOBS": "3", "BACKEND_CORS_ORIGINS": '["http://here"]'})

    assert (found.max_jobs, found.cors_origins) == (3, ["http://here"])


def test_unusable_values_are_named_with_their_variable() -> None:
    wrong = {"WORKBENCH_MAX_JOBS": "many", "WORKBENCH_GATE_RATE": "7", "API_V1_PREFIX": "/api/v1", "WS_HEARTBEAT_INTERVAL": "0"}

    with pytest.raises(ValidationError) as caught:
        Settings.from_environment(wrong)

    fields = {fault["field"]: fault["value"] for fault in caught.value.context["fields"]}
    assert fields == {"WORKBENCH_MAX_JOBS": "many", "WORKBENCH_GATE_RATE": "7", "WS_HEARTBEAT_INTERVAL": "0"}


def test_limits_by_kind_and_person_are_read_and_checked() -> None:
    found = Settings.from_environment({"WORKBENCH_JOBS_PER_KIND": '{"train": 1, "generate": 4}', "WORKBENCH_JOBS_PER_USER": "3"})
    limits = Limits.of(found)
    assert (limits.total, limits.per_kind, limits.per_user) == (2, {"train": 1, "generate": 4}, 3)
    assert Limits.of(Settings()).per_user is None
    for wrong in ('{"train": 0}', '{"train": "one"}', "[1]", "{torn"):
        with pytest.raises(ValidationError) as caught:
            Settings.from_environment({"WORKBENCH_JOBS_PER_KIND": wrong})
        assert caught.value.context["fields"][0]["field"] == "WORKBENCH_JOBS_PER_KIND"
    with pytest.raises(ValidationError, match="Did you mean 'train'"):
        Limits.of(Settings(jobs_per_kind={"trian": 1}))
