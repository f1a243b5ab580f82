"""What a template may say: every fault is named with its line, and what no trust may set aside stays."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from programme.template import ProgrammeTemplate, parse
from programme.template_check import check
from programme.template_sense import REQUIRED_SESSIONS
from runtime.templates import Templates, known

TEMPLATES = Path(__file__).parents[2] / "programme" / "templates"
TWELVE = (TEMPLATES / "twelve-months.yaml").read_text(encoding="utf-8")
SHIPPED = ("six-months", "twelve-months")


def faults(text: str) -> list[tuple[int, str]]:
    """The line of each fault, and what is said there."""
    return [(fault.line, fault.what) for fault in check(text, known()).faults]


def line_of(text: str, words: str) -> int:
    """The line in which words stand."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_template_that_ships_has_no_fault(name: str) -> None:
    text = (TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")
    checked = check(text, known(), name)
    assert not checked.faults
    assert checked.template == parse(text) == Templates().named(name)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_template_that_ships_has_a_review_from_outside_before_the_renewal(name: str) -> None:
    template = Templates().named(name)
    external = [review for review in template.reviews if review.kind == "external"]
    assert external
    assert all(review.month < template.rediagnosis_month for review in template.reviews)


def test_the_two_that_ship_differ_in_how_long_a_cycle_takes() -> None:
    months = {name: Templates().named(name).rediagnosis_month for name in SHIPPED}
    assert months == {"six-months": 6, "twelve-months": 11}
    assert Templates().names() == SHIPPED


CHANGED = [
    ("title: Twelve months", "titel: Twelve months", "Did you mean 'title'?"),
    ('version: "1"', "version: 1", "'version' is a text"),
    ('version: "1"', 'version: " "', "says nothing"),
    ("rediagnosis_month: 11", "rediagnosis_month: eleven", "is a whole number"),
    ("rediagnosis_month: 11", "rediagnosis_month: 40", "between 1 and 36"),
    ("rediagnosis_month: 11", "thresholds: {k: 7}", "between 8 and 30"),
    ("rediagnosis_month: 11", "thresholds: {k: 31}", "between 8 and 30"),
    ("rediagnosis_month: 11", "thresholds: {completed_percent: 101}", "between 1 and 100"),
    ("rediagnosis_month: 11", "thresholds: {quorum_percent: 51}", "at most 50"),
    ("rediagnosis_month: 11", "thresholds: {quorum_each_side: 12}", "at most so many"),
    ("rediagnosis_month: 11", "thresholds: {recognised_pairs: 23}", "Ask for fewer"),
    ("rediagnosis_month: 11", "thresholds: {priority_conditions: [4, 3]}", "smaller number first"),
    ("rediagnosis_month: 11", "thresholds: {priority_conditions: [3, 12]}", "11 conditions"),
    ("rediagnosis_month: 11", "thresholds: {priority_conditions: [3]}", "missing"),
    ("rediagnosis_month: 11", "thresholds: {panel_challengers: 1}", "a doctor and a manager"),
    ("rediagnosis_month: 11", "thresholds: {messages_a_week: 6}", "at most 5"),
    ("rediagnosis_month: 11", "durations: {agreement: soon}", "is a whole number"),
    ("rediagnosis_month: 11", 'durations: {agreement: "10"}', "without quotes"),
    ("rediagnosis_month: 11", "durations: {agreement: 0}", "between 1 and 260"),
    ("rediagnosis_month: 11", "durations: {agrement: 10}", "Did you mean 'agreement'?"),
    ("rediagnosis_month: 11", "durations: {session_gap: 16}", "'session_gap_most'"),
    ("rediagnosis_month: 11", "durations: {evidence_frozen: 16}", "before the statements are due"),
    ("rediagnosis_month: 11", "durations: 10", "one 'name: value' a line"),
    ("questionnaire: questionnaire\n", "questionnaire: another\n", "no such questionnaire"),
    ("questionnaire_version: 1", "questionnaire_version: 2", "has version 1"),
    ("letter: B", "letter: A", "letter of its own|its own"),
    ("letter: B", "letter: beta", "one capital letter"),
    ("letter: B", 'letter: ""', "one capital letter"),
    ("letter: B", "letter: E", "calls by itself"),
    ("  - letter: B\n    title: Use the difference", "  - title: Use the difference", "'letter' is missing"),
    ("kind: external", "kind: outer", "'internal' or 'external'"),
    ("month: 10, check_month: 8", "month: 11", "earlier month"),
    ("month: 10, check_month: 8", "month: 3", "before the cycle begins"),
    ("month: 10, check_month: 8", "month: 8", "Another review meets in month 8"),
    ("month: 4, late_month: 6", "month: 4, late_month: 3", "after 4 and before 11"),
    ("check_month: 8", "check_month: 12", "month 11 is its last"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: [opened+5, tomorrow]}", "'tomorrow' is no rung"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: [opened+5 everybody]}", "'everybody' is nobody"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: [opened+5 both_sponsors]}", "voluntary"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: [opened+5], urgent: true}", "protects patients"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: [opened+5], notice: true}", "outside the limits"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: opened+5}", "is a list"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: [opened+5, opened+5]}", "stands here twice"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: [opened-5]}", "before it is opened"),
    ("{rungs: [opened+5, opened+10, opened+13]}", "{rungs: [opened+300]}", "at most 260"),
    ("due+10 both_sponsors]}", "due+10 medical_sponsor]}", "one side to its own sponsor alone"),
    ("due+8 co_owners]}", "due+8 chair]}", "speak to nobody"),
    ("opened+1 deputy_approver], urgent: true}", "opened+1 deputy_approver]}", "Write 'urgent: true'"),
    ("  check-in: {", "  check-out: {", "Did you mean 'check-in'?"),
    ("  check-in: {rungs", "  nobodys-task: {rungs", "Leave it out"),
]


