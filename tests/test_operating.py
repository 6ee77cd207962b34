"""What operators are given (containers, the unit, the dashboard, the guide) agrees with the program."""

import asyncio
import datetime
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot.settings import PREFIX, Settings
from bot.storage import retention
from tests.conftest import KNOWLEDGE, ROOT, eventually
from tests.fake_telegram import TOKEN, open_fake_telegram

OPERATING = ROOT / "docs/operating"
GUIDE = (OPERATING / "README.md").read_text(encoding="utf-8")
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
PROCESSES = ["wegwijs-1", "wegwijs-2", "wegwijs-3"]
_SETTING = re.compile(rf"\b{PREFIX}[A-Z_]+\b")
_METRIC = re.compile(r"\bwegwijs_[a-z_]+\b")
_SECRETS = ("PASSWORD", "SECRET", "TOKEN")
WEGWIJS = Path(sys.executable).with_name("wegwijs")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def _prometheus() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((OPERATING / "prometheus.yml").read_text(encoding="utf-8"))
    return loaded


def _panels() -> list[dict[str, Any]]:
    board: dict[str, Any] = json.loads((OPERATING / "grafana.json").read_text(encoding="utf-8"))
    panels: list[dict[str, Any]] = board["panels"]
    return panels


# compose.yaml


def test_three_processes_are_the_same_but_for_their_name(services: dict[str, dict[str, Any]]) -> None:
    assert [name for name in services if name.startswith("wegwijs")] == PROCESSES
    assert services["wegwijs-1"] == services["wegwijs-2"] == services["wegwijs-3"]


