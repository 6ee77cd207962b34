"""What others would use to find the entry for a question. Each takes the texts of one language and scores labels."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import bm25s
import numpy as np
from rapidfuzz import fuzz, process
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from bot.understanding.normalise import fold, words

Example = tuple[str, str]  # label, text
Scores = Mapping[str, float]
Ranker = Callable[[str], Scores]


def _tokens(text: str) -> list[str]:
    return words(fold(text))


def _documents(examples: Sequence[Example]) -> dict[str, str]:
    """All texts of a label together."""
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for label, text in examples:
        texts[label].append(" ".join(_tokens(text)))
    return {label: " ".join(parts) for label, parts in texts.items()}


def rapidfuzz(examples: Sequence[Example]) -> Ranker:
    """The most alike text of each label (`process.extract` over all of them, WRatio)."""
    texts = [" ".join(_tokens(text)) for _, text in examples]

    def rank(text: str) -> Scores:
        scores: dict[str, float] = {}
        for _, score, place in process.extract(" ".join(_tokens(text)), texts, scorer=fuzz.WRatio, limit=50):
            label = examples[place][0]
            scores[label] = max(scores.get(label, 0.0), score / 100)
        return scores

    return rank


def bm25(examples: Sequence[Example]) -> Ranker:
    """BM25 over one document a label."""
    documents = _documents(examples)
    index = bm25s.BM25()
    index.index([document.split() for document in documents.values()], show_progress=False)

    def rank(text: str) -> Scores:
        known = [token for token in _tokens(text) if token in index.vocab_dict]
        return dict(zip(documents, index.get_scores(known).tolist(), strict=True)) if known else {}

    return rank


def fts5(examples: Sequence[Example]) -> Ranker:
    """SQLite's full-text search over one row a label, any of the words."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE texts USING fts5(label UNINDEXED, text)")
    database.executemany("INSERT INTO texts VALUES (?, ?)", _documents(examples).items())

    def rank(text: str) -> Scores:
        query = " OR ".join(f'"{token}"' for token in _tokens(text))
        found = database.execute("SELECT label, -rank FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 50", (query,))
        return dict(found.fetchall()) if query else {}

    return rank


def nearest(examples: Sequence[Example]) -> Ranker:
    """The most alike text of each label by the cosine of TF-IDF character n-grams."""
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    matrix = vectorizer.fit_transform(" ".join(_tokens(text)) for _, text in examples)
    labels = sorted({label for label, _ in examples})
    places = np.array([labels.index(label) for label, _ in examples])

    def rank(text: str) -> Scores:
        alike = (matrix @ vectorizer.transform([" ".join(_tokens(text))]).T).toarray().ravel()
        best = np.zeros(len(labels))
        np.maximum.at(best, places, alike)
        return dict(zip(labels, best.tolist(), strict=True))

    return rank


def _linear(classifier: LinearSVC | LogisticRegression, examples: Sequence[Example]) -> Ranker:
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    whole = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True)
    texts = [" ".join(_tokens(text)) for _, text in examples]
    classifier.fit(
        hstack([pieces.fit_transform(texts), whole.fit_transform(texts)]).tocsr(), [label for label, _ in examples]
    )
    score = getattr(classifier, "predict_proba", None) or classifier.decision_function

    def rank(text: str) -> Scores:
        asked = [" ".join(_tokens(text))]
        row = hstack([pieces.transform(asked), whole.transform(asked)]).tocsr()
        return dict(zip(classifier.classes_, score(row)[0].tolist(), strict=True))

    return rank


def linear_svc(examples: Sequence[Example]) -> Ranker:
    """A linear support vector machine over TF-IDF character 2-5-grams and word 1-2-grams."""
    return _linear(LinearSVC(), examples)


def logistic_regression(examples: Sequence[Example]) -> Ranker:
    """Logistic regression over the same features."""
    return _linear(LogisticRegression(C=10, max_iter=200), examples)


PEERS: dict[str, Callable[[Sequence[Example]], Ranker]] = {
    "RapidFuzz": rapidfuzz,
    "BM25": bm25,
    "SQLite FTS5": fts5,
    "nearest, TF-IDF": nearest,
    "LinearSVC": linear_svc,
    "logistic regression": logistic_regression,
}
