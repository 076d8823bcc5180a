#!/usr/bin/env python3
"""Writes the tables of docs/performance.md: this machine's limits, Cleave, and llama.cpp and its relatives side by side.

performance.py [options]
    --cleave FILE      the program (default: build/release/cleave)
    --peers SCRIPT     peers.sh, which builds and measures the peers; without it Cleave is measured alone, with weights made up
    --peers-dir DIR    its directory (default: build/peers)
    --peer 'NAME ARGS' a peer and its arguments, as peers.sh has them; repeatable (default: every peer that is built)
    --shape SHAPE      tiny 135m 1b (default) 3b 8b
    --types LIST       bf16,q8_0,q4_0,q4_k_m
    --threads LIST     1,2
    --tp LIST          1,2; ranks of Cleave, each with its part of the threads
    --prefill N        512
    --decode N         64
    --rounds N         3; each round visits every type, number of threads and program, so that a slow minute falls on all
    -o FILE            docs/performance.md; the text between two marks is replaced (default: standard output)
    --part NAME        which marks: a page may hold the tables of several machines (docs/performance.md: zen4, cascadelake)

Loading is measured of each type as it is stored and of bf16 quantised; all-reduces where mpirun and collectives_bench (`cmake
--build --preset release`, target of that name) are there.

A limit is what memory (decode) or arithmetic (prefill) allow, as `cleave bench` measures them; without peers, weights of
q4_k_m are made up as Q4_K throughout. The table holds medians over the rounds, and as spread (largest - smallest) / median. Samples that peers.sh keeps stay in its
directory.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 120  # columns of the page's text

# Llama's shapes as peers.sh has them: width, layers, heads, key-value heads, size of a head, intermediate, vocabulary, and
# whether the output is tied to the embedding.
SHAPES = {"tiny": (256, 4, 8, 2, 32, 768, 1024, True), "135m": (576, 30, 9, 3, 64, 1536, 49152, True),
          "1b": (2048, 16, 32, 8, 64, 8192, 128256, True), "3b": (3072, 28, 24, 8, 128, 8192, 128256, True),
          "8b": (4096, 32, 32, 8, 128, 14336, 128256, False)}


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--cleave", type=pathlib.Path, default=ROOT / "build/release/cleave")
    parser.add_argument("--peers", type=pathlib.Path)
    parser.add_argument("--peers-dir", type=pathlib.Path, default=ROOT / "build/peers")
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--shape", default="1b", choices=SHAPES)
    parser.add_argument("--types", default="bf16,q8_0,q4_0,q4_k_m")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--tp", default="1,2")
    parser.add_argument("--prefill", default="512")
    parser.add_argument("--decode", default="64")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=pathlib.Path)
    parser.add_argument("--part", default="zen4")
    return parser.parse_args()


def numbers(text):
    return [int(part) for part in text.split(",")]


def run(*command, **environment):
    print("==", *command, file=sys.stderr)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=False, env=os.environ | environment)
    if done.returncode != 0:
        sys.exit(f"performance.py: {command[0]} ended with exit code {done.returncode}")
    return done.stdout.decode()


def write_config(folder, shape):
    width, layers, heads, kv_heads, head, intermediate, vocabulary, tied = SHAPES[shape]
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": width, "num_hidden_layers": layers,
              "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": head, "intermediate_size": intermediate,
              "vocab_size": vocabulary, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
              "hidden_act": "silu", "tie_word_embeddings": tied}
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def model_of(args, config, kind):
    """What Cleave runs for a type: the peers' file, or made-up weights."""
    if args.peers:
        return [args.peers_dir / "models" / args.shape / f"{kind}.gguf"]
    return [config, "--random-weights", "q4_k" if kind == "q4_k_m" else kind]


def limits(args, config):
    """What `cleave bench` finds of the machine and of the models: its name, its limits, and by (type, threads) the rates of
    prefill and decode that they allow."""
    threads = ",".join(map(str, sorted({1, *numbers(args.threads)})))
    rates = {}
    for kind in args.types.split(","):
        report = json.loads(run(args.cleave, "bench", *model_of(args, config, kind), "--threads", threads, "--prefill",
                                args.prefill, "--decode", args.decode, "--repetitions", 1, "--json"))
        for test in ("prefill", "decode"):
            for row in report[test]:
                rates.setdefault((kind, row["threads"]), {})[test] = row["limit_tokens_per_second"]
    return report["machine"], report["limits"], rates


