"""How a rehearsal begins: the launch that both doors are asked for."""

from cli.rehearsal import script
from cli.rehearsal.cast import TRUST, Cast
from cli.rehearsal.front_door import Json
from programme.working_time import Division


def opening(cast: Cast, template: str, division: Division) -> Json:
    """The body of the launch."""
    return {
        "ods_code": TRUST,
        "scope": script.SCOPE,
        "local_problem": script.LOCAL_PROBLEM,
        "dpia_reference": script.DPIA,
        "privacy_notice": script.PRIVACY_NOTICE,
        "k": cast.k,
        "template": template,
        "division": division.value,
        "people": [player.row for player in cast.players],
    }
