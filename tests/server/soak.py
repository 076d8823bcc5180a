#!/usr/bin/env python3
"""soak.py: has `cleave serve` bear what bad clients and many of them do, and verifies that it comes out of it whole.

    CLEAVE=build/release/cleave tests/server/soak.py --model MODEL --seconds 600 --idle 2000 --health-ms 50

Clients chosen by chance ask well, leave in the middle, send half a request, 100 MB, bytes that are no UTF-8, a million stop
strings or schemas that nothing fulfils, read slowly or never, and come in bursts, while idle streams stay open. Each kind
knows which statuses may answer it; 5xx never may, but for 503 where a burst is more than the queue holds. In the end there
are no requests, all blocks of the cache are free, memory has not grown since the first minute, and SIGTERM drains.
"""
import argparse
import asyncio
import collections
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from soak_clients import Client, Clients, Unexpected

HERE = pathlib.Path(__file__).parent
TEMPLATE = "{% for m in messages %}{{ m.role + ': ' + (m.content or '') + '\\n' }}{% endfor %}{{ 'assistant: ' }}"

# Asks /health again and again from a process of its own, so that what else the clients do does not count.
PROBE = """
import http.client, sys, time
while True:
    begin = time.monotonic()
    status = 0
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
        connection.request("GET", "/health")
        status = connection.getresponse().status
        connection.close()
    except OSError:
        pass
    print(status, time.monotonic() - begin, flush=True)
    time.sleep(0.05)
"""