def limits_table(found):
    lines = ["| | " + " | ".join(f"{one['threads']} thread{'' if one['threads'] == 1 else 's'}" for one in found) + " |",
             "|---" * (len(found) + 1) + "|",
             "| read from memory, GB/s | " + " | ".join(f"{one['read_bytes_per_second'] / 1e9:.1f}" for one in found) + " |"]
    for kind in found[0]["peaks"]:
        name = found[0]["peaks"][kind]["instruction"]
        rates = " | ".join(f"{one['peaks'][kind]['operations_per_second'] / 1e9:.0f}" for one in found)
        lines.append(f"| {kind} ({name}), Gop/s | {rates} |")
    return "\n".join(lines)


def loading_table(args, config):
    """The shortest of as many loadings as there are rounds, one right after the other: a virtual machine may have given the
    memory that it has not used for seconds back to its host, and the next program waits for it."""
    lines = ["| weights | threads | seconds | stored bytes, GB/s | reading the files again, GB/s |", "|---|---|---|---|---|"]
    wanted = [(kind, kind, []) for kind in args.types.split(",")]
    if "bf16" in args.types.split(","):
        wanted += [(f"bf16 to {target}", "bf16", ["--weights", target]) for target in ("int8", "int4")]
    for label, kind, flags in wanted:
        for threads in numbers(args.threads):
            command = [args.cleave, "bench", *model_of(args, config, kind), *flags, "--threads", threads, "--prefill", 1, "--decode", 0,
                       "--repetitions", 1, "--json"]
            row = min((json.loads(run(*command))["loading"][0] for _ in range(args.rounds)), key=lambda one: one["seconds"])
            again = f"{row['file_bytes_per_second'] / 1e9:.1f}" if "file_bytes_per_second" in row else "-"
            lines.append(f"| {label} | {threads} | {row['seconds']:.2f} | {row['bytes_per_second'] / 1e9:.1f} | {again} |")
    return "\n".join(lines)


def collectives_text(args):
    program = args.cleave.parent / "bench/collectives_bench"
    if not program.exists() or shutil.which("mpirun") is None:
        return ""
    as_root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}  # which changes nothing for others
    text = run("mpirun", "-np", 2, "--bind-to", "none", program, **as_root)
    return ("\nAll-reduce over two ranks, microseconds (`mpirun -np 2 --bind-to none collectives_bench`):\n\n"
            + "".join(f"    {line}\n" for line in text.splitlines()))


def settings(args):
    """(label, flags) of every way to run Cleave; peers.sh replaces {threads}."""
    for ranks in numbers(args.tp):
        yield ("cleave" if ranks == 1 else f"cleave --tp {ranks}"), ["--tp", str(ranks)]


def with_peers(args):
    """Rows (program, type, threads) -> ([prefill rates], [decode rates]) from the samples that peers.sh keeps."""
    command = [args.peers, "bench", args.peers_dir, "--shape", args.shape, "--types", args.types, "--threads", args.threads,
               "--prefill", args.prefill, "--decode", args.decode, "--reps", 1, "--rounds", args.rounds]
    for peer in args.peer:
        command += ["--peer", peer]
    for label, flags in settings(args):
        program = " ".join([str(args.cleave), "bench", "{gguf}", "--threads", "{threads}", "--prefill", "{prefill}", "--decode",
                            "{decode}", "--repetitions", "{reps}", "--plain", *flags])
        # More ranks than threads are no setting: no figure.
        command += ["--also", f"{label}=if (( {flags[1]} <= {{threads}} )); then {program}; else echo - -; fi"]
    text = run(*command)
    samples = re.search(r"samples: (.*)$", text, re.M).group(1)
    rows = {}
    for line in pathlib.Path(samples).read_text().splitlines():
        program, kind, threads, test, rate = line.split("\t")
        rows.setdefault((program, kind, int(threads)), ([], []))[test == "tg"].append(float(rate))
    return rows


