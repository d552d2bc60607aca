"""Runs deliveries side by side in threads of this process."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime

from ..deliver.courier import Courier
from ..deliver.steps import Watch
from ..store.rows import DeliveryRow


class ThreadEngine:
    """A thread for each delivery of a publication, so that a slow network delays no other."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier

    def run(
        self, deliveries: Sequence[DeliveryRow], deadline: datetime, watch: Watch | None
    ) -> None:
        """Returns when all are as far as they go. Raises the first failure of the store, after
        all others have come to their end."""
        if not deliveries:
            return
        pool = ThreadPoolExecutor(len(deliveries), thread_name_prefix="postkit")
        try:
            futures = [pool.submit(self._courier.run, d, deadline, watch) for d in deliveries]
            wait(futures)
        except BaseException:
            # Ctrl-C: what is on its way gets its answer, and nothing more is begun.
            self._courier.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        for future in futures:
            future.result()
