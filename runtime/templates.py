"""The templates that a launch can name: those that are shipped, and those that a trust keeps in a folder of its own.

Only the names cross the front door; a name is never a path.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from programme.marked_yaml import Fault
from programme.questionnaire import Questionnaire
from programme.template import ProgrammeTemplate, parse
from programme.template_check import Checked, check
from programme.template_sense import Known

QUESTIONNAIRE = "questionnaire"
_SHIPPED = files("programme") / "templates"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class TemplateError(Exception):
    """A template that does not exist or cannot be read; the text says which, and what to do."""


@dataclass(frozen=True)
class Templates:
    """Every template by name. A file of the same name in the trust's own folder wins over the shipped one."""

    folder: Path | None = None

    def names(self) -> tuple[str, ...]:
        """What a launch may name, in alphabetical order."""
        own = self.folder.glob("*.yaml") if self.folder else ()
        found = {Path(entry.name).stem for entry in _SHIPPED.iterdir() if entry.name.endswith(".yaml")}
        found |= {path.stem for path in own}
        return tuple(sorted(name for name in found - {QUESTIONNAIRE} if _NAME.fullmatch(name)))

    def newest(self, name: str) -> ProgrammeTemplate | None:
        """The newest version of a template; None where it has gone, or has a fault that somebody must mend."""
        try:
            return self.named(name)
        except TemplateError:
            return None

    def named(self, name: str) -> ProgrammeTemplate:
        """The template of a name.

        Raises TemplateError.
        """
        if name not in self.names():
            raise TemplateError(f"There is no such template. Choose one of: {', '.join(self.names())}.")
        own = self.folder / f"{name}.yaml" if self.folder else None
        return read_template(own) if own is not None and own.is_file() else _shipped(name)


def read_template(path: Path) -> ProgrammeTemplate:
    """The template in a file of the trust's own. Raises TemplateError, naming each fault and its line."""
    checked = checked_file(path)
    if checked.template is None:
        said = [f"{path.name} is no template that could run:", *(in_a_line(path, fault) for fault in checked.faults)]
        raise TemplateError("\n".join(said))
    return checked.template


def checked_file(path: Path) -> Checked:
    """What is to be said about a file. Raises TemplateError where it cannot be read at all."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path.name} is not written in UTF-8. Save it so.") from error
    return check(text, known(), path.stem)


def in_a_line(path: Path, fault: Fault) -> str:
    """A fault as compilers write one, so that editors find the place."""
    return f"{path.name}:{fault.line}:{fault.column}: {fault.what}"


@cache
def known() -> Known:
    """What a template may refer to. The twelve-month one has a ladder for every kind of task; a test holds that."""
    questionnaire = shipped_questionnaire()
    return Known(frozenset(_shipped("twelve-months").ladders), {QUESTIONNAIRE: questionnaire.version})


def shipped_questionnaire() -> Questionnaire:
    """The questionnaire that every shipped template uses."""
    return Questionnaire.from_yaml((_SHIPPED / f"{QUESTIONNAIRE}.yaml").read_text(encoding="utf-8"))


def _shipped(name: str) -> ProgrammeTemplate:
    return parse((_SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))
