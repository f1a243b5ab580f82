from api.packs import _released
from api.seeing import Seen
from programme.messages import Stage
from tests.core.programme_driver import DOCTORS, begun


def test_a_pack_that_a_cycle_took_over_is_listed_once_under_the_cycle_that_made_it() -> None:
    made = begun(Stage.EXCHANGE).engagement
    surveys = made.running.diagnosis.surveys
    assert list(_released(Seen(made, DOCTORS[0]))) == [(1, "diagnosis")]
    carried = {name: survey.model_copy(update={"carried": True}) for name, survey in surveys.items()}
    taken_over = made.in_cycle(diagnosis=made.running.diagnosis.model_copy(update={"surveys": carried}))
    assert _released(Seen(taken_over, DOCTORS[0])) == {}
