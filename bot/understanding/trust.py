"""How far a match can be trusted: what a score means.

It is learnt from the questions themselves. Each of a sample is taken out and asked in turn, once with its label among
the others, and once as if nobody had written that label, which is what a question that the knowledge does not cover
looks like. Logistic regression tells from the evidence how often the likeliest label is the right one.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bot.understanding.features import Floats

# The weights before anything was learnt, and how many questions it takes to move them; inputs as in `evidence`.
_PRIOR = np.array([-2.5, 0.05, 0.3, 1.0])
_PRIOR_STRENGTH = 0.5

UNCOVERED = 0.15  # what a question asked without its label counts for: so many are asked that nobody wrote down

# Who writes an entry's questions makes them differ on purpose, so each is further from the others than a newcomer's
# question is from the nearest. In log-odds; measured on 1,260 questions in 24 languages and 73 entries.
_NEARER = 0.7

Flags = NDArray[np.bool_]


def evidence(likelihoods: Floats, known: Flags, familiar: float) -> Floats:
    """What speaks for the likeliest known label: a constant, its lead on all others and on the next, known or not, and
    `familiar`, the part (0 to 1) of the text that was ever seen."""
    candidates = np.where(known, likelihoods, -np.inf)
    best = int(np.argmax(candidates))
    others = np.delete(likelihoods, best)
    others = others[np.isfinite(others)]
    if not len(others):
        return np.array([1.0, 0.0, 0.0, familiar])
    lead = candidates[best]
    return np.array([1.0, lead - others.mean(), lead - others.max(), familiar])


class Trust:
    """Turns evidence into a score."""

    def __init__(self, examples: Iterable[tuple[Floats, bool, float]]) -> None:
        """`examples`: evidence, whether the likeliest label was the right one, and what the example counts for."""
        seen = list(examples)
        inputs = np.array([example for example, _, _ in seen]).reshape(-1, len(_PRIOR))
        right = np.array([float(was_right) for _, was_right, _ in seen])
        self._weights = _fit(inputs, right, np.array([worth for _, _, worth in seen]))

    def score(self, found: Floats) -> float:
        """About how often the likeliest label is the right one where the evidence is such."""
        return _logistic(float(found @ self._weights) + _NEARER)


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))


def _fit(inputs: Floats, right: Floats, worth: Floats) -> Floats:
    """Logistic regression by damped Newton steps, drawn towards `_PRIOR` where there is little to learn from."""

    def loss(weights: Floats) -> float:
        surely = inputs @ weights
        misfit = worth @ (np.logaddexp(0, surely) - right * surely)
        return float(misfit + _PRIOR_STRENGTH / 2 * ((weights - _PRIOR) ** 2).sum())

    weights = _PRIOR.copy()
    for _ in range(50):
        expected = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (worth * (right - expected)) - _PRIOR_STRENGTH * (weights - _PRIOR)
        spread = (worth * expected * (1 - expected))[:, None]
        curvature = (inputs * spread).T @ inputs + _PRIOR_STRENGTH * np.eye(len(_PRIOR))
        step = np.linalg.solve(curvature, gradient)
        while loss(weights + step) > loss(weights) and np.abs(step).max() > 1e-6:
            step /= 2
        weights = weights + step
    return weights
