"""Two small models for tests of the desktop translator: some English words to German ones, and back."""
import random
import subprocess

WORDS = {"red": "rot", "green": "grün", "blue": "blau", "house": "Haus", "tree": "Baum",
         "water": "Wasser", "fire": "Feuer", "small": "klein", "big": "groß", "old": "alt",
         "new": "neu", "bird": "Vogel"}
BACK = {german: english for english, german in WORDS.items()}
NUM_PAIRS, MAX_WORDS, UPDATES = 400, 6, 200


def train(command, folder, name, words):
    """Trains folder/name, in about ten seconds, to give each word its translation."""
    rng = random.Random(1)
    lines = [rng.choices(list(words), k=rng.randint(1, MAX_WORDS)) for _ in range(NUM_PAIRS)]
    paths = [folder / "train.src", folder / "train.tgt"]
    paths[0].write_text("".join(" ".join(line) + "\n" for line in lines), "utf-8")
    paths[1].write_text("".join(" ".join(words[word] for word in line) + "\n" for line in lines), "utf-8")
    return subprocess.run(
        [command, "train", "--model", folder / name, "--train-sets", *paths, "--task", "tiny",
         "--vocab-size", "110", "--dim-emb", "32", "--transformer-dim-ffn", "64",
         "--transformer-heads", "2", "--enc-depth", "1", "--dec-depth", "1",
         "--sentencepiece-options=--byte_fallback=false", "--mini-batch-words", "400",
         "--max-length", "30", "--save-freq", "10000", "--lr-warmup", "30", "--learn-rate", "0.005",
         "--transformer-dropout", "0", "--label-smoothing", "0", "--after", f"{UPDATES}u",
         "--seed", "1"], capture_output=True, text=True, check=False)
