#!/usr/bin/env python3
"""serving.py: how `cleave serve` bears many requests at once, as a table in Markdown; docs/performance.md holds one.

    bench/serving.py --program build/release/cleave --model SmolLM2.gguf [--peer llama.cpp=COMMAND] [-o FILE]

A COMMAND of a peer starts a server with OpenAI's API; {model}, {port}, {slots} and {context} are replaced. Each part starts
a server of its own. All figures come from `cleave bench-serve` and from the server's metrics.
"""
import argparse
import contextlib
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SLOTS = 64
MIXED = ("--api", "completions", "--prompt-tokens", "10:100", "--answer-tokens", "64:448")
AGENTS = ("--agents", "4", "--turns", "10", "--head-tokens", "1000", "--answer-tokens", "20:60")
FIRST_MS, GAP_MS = 2000, 150


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Server:
    """A running server, which ends with the block that it is opened in."""

    def __init__(self, command, port):
        self.url = f"http://127.0.0.1:{port}"
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def __enter__(self):
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                for path in ("/health", "/v1/models"):
                    urllib.request.urlopen(self.url + path, timeout=5).read()
                return self
            time.sleep(0.1)
        self.log.seek(0)
        raise SystemExit("the server does not start: " + self.log.read()[-2000:])

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def metrics(self):
        text = urllib.request.urlopen(self.url + "/metrics", timeout=30).read().decode()
        return {name: float(value) for name, value in re.findall(r"^(cleave_\w+) (\S+)$", text, re.M)}


