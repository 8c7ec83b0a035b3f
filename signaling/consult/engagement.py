"""Which interpreters are taken up by a consult: nobody accepts a second one meanwhile. Pure."""

from signaling.consult.ids import UserId
from signaling.consult.interpreting import RequestState
from signaling.consult.values import TAKEN, Consult, Role


def engaged(consult: Consult) -> frozenset[UserId]:
    """Interpreters with an account who are in this consult, wait in it, or have accepted to come."""
    if consult.over:
        return frozenset()
    here = {p.user for p in consult.of_role(Role.INTERPRETER) if p.seat in TAKEN}
    search = consult.request
    if search is not None and search.state is RequestState.ACCEPTED:
        here.add(search.by_user)
    return frozenset(user for user in here if user is not None)
