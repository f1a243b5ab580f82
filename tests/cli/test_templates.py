"""`olive template`: what a terminal says about templates, and with which exit code."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from runtime.templates import TemplateError

HERE = Path(__file__).parents[2]
SHIPPED = HERE / "programme" / "templates"


def olive(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and standard output."""
    found = CliRunner().invoke(app, ["template", *arguments], env=environment, catch_exceptions=False)
    return found.exit_code, found.stdout


def test_templates_without_fault_pass_the_check() -> None:
    code, said = olive("check", *(str(SHIPPED / f"{name}.yaml") for name in ("twelve-months", "six-months")))
    assert code == 0
    assert said == "twelve-months.yaml: twelve-months 1 has no fault.\nsix-months.yaml: six-months 1 has no fault.\n"


def test_every_fault_is_printed_with_its_line_and_the_check_fails(tmp_path: Path) -> None:
    faulty = tmp_path / "own.yaml"
    text = (SHIPPED / "six-months.yaml").read_text(encoding="utf-8")
    faulty.write_text(
        text.replace("name: six-months", "name: own").replace("  themes: 3", "  themes: x\n  them: 1"), "utf-8"
    )
    code, said = olive("check", str(faulty))
    assert code == 1
    assert [line.split(": ")[0] for line in said.splitlines()] == ["own.yaml:17:11", "own.yaml:18:3"]


def test_a_file_that_is_not_there_is_named_on_standard_error(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "cli.main", "template", "check", str(tmp_path / "none.yaml")],
        capture_output=True,
        check=False,
        text=True,
        cwd=HERE,
    )
    assert (found.returncode, found.stdout) == (1, "")
    assert "none.yaml cannot be read" in found.stderr


def test_two_templates_are_compared_by_name_or_file(tmp_path: Path) -> None:
    own = tmp_path / "twelve-months.yaml"
    text = (SHIPPED / "twelve-months.yaml").read_text(encoding="utf-8")
    own.write_text(text.replace('version: "1"', 'version: "2"\ndurations: {agreement: 12}'), "utf-8")
    code, said = olive("compare", "twelve-months", str(own))
    assert code == 0
    assert said.splitlines()[0] == "twelve-months 2, instead of twelve-months 1"
    assert "  More time to agree to an action or decline it: 12 instead of 10 working days." in said.splitlines()
    with pytest.raises(TemplateError, match="no such template"):
        olive("compare", "twelve-months", "none")


def test_the_list_names_what_ships_and_what_a_trust_keeps(tmp_path: Path) -> None:
    text = (SHIPPED / "six-months.yaml").read_text(encoding="utf-8")
    (tmp_path / "our-own.yaml").write_text(text.replace("name: six-months", "name: our-own"), "utf-8")
    code, said = olive("list", OLIVE_TEMPLATES_DIR=str(tmp_path))
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == ["our-own", "six-months", "twelve-months"]
