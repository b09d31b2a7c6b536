#!/usr/bin/env python3
"""vkseq translate as a dialogue: a line is answered at once, and token by token with --stream.

    test_stream.py VKSEQ

Exit code 77 where there is no device.
"""
import json
import os
import pty
import select
import subprocess
import unittest

from bad_input import main, make_model, sentences, under_test

TIMEOUT_S = 120
LINES = sentences(1, 4)
# Of a model that has learned nothing: all pieces, most of them single bytes.
DRAWN = ["--output-sampling", "full", "--seed", "5"]


class Dialogue(unittest.TestCase):
    def translate(self, *words, text):
        return subprocess.run([under_test.vkseq, "translate", "-m", "model", *words],
                              cwd=under_test.models, check=True, input=text.encode(),
                              stdout=subprocess.PIPE).stdout

    def answers(self, fd, process, lines):
        """What each line is answered, as it comes: a list of chunks each."""
        chunks = []
        for line in lines:
            os.write(fd, f"{line}\n".encode())
            chunks.append([])
            while not b"".join(chunks[-1]).endswith(b"\n"):
                ready = select.select([process.stdout], [], [], TIMEOUT_S)[0]
                self.assertTrue(ready, "no answer")
                chunks[-1].append(os.read(process.stdout.fileno(), 1 << 16))
                self.assertTrue(chunks[-1][-1], "the command has ended")
        return chunks

    def start(self, *words, stdin):
        process = subprocess.Popen([under_test.vkseq, "translate", "-m", "model", *words],
                                   cwd=under_test.models, stdin=stdin, stdout=subprocess.PIPE,
                                   bufsize=0)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        return process

    def over_pipe(self, *words):
        process = self.start(*words, stdin=subprocess.PIPE)
        chunks = self.answers(process.stdin.fileno(), process, LINES)
        process.stdin.close()
        return chunks

    def test_a_line_in_a_pipe_is_answered_at_once(self):
        chunks = self.over_pipe("--beam-size", "2")
        self.assertEqual(b"".join(sum(chunks, [])),
                         self.translate("--beam-size", "2", text="\n".join(LINES)))

    def test_a_typed_line_is_answered_at_once(self):
        ours, theirs = pty.openpty()
        process = self.start("--beam-size", "1", stdin=theirs)
        os.close(theirs)
        chunks = self.answers(ours, process, LINES)
        os.write(ours, b"\x04")
        process.wait()
        os.close(ours)
        self.assertEqual(b"".join(sum(chunks, [])),
                         self.translate("--beam-size", "1", text="\n".join(LINES)))

    def test_tokens_come_one_by_one_and_characters_whole(self):
        chunks = self.over_pipe("--stream", *DRAWN)
        self.assertEqual(b"".join(sum(chunks, [])), self.translate(*DRAWN, text="\n".join(LINES)))
        self.assertTrue(any(len(line) > 3 for line in chunks), chunks)
        for chunk in sum(chunks, []):
            chunk.decode()

    def test_stream_of_many_lines_with_more_columns(self):
        text = "\n".join([*LINES, "", " ", *LINES])
        for words in ([], ["--word-scores", "--alignment"]):
            self.assertEqual(self.translate("--stream", *words, text=text),
                             self.translate("--beam-size", "1", *words, text=text))

    def test_placeholders_are_put_back_on_the_way(self):
        path = under_test.models / "model" / "config.json"
        text = path.read_text("utf-8")
        self.addCleanup(path.write_text, text, "utf-8")
        path.write_text(json.dumps({**json.loads(text), "placeholders": True}), "utf-8")
        lines = "".join(f"{line} %s {{0}} <b>{line}</b> $NAME\n" for line in LINES * 3)
        whole = self.translate(*DRAWN, text=lines)
        self.assertIn(b"%s", whole)
        self.assertEqual(self.translate("--stream", *DRAWN, text=lines), whole)


if __name__ == "__main__":
    main(lambda folder: make_model(folder, "--vocab-size", "330", "--after", "1u"))
