"""Posts that nobody sends, or that wait for a person."""

from __future__ import annotations

from ..kit import Kit
from .finding import Examined, Finding, problem, warning

IN_PROGRAM = "in the program: `kit.for_tenant(ID).queue()` lists a tenant's"


def look(kit: Kit) -> Examined:
    count, own = kit.standing(), kit.own_standing()
    worked = kit.is_worked()
    found: list[Finding] = []
    if count.overdue and not worked:
        text = f"{_posts(count.overdue)} overdue, and no worker runs."
        found.append(problem("posts", text, "`postkit worker`"))
    elif count.overdue:
        text = f"{_posts(count.overdue)} overdue, although a worker runs."
        found.append(warning("posts", text, "`postkit queue`"))
    if count.to_come and not worked:
        text = f"{_posts(count.to_come)} scheduled, and no worker runs."
        found.append(warning("posts", text, "`postkit worker`, or `postkit worker --install`"))
    if count.uncertain:
        text = f"{_posts(count.uncertain)} uncertain: each asks you a question."
        remedy = "`postkit queue`, then `postkit show ID`" if own.uncertain else IN_PROGRAM
        found.append(problem("posts", text, remedy))
    if count.held:
        text = f"{_posts(count.held)} held until you say so."
        remedy = "`postkit queue`, then `postkit release ID`" if own.held else IN_PROGRAM
        found.append(warning("posts", text, remedy))
    if count.missed:
        text = f"{_posts(count.missed)} missed."
        remedy = "`postkit queue`, then `postkit reschedule ID --at WHEN`"
        remedy = remedy if own.missed else IN_PROGRAM
        found.append(warning("posts", text, remedy))
    paused = [pause.scope.address for pause in kit.pauses()]
    if paused:
        text = f"Paused: {', '.join(paused)}. What falls due there is held."
        remedy = f"`postkit unpause {'--all' if 'everything' in paused else paused[0]}`"
        found.append(warning("posts", text, remedy))
    worker = "a worker runs" if worked else "no worker runs"
    return Examined("posts", f"{count.to_come} scheduled, {worker}", tuple(found))


def _posts(number: int) -> str:
    return f"{number} {'post is' if number == 1 else 'posts are'}"
