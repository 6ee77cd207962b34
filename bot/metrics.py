"""What is counted for Prometheus: https://prometheus.io/docs/practices/naming/."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The figures of one process, each under its name in `registry`; and whether Telegram answers."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.events = Counter("wegwijs_events", "Events handled", ["channel", "type"], registry=registry)
        self.decisions = Counter(
            "wegwijs_decisions", "Decisions on typed words", ["decision", "language"], registry=registry
        )
        self.telegram_away = False
        self.updates = Counter(
            "wegwijs_updates", "Telegram updates, by what became of them", ["outcome"], registry=registry
        )
        self.telegram_errors = Counter(
            "wegwijs_telegram_errors", "Calls of the Bot API that did not succeed", ["error"], registry=registry
        )
        self.outbox_age = Gauge(
            "wegwijs_outbox_age_seconds",
            "Since when the oldest notice, reminder or reply that is due waits",
            registry=registry,
        )
        self.knowledge = Gauge("wegwijs_knowledge_info", "The knowledge in use", ["version"], registry=registry)
        self.seconds = Histogram(
            "wegwijs_respond_seconds",
            "Time from event to replies",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
            registry=registry,
        )

    def telegram_called(self, error: str) -> None:
        """What became of a call; Telegram is away when it does not answer, or answers that it cannot."""
        if error:
            self.telegram_errors.labels(error).inc()
        self.telegram_away = error in ("timeout", "connection") or error.startswith("5")

    def show_knowledge(self, version: str) -> None:
        """Only the version in use has a figure."""
        self.knowledge.clear()
        self.knowledge.labels(version).set(1)
