#!/usr/bin/env python3
"""What training writes for TensorBoard, read by TensorBoard.

    test_tensorboard.py VKSEQ PEERS_PYTHON

PEERS_PYTHON has tensorboard (tools/setup --peers); without it, and without a Vulkan device, the
test is skipped (exit code 77).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

READER = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [(e.step, e.value) for e in events.Scalars(tag)]
                  for tag in events.Tags()["scalars"]}))
"""
SKIP = 77


def train(vkseq, folder, updates):
    command = [vkseq, "train", "--model", "M", "--task", "tiny", "--vocab-size", "60",
               "--sentencepiece-options=--byte_fallback=false", "--train-sets", "text", "text",
               "--valid-sets", "text", "text", "--after", f"{updates}u", "--disp-freq", "5",
               "--valid-freq", "10", "--save-freq", "10", "--tensorboard", "events", "--quiet"]
    return subprocess.run(command, cwd=folder, check=False).returncode


def main():
    vkseq, python = (os.path.abspath(word) for word in sys.argv[1:])
    if not pathlib.Path(python).exists():
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory() as folder:
        text = "".join(f"{'abcdefgh'[i % 8]} {'klmnop'[i % 6]} {i % 10}\n" for i in range(200))
        (pathlib.Path(folder) / "text").write_text(text, "utf-8")
        for updates in 20, 30:  # the second goes on
            code = train(vkseq, folder, updates)
            if code:
                sys.exit(SKIP if code == 3 else code)
        shown = json.loads(subprocess.run([python, "-c", READER, folder + "/events"], check=True,
                                          capture_output=True).stdout)
        lines = [json.loads(line) for line in
                 (pathlib.Path(folder) / "M" / "history.jsonl").read_text("utf-8").splitlines()]
    assert [step for step, _ in shown["train/cost"]] == [5, 10, 15, 20, 25, 30], shown
    assert [step for step, _ in shown["valid/perplexity"]] == [10, 20, 30], shown
    for tag, values in shown.items():
        written = [(line["update"], line[tag]) for line in lines if tag in line]
        assert [step for step, _ in written] == [step for step, _ in values], tag
        assert all(abs(a[1] - b[1]) <= 1e-6 * abs(a[1]) for a, b in zip(written, values)), tag


if __name__ == "__main__":
    main()
