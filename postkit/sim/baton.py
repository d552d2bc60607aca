"""Simulated processes in real threads, of which one runs at any time.

A thread that has to wait chooses who goes on, hands over the baton and stops; so the steps
follow from the choices alone, and a process costs a thread only while it waits in mid-work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol


class Task(Protocol):
    """Something that can be run, and that may wait in the middle."""

    hand: Hand | None
    """The thread in which it waits; None where it has to be begun."""

    def run(self) -> None: ...


class Hand:
    """A thread and the lock that it sleeps on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()
        self.task: Task | None = None
        self.is_over = False


class Stage:
    """The threads of this interpreter, kept from one schedule to the next. ``choose`` says who
    goes on: None where nobody has anything to do any more."""

    def __init__(self) -> None:
        self._idle: list[Hand] = []
        self._main = Hand()
        self._choose: Callable[[], Task | None] = lambda: None

    def play(self, choose: Callable[[], Task | None]) -> None:
        """Run until nobody has anything to do."""
        self._choose = choose
        self._main.is_over = False
        self._go_on(self._main)

    def wait(self, task: Task) -> None:
        """In the thread of ``task``: let others go on until it is chosen again."""
        chosen = self._choose()
        if chosen is task:
            return
        hand = task.hand
        if chosen is None or hand is None:
            raise RuntimeError("who waits has no time to wake up; a defect of the simulation")
        self._pass(chosen)
        hand.lock.acquire()

    def _pass(self, chosen: Task) -> None:
        if chosen.hand is not None:
            chosen.hand.lock.release()
            return
        if self._idle:
            hand = self._idle.pop()
            hand.task = chosen
            hand.lock.release()
            return
        hand = Hand()
        hand.task = chosen
        threading.Thread(target=self._live, args=(hand,), daemon=True).start()
        hand.lock.release()

    def _live(self, hand: Hand) -> None:
        hand.lock.acquire()
        self._go_on(hand)

    def _go_on(self, hand: Hand) -> None:
        while True:
            task, hand.task = hand.task, None
            if hand is self._main and hand.is_over:
                return
            if task is None:
                task = self._choose()
            if task is None:
                if hand is self._main:
                    return
                self._idle.remove(self._main)
                self._main.is_over = True
                self._idle.append(hand)
                self._main.lock.release()
                hand.lock.acquire()
            elif task.hand is None:
                task.hand = hand
                task.run()
                task.hand = None
            else:
                self._idle.append(hand)
                task.hand.lock.release()
                hand.lock.acquire()