@pytest.mark.parametrize(("before", "after", "says"), CHANGED)
def test_a_fault_is_named_at_its_line(before: str, after: str, says: str) -> None:
    assert TWELVE.count(before) >= 1
    text = TWELVE.replace(before, after, 1)
    first = TWELVE[: TWELVE.index(before)].count("\n") + 1
    lines = range(first, first + after.count("\n") + 1)
    found = faults(text)
    assert any(line in lines and any(one in what for one in says.split("|")) for line, what in found), found


def without(part: str) -> str:
    """Twelve months without one part, whatever its lines are."""
    return yaml.safe_dump({name: value for name, value in yaml.safe_load(TWELVE).items() if name != part})


@pytest.mark.parametrize("part", ["name", "version", "title", "sessions", "reviews", "ladders"])
def test_what_nobody_could_mean_by_silence_must_be_said(part: str) -> None:
    assert (1, f"'{part}' is missing. Add it: copy it from a shipped template, then change it.") in faults(
        without(part)
    )


def test_what_is_left_out_besides_is_as_in_twelve_months() -> None:
    assert not faults(without("rediagnosis_month"))


def test_a_cycle_without_a_review_from_outside_is_refused_because_it_would_never_end() -> None:
    text = TWELVE.replace("  - {kind: external, month: 10, check_month: 8}\n", "")
    assert [(line, "never ends" in what) for line, what in faults(text)] == [(line_of(text, "reviews:"), True)]


@pytest.mark.parametrize("letter", REQUIRED_SESSIONS)
def test_no_session_on_which_a_gate_waits_can_be_left_out(letter: str) -> None:
    text = TWELVE.replace(f"- letter: {letter}", "- letter: X")
    assert (line_of(text, "sessions:"), True) in [(line, f"no session {letter}" in what) for line, what in faults(text)]


def test_a_cycle_that_is_over_before_people_can_agree_is_refused() -> None:
    text = TWELVE.replace("rediagnosis_month: 11", "rediagnosis_month: 5")
    assert (line_of(text, "rediagnosis_month"), True) in [(line, "Shorten" in what) for line, what in faults(text)]


def test_tasks_without_a_ladder_are_named_at_once() -> None:
    text = "\n".join(line for line in TWELVE.splitlines() if not line.startswith(("  duty:", "  renewal:")))
    ((line, what),) = faults(text)
    assert line == line_of(text, "ladders:")
    assert what.endswith("duty, renewal.")


def test_every_fault_of_a_file_is_named_however_many_there_are() -> None:
    text = TWELVE
    for before, after, _ in CHANGED[0], CHANGED[1], CHANGED[5], CHANGED[23]:
        text = text.replace(before, after, 1)
    text = text.replace("due+10 both_sponsors]}", "due+10 medical_sponsor, due+11 nobody]}").replace("month: 10,", "")
    said = " ".join(what for _, what in faults(text))
    assert [
        word for word in ("'title'", "'version'", "'k'", "no such q", "sponsor alone", "'month' is") if word not in said
    ] == []


def test_a_fault_beside_one_without_shape_keeps_its_own_line() -> None:
    text = TWELVE.replace("  - letter: A\n", "  - \n", 1).replace("letter: C", "letter: S")
    found = dict(faults(text))
    assert "letter S" in found[line_of(text, "letter: S")]
    assert not [what for what in found.values() if "no session" in what], "it is there, with a fault of its own"


def test_the_name_of_the_file_is_the_name_of_the_template() -> None:
    found = check(TWELVE, known(), "our-own").faults
    assert [(fault.line, "'our-own'" in fault.what) for fault in found] == [(line_of(TWELVE, "name: twelve"), True)]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("name: [", 1, "not YAML"),
        ("name: a\n  title: b: c", 2, "not YAML"),
        ("", 1, "begins with"),
        ("[]", 1, "begins with"),
        ("just words", 1, "begins with"),
        ("name: a\nname: b", 2, "twice"),
        ("name: !!python/object:os.system x", 1, "cannot be read"),
        ("name: 2026-99-99", 1, "cannot be read"),
        ("name: &a [*a]", 1, "stands for what it stands in"),
        ("? [a]\n: b", 1, "A name is a word"),
        ("<<: 5\nname: a", 1, "'<<' takes over"),
        ('name: "\\ud800"', 1, ""),
        ("name: \x07", 1, "UTF-8"),
    ],
)
def test_what_is_no_yaml_or_none_that_anybody_means_is_a_fault_too(text: str, line: int, says: str) -> None:
    assert any(at == line and says in what for at, what in faults(text)), faults(text)


def test_aliases_of_aliases_end_before_memory_does() -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 12))
    assert any("far larger" in what for _, what in faults(text))


def test_values_can_be_taken_over_from_another_mapping() -> None:
    text = TWELVE.replace("  duty: {", "  duty: &duty {").replace(
        "  findings: {rungs: [opened+0, due-2, due+1, due+5 programme_manager]}", "  findings: {<<: *duty}"
    )
    assert not faults(text)


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`\n \t,?0\\", max_size=60))
def test_whatever_stands_in_a_file_the_check_says_something_and_does_not_fail(text: str) -> None:
    assert check(text, known()).faults


def test_a_template_that_was_stored_years_ago_still_loads() -> None:
    assert (
        ProgrammeTemplate.model_validate({"version": "0", "gone": 1, "ladders": {"gone": {"rungs": []}}}).version == "0"
    )
