#!/usr/bin/env python3
"""compare_text_speed.py TOKENIZER.json TEXT_FILE [TEXT_BENCH]: encoding speed of Cleave and of the tokenizers package, on one thread,
in turns: three rounds of both, medians in MB/s. Needs the Python package tokenizers; TEXT_BENCH is build/release/bench/text_bench.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers

ROOT = pathlib.Path(__file__).parent.parent


def main():
    path, text_path = sys.argv[1:3]
    bench = sys.argv[3] if len(sys.argv) > 3 else str(ROOT / "build/release/bench/text_bench")
    text = pathlib.Path(text_path).read_text()
    size = len(text.encode())
    library = tokenizers.Tokenizer.from_file(path)
    ours, theirs, report = [], [], ""
    for _ in range(3):
        start = time.perf_counter()
        library.encode(text, add_special_tokens=False)
        theirs.append(size / (time.perf_counter() - start) / 1e6)
        report = subprocess.run([bench, path, text_path], check=True, capture_output=True, text=True).stdout
        ours.append(float(report.split("MB/s")[0].split()[-1]))
    print(report, end="")
    print(f"medians: cleave {statistics.median(ours):.2f} MB/s, tokenizers {tokenizers.__version__} {statistics.median(theirs):.2f} MB/s")


if __name__ == "__main__":
    main()
