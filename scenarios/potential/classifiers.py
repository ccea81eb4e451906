"""Classifiers of scikit-learn, and objects that act like one: made ready, taught and asked."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from threadpoolctl import threadpool_limits

from scenarios.algebra import one_thread
from scenarios.errors import ScenarioInvalid
from scenarios.spec.rules import ModelName

CLASSIFIERS = ("random_forest", "gradient_boosting")
"""Those that have a name."""

Classifier = Any
"""An object with ``fit`` and ``predict_proba``, as scikit-learn's classifiers have."""

_one_at_a_time = Lock()
"""A forest of scikit-learn resets the warning filters of the whole process while it works: threads mix them up."""


@contextmanager
def _alone_on_one_core() -> Iterator[None]:
    """Let one classifier work at a time, without threads of its own, on which its last bits could hang."""
    with _one_at_a_time, one_thread, threadpool_limits(1, user_api="openmp"):  # of OpenMP each thread has a limit
        yield


Reals = NDArray[np.float64]


def name_classifier(classifier: Classifier) -> str:
    """Return what a classifier is called, on one line, with the settings that are not its defaults."""
    text = " ".join(repr(classifier).split())
    return type(classifier).__name__ if " object at 0x" in text else text


def fingerprint_classifier(classifier: Classifier) -> str:
    """Return a fingerprint of a classifier and its settings.

    Raises
    ------
    ScenarioInvalid
        It cannot be pickled.
    """
    try:
        return hashlib.sha256(pickle.dumps(classifier)).hexdigest()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ScenarioInvalid(
            f"A run says all that it was made from, and the classifier {type(classifier).__name__} cannot be pickled: "
            f"{error}. Take functions from a module instead of writing them in place."
        ) from error


def make_classifier(name: ModelName) -> Classifier:
    """Return the classifier of a name, of modest size: deep trees learn the sample by heart."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    if name == "random_forest":
        return RandomForestClassifier(n_estimators=100, min_samples_leaf=20)
    return HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=100,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        l2_regularization=1.0,
        early_stopping=False,
    )


def prepare_classifier(classifier: Classifier, seed: int) -> Classifier:
    """Return a copy that has learned nothing, draws by the seed where it was given none, and works on one core.

    Cells are worked on side by side already, and threads of a forest add up in any order.

    Raises
    ------
    ScenarioInvalid
        It is no classifier that tells chances.
    """
    from sklearn.base import clone

    name = classifier.__name__ if isinstance(classifier, type) else type(classifier).__name__
    if isinstance(classifier, type):
        raise ScenarioInvalid(f"The classifier is the class {name}, not an object of it. Give {name}().")
    missing = [each for each in ("fit", "predict_proba") if not callable(getattr(classifier, each, None))]
    if missing:
        raise ScenarioInvalid(
            f"The classifier {name} has no {' and no '.join(missing)}. Give an object with 'fit' and 'predict_proba', "
            "as scikit-learn's classifiers have; one that only decides can be put into CalibratedClassifierCV."
        )
    copy = clone(classifier, safe=False)
    settings = copy.get_params() if hasattr(copy, "get_params") else {}
    fixed = {key: seed % 2**32 for key, value in settings.items() if _ends(key, "random_state") and value is None}
    fixed |= {key: 1 for key, value in settings.items() if _ends(key, "n_jobs") and value is not None}
    return copy.set_params(**fixed) if fixed else copy


def _ends(key: str, name: str) -> bool:
    return key.rsplit("__", 1)[-1] == name


def ask_classifier(classifier: Classifier, design: Reals, cells: int) -> Reals:
    """Return the log odds of change, (cell,) float64; none is surer than so many cells can make it.

    Parameters
    ----------
    classifier : from `teach_classifier`
    design : (cell, column) float64
    cells : how many it was taught

    Raises
    ------
    ScenarioInvalid
        Its answer is not two chances for each cell.
    """
    with _alone_on_one_core():
        chance = np.asarray(classifier.predict_proba(design), np.float64)
    if chance.shape != (len(design), 2) or not np.isfinite(chance).all():
        raise ScenarioInvalid(
            f"The classifier {type(classifier).__name__} answered {len(design)} cells with an array of shape "
            f"{chance.shape}{'' if np.isfinite(chance).all() else ' that holds NaN'}; 'predict_proba' has to give two "
            "chances for each, to stay and to change."
        )
    least = 1 / (cells + 2)
    return np.asarray(logit(np.clip(chance[:, 1], least, 1 - least)))


def teach_classifier(classifier: Classifier, design: Reals, changed: NDArray[np.bool_]) -> Classifier:
    """Return a copy of a classifier that has learned from cells, given by their numbers, (cell, column)."""
    from sklearn.base import clone

    fitted = clone(classifier, safe=False)
    with _alone_on_one_core():
        fitted.fit(design, changed.astype(np.int64))
    return fitted
