"""The templates that a launch can name: those that are shipped, and those that a trust keeps in a folder of its own.

Only the names cross the front door; a name is never a path.
"""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import ValidationError

from programme.questionnaire import Questionnaire
from programme.template import ProgrammeTemplate, parse

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

    def named(self, name: str) -> ProgrammeTemplate:
        """The template of a name.

        Raises TemplateError.
        """
        if name not in self.names():
            raise TemplateError(f"There is no such template. Choose one of: {', '.join(self.names())}.")
        own = self.folder / f"{name}.yaml" if self.folder else None
        if own is not None and own.is_file():
            return read_template(own)
        return parse((_SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))


def read_template(path: Path) -> ProgrammeTemplate:
    """The template in a file of the trust's own.

    Raises TemplateError, naming the file and each value that is wrong.
    """
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TemplateError(f"{path.name} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise TemplateError(f"{path.name} is not YAML. Check its indentation and quotes.") from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)]
        raise TemplateError(f"{path.name} is no template. {'; '.join(faults)}") from error


def shipped_questionnaire() -> Questionnaire:
    """The questionnaire that every shipped template uses."""
    return Questionnaire.from_yaml((_SHIPPED / f"{QUESTIONNAIRE}.yaml").read_text(encoding="utf-8"))
