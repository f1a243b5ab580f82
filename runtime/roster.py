"""The roster of a launch: every faulty row named with its line and what to do; one fault, and nothing is loaded.

A CSV file and the rows of a JSON request go through the same checks. Lines of a file count from 1, its heading being
line 1; rows of a request count from 1.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from programme.messages import APPROVERS, PARTICIPANTS, SPONSORS, PersonId, Role, Side
from programme.people import HELD_BY_ONE, SIDE_ROLE, Enrolment, clash, wording
from programme.stages.mandate import ODS_CODE

COLUMNS = ("name", "email", "side", "roles", "dual_role", "line_manager", "gmc_registered", "ods_code")
REQUIRED = ("name", "email")
MOST_PEOPLE = 500
LONGEST_NAME, LONGEST_EMAIL = 200, 254  # an address longer than 254 characters cannot be delivered to

_DOMAIN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_DOMAIN}(\.{_DOMAIN})+", re.IGNORECASE | re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_YES, _NO = frozenset({"yes", "y", "true", "1"}), frozenset({"", "no", "n", "false", "0"})
_APPOINTED = tuple(role for role in Role if role not in PARTICIPANTS)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line, and what to do about it."""

    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """A person as the roster names one."""

    line: int
    name: str
    email: str
    side: Side | None
    roles: tuple[Role, ...]
    dual_role: bool
    line_manager: str
    gmc_registered: bool
    ods_code: str

    @property
    def parts(self) -> frozenset[Role]:
        """Every part that the row gives, the side's included."""
        return frozenset(self.roles) | ({SIDE_ROLE[self.side]} if self.side else frozenset())


@dataclass(frozen=True, slots=True)
class Launcher:
    """Who launches, and so manages the programme: a row of one's own is added where the roster has none."""

    name: str
    email: str


@dataclass(frozen=True)
class Roster:
    """The people of a launch, or the faults for which none of them is loaded."""

    rows: tuple[Row, ...] = ()
    faults: tuple[Fault, ...] = field(default=())

    @property
    def named(self) -> list[tuple[str, str]]:
        """Name and e-mail of each row."""
        return [(row.name, row.email) for row in self.rows]

    def enrolments(
        self, ids: Iterable[PersonId], others: Mapping[str, PersonId] | None = None
    ) -> tuple[Enrolment, ...]:
        """The rows with ids in place of names; ``ids`` in the order of the rows.

        others: ids of people who take part already, by e-mail address.
        """
        by_email = {key_of(email): person for email, person in (others or {}).items()}
        by_email |= zip((key_of(row.email) for row in self.rows), ids, strict=True)
        return tuple(_enrolment(row, by_email) for row in self.rows)


def key_of(email: str) -> str:
    """An e-mail address as it is compared."""
    return email.strip().casefold()


def _enrolment(row: Row, by_email: Mapping[str, PersonId]) -> Enrolment:
    return Enrolment(
        person=by_email[key_of(row.email)],
        side=row.side,
        roles=row.roles,
        dual_role=row.dual_role,
        line_manager=by_email[key_of(row.line_manager)] if row.line_manager else None,
        gmc_registered=row.gmc_registered,
        ods_code=row.ods_code,
    )


# --- reading -------------------------------------------------------------------------------------------------------


