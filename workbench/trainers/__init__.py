"""Trainers: plugins that learn from pairs. One file each; found by the entry point group `workbench.trainers`.

A trainer is a subclass of `Trainer` with a `Config`; it sees pairs and a folder, never a database. Ten lines
suffice: `EstimatorTrainer` takes anything with `fit` and `predict`, `FittedTrainer` anything that can be
learned in one go and kept in a folder.
"""

from __future__ import annotations

from workbench.trainers.estimator import EstimatorTrainer
from workbench.trainers.fitted import FittedTrainer
from workbench.trainers.protocol import Config, Inputs, Pair, Place, Predictor, Requirements, Trainer
from workbench.trainers.registry import base_of, load_package, named_trainer, offers, trainer, trainer_of, trainers

__all__ = [
    "Config",
    "EstimatorTrainer",
    "FittedTrainer",
    "Inputs",
    "Pair",
    "Place",
    "Predictor",
    "Requirements",
    "Trainer",
    "base_of",
    "load_package",
    "named_trainer",
    "offers",
    "trainer",
    "trainer_of",
    "trainers",
]
