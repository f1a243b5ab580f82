"""`olive template`: is a file a template, and what do two of them mean for the people who take part?"""

from pathlib import Path
from typing import Annotated

import typer

from programme.template import ProgrammeTemplate
from programme.template_comparison import compare as compared
from programme.template_comparison import label
from runtime.settings import load_settings
from runtime.templates import Templates, checked_file, in_a_line, read_template

app = typer.Typer(help="Check programme templates, list them, and compare what they mean for people.")


@app.command()
def check(files: Annotated[list[Path], typer.Argument(help="Templates, as YAML.")]) -> None:
    """Name every fault of a template with its line, and what to do about it. Exit code 1 where there is one."""
    found = 0
    for path in files:
        checked = checked_file(path)
        for fault in checked.faults:
            print(in_a_line(path, fault))
        found += len(checked.faults)
        if checked.template is not None:
            print(f"{path.name}: {label(checked.template)} has no fault.")
    if found:
        raise typer.Exit(1)


@app.command("list")
def listed() -> None:
    """The templates that a launch may name: those that ship, and those in OLIVE_TEMPLATES_DIR."""
    templates = Templates(load_settings().templates_dir)
    for name in templates.names():
        template = templates.named(name)
        print(f"{label(template):<24}{template.title}")


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="A template by its name, or a file.")],
    b: Annotated[str, typer.Argument(help="Another one: what it brings is said as against the first.")],
) -> None:
    """What differs for participants, in sentences; then the rest."""
    found = compared(_template(a), _template(b))
    print(f"{found.b}, instead of {found.a}")
    for title, sentences in (("For participants", found.for_participants), ("Besides", found.the_rest)):
        print(f"\n{title}")
        for sentence in sentences or ("Nothing differs.",):
            print(f"  {sentence}")


def _template(written: str) -> ProgrammeTemplate:
    """The template of a name, or in a file. Raises TemplateError."""
    path = Path(written)
    if path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        return read_template(path)
    return Templates(load_settings().templates_dir).named(written)
