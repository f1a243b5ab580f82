"""What a process needs to know before it starts, read once from `OLIVE_*` variables.

In development everything has a default, so that `olive up` needs none. Outside development nothing that
is secret, or that names another machine, has one: a missing value stops the start and says its name.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.accounts import MailFolder, SmtpAccount

PREFIX = "OLIVE_"
TEMPORAL_NAMESPACE = "olive-branch"
SMTPS = 465  # the port on which a mail server encrypts from the first byte (RFC 8314)

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(Exception):
    """Something in the environment is missing or wrong; the text names each variable and never a value."""


def _one_line(text: str) -> str:
    # A line break in a mail address would let whoever sets it write further mail headers.
    if "\r" in text or "\n" in text:
        raise ValueError("must be a single line")
    return text


Line = Annotated[str, AfterValidator(_one_line), Field(min_length=1)]


class Settings(BaseSettings):
    """Every setting of every process. Read it with `load_settings`, whose errors a person can act on."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Path("olive-data")
    """Folder of the SQLite file and of the embedded Temporal server. Created when it is first used."""

    database_url: SecretStr = SecretStr("")
    """SQLAlchemy address; secret because it may hold a password. Empty: a SQLite file in `data_dir`."""

    temporal_address: str | None = None
    """`host:port`. None: TEMPORAL_ADDRESS, and failing that the embedded server."""
    temporal_namespace: str | None = None
    """None: TEMPORAL_NAMESPACE, and failing that `olive-branch`."""

    smtp_host: Line | None = None
    """None only in development: no mail server is known, so mails are kept in a folder."""
    smtp_port: Port = 587
    smtp_user: Line | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True
    smtp_from: Line = "Olive Branch <olive-branch@localhost>"

    api_host: str = "127.0.0.1"
    api_port: Port = 8000
    public_base_url: str = Field(default="", pattern=r"^(https?://[^/\s?#]+)?$")
    """Scheme, host and port that people see, without a path or a closing slash; links in e-mails begin with it.

    Empty: the address that the API listens on.
    """
    updates_in_flight: int = Field(default=9, ge=1, le=900)
    """How many requests of one engagement an API process passes on at once; the others wait their turn.

    Temporal refuses more than 10 in all, unless its server is told to allow more, as the embedded one is.
    """
    answer_within_seconds: float = Field(default=25.0, gt=0, le=300)
    """How long a request waits for a worker before it is answered "not known yet: ask again"."""
    largest_request: int = Field(default=256 * 1024, ge=1024)
    """Bytes of a request's body."""
    templates_dir: Path | None = None
    """Folder of the trust's own programme templates (*.yaml), beside the shipped ones."""

    @model_validator(mode="after")
    def _fill_what_follows_from_the_rest(self) -> Self:
        if not self.database_url.get_secret_value():
            path = (self.data_dir / "olive.sqlite3").absolute()
            object.__setattr__(self, "database_url", SecretStr(f"sqlite+aiosqlite:///{path}"))
        if not self.public_base_url:
            object.__setattr__(self, "public_base_url", f"http://{self.api_host}:{self.api_port}")
        return self

    @property
    def temporal_dir(self) -> Path:
        """Folder of the embedded Temporal server."""
        return self.data_dir / "temporal"

    @property
    def is_development(self) -> bool:
        """Whether defaults meant for one machine may be used."""
        return self.environment == "development"

    @property
    def mail(self) -> SmtpAccount | MailFolder:
        """Where mails go: to the mail server or, in development without one, into `data_dir`."""
        if self.smtp_host is None:
            return MailFolder(self.data_dir / "mail", self.smtp_from)
        return SmtpAccount(
            host=self.smtp_host,
            port=self.smtp_port,
            sender=self.smtp_from,
            user=self.smtp_user,
            password=self.smtp_password.get_secret_value() if self.smtp_password else None,
            starttls=self.smtp_starttls,
            tls=self.smtp_port == SMTPS,
        )

    @property
    def embedded_temporal(self) -> bool:
        """Whether this process group brings its own Temporal server, because nobody named another."""
        return self.temporal_address is None and not _temporal_is_named_elsewhere()


def load_settings() -> Settings:
    """Read the environment.

    Raises SettingsError, with one line for each variable that is missing or wrong.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_in_words(error))) from None
    problems = list(_missing(settings))
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _in_words(error: ValidationError) -> list[str]:
    """One line for each wrong variable: its name and what it must be, without what it was."""
    return [f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors(include_input=False)]


def _missing(settings: Settings) -> list[str]:
    """What must be set and is not: pairs everywhere, the world outside this machine in production."""
    problems = []
    if (settings.smtp_user is None) != (settings.smtp_password is None):
        problems.append("OLIVE_SMTP_USER and OLIVE_SMTP_PASSWORD: set both, or neither")
    if settings.is_development:
        return problems
    given = settings.model_fields_set
    needed = {
        "database_url": "the address of the database, as postgresql+psycopg://user:password@host/name",
        "smtp_host": "the mail server",
        "smtp_from": "the sender of every e-mail",
        "public_base_url": "the address that people see, as https://host",
    }
    problems += [f"{PREFIX}{name.upper()}: not set; {what}" for name, what in needed.items() if name not in given]
    if settings.embedded_temporal:
        problems.append("OLIVE_TEMPORAL_ADDRESS (or TEMPORAL_ADDRESS): not set; the Temporal server, as host:port")
    if "public_base_url" in given and not settings.public_base_url.startswith("https://"):
        problems.append("OLIVE_PUBLIC_BASE_URL: must begin with https:// outside development")
    if settings.smtp_password is not None and not settings.smtp_starttls:
        problems.append("OLIVE_SMTP_STARTTLS: must stay on where a password is sent")
    return problems


def _temporal_is_named_elsewhere() -> bool:
    # Temporal's own variables, which its command line and every SDK read too.
    return any(os.environ.get(name) for name in ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"))
