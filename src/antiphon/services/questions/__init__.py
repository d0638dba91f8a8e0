"""Questions: what runs ask of people, answered from anywhere, once."""

from antiphon.services.questions.kinds import Action, Kind
from antiphon.services.questions.service import Questions
from antiphon.services.questions.values import QUESTION_ID_PATTERN, QUESTIONS, Asked, NewQuestion, Option

__all__ = [
    "QUESTIONS",
    "QUESTION_ID_PATTERN",
    "Action",
    "Asked",
    "Kind",
    "NewQuestion",
    "Option",
    "Questions",
]
