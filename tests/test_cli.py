"""The commands, as staff, operators and checks run them."""

import json
from pathlib import Path

import pytest

from bot.cli import main
from tests.conftest import KNOWLEDGE, ROOT


def _run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    if isinstance(ended.value.code, str):
        return 1, ended.value.code
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, workplace: Path) -> None:
    monkeypatch.chdir(workplace)
    monkeypatch.setenv("WEGWIJS_KNOWLEDGE", str(KNOWLEDGE))


def _batch(tmp_path: Path, *questions: dict[str, str]) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(question) for question in questions), encoding="utf-8")
    return file


def test_ask_prints_the_answer_a_newcomer_would_get(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = _run(capsys, "ask", "what is your phone number?")
    assert code == 0
    assert "09 265 78 40" in out
    assert "**" not in out


def test_ask_json_holds_language_decision_and_entries(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = _run(capsys, "ask", "--json", "--language", "uk", "який у вас номер телефону")
    line = json.loads(out)
    assert (line["language"], line["decision"], line["entries"][0]["slug"]) == ("uk", "answer", "contact")


def test_a_batch_gives_a_line_for_each_question_in_order_and_the_same_twice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = _batch(
        tmp_path,
        {"id": "a", "text": "where is Amal?"},
        {"id": "b", "text": "мене б'є чоловік", "lang": "uk"},
        {"id": "c", "text": ""},
        {"id": "d", "text": "a" * 5000, "lang": "nl"},
        {"id": "e", "text": "merhaba", "lang": "tr", "expect": "ignored"},
    )
    runs = []
    for _ in range(2):
        code, out = _run(capsys, "ask", "--batch", file)
        assert code == 0
        lines = [json.loads(line) for line in out.splitlines()]
        assert [line["id"] for line in lines] == ["a", "b", "c", "d", "e"]
        for line in lines:
            assert set(line) == {"id", "language", "decision", "entries", "text", "ms"}
            assert len(line["entries"]) == 10
            assert all(0 <= entry["score"] <= 1 for entry in line["entries"])
            line.pop("ms")
        runs.append(lines)
    assert runs[0] == runs[1]
    assert runs[0][4]["decision"] == "smalltalk"


def test_a_batch_works_on_a_foreign_directory(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for slug, title in (("Lost card: what now?", "I lost my card"), ("b" * 150, "Top up my account")):
        folder = tmp_path / "kb" / "any" / slug
        folder.mkdir(parents=True)
        (folder / "en.md").write_text(f"---\ntitle: {title}\n---\n", encoding="utf-8")
    file = _batch(tmp_path, {"id": "1", "text": "my card is lost", "lang": "en"})
    code, out = _run(capsys, "ask", "--batch", file, "--knowledge", tmp_path / "kb")
    assert code == 0
    assert json.loads(out)["entries"][0]["slug"] == "Lost card: what now?"


@pytest.mark.parametrize("content", ["{", '{"id": 1}', "[1]", '{"id": 1, "text": 5}'])
def test_a_wrong_line_in_a_batch_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str) -> None:
    file = tmp_path / "wrong.jsonl"
    file.write_text('{"id": 0, "text": "hello"}\n' + content + "\n")
    code, said = _run(capsys, "ask", "--batch", file)
    assert code == 1
    assert said.startswith(f"wegwijs: {file}:2: write one JSON object a line")


def test_a_batch_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, said = _run(capsys, "ask", "--batch", tmp_path / "none.jsonl")
    assert code == 1
    assert "cannot be read" in said


def test_evaluate_counts_per_language_and_kind_and_names_confusions(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "questions.jsonl"
    rows = [
        {"lang": "en", "kind": "plain", "text": "where is Amal?", "expect": ["contact"]},
        {"lang": "en", "kind": "plain", "text": "where is Amal?", "expect": ["school-find"]},
        {"lang": "en", "kind": "book", "text": "please cancel my appointment", "expect": ["@book"]},
        {"lang": "nl", "kind": "far", "text": "wie won de koers gisteren", "expect": []},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    code, out = _run(capsys, "evaluate", file)
    assert code == 0
    assert "school-find -> contact" in out
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert lines["all"][:2] == ["3", "66.7%"]
    assert lines["book"][:2] == ["1", "100.0%"]
    assert lines["far"][4:6] == ["1", "100.0%"]


def test_check_is_silent_and_0_when_all_is_well_and_1_when_not(
    capsys: pytest.CaptureFixture[str], knowledge_copy: Path
) -> None:
    assert _run(capsys, "knowledge", "check") == (0, "")
    (knowledge_copy / "mo/mo-languages/fr.md").write_text("no dashes")
    code, out = _run(capsys, "knowledge", "check", knowledge_copy)
    assert code == 1
    assert f"{knowledge_copy}/mo/mo-languages/fr.md:1: begin the file" in out


def test_status_has_a_row_for_each_language(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = _run(capsys, "knowledge", "status")
    assert code == 0
    assert len(out.splitlines()) == 26
    assert any(line.startswith("uk  Українська") for line in out.splitlines())


def test_chat_in_the_terminal_answers_and_takes_presses(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = iter(["where is Amal?", "/1", "/99", "hello"])

    def read(_prompt: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)
    code, out = _run(capsys, "chat", "--language", "en")
    assert code == 0
    assert "Hello! I am Wegwijs." in out
    assert "Kongostraat 42" in out
    assert "I am glad that it helped." in out


def test_the_readme_says_how_to_run_and_test() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in readme
    assert "make test" in readme


@pytest.mark.parametrize("line", ['{"text": "x", "lang": 5}', '{"text": "x", "id": ' + "[" * 100_000, '{"text": 1}'])
def test_a_line_that_is_no_question_is_named_before_any_is_answered(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str
) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(f'{{"text": "where is Amal?"}}\n{line}\n', encoding="utf-8")
    code, said = _run(capsys, "ask", "--batch", file)
    assert (code, capsys.readouterr().out) == (1, "")
    assert said.startswith(f"wegwijs: {file}:2: write one JSON object a line, such as")


def test_a_batch_takes_every_sign_that_json_may_hold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": "\\ud83d", "text": "where is\u2028Amal?"}\n', encoding="utf-8")
    code, out = _run(capsys, "ask", "--batch", file)
    assert code == 0
    assert json.loads(out)["entries"][0]["slug"] == "contact"
