from __future__ import annotations

import json
import signal

import pytest
from tests.cli.conftest import Begin, Cli, Own

from antiphon import Live

OPTIONS = [{"value": "staging", "label": "To staging"}, {"value": 2, "label": "Twice"}]
SCHEMA = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}


@pytest.mark.parametrize("arguments", [["questions"], ["questions", "answer"], ["questions", "watch"]])
def test_each_command_teaches_by_example(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments, "--help")
    assert done.returncode == 0
    assert f"antiphon {' '.join(arguments)}" in done.stdout.split("Example")[1]


def test_the_most_urgent_comes_first_with_what_happens_otherwise(cli: Cli, own: Own) -> None:
    run = own("urgency")
    never = run.ask("Ever?")
    later = run.ask("Later?", options=OPTIONS, timeout_s=7200, default="staging")
    soon = run.ask("Soon?", timeout_s=600)
    lines = cli("questions", "--run", run.id).stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [soon, later, never]
    assert "9m" in lines[0]
    assert "withdrawn" in lines[0]
    assert "staging / 2" in lines[1]
    assert lines[1].rstrip().endswith("staging")
    assert "any text" in lines[2]
    assert [row["question_id"] for row in json.loads(cli("questions", "--run", run.id, "--json").stdout)] == [
        soon,
        later,
        never,
    ]


def test_a_choice_by_value_by_json_and_by_label(cli: Cli, own: Own, live: Live) -> None:
    run = own("choosing")
    for typed, meant in (("staging", "staging"), ("2", 2), ("Twice", 2)):
        question = run.ask("Where?", options=OPTIONS)
        assert cli("questions", "answer", question, typed).returncode == 0
        assert live.request("question.get", {"question_id": question})["question"]["answer"] == meant


def test_what_does_not_fit_is_refused_and_the_question_stays_open(cli: Cli, own: Own) -> None:
    run = own("picky")
    choice, form = run.ask("Where?", options=OPTIONS), run.ask("How many?", schema=SCHEMA)
    for arguments in ([choice, "mars"], [choice], [form, "many"], [form, '{"count": "many"}']):
        done = cli("questions", "answer", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
    assert cli("questions", "answer", form, '{"count": 3}').stdout == f'{form}: answered {{"count":3}}\n'
    assert len(json.loads(cli("questions", "--run", run.id, "--json").stdout)) == 1


def test_approvals(cli: Cli, own: Own, live: Live) -> None:
    run = own("approving")

    def ask() -> str:
        return run.ask("Pay?", kind="approval", value={"amount": 100}, schema={"type": "object"})

    def found(question: str) -> tuple[str, object]:
        row = live.request("question.get", {"question_id": question})["question"]
        return row["action"], row["answer"]

    approved, edited, rejected, bare = ask(), ask(), ask(), ask()
    assert cli("questions", "answer", approved, "--approve").returncode == 0
    assert cli("questions", "answer", edited, "--edit", '{"amount": 10}').returncode == 0
    assert cli("questions", "answer", rejected, "--reject", "too much").returncode == 0
    assert found(approved)[0] == "approve"
    assert found(edited) == ("edit", {"amount": 10})
    assert found(rejected) == ("reject", "too much")
    assert cli("questions", "answer", bare, "yes").returncode == 2
    assert cli("questions", "answer", bare, "--approve", "--reject").returncode == 2
    assert cli("questions", "answer", bare, "--approve", "yes").returncode == 2


def test_who_is_late_learns_who_was_first(cli: Cli, own: Own) -> None:
    question = own("late").ask("Tea?")
    assert cli("questions", "answer", question, "-", input="yes").returncode == 0
    done = cli("questions", "answer", question, "no")
    assert done.returncode == 1
    assert "local" in done.stderr
    assert cli("questions", "answer", "nobody-asked", "x").returncode == 1


def test_watching_prints_what_comes_and_goes(cli: Cli, begin: Begin, own: Own) -> None:
    run = own("asking")
    first = run.ask("First?")
    watching = begin("questions", "watch", "--run", run.id, "--json")
    assert watching.stdout is not None
    assert json.loads(watching.stdout.readline())["question_id"] == first
    second = run.ask("Second?")
    assert json.loads(watching.stdout.readline())["question_id"] == second
    cli("questions", "answer", first, "yes")
    row = json.loads(watching.stdout.readline())
    assert (row["question_id"], row["status"]) == (first, "answered")
    watching.send_signal(signal.SIGINT)
    assert watching.communicate(timeout=30) == ("", "")
    assert watching.returncode == 0
