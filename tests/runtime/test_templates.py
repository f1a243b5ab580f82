from pathlib import Path

import pytest

from programme.messages import Side
from runtime.templates import TemplateError, Templates, shipped_questionnaire

SHIPPED = Path(__file__).parents[2] / "programme" / "templates"


def test_the_shipped_templates_can_be_named_and_the_questionnaire_is_not_one_of_them() -> None:
    templates = Templates()
    assert "twelve-months" in templates.names()
    assert "questionnaire" not in templates.names()
    assert all(templates.named(name).name == name for name in templates.names())


def test_the_shipped_questionnaire_has_44_ratings_for_each_side() -> None:
    questionnaire = shipped_questionnaire()
    assert all(len(list(questionnaire.statements_for(side))) == 44 for side in Side)


def test_a_template_of_the_trusts_own_wins_over_the_shipped_one(tmp_path: Path) -> None:
    text = (SHIPPED / "twelve-months.yaml").read_text(encoding="utf-8").replace('version: "1"', "version: own")
    (tmp_path / "twelve-months.yaml").write_text(text, encoding="utf-8")
    assert Templates(tmp_path).named("twelve-months").version == "own"
    assert Templates(tmp_path).named("six-months") == Templates().named("six-months")


@pytest.mark.parametrize("name", ["no-such", "../secret", "questionnaire", "", "a/b", "twelve-months.yaml"])
def test_a_name_that_is_none_is_refused_with_the_names_that_exist(name: str, tmp_path: Path) -> None:
    (tmp_path.parent / "secret.yaml").write_text("name: secret\n", encoding="utf-8")
    with pytest.raises(TemplateError, match="twelve-months"):
        Templates(tmp_path).named(name)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "own.yaml:1:8: This is not YAML"),
        ("name: own\ndurations: {agreement: soon}", "own.yaml:2:24: 'agreement' is a whole number"),
        ("name: own\n\nladders: {duty: {rungs: [tomorrow]}}", "own.yaml:3:26: 'tomorrow' is no rung"),
        ("[]", "own.yaml:1:1: A template begins with"),
    ],
)
def test_a_faulty_template_says_which_file_which_line_and_what_is_wrong(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError) as refused:
        Templates(tmp_path).named("own")
    assert says in str(refused.value)


def test_a_template_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_bytes(b"name: \xff")
    with pytest.raises(TemplateError, match="UTF-8"):
        Templates(tmp_path).named("own")
