"""A trainer that learns nothing: its figures follow from its settings, and it fails in every way when told to."""

import math
import time
from pathlib import Path

import param

from workbench.domain.train import BaseModel
from workbench.trainers.protocol import Config, Trainer

NAME = "tests.services.tiny_trainer:Tiny"
BASE_MODEL = "tiny"


class TinyConfig(Config):
    """Settings of the tiny trainer."""

    x = param.Number(0.5, bounds=(0.0, 1.0), doc="The best is 0.3.")
    n = param.Integer(3, bounds=(1, 9), doc="The best is 7.")
    free = param.Number(1.0, doc="A setting without bounds.")
    epochs = param.Integer(3, bounds=(1, 1000), doc="Looks at the figure.")
    pause = param.Number(0.0, bounds=(0.0, 60.0), doc="Seconds per epoch.")
    mode = param.Selector(default="fine", objects=["fine", "fails", "nan", "nothing"], doc="What happens.")


def score(x, n):
    """Return the figure of some settings."""
    return round(1 - abs(x - 0.3) - abs(n - 7) / 20, 6)


class Tiny(Trainer):
    """Measure what the settings say."""

    name = NAME
    label = "Tiny"
    Config = TinyConfig

    def base_models(self):
        """Return the one base model."""
        return [BaseModel(name=BASE_MODEL, trainer=self.name, label="Tiny")]

    def search_space(self):
        """Return two of the settings."""
        return {"x": {"type": "float", "low": 0.0, "high": 1.0}, "n": {"type": "int", "low": 1, "high": 9}}

    def train(self, context, inputs):
        """Measure, then fail where told to."""
        config = inputs.config
        value = score(config["x"], config["n"])
        for epoch in range(1, config["epochs"] + 1):
            context.metric("val_accuracy", value * epoch / config["epochs"], epoch, epoch)
            context.progress(epoch, config["epochs"])
            if context.should_stop():
                context.check()
                break
            time.sleep(config["pause"])
        if config["mode"] == "fails":
            raise ValueError("the disk of the tiny trainer is full")
        (Path(context.folder) / "package").mkdir()
        (Path(context.folder) / "package" / "weights").write_text("heavy")
        figures = {"fine": {"val_accuracy": value}, "nan": {"val_accuracy": math.nan}}
        return {"val_loss": 1 - value, **figures.get(config["mode"], {})}

    def load(self, folder):
        """Never asked for."""
        raise NotImplementedError
