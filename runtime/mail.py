"""How e-mail leaves, as the settings say: a mail server, or a folder while none is known on a developer's machine."""

from activities.accounts import MailFolder, SmtpAccount
from activities.channels import Channel, channel_of
from runtime.settings import Settings

FOLDER = "mail"


def channel(settings: Settings) -> Channel:
    """The channel of the settings. Outside development a mail server is always named: the settings see to it."""
    if settings.smtp_host is None:
        return channel_of(MailFolder(path=settings.data_dir / FOLDER, sender=settings.smtp_from))
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    account = SmtpAccount(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_from,
        user=settings.smtp_user,
        password=password,
        starttls=settings.smtp_starttls,
    )
    return channel_of(account)