def alone(args, config):
    rows = {}
    for _ in range(args.rounds):
        for kind in args.types.split(","):
            for threads in numbers(args.threads):
                for label, flags in settings(args):
                    if int(flags[1]) > threads:
                        continue
                    line = run(args.cleave, "bench", *model_of(args, config, kind), "--threads", threads, "--prefill", args.prefill,
                               "--decode", args.decode, "--repetitions", 1, "--plain", *flags)
                    for rates, value in zip(rows.setdefault((label, kind, threads), ([], [])), line.split()):
                        if value != "-":
                            rates.append(float(value))
    return rows


def cell(rates):
    if not rates:
        return "-"
    middle = statistics.median(rates)
    return f"{middle:.1f} ({100 * (max(rates) - min(rates)) / middle:.0f}%)"


def rates_table(rows, limit):
    """By type and threads, best decode first, and what the machine's limits allow."""
    order = list(dict.fromkeys(kind for _, kind, _ in rows))
    lines = ["| weights | threads | program | prefill, tokens/s (spread) | decode, tokens/s (spread) |", "|---|---|---|---|---|"]

    def key(row):
        (_, kind, threads), (_, decode) = row
        return order.index(kind), threads, -statistics.median(decode or [0])

    last = None
    for (program, kind, threads), (prefill, decode) in sorted(rows.items(), key=key):
        if (kind, threads) != last:
            last = kind, threads
            allowed = [f"{limit[last][test]:.1f}" if test in limit.get(last, {}) else "-" for test in ("prefill", "decode")]
            lines.append(f"| {kind} | {threads} | *limit* | {allowed[0]} | {allowed[1]} |")
        lines.append(f"| {kind} | {threads} | {program} | {cell(prefill)} | {cell(decode)} |")
    return "\n".join(lines)


def versions(args):
    found = [run(args.cleave, "--version").strip()]
    if args.peers:
        for commit in sorted(args.peers_dir.glob("src/*/PEER_COMMIT")):
            found.append(f"{commit.parent.name} ({commit.read_text().strip()})")
    return ", ".join(found)


def load():
    try:
        return pathlib.Path("/proc/loadavg").read_text().split()[0]
    except OSError:
        return "unknown"


def own_command(args):
    """The command line without this machine's paths, broken where a line of the page would be longer than WIDTH."""
    parts = ["bench/performance.py"] + (["--peers peers.sh"] if args.peers else [])
    parts += [f"--peer '{peer}'" for peer in args.peer]
    parts += [f"--{name} {getattr(args, name)}" for name in ("shape", "types", "threads", "tp", "prefill", "decode", "rounds")]
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) > WIDTH - 10:
            lines.append("    " + part)
        else:
            lines[-1] += " " + part
    return " \\\n    ".join(lines)


def report(args):
    before = load()
    with tempfile.TemporaryDirectory() as folder:
        config = write_config(pathlib.Path(folder), args.shape)
        collectives = collectives_text(args)
        rows = with_peers(args) if args.peers else alone(args, config)  # before what follows: it makes the models
        machine, found, allowed = limits(args, config)
        loading = loading_table(args, config)
    run_under = f"{machine}; {versions(args)}; load {before} before, {load()} after; medians of {args.rounds} rounds."
    return f"""{textwrap.fill(run_under, WIDTH, break_on_hyphens=False)}

    {own_command(args)}

Limits:

{limits_table(found)}

Llama of shape {args.shape}; prompts of {args.prefill} tokens, {args.decode} tokens decoded from an empty context:

{rates_table(rows, allowed)}

Loading from the page cache, planning and packing included, the shortest of {args.rounds}:

{loading}
{collectives}"""


def main():
    args = arguments()
    if not args.output:
        print(report(args))
        return
    begin, end = f"<!-- bench/performance.py: {args.part} from here -->", f"<!-- {args.part} to here -->"
    page = args.output.read_text() if args.output.exists() else ""
    if page.count(begin) != 1 or page.count(end) != 1:
        sys.exit(f"performance.py: {args.output} has no lines '{begin}' and '{end}' to write between")
    text = report(args)
    page = args.output.read_text()  # which may have changed meanwhile
    head, tail = page.split(begin)[0], page.split(end)[1]
    args.output.write_text(f"{head}{begin}\n\n{text}\n{end}{tail}")


if __name__ == "__main__":
    main()
