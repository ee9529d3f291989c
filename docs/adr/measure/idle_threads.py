"""Measures what a scheduler pays for one waiting thread (ADR 0008).

Run from the checkout: ``.venv/bin/python docs/adr/measure/idle_threads.py``
"""

import queue
import threading
import time

import psutil

THREADS = 2_000
HOPS = 20_000


def memory_per_thread_bytes() -> float:
    """Starts threads that wait on a queue each, and divides what the process grew by."""
    process = psutil.Process()
    before = process.memory_info().rss
    inboxes: list[queue.Queue[None]] = [queue.Queue() for _ in range(THREADS)]
    threads = [threading.Thread(target=inbox.get) for inbox in inboxes]
    for thread in threads:
        thread.start()
    grown = process.memory_info().rss - before
    for inbox in inboxes:
        inbox.put(None)
    for thread in threads:
        thread.join()
    return grown / THREADS


def hop_us() -> float:
    """Times one hand-over through a queue from a thread to another."""
    there: queue.Queue[int] = queue.Queue()
    back: queue.Queue[int] = queue.Queue()

    def echo() -> None:
        for _ in range(HOPS):
            back.put(there.get())

    thread = threading.Thread(target=echo)
    thread.start()
    start = time.perf_counter()
    for hop in range(HOPS):
        there.put(hop)
        back.get()
    elapsed = time.perf_counter() - start
    thread.join()
    return elapsed / HOPS / 2 * 1e6


def main() -> None:
    """Prints one figure a line."""
    print(f"a waiting thread and its queue: {memory_per_thread_bytes() / 1024:.0f} KiB resident")
    print(f"a hand-over between two threads: {hop_us():.0f} µs")


if __name__ == "__main__":
    main()
