import pytest

from programme.messages import Role, Side
from runtime.roster import Launcher, Roster, check, read_csv

LAUNCHER = Launcher("Parveen Mann", "parveen.mann@example.nhs.uk")
HEADING = "name,email,side,roles,dual_role,line_manager,gmc_registered,ods_code"
SPONSORS = [
    "Ada Sponsor,ada@example.nhs.uk,,medical_sponsor,,,,",
    "Ben Sponsor,ben@example.nhs.uk,,managerial_sponsor,,,,",
]


def read(*lines: str, heading: str = HEADING, ods_code: str = "R1A") -> Roster:
    return read_csv("\n".join([heading, *SPONSORS, *lines]).encode(), LAUNCHER, ods_code=ods_code)


def test_a_good_roster_is_read_in_full() -> None:
    roster = read(
        "Cy Doctor,cy@example.nhs.uk,Doctor,,yes,di@example.nhs.uk,yes,",
        "Di Manager,di@example.nhs.uk,manager,,no,,,",
        'Eve O\'Neill,"eve.o\'neill@example.nhs.uk",,"medical approver; data-protection contact",,,yes,',
        "Flo Outside,flo@other.nhs.uk,,external_challenger,,,,r2b",
    )
    assert roster.faults == ()
    cy, di, eve, flo = roster.rows[2:6]
    assert (cy.side, cy.dual_role, cy.gmc_registered) == (Side.DOCTOR, True, True)
    assert di.side is Side.MANAGER
    assert eve.roles == (Role.MEDICAL_APPROVER, Role.DATA_PROTECTION_CONTACT)
    assert flo.ods_code == "R2B"
    ids = [f"person-{place}" for place in range(len(roster.rows))]
    enrolments = roster.enrolments(ids)
    assert [row.person for row in enrolments] == ids
    assert enrolments[2].line_manager == "person-3"
    assert "example.nhs.uk" not in "".join(row.model_dump_json() for row in enrolments)


def test_whoever_launches_becomes_programme_manager_without_a_row_of_their_own() -> None:
    assert [row.email for row in read().rows if Role.PROGRAMME_MANAGER in row.roles] == [LAUNCHER.email]


def test_whoever_launches_is_not_added_twice() -> None:
    roster = read(f"P Mann,{LAUNCHER.email.upper()},,programme_manager,,,,")
    assert roster.faults == ()
    assert len(roster.rows) == 3


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (",cy@example.nhs.uk,doctor,,,,,", "'name' is empty"),
        (f"{'x' * 201},cy@example.nhs.uk,doctor,,,,,", "longer than 200"),
        ("Cy,,doctor,,,,,", "'email' is no e-mail address"),
        ("Cy,cy.example.nhs.uk,doctor,,,,,", "'email' is no e-mail address"),
        ("Cy,cy@localhost,doctor,,,,,", "'email' is no e-mail address"),
        ("Cy,cy@@example.nhs.uk,doctor,,,,,", "'email' is no e-mail address"),
        ('Cy,"cy@example.nhs.uk, b@example.nhs.uk",doctor,,,,,', "'email' is no e-mail address"),
        ('Cy,"cy@example.nhs.uk\r\nBcc: all@example.nhs.uk",doctor,,,,,', "'email' holds a line break"),
        ('"Cy\nBcc: all@example.nhs.uk",cy@example.nhs.uk,doctor,,,,,', "'name' holds a line break"),
        ("Cy\x00,cy@example.nhs.uk,doctor,,,,,", "'name' holds a line break or a control"),
        ("Cy,ada@example.nhs.uk,doctor,,,,,", "stands in line 2 already"),
        ("Cy,ADA@example.nhs.uk,doctor,,,,,", "stands in line 2 already"),
        ("Cy,cy@example.nhs.uk,nurse,,,,,", "neither 'doctor' nor 'manager'"),
        ("Cy,cy@example.nhs.uk,,,,,,", "neither a side nor a role"),
        ("Cy,cy@example.nhs.uk,,doctor,,,,", "Write it in the column 'side'"),
        ("Cy,cy@example.nhs.uk,doctor,king,,,,", "a role that is not known"),
        ("Cy,cy@example.nhs.uk,doctor,,maybe,,,", "'dual_role' is neither 'yes' nor 'no'"),
        ("Cy,cy@example.nhs.uk,,measure_steward,yes,,,", "Write the side"),
        ("Cy,cy@example.nhs.uk,doctor,,,cy@example.nhs.uk,,", "their own line manager"),
        ("Cy,cy@example.nhs.uk,doctor,,,boss@example.nhs.uk,,", "nobody in this roster"),
        ("Cy,cy@example.nhs.uk,,medical_approver,,,no,", "GMC-registered"),
        ("Cy,cy@example.nhs.uk,,medical_approver,,,perhaps,", "'gmc_registered' is neither"),
        ("Cy,cy@example.nhs.uk,doctor,facilitator,,,,", "Nobody may be doctor and facilitator"),
        ("Cy,cy@example.nhs.uk,doctor,auditor,,,,", "Nobody may be auditor and doctor"),
        ("Cy,cy@example.nhs.uk,,medical_sponsor,,,,", "Line 2 names a medical sponsor already"),
        ("Cy,cy@example.nhs.uk,,external_challenger,,,,", "comes from another trust"),
        ("Cy,cy@example.nhs.uk,,external_challenger,,,,r1a", "comes from another trust"),
        ("Cy,cy@example.nhs.uk,doctor,,,,,LEEDS", "no ODS code of a trust"),
        (f"Me,{LAUNCHER.email},,measure_steward,,,,", "Whoever launches an engagement manages it"),
        (f"Me,{LAUNCHER.email},doctor,programme_manager,,,,", "Nobody may be doctor and programme manager"),
        ("Cy,cy@example.nhs.uk,doctor", "This line has 3 cells, the heading 8"),
        ('Cy,"cy@example.nhs.uk,doctor,,,,,', "a quotation mark is not closed"),
    ],
)
def test_a_faulty_row_is_named_with_its_line_and_what_to_do_and_nothing_is_loaded(line: str, says: str) -> None:
    roster = read(line)
    assert roster.rows == ()
    assert [fault.line for fault in roster.faults if says in fault.what] == [4]
    assert all(fault.what.count(".") >= 1 for fault in roster.faults)