class Bench:
    """What the parts of a run share; `lines` is the table so far."""

    def __init__(self, options):
        self.options, self.lines = options, []

    def serve(self, *flags):
        port = free_port()
        return Server([self.options.program, "serve", self.options.model, "--port", str(port), "--log", "none", "--alias", "model",
                       "--ignore-generation-config", *flags], port)

    def start(self, url, *flags):
        report = tempfile.NamedTemporaryFile(suffix=".json", delete=False).name
        process = subprocess.Popen([self.options.program, "bench-serve", url, *map(str, flags), "--json", report],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return process, report

    def end(self, started):
        process, report = started
        error = process.communicate()[1]
        if process.returncode != 0:
            raise SystemExit(error)
        with open(report) as file:
            result = json.load(file)
        os.unlink(report)
        return result

    def load(self, url, *flags):
        return self.end(self.start(url, *flags))

    def say(self, *cells):
        self.lines.append("| " + " | ".join(cells) + " |")
        print(self.lines[-1], file=sys.stderr)

    def decode_alone(self):
        done = subprocess.run([self.options.program, "bench", self.options.model, "--batch", str(SLOTS), "--context", "0,256",
                               "--decode", "64", "--prefill", "512", "--repetitions", "3", "--json"],
                              check=True, capture_output=True, text=True)
        report = json.loads(done.stdout)
        for row in report["decode"]:
            self.say(f"`cleave bench --batch {SLOTS} --context {row['context']}`",
                     f"{row['tokens_per_second']:.0f} tokens/s, limit {row['limit_tokens_per_second']:.0f} ({row['limited_by']})")
        prefill = report["prefill"][0]
        self.say("`cleave bench --prefill 512`",
                 f"{prefill['tokens_per_second']:.0f} tokens/s, limit {prefill['limit_tokens_per_second']:.0f} ({prefill['limited_by']})")
        return report["decode"][-1]["tokens_per_second"]

    def many(self, url, name, alone, warmup):
        report = self.load(url, "--concurrency", SLOTS, "--requests", self.options.requests, "--warmup", warmup, *MIXED)
        rate = report["answer_tokens_per_second_with_most_under_way"]
        prompts = rate * report["prompt_tokens"] / report["answer_tokens"]
        first, gap = report["first"], report["gap"]
        self.say(f"{name}, {SLOTS} requests of mixed lengths at a time",
                 f"answers {rate:.0f} tokens/s ({rate / alone:.2f} of bench), with prompts {rate + prompts:.0f}; first text p50 "
                 f"{first['p50'] * 1e3:.0f} ms, p95 {first['p95'] * 1e3:.0f}; between pieces p50 {gap['p50'] * 1e3:.0f} ms, p99 "
                 f"{gap['p99'] * 1e3:.0f}; {report['requests']['done']} done, {report['requests']['failed']} failed; client "
                 f"{report['own_cpu_seconds'] / report['seconds']:.0%} of a core")
        return report

    def ours(self, alone):
        with self.serve("--parallel", str(SLOTS)) as server:
            self.load(server.url, "--concurrency", SLOTS, "--requests", SLOTS, "--seed", 9, *MIXED)
            before = server.metrics()
            report = self.many(server.url, "cleave", alone, 0)
            after = server.metrics()
        spent = {name: after[name] - before[name] for name in after}
        self.say("host's share of steps in it",
                 f"{spent['cleave_host_seconds_total'] / spent['cleave_step_seconds_total']:.1%} of "
                 f"{spent['cleave_step_seconds_total']:.1f} s, {spent['cleave_steps_total']:.0f} steps")
        return report

    def peers(self, alone):
        for peer in self.options.peer:
            name, command = peer.split("=", 1)
            port = free_port()
            words = shlex.split(command.format(model=self.options.model, port=port, slots=SLOTS, context=SLOTS * 1024))
            with Server(words, port) as server:
                self.many(server.url, name, alone, SLOTS)

    def long_prompt(self):
        prompt = ("--api", "completions", "--requests", 1, "--prompt-tokens", self.options.long_prompt, "--answer-tokens", 2)
        with self.serve("--context", "8192", "--cache-tokens", "32768") as server:
            self.load(server.url, *prompt, "--seed", 7)
            alone = self.load(server.url, *prompt, "--seed", 1)["first"]["p50"]
            decoders = self.start(server.url, "--concurrency", 8, "--requests", 8, "--api", "completions", "--prompt-tokens", 20,
                                  "--answer-tokens", self.options.decoder_tokens, "--seed", 2)
            time.sleep(1)
            beside = self.load(server.url, *prompt, "--seed", 3)["first"]["p50"]
            gap = self.end(decoders)["gap"]
        self.say(f"8 answers while a prompt of {self.options.long_prompt} tokens is read (`--max-gap-ms 150`)",
                 f"gaps p50 {gap['p50'] * 1e3:.0f} ms, p99 {gap['p99'] * 1e3:.0f}, longest {gap['max'] * 1e3:.0f}; the prompt takes "
                 f"{beside:.1f} s, alone {alone:.1f} s ({beside / alone - 1:+.0%})")

    def agents(self):
        turns = {}
        for name, flags in (("with the cache", ()), ("without", ("--no-prefix-cache",))):
            with self.serve(*flags) as server:
                self.load(server.url, "--requests", 4, "--concurrency", 4, *MIXED, "--seed", 5)
                report = self.load(server.url, *AGENTS)
            turns[name] = report["first_by_turn"]
            later = [times["p50"] for turn, times in report["first_by_turn"].items() if int(turn) > 1]
            self.say(f"agents (`{' '.join(AGENTS)}`) {name}",
                     f"first text p50 of turn 1 {report['first_by_turn']['1']['p50'] * 1e3:.0f} ms, of turns 2 to 10 "
                     f"{min(later) * 1e3:.0f} to {max(later) * 1e3:.0f} ms; {report['cached_tokens'] / report['prompt_tokens']:.0%} cached")
        with_cache, without = turns.values()
        ratios = [without[turn]["p50"] / with_cache[turn]["p50"] for turn in with_cache if int(turn) > 1]
        self.say("turns 2 to 10, without / with the cache", f"{min(ratios):.1f} to {max(ratios):.1f}")

    def overload(self, capacity):
        best = 0
        with self.serve("--parallel", str(SLOTS), "--max-wait", str(FIRST_MS // 1000)) as server:
            self.load(server.url, "--concurrency", SLOTS, "--requests", SLOTS, *MIXED, "--seed", 9)
            for share in (0.8, 1.0, 1.2):
                report = self.load(server.url, "--rate", capacity * share, "--seconds", self.options.seconds, "--ttft-ms", FIRST_MS,
                                   "--gap-ms", GAP_MS, "--seed", 10 + int(share * 10), *MIXED)
                goodput = report["within_limits"] / self.options.seconds
                best = max(best, goodput)
                self.say(f"{share:.1f} x capacity ({capacity * share:.2f} requests/s by chance)",
                         f"goodput {goodput:.2f} requests/s ({goodput / best:.2f} of the best so far), {report['within_limits']} of "
                         f"{report['requests']['done'] + report['requests']['failed']}; first text p95 {report['first']['p95'] * 1e3:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--parts", default="many,prompt,agents,overload")
    parser.add_argument("--requests", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--long-prompt", type=int, default=7900)
    parser.add_argument("--decoder-tokens", type=int, default=600)
    parser.add_argument("--capacity", type=float, help="requests/s, where the first part is left out")
    parser.add_argument("-o", "--output")
    options = parser.parse_args()
    bench, parts = Bench(options), options.parts.split(",")
    bench.lines += ["| | |", "|---|---|"]
    capacity = options.capacity
    if "many" in parts:
        alone = bench.decode_alone()
        report = bench.ours(alone)
        capacity = report["answer_tokens_per_second_with_most_under_way"] / (report["answer_tokens"] / report["requests"]["done"])
        bench.peers(alone)
    if "prompt" in parts:
        bench.long_prompt()
    if "agents" in parts:
        bench.agents()
    if "overload" in parts:
        bench.overload(capacity)
    text = "\n".join(bench.lines) + "\n"
    if options.output:
        with open(options.output, "w") as file:
            file.write(text)
    print(text)


if __name__ == "__main__":
    main()
