"""pipe.py - how a peer's training step is measured from the other end of a pipe."""
import sys
import time


def answer(step, items):
    """Says "ready" after a first step, then answers each line with items a second over a second of steps, one at least."""
    step()
    print("ready", flush=True)
    for _ in sys.stdin:
        start, steps = time.perf_counter(), 0
        while time.perf_counter() - start < 1:
            step()
            steps += 1
        print(steps * items / (time.perf_counter() - start), flush=True)
