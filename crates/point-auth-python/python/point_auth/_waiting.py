"""Waiting for a token in asyncio, and wherever anyio runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ._errors import PointAuthError, again, make

if TYPE_CHECKING:
    from ._session import Session
    from ._tokens import Token


class Waits:
    """The waits for one session: in each event loop all tasks wait for one thread."""

    __slots__ = ("_by_loop",)

    def __init__(self) -> None:
        """Creates an empty set of waits."""
        self._by_loop: WeakKeyDictionary[
            asyncio.AbstractEventLoop, asyncio.Future[tuple[Token | None, PointAuthError | None]]
        ] = WeakKeyDictionary()

    def join(
        self, loop: asyncio.AbstractEventLoop, session: Session
    ) -> asyncio.Future[tuple[Token | None, PointAuthError | None]]:
        """Returns the wait of this loop, a new one if there is none."""
        wait = self._by_loop.get(loop)
        if wait is None or wait.done():
            wait = self._begin(loop, session)
            self._by_loop[loop] = wait
        return wait

    def _begin(
        self, loop: asyncio.AbstractEventLoop, session: Session
    ) -> asyncio.Future[tuple[Token | None, PointAuthError | None]]:
        wait: asyncio.Future[tuple[Token | None, PointAuthError | None]] = loop.create_future()

        def settle(token: Token | None, error: PointAuthError | None) -> None:
            if not wait.done():
                wait.set_result((token, error))

        def deliver(token: Token | None, error: PointAuthError | None) -> None:
            try:
                loop.call_soon_threadsafe(settle, token, error)
            except RuntimeError:
                # The loop was closed meanwhile, and its tasks with it.
                pass

        session._wait(deliver)  # pyright: ignore[reportPrivateUsage]
        return wait


async def token_async(
    session: Session, waits: Waits, acquire_timeout: float, timeout: float | None
) -> Token:
    """Waits for a token on behalf of one task."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return await _elsewhere(session, timeout)
    deadline = loop.time() + (acquire_timeout if timeout is None else timeout)
    while True:
        left = max(deadline - loop.time(), 0)
        # A task that is canceled or late takes none of the others with it.
        wait = asyncio.shield(waits.join(loop, session))
        try:
            token, error = await asyncio.wait_for(wait, left)
        except asyncio.TimeoutError:
            raise make("no access token in time", "timeout", True, None, None, None, True) from None
        if token is not None:
            return token
        assert error is not None
        # The wait began before this task's own.
        if error.kind == "timeout" and loop.time() < deadline:
            continue
        raise again(error)


async def _elsewhere(session: Session, timeout: float | None) -> Token:
    """Waits where there is no asyncio, on a worker thread of anyio."""
    from anyio import to_thread

    return await to_thread.run_sync(session.token, timeout, abandon_on_cancel=True)
