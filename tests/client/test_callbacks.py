"""Loops of other libraries log into a run through their own callbacks, and hear of its cancel."""

from typing import Any

import numpy as np
import pytest

from workbench.client.run import Run
from workbench.errors import InvalidTransition


def curves(ws: Any, run: Run) -> dict[str, list[float]]:
    run.flush()
    return {one.name: [point["value"] for point in one.points] for one in ws.jobs.metrics(run.id).metrics}


@pytest.fixture
def lgb() -> Any:
    """Import it where it is needed: every worker reads this file, one runs it."""
    import lightgbm

    return lightgbm


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 5))
    return X, (X[:, 0] + X[:, 1] > 0).astype(int)


def test_each_round_of_lightgbm_is_a_point(local: Any, data: Any, lgb: Any) -> None:
    X, y = data
    train = lgb.Dataset(X[:150], y[:150])
    sides = [train, lgb.Dataset(X[150:], y[150:], reference=train)]
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    with local.jobs.start_external("boosting", config=settings) as run:
        kept: dict[str, Any] = {}
        lgb.train(settings, train, num_boost_round=12, valid_sets=sides, callbacks=[run.lightgbm(), lgb.record_evaluation(kept)])
        found = curves(local, run)

    assert found == {
        "train_binary_logloss": kept["training"]["binary_logloss"],
        "val_binary_logloss": kept["valid_1"]["binary_logloss"],
    }


def test_lightgbm_ends_when_the_run_is_cancelled(local: Any, data: Any, lgb: Any) -> None:
    run = local.jobs.start_external("boosting")
    local.jobs.cancel(run.id)
    run.log({"val_loss": 1.0})
    run.flush()

    with pytest.raises(InvalidTransition, match="cancelled"):
        lgb.train({"verbosity": -1}, lgb.Dataset(*data), num_boost_round=5, callbacks=[run.lightgbm()])


def test_each_iteration_of_an_estimator_is_scored(local: Any, data: Any) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y = data
    model = LogisticRegression(max_iter=25)
    with local.jobs.start_external("lbfgs") as run:
        model.set_callbacks(run.sklearn(X[150:], y[150:])).fit(X[:150], y[:150])
        found = curves(local, run)

    assert list(found) == ["val_score"]
    assert len(found["val_score"]) >= model.n_iter_[0] - 1
    assert found["val_score"][-1] == model.score(X[150:], y[150:])


def test_an_estimator_ends_when_the_run_is_cancelled(local: Any, data: Any) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y = data
    run = local.jobs.start_external("lbfgs")
    local.jobs.cancel(run.id)
    run.log({"val_score": 0.0})
    run.flush()

    with pytest.raises(InvalidTransition, match="cancelled"):
        LogisticRegression(max_iter=25).set_callbacks(run.sklearn(X, y)).fit(X, y)


@pytest.mark.llm
def test_a_trainer_logs_losses_by_its_steps_and_stops_on_cancel(
    local: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    import transformers.trainer
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    # In a checkout the folder datasets/ looks like the package of that name.
    monkeypatch.setattr(transformers.trainer, "is_datasets_available", lambda: False)
    rows = [{"input_ids": torch.tensor(one), "labels": torch.tensor(one)} for one in np.arange(160).reshape(20, 8) % 30]
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=16, vocab_size=30, n_positions=8))
    told = {"output_dir": str(tmp_path), "logging_steps": 1, "report_to": [], "per_device_train_batch_size": 4, "use_cpu": True}
    with local.jobs.start_external("gpt") as run:
        arguments = TrainingArguments(num_train_epochs=2, eval_strategy="epoch", **told)
        Trainer(model, arguments, train_dataset=rows, eval_dataset=rows, callbacks=[run.transformers()]).train()
        found = curves(local, run)
    assert (len(found["train_loss"]), len(found["val_loss"])) == (11, 2)

    run = local.jobs.start_external("gpt")
    local.jobs.cancel(run.id)
    run.log({"train_loss": 1.0})
    run.flush()
    trainer = Trainer(model, TrainingArguments(num_train_epochs=50, **told), train_dataset=rows, callbacks=[run.transformers()])
    trainer.train()
    assert trainer.state.global_step == 1
