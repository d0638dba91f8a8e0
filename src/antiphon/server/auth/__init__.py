"""Who somebody is: tokens, sessions and tickets."""

from antiphon.server.auth.authenticator import COOKIE_NAME, Authenticator
from antiphon.server.auth.runtokens import RunToken, RunTokens
from antiphon.server.auth.secrets import operator_token
from antiphon.server.auth.tickets import Ticket, Tickets
from antiphon.server.auth.tokens import NewToken, new_token

__all__ = [
    "COOKIE_NAME",
    "Authenticator",
    "NewToken",
    "RunToken",
    "RunTokens",
    "Ticket",
    "Tickets",
    "new_token",
    "operator_token",
]
