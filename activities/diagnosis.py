"""Close a questionnaire: compute the pack from the answers and destroy every link between an answer and a person."""

from temporalio import activity

from activities.faults import without_details
from programme.disclosure import make_pack
from programme.engagement import Engagement
from programme.questionnaire import Questionnaire
from programme.stages.diagnosis import Survey
from store import confidential, read_model
from store.confidential import SurveyRun
from store.database import Database
from workflows.ports import Close, Questionnaires


class NotClosedYet(Exception):  # noqa: N818 - an answer to the workflow, not a fault
    """The journal does not say yet that this window has closed; ask again."""

    def __init__(self) -> None:
        super().__init__("The journal does not hold the close of this window yet.")


class DiagnosisActivities(Questionnaires):
    """The confidential store, seen from the programme."""

    def __init__(self, database: Database, questionnaire: Questionnaire) -> None:
        self._database = database
        self._questionnaire = questionnaire

    @activity.defn(name="diagnosis.close")
    async def close(self, close: Close) -> str:
        """Compute the pack and destroy the links, in one transaction; a second run returns the same digest.

        Raises:
            NotClosedYet: programme.md, Disclosure 5: nothing is computed before the window has closed.
        """
        cycle, survey, window, shape = close.key.split("/")
        run = SurveyRun(close.engagement_id, int(cycle), survey)
        with without_details(NotClosedYet):
            async with self._database.writing() as connection:
                if kept := await confidential.pack_of(connection, run):
                    return kept[1]
                engagement = await read_model.standing(connection, close.engagement_id)
                closed = _closed(engagement, run, int(window))
                if engagement is None or closed is None:
                    raise NotClosedYet
                sheets = await confidential.close_survey(connection, run, closed.completed)
                combined = shape == "combined"
                pack = make_pack(self._questionnaire, sheets, k=engagement.k, combined_only=combined)
                return await confidential.keep_pack(connection, run, pack)


def _closed(engagement: Engagement | None, run: SurveyRun, window: int) -> Survey | None:
    """The survey, where this window of it has closed and enough people answered (or a combined pack was chosen)."""
    if engagement is None or engagement.cycle is None or engagement.cycle.number != run.cycle:
        return None
    survey = engagement.cycle.diagnosis.survey(run.survey)
    return survey if survey.closed and survey.window == window and not survey.short else None