def test_the_three_share_a_database_a_webhook_and_the_texts(services: dict[str, dict[str, Any]]) -> None:
    process = services["wegwijs-1"]
    environment = process["environment"]
    assert environment["WEGWIJS_DATABASE_URL"].startswith("postgresql://wegwijs:${POSTGRES_PASSWORD:?")
    assert environment["WEGWIJS_DATABASE_URL"].endswith("@database/wegwijs")
    assert environment["WEGWIJS_WEBHOOK_URL"].startswith("https://${PUBLIC_HOST:?")
    assert process["volumes"] == [f"${{KNOWLEDGE:-./knowledge}}:{environment['WEGWIJS_KNOWLEDGE']}"]
    assert process["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in services["database"]


def test_the_settings_of_the_containers_are_ones_that_wegwijs_takes(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WEGWIJS_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("WEGWIJS_WEBHOOK_SECRET", "secret")
    values = {"POSTGRES_PASSWORD": "abc123", "PUBLIC_HOST": "bot.example.org"}
    for name, value in services["wegwijs-1"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{(\w+):\?[^}]*\}", lambda match: values[match[1]], value))
    settings = Settings()
    assert settings.database_url == "postgresql+asyncpg://wegwijs:abc123@database/wegwijs"
    assert settings.webhook_url == "https://bot.example.org/telegram"
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)  # noqa: S104


def test_only_the_proxy_can_be_reached_from_outside(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert not any("network_mode" in service or "privileged" in service for service in services.values())
    assert compose["networks"]["data"]["internal"] is True
    assert services["database"]["networks"] == ["data"]
    assert [name for name, service in services.items() if "data" in service.get("networks", ())] == [
        *PROCESSES,
        "database",
    ]


def test_every_container_is_held_in(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"
        assert {"mem_limit", "stop_grace_period", "logging"} <= set(service)


def test_every_container_but_the_proxy_runs_as_an_ordinary_user_without_rights(
    services: dict[str, dict[str, Any]],
) -> None:
    root = {name for name, service in services.items() if int(service.get("user", "0:0").split(":")[0]) == 0}
    assert root == {"proxy"}
    assert {name: service["cap_add"] for name, service in services.items() if "cap_add" in service} == {
        "proxy": ["NET_BIND_SERVICE"]
    }


def test_what_must_outlive_a_container_is_in_a_volume(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    mounted = [volume.rsplit(":", 1)[0] for name in services for volume in services[name].get("volumes", ())]
    assert set(compose["volumes"]) == {"database", "certificates", "figures"}
    assert set(compose["volumes"]) <= set(mounted)
    assert "database:/var/lib/postgresql" in services["database"]["volumes"]


def test_files_that_containers_are_given_are_there(services: dict[str, dict[str, Any]]) -> None:
    given = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    files = [name for name in given if name.startswith("./")]
    assert len(files) == 2
    assert all((ROOT / name).is_file() for name in files)


def test_no_secret_stands_in_a_file() -> None:
    for path in (ROOT / "compose.yaml", ROOT / "Dockerfile", *OPERATING.iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, sign, value = line.strip().partition("=" if "=" in line else ":")
            if sign and name.endswith(_SECRETS):
                assert value.strip().startswith(("$", "123456:ABC")), f"{path.name}: {line}"
    for file in (".gitignore", ".dockerignore"):
        assert ".env" in (ROOT / file).read_text(encoding="utf-8").splitlines()


# The proxy and Prometheus


def test_the_proxy_shares_out_over_the_three_and_keeps_figures_inside() -> None:
    caddyfile = (OPERATING / "Caddyfile").read_text(encoding="utf-8")
    assert f"reverse_proxy {' '.join(f'{name}:8080' for name in PROCESSES)} {{" in caddyfile
    assert "{$PUBLIC_HOST} {" in caddyfile
    for inside in (caddyfile, GUIDE):
        assert "@inside path /metrics /readyz\n\trespond @inside 404" in inside
    assert caddyfile.count("{") == caddyfile.count("}")


def test_the_proxy_asks_whether_a_process_runs_and_not_whether_the_database_does() -> None:
    caddyfile = (OPERATING / "Caddyfile").read_text(encoding="utf-8")
    assert re.findall(r"health_uri (\S+)", caddyfile) == ["/healthz"]


def test_prometheus_asks_each_of_the_three() -> None:
    [job] = _prometheus()["scrape_configs"]
    assert job["job_name"] == "wegwijs"
    assert job["static_configs"] == [{"targets": [f"{name}:8080" for name in PROCESSES]}]


# The image


def _instructions() -> list[list[tuple[str, str]]]:
    """The instructions of each stage of the image: their names, and what they are given."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stages: list[list[tuple[str, str]]] = []
    for line in lines:
        name, _, given = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, given.strip()))
    return stages


def test_the_image_is_slim_and_holds_nothing_to_build_with() -> None:
    build, final = _instructions()
    assert build[0][1].startswith("python:3.11-slim")
    assert final[0] == ("FROM", "python:3.11-slim")
    for name, given in (*build, *final):
        assert not re.search(r"\b(apt|apt-get|apk|gcc|build-essential|make)\b", given), f"{name} {given}"
    assert not any("pip" in given or "uv " in given for name, given in final)


def test_the_image_installs_what_the_lock_file_names() -> None:
    build, _ = _instructions()
    syncs = [given for name, given in build if name == "RUN" and "uv sync" in given]
    assert len(syncs) == 2
    assert all("--frozen --no-dev" in given for given in syncs)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [version] = re.findall(r"uv==([\d.]+)", " ".join(given for _, given in build))
    assert f"UV_VERSION := {version}\n" in makefile


def test_the_image_runs_as_the_ordinary_user_of_the_containers(services: dict[str, dict[str, Any]]) -> None:
    _, final = _instructions()
    [user] = [given for name, given in final if name == "USER"]
    assert user == "wegwijs"
    [added] = [given for name, given in final if name == "RUN" and given.startswith("useradd")]
    number = re.search(r"--uid (\d+)", added)
    assert number
    assert services["wegwijs-1"]["user"] == f"{number[1]}:{number[1]}"


def test_the_image_hears_sigterm_itself() -> None:
    _, final = _instructions()
    [command] = [given for name, given in final if name == "CMD"]
    assert json.loads(command) == ["/wegwijs/.venv/bin/wegwijs", "serve"]  # the exec form: no shell in between
    assert not any(name in ("ENTRYPOINT", "STOPSIGNAL") for name, _ in final)
    [health] = [given for name, given in final if name == "HEALTHCHECK"]
    compile(json.loads(health[health.index("CMD ") + 4 :])[2], "HEALTHCHECK", "exec")


# The unit


def test_the_unit_is_held_in_and_writes_only_its_state() -> None:
    lines = (OPERATING / "wegwijs.service").read_text(encoding="utf-8").splitlines()
    unit = [line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#")]
    expected = {
        ("User", "wegwijs"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("StateDirectory", "wegwijs"),
        ("WorkingDirectory", "/var/lib/wegwijs"),
        ("ExecStart", "/opt/wegwijs/.venv/bin/wegwijs serve"),
        ("Restart", "always"),
    }
    assert expected <= set(unit)
    assert not [value for name, value in unit if name in ("ReadWritePaths", "EnvironmentFile")]


# Figures


@asynccontextmanager
async def _serving(workplace: Path) -> AsyncIterator[str]:
    """The program as an operator starts it, at a Telegram of ours, after one question; the address of its web side."""
    async with open_fake_telegram() as telegram:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | {
            "WEGWIJS_DATABASE_URL": f"sqlite:///{workplace}/wegwijs.db",
            "WEGWIJS_KNOWLEDGE": str(KNOWLEDGE),
            "WEGWIJS_PORT": "0",
            "WEGWIJS_TELEGRAM_TOKEN": TOKEN,
            "WEGWIJS_TELEGRAM_API": telegram.url,
        }
        process = await asyncio.create_subprocess_exec(
            str(WEGWIJS),
            "serve",
            cwd=workplace,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert process.stdout
            async with asyncio.timeout(60):
                while b"Web chat" not in (line := await process.stdout.readline()):
                    assert line, "it did not start"
            telegram.say("where is Amal?", language="en")
            await eventually(lambda: telegram.messages)
            yield line.decode().split()[-1].rstrip("/")
        finally:
            process.terminate()
            await process.communicate()


async def _exported(workplace: Path) -> str:
    async with (
        _serving(workplace) as address,
        aiohttp.ClientSession() as client,
        client.get(f"{address}/metrics") as metrics,
    ):
        return await metrics.text()


def _base(name: str) -> str:
    """The name of a figure, without what a histogram or the library adds."""
    return re.sub(r"_(bucket|sum|count)$", "", name)


async def test_the_dashboard_and_the_guide_speak_of_the_figures_that_the_program_exports(workplace: Path) -> None:
    text = await _exported(workplace)
    exported = {name for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE) if not name.endswith("_created")}
    shown = {
        _base(name) for panel in _panels() for target in panel["targets"] for name in _METRIC.findall(target["expr"])
    }
    explained = set(re.findall(r"^\| `(wegwijs_\w+)` \|", GUIDE, re.MULTILINE))
    assert shown <= exported
    assert explained == {name for name in exported if name.startswith("wegwijs_")}


async def test_the_dashboard_asks_for_labels_that_the_figures_have(workplace: Path) -> None:
    text = await _exported(workplace)
    for panel in _panels():
        for target in panel["targets"]:
            names = {_base(name) for name in _METRIC.findall(target["expr"])}
            samples = [line for line in text.splitlines() if line.startswith(tuple(names or "-"))]
            there = {label for line in samples for label in re.findall(r'(\w+)="', line)} | {"job", "instance", "le"}
            asked = {label for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in group.split(", ")}
            asked |= set(re.findall(r'[{,]\s*(\w+)="', target["expr"]))
            assert asked <= there or not samples, f"{panel['title']}: {target['expr']}"


def test_the_panels_of_the_dashboard_lie_beside_each_other() -> None:
    taken = [
        (x, y)
        for panel in _panels()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in _panels()}) == len(_panels())
    assert all(panel["description"] for panel in _panels())


# The guide


def test_every_setting_that_operators_read_of_is_one() -> None:
    files = [ROOT / "compose.yaml", ROOT / "Dockerfile", *(path for path in OPERATING.iterdir() if path.is_file())]
    for path in files:
        named = set(_SETTING.findall(path.read_text(encoding="utf-8")))
        assert named <= SETTINGS, path.name


def test_the_guide_names_what_compose_takes_from_the_environment() -> None:
    taken = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    settings = GUIDE[GUIDE.index("## Settings") : GUIDE.index("## Webhook")]
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", settings, re.MULTILINE))
    assert taken == table


def test_the_guide_tells_how_long_everything_is_kept() -> None:
    terms = {name: value.days for name, value in vars(retention).items() if isinstance(value, datetime.timedelta)}
    told = {name: int(days) for name, days in re.findall(r"^\| `([A-Z_]+)` \|.*\| (\d+) \|$", GUIDE, re.MULTILINE)}
    assert told == terms


def test_files_that_the_guide_links_to_are_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)", GUIDE):
        assert (OPERATING / link).exists(), link
    assert "(docs/operating/README.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


async def test_the_commands_of_the_guide_can_be_read_by_a_shell() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) > 8
    for block in blocks:
        shell = await asyncio.create_subprocess_exec("sh", "-n", "-c", block)
        assert await shell.wait() == 0, block


def test_the_containers_that_the_guide_names_are_those_of_compose(services: dict[str, dict[str, Any]]) -> None:
    named = set(re.findall(r"docker compose (?:exec(?: -T)?|start|stop) ([a-z][\w-]*)", GUIDE))
    assert named == {"database", "wegwijs-1"}
    assert named <= set(services)
    assert f"for each in {' '.join(PROCESSES)}; do" in GUIDE