def read_csv(content: bytes, launcher: Launcher, *, ods_code: str = "") -> Roster:
    """The roster in a CSV file. ``ods_code`` is the trust's: an external challenger comes from another."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _only(Fault(1, "The file is not UTF-8. In Excel, save it as 'CSV UTF-8 (comma delimited)'."))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    cells: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                cells.append((start, record))
            start = reader.line_num + 1
    except csv.Error:
        return _only(Fault(start, "This line is not CSV: a quotation mark is not closed, or a cell is far too long."))
    return _of_table(cells, launcher, ods_code)


def _of_table(cells: list[tuple[int, list[str]]], launcher: Launcher, ods_code: str) -> Roster:
    if not cells:
        return _only(Fault(1, f"The file is empty. Its first line names the columns: {', '.join(COLUMNS)}."))
    line, heading = cells[0]
    columns = [_column(cell) for cell in heading]
    faults = tuple(_faults_of_heading(line, columns))
    if faults:
        return Roster(faults=faults)
    ragged = tuple(
        Fault(at, f"This line has {len(record)} cells, the heading {len(columns)}. Put text with commas in quotes.")
        for at, record in cells[1:]
        if len(record) != len(columns)
    )
    if ragged:
        return Roster(faults=ragged)
    lines = [(at, dict(zip(columns, record, strict=True))) for at, record in cells[1:]]
    return check(lines, launcher, ods_code=ods_code)


def _column(cell: str) -> str:
    name = re.sub(r"[\s_-]+", "_", cell.strip().casefold()).strip("_")
    return "email" if name == "e_mail" else name


def _faults_of_heading(line: int, columns: list[str]) -> Iterator[Fault]:
    known = f"The columns are: {', '.join(COLUMNS)}."
    if len(columns) == 1 and any(mark in columns[0] for mark in (";", "\t")):
        yield Fault(line, "The columns are not separated by commas. Save the file as CSV with commas.")
        return
    for missing in (name for name in REQUIRED if name not in columns):
        yield Fault(line, f"The column '{missing}' is missing. {known}")
    for place, name in enumerate(columns, start=1):
        if name not in COLUMNS:
            yield Fault(line, f"Column {place} has a heading that is not known. {known}")
        elif name in columns[: place - 1]:
            yield Fault(line, f"The column '{name}' is there twice. Keep one.")


def _only(fault: Fault) -> Roster:
    return Roster(faults=(fault,))


# --- checking ------------------------------------------------------------------------------------------------------


def check(lines: Sequence[tuple[int, Mapping[str, str]]], launcher: Launcher, *, ods_code: str = "") -> Roster:
    """The roster of a launch, from rows given as (line, cells by column)."""
    if len(lines) > MOST_PEOPLE:
        return _only(_too_many(lines))
    faults: list[Fault] = []
    rows = [_row(line, cells, faults) for line, cells in lines]
    if not any(key_of(row.email) == key_of(launcher.email) for row in rows):
        rows.append(_row(0, {"name": launcher.name, "email": launcher.email, "roles": Role.PROGRAMME_MANAGER}, faults))
    faults += _faults_in(rows, ods_code, ())
    faults += (*_sponsors(rows), *_launcher_manages(rows, launcher))
    return _checked(rows, faults)


def check_more(
    lines: Sequence[tuple[int, Mapping[str, str]]], taking_part: Collection[str], *, ods_code: str = ""
) -> Roster:
    """A roster of further people. ``taking_part``: the e-mail addresses of those who may be line managers, too."""
    if len(lines) > MOST_PEOPLE:
        return _only(_too_many(lines))
    faults: list[Fault] = []
    rows = [_row(line, cells, faults) for line, cells in lines]
    faults += _faults_in(rows, ods_code, taking_part)
    return _checked(rows, faults)


def _too_many(lines: Sequence[tuple[int, Mapping[str, str]]]) -> Fault:
    return Fault(lines[MOST_PEOPLE][0], f"The roster is longer than {MOST_PEOPLE} people. Shorten it.")


def _faults_in(rows: list[Row], ods_code: str, taking_part: Collection[str]) -> Iterator[Fault]:
    """What is wrong with each row alone, and with rows beside each other."""
    for row in rows:
        yield from (Fault(row.line, what) for what in _faults_of(row, ods_code))
    yield from _twice(rows)
    yield from _line_managers(rows, taking_part)
    yield from _held_by_one(rows)


def _checked(rows: list[Row], faults: list[Fault]) -> Roster:
    if faults:
        return Roster(faults=tuple(sorted(faults, key=lambda fault: fault.line)))
    return Roster(rows=tuple(rows))


def _row(line: int, cells: Mapping[str, str], faults: list[Fault]) -> Row:
    """A row as far as it can be read; what cannot is a fault."""
    cell = {column: cells.get(column, "").strip() for column in COLUMNS}
    for column, text in cell.items():
        if _UNPRINTABLE.search(text):
            faults.append(Fault(line, f"'{column}' holds a line break or a control character. Type it again."))
            cell[column] = ""
    return Row(
        line=line,
        name=cell["name"],
        email=cell["email"],
        side=_side(line, cell["side"], faults),
        roles=_roles(line, cell["roles"], faults),
        dual_role=_yes(line, "dual_role", cell["dual_role"], faults),
        line_manager=cell["line_manager"],
        gmc_registered=_yes(line, "gmc_registered", cell["gmc_registered"], faults),
        ods_code=cell["ods_code"].upper(),
    )


def _side(line: int, text: str, faults: list[Fault]) -> Side | None:
    if not text:
        return None
    try:
        return Side(text.casefold())
    except ValueError:
        faults.append(Fault(line, "'side' is neither 'doctor' nor 'manager'. Write one of them, or nothing."))
        return None


def _roles(line: int, text: str, faults: list[Fault]) -> tuple[Role, ...]:
    found: list[Role] = []
    for word in filter(None, (word.strip() for word in re.split(r"[;,|]", text))):
        name = re.sub(r"[\s_-]+", "_", word.casefold())
        if name in PARTICIPANTS:
            faults.append(Fault(line, f"'{name}' is a side. Write it in the column 'side'."))
        elif name in _APPOINTED:
            found.append(Role(name))
        else:
            known = ", ".join(_APPOINTED)
            faults.append(Fault(line, f"'roles' names a role that is not known. Choose from: {known}."))
    return tuple(dict.fromkeys(found))


def _yes(line: int, column: str, text: str, faults: list[Fault]) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        faults.append(Fault(line, f"'{column}' is neither 'yes' nor 'no'. Write one of them."))
    return word in _YES


def _faults_of(row: Row, ods_code: str) -> Iterator[str]:
    if not row.name:
        yield "'name' is empty. Write the person's name."
    if len(row.name) > LONGEST_NAME:
        yield f"'name' is longer than {LONGEST_NAME} characters. Shorten it."
    if len(row.email) > LONGEST_EMAIL or not _EMAIL.fullmatch(row.email):
        yield "'email' is no e-mail address. Write it as name@organisation.nhs.uk."
    if not row.parts:
        yield "There is neither a side nor a role. Write 'doctor' or 'manager' under 'side', or a role under 'roles'."
    if row.dual_role and row.side is None:
        yield "'dual_role' marks somebody who took one of two possible sides. Write the side."
    if pair := clash(row.parts):
        yield f"Nobody may be {wording(pair[0])} and {wording(pair[1])} in one engagement. Give one to somebody else."
    if APPROVERS & row.parts and not row.gmc_registered:
        yield "A medical approver is a GMC-registered doctor. Write 'yes' under 'gmc_registered', or name another."
    if row.ods_code and not ODS_CODE.fullmatch(row.ods_code):
        yield "'ods_code' is no ODS code of a trust. Write it as on the ODS portal, such as R1A or Y0X1Z."
    if Role.EXTERNAL_CHALLENGER in row.parts and row.ods_code in {"", ods_code.strip().upper()}:
        yield "An external challenger comes from another trust. Write that trust's code under 'ods_code'."


# --- rows beside each other; what could not be read is compared as far as it could ---------------------------------


def _twice(rows: list[Row]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for row in rows:
        first = seen.setdefault(key_of(row.email), row.line)
        if row.email and first != row.line:
            yield Fault(row.line, f"The e-mail address stands in line {first} already. Give each person one line.")


def _line_managers(rows: list[Row], taking_part: Collection[str]) -> Iterator[Fault]:
    known = {key_of(row.email) for row in rows} | {key_of(email) for email in taking_part}
    for row in rows:
        if row.line_manager and key_of(row.line_manager) == key_of(row.email):
            yield Fault(row.line, "Nobody is their own line manager. Write another's e-mail address, or nothing.")
        elif row.line_manager and key_of(row.line_manager) not in known:
            what = "'line_manager' is the e-mail address of nobody in this roster. Add that person, or leave it empty."
            yield Fault(row.line, what)


def _held_by_one(rows: list[Row]) -> Iterator[Fault]:
    holders: dict[Role, int] = {}
    for row in rows:
        for role in (role for role in row.roles if role in HELD_BY_ONE):
            first = holders.setdefault(role, row.line)
            if first != row.line:
                what = f"Line {first} names a {wording(role)} already, and there is one. Keep one of them."
                yield Fault(row.line, what)


def _sponsors(rows: list[Row]) -> Iterator[Fault]:
    for role in sorted(SPONSORS):
        if not any(role in row.roles for row in rows):
            yield Fault(1, f"The roster names no {wording(role)}. Add the role '{role.value}' to one person's row.")


def _launcher_manages(rows: list[Row], launcher: Launcher) -> Iterator[Fault]:
    for row in rows:
        if key_of(row.email) == key_of(launcher.email) and Role.PROGRAMME_MANAGER not in row.roles:
            what = "Whoever launches an engagement manages it. Add 'programme_manager' to your roles."
            yield Fault(row.line, what)