def test_every_fault_is_named_at_once_and_in_order() -> None:
    roster = read("Cy,cy@example.nhs.uk,nurse,,,,,", "", ",nobody,doctor,,,,,")
    assert [fault.line for fault in roster.faults] == [4, 4, 6, 6]


def test_the_line_is_that_of_the_file_where_a_cell_has_line_breaks() -> None:
    roster = read('"Cy\n\n",cy@example.nhs.uk,doctor,,,,,', "Di,di@example.nhs.uk,nurse,,,,,")
    assert {fault.line for fault in roster.faults} == {7}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (b"name,side\nCy,doctor", "The column 'email' is missing"),
        (b"name;email;side\nCy;cy@example.nhs.uk;doctor", "not separated by commas"),
        (b"name,email,salary\nCy,cy@example.nhs.uk,1", "Column 3 has a heading that is not known"),
        (b"name,email,email\nCy,cy@example.nhs.uk,x", "'email' is there twice"),
        ("name,email\nChloë,c@example.nhs.uk".encode("cp1252"), "is not UTF-8"),
        (b"name,email\n" + b"x" * 200_000 + b",c@example.nhs.uk", "far too long"),
    ],
)
def test_a_file_that_is_no_roster_says_what_it_should_be(content: bytes, says: str) -> None:
    roster = read_csv(content, LAUNCHER)
    assert roster.rows == ()
    assert any(says in fault.what for fault in roster.faults)


def test_a_roster_without_sponsors_says_which_are_missing() -> None:
    roster = read_csv(b"name,email,side\nCy,cy@example.nhs.uk,doctor", LAUNCHER)
    assert [fault.what.partition(".")[0] for fault in roster.faults] == [
        "The roster names no managerial sponsor",
        "The roster names no medical sponsor",
    ]


def test_excel_puts_a_mark_before_the_file_and_capitals_into_the_heading() -> None:
    content = (
        "\ufeffName,E-mail,Line Manager,Roles\r\n"
        "Ada,ada@example.nhs.uk,,medical_sponsor\r\n"
        "Ben,ben@example.nhs.uk,ada@example.nhs.uk,managerial_sponsor\r\n"
    )
    roster = read_csv(content.encode(), LAUNCHER)
    assert roster.faults == ()
    assert roster.rows[1].line_manager == "ada@example.nhs.uk"


def test_rows_of_a_request_are_checked_like_those_of_a_file() -> None:
    roster = check([(1, {"name": "Ada", "email": "ada@example.nhs.uk", "roles": "medical_sponsor"})], LAUNCHER)
    assert "managerial sponsor" in roster.faults[0].what


def test_a_roster_of_a_whole_hospital_is_refused_by_its_length() -> None:
    roster = read(*(f"P{n},p{n}@example.nhs.uk,doctor,,,,," for n in range(499)))
    assert "longer than 500 people" in roster.faults[0].what
