"""A line of the roster as a JSON request carries it; how it is checked stands in ``runtime.roster``."""

from typing import Annotated

from pydantic import Field

from api.bodies import Strict, Text

Cell = Annotated[Text, Field(max_length=300)]


class RosterRow(Strict):
    """One person, as a line of the roster."""

    name: Cell = ""
    email: Cell = ""
    side: Cell = Field(default="", description="`doctor`, `manager` or nothing.")
    roles: Cell = Field(default="", description="Roles, separated by semicolons.")
    dual_role: Cell = Field(default="", description="`yes` for somebody who had to choose one of two sides.")
    line_manager: Cell = Field(default="", description="The e-mail address of somebody in this roster.")
    gmc_registered: Cell = Field(default="", description="`yes` for a GMC-registered doctor.")
    ods_code: Cell = Field(default="", description="The own trust of somebody from outside.")