class Soak:
    """One run; `problems` is what went wrong."""

    def __init__(self, options):
        self.options, self.problems, self.log, self.memory = options, [], [], []
        self.kinds = collections.Counter()

    def run(self):
        flags = ["--port", "0", "--log", "none", "--max-queue", str(self.options.max_queue), "--max-wait", "100000", "--ping-seconds", "2",
                 "--max-connections", "8192", "--cache-tokens", str(self.options.cache_tokens), "--context", str(self.options.context)]
        errors = tempfile.TemporaryFile("w+")
        self.server = subprocess.Popen([self.options.program, "serve", str(self.options.model), *flags, *self.options.flags], stderr=errors)
        try:
            self.port = self._wait_for(errors)
            asyncio.run(self._soak())
            self._end()
        finally:
            self.server.kill()
            self.server.wait()
            errors.seek(0)
            self.errors = errors.read()
            errors.close()
        if "error" in self.errors.lower() or "Sanitizer" in self.errors:
            self.problems.append("standard error: " + self.errors[-4000:])
        return self.problems

    def _wait_for(self, errors):
        end = time.monotonic() + 300
        while time.monotonic() < end and self.server.poll() is None:
            text = pathlib.Path(f"/proc/self/fd/{errors.fileno()}").read_text()
            if "cleave: serving" in text:
                return int(re.search(r"http://127\.0\.0\.1:(\d+)", text).group(1))
            time.sleep(0.05)
        errors.seek(0)
        raise AssertionError("the server does not start: " + errors.read())

    def _memory(self):
        """MiB that the server holds, in memory or swapped out."""
        status = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
        return sum(int(re.search(name + r":\s+(\d+)", status).group(1)) for name in ("RssAnon", "VmSwap")) / 1024

    async def _soak(self):
        self.clients = Clients(self.port, self.options.seed, self.options.context, self.options.overload)
        probe = subprocess.Popen([sys.executable, "-c", PROBE, str(self.port)], stdout=subprocess.PIPE, text=True)
        stop = asyncio.Event()
        idle = [asyncio.ensure_future(self._guarded(self.clients.stays_idle(stop), "stays_idle")) for _ in range(self.options.idle)]
        workers = [asyncio.ensure_future(self._work(stop)) for _ in range(self.options.workers)]
        end = time.monotonic() + self.options.seconds
        while time.monotonic() < end and len(self.problems) < 20 and self.server.poll() is None:
            await asyncio.sleep(0.5)
            self.memory.append(self._memory())
        stop.set()
        await asyncio.wait([*idle, *workers], timeout=120)
        probe.kill()
        self.health = [line.split() for line in probe.communicate()[0].splitlines()[:-1]]
        await self._settle()

    async def _work(self, stop):
        while not stop.is_set():
            kind = self.clients.random.choice(Clients.KINDS)
            self.kinds[kind.__name__] += 1
            await self._guarded(kind(self.clients), kind.__name__)

    async def _guarded(self, work, name):
        try:
            await asyncio.wait_for(work, self.options.seconds + 300)
        except ConnectionError as error:
            if self.server.poll() is not None:
                self.problems.append(f"{name}: the server is gone: {error}")
        except Unexpected as error:
            self.problems.append(f"{name}: {error}")
        except asyncio.TimeoutError:
            self.problems.append(f"{name}: no end")

    async def _metrics(self):
        async with Client(self.port) as client:
            await client.send("GET", "/metrics")
            text = (await client.rest()).decode()
        return {name: float(value) for name, value in re.findall(r"^(cleave_[^ ]+) (\S+)$", text, re.M)}

    async def _settle(self):
        """Everything that was asked for is over soon after the last client has left."""
        want = {"cleave_num_requests_running": 0, "cleave_num_requests_waiting": 0, "cleave_kv_cache_usage_perc": 0}
        end = time.monotonic() + 60
        while time.monotonic() < end and self.server.poll() is None:
            metrics = await self._metrics()
            if all(metrics[name] == value for name, value in want.items()) and metrics["cleave_connections"] <= 2:
                break
            await asyncio.sleep(0.2)
        else:
            self.problems.append("not idle in the end: " + str({name: metrics[name] for name in [*want, "cleave_connections"]}))
        for name, count in metrics.items():
            status = re.match(r'cleave_http_responses_total\{status="(5\d\d)"\}', name)
            if status and count and not (status.group(1) == "503" and self.options.overload):
                self.problems.append(f"{count:.0f} responses of status {status.group(1)}")
        self.metrics = metrics

    def _end(self):
        seconds = sorted(float(second) for _, second in self.health)
        if not seconds or any(status != "200" for status, _ in self.health):
            self.problems.append("/health: " + str(collections.Counter(status for status, _ in self.health)))
        elif self.options.health_ms and seconds[-1] * 1e3 > self.options.health_ms:
            self.problems.append(f"/health took {seconds[-1] * 1e3:.0f} ms")
        self._look_at_memory()
        self.server.send_signal(signal.SIGTERM)
        try:
            if self.server.wait(60) != 0:
                self.problems.append(f"the server ended with {self.server.returncode}")
        except subprocess.TimeoutExpired:
            self.problems.append("the server does not end")

    def _look_at_memory(self):
        settled = self.memory[min(120, len(self.memory) // 3):]  # two samples a second
        count = max(1, len(settled) // 8)
        if len(settled) < 8:
            return
        self.before, self.after = (statistics.median(part) for part in (settled[:count], settled[-count:]))
        if self.options.growth_mb and self.after - self.before > self.options.growth_mb:
            self.problems.append(f"memory grew from {self.before:.0f} to {self.after:.0f} MiB")

    def report(self):
        seconds = sorted(float(second) * 1e3 for _, second in self.health)
        lines = [f"clients: {dict(self.kinds)}", f"statuses as clients saw them: {dict(sorted(self.clients.statuses.items()))}",
                 f"/health: {len(seconds)} times, p50 {statistics.median(seconds):.1f} ms, p99 {seconds[int(len(seconds) * 0.99)]:.1f} ms, "
                 f"longest {seconds[-1]:.1f} ms",
                 f"memory: first {self.memory[0]:.0f} MiB, most {max(self.memory):.0f}, last {self.memory[-1]:.0f}; "
                 f"after the first minute {getattr(self, 'before', 0):.0f}, in the end {getattr(self, 'after', 0):.0f}",
                 f"tokens of answers: {self.metrics['cleave_generation_tokens_total']:.0f}; preemptions "
                 f"{self.metrics['cleave_num_preemptions_total']:.0f}"]
        return "\n".join(lines)


def write_model(folder):
    """A tiny model with positions for long answers, whose tokens are bytes."""
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("CLEAVE", "cleave")
    os.environ.setdefault("CLEAVE_TEST_DATA", str(HERE.parent / "data"))
    os.environ.setdefault("CLEAVE_MODELS", "")
    import reasoning_test
    reasoning_test.write_model(folder, positions=4096)
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.environ.get("CLEAVE"), help="cleave (default: the environment's CLEAVE)")
    parser.add_argument("--model", help="default: a tiny one, made here")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--workers", type=int, default=24, help="misbehaving clients at a time")
    parser.add_argument("--idle", type=int, default=2000, help="idle streams")
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--cache-tokens", type=int, default=16384)
    parser.add_argument("--max-queue", type=int, default=8192)
    parser.add_argument("--overload", action="store_true", help="503 with Retry-After may answer, too")
    parser.add_argument("--health-ms", type=float, default=0, help="longest time of /health (0: any)")
    parser.add_argument("--growth-mb", type=float, default=0, help="most MiB by which memory may grow after the first minute (0: any)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flags", type=str.split, default=[], help="more flags of cleave serve")
    return parser.parse_args(arguments)


def main():
    options = options_of(None)
    with tempfile.TemporaryDirectory(prefix="cleave_soak_") as folder:
        options.model = options.model or write_model(pathlib.Path(folder) / "model")
        soak = Soak(options)
        problems = soak.run()
    print(soak.report())
    for problem in problems:
        print("PROBLEM", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
