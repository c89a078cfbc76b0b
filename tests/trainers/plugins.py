"""Trainers of other people: modules and entry points in a folder on the path."""

import contextlib
import importlib
import sys

from workbench.trainers import trainers

BAYES = '''
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from workbench.trainers import EstimatorTrainer

class NaiveBayes(EstimatorTrainer):
    """Count words and believe in their independence."""
    name = "naive-bayes"
    def estimator(self, config):
        return make_pipeline(CountVectorizer(), MultinomialNB())
'''


@contextlib.contextmanager
def installed(folder, modules, entries=None):
    """Put modules (name -> source) and entry points (name -> target) on the path as an installed distribution would."""
    folder.mkdir(exist_ok=True)
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    if entries:
        info = folder / "other_people-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-people\nVersion: 1.0\n")
        lines = [f"{name} = {target}" for name, target in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[workbench.trainers]", *lines]))
    sys.path.insert(0, str(folder))
    forget()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in modules:
            sys.modules.pop(name, None)
        forget()


def forget():
    importlib.invalidate_caches()
    trainers.cache_clear()
