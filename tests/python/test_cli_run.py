"""`shipway run` as people type it: every kind of input and output, pictures, and Ctrl-C. Numbers are onnxruntime's."""
import json
import os
import signal
import subprocess
import time

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageOps


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Two inputs, two outputs: total = a + b, product = a * b."""
    path = tmp_path_factory.mktemp("model") / "two.onnx"
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["total"]), helper.make_node("Mul", ["a", "b"], ["product"])], "two",
        [value("a", TensorProto.FLOAT, ["N", 3]), value("b", TensorProto.FLOAT, ["N", 3])],
        [value("total", TensorProto.FLOAT, ["N", 3]), value("product", TensorProto.FLOAT, ["N", 3])])
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)]), path)
    return path


def write_inputs(folder):
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    b = a[::-1] * 0.5 - 1
    np.save(folder / "a.npy", a)
    np.savez(folder / "both.npz", a=a, b=b)
    (folder / "b.pb").write_bytes(numpy_helper.from_array(b, "b").SerializeToString())
    return a, b


@pytest.mark.parametrize("inputs", [("a=a.npy", "b=b.pb"), ("a=both.npz", "b=both.npz")])
@pytest.mark.parametrize("options", [(), ("--reference",), ("--threads", "1")])
def test_tensor_files_in_and_out(shipway, model, tmp_path, inputs, options):
    a, b = write_inputs(tmp_path)
    done = shipway("run", model, "--input", inputs[0], "--input", inputs[1], "--output", "total=total.npy",
                   "--output", "product=product.pb", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = onnxruntime.InferenceSession(str(model)).run(["total", "product"], {"a": a, "b": b})
    np.testing.assert_array_equal(np.load(tmp_path / "total.npy"), expected[0])
    product = numpy_helper.to_array(onnx.load_tensor(tmp_path / "product.pb"))
    np.testing.assert_array_equal(product, expected[1])
    assert done.stdout.splitlines() == ["total: float[2x3] written to total.npy", "product: float[2x3] written to product.pb"]
    assert done.stderr.startswith("ran in ")


def test_json_and_quiet(shipway, model, tmp_path):
    write_inputs(tmp_path)
    done = shipway("run", model, "--input", "a=both.npz", "--input", "b=both.npz", "--output", "total=t.npy", "--json",
                   "--quiet", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    report = json.loads(done.stdout)
    assert report["milliseconds"] > 0
    assert report["outputs"] == [{"name": "total", "dtype": "float", "shape": [2, 3], "file": "t.npy"},
                                 {"name": "product", "dtype": "float", "shape": [2, 3]}]


def test_random_inputs_repeat_with_their_seed(shipway, model, tmp_path):
    def run(seed):
        done = shipway("run", model, "--input", "a=random", "--input", "b=random", "--shape", "a=4x3", "--shape", "b=4x3",
                       "--seed", seed, "--output", "total=t.npy", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return np.load(tmp_path / "t.npy")

    first = run(1)
    assert first.shape == (4, 3)
    np.testing.assert_array_equal(run(1), first)
    assert (run(2) != first).any()


def test_profile_is_a_chrome_trace(shipway, model, tmp_path):
    done = shipway("run", model, "--input", "a=random", "--input", "b=random", "--profile", "trace.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    events = json.loads((tmp_path / "trace.json").read_text())
    assert {event["args"]["op_type"] for event in events} == {"Add", "Mul"}
    assert all(event["ph"] == "X" and event["dur"] >= 0 for event in events)


@pytest.mark.parametrize("arguments, sentence", [
    (["--input", "a=a.npy"], "input 'b' (float[N,3]) is missing"),
    (["--input", "c=a.npy"], "the model has no 'c', it has 'a', 'b'"),
    (["--input", "a.npy"], "expected NAME=..., the model has 'a', 'b'"),
    (["--input", "a=a.npy", "--input", "a=a.npy"], "'a' is given twice"),
    (["--input", "a=nope.npy", "--input", "b=b.pb"], "nope.npy"),
    (["--input", "a=a.txt", "--input", "b=b.pb"], "expected a .npy, .npz or .pb file or a picture"),
    (["--input", "a=b.pb", "--input", "b=wrong.npy"], "input 'b' is int64[2x3], expected float[N,3]"),
    (["--input", "a=random", "--input", "b=b.pb", "--shape", "a=3x3"], "'b'"),
    (["--input", "a=random", "--input", "b=b.pb", "--shape", "a=3xx3"], "'3xx3' is no shape, expected one like 1x3x224x224"),
    (["--output", "z=z.npy"], "the model has no 'z', it has 'total', 'product'"),
    (["--output", "total=t.npy", "--output", "total=u.npy"], "'total' is given twice"),
    (["--output", "total=t.txt"], "expected a .npy or .pb file or a picture"),
    (["--output", "total=nowhere/t.npy"], "there is no folder 'nowhere'"),
    (["--precision", "bf16"], "only fp32 runs yet"),
])
def test_bad_inputs_get_one_sentence(shipway, model, tmp_path, arguments, sentence):
    write_inputs(tmp_path)
    np.save(tmp_path / "wrong.npy", np.zeros((2, 3), np.int64))
    before = sorted(os.listdir(tmp_path))
    done = shipway("run", model, *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert sentence in done.stderr and done.stderr.startswith("shipway: ") and done.stderr.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == before  # nothing half done


# ---- pictures


def expected_picture(srcnn, picture, order="rgb"):
    """What the model makes of an RGB picture, by onnxruntime."""
    rgb = np.asarray(picture.convert("RGB"), np.float32)
    if order == "bgr":
        rgb = rgb[:, :, ::-1]
    out = onnxruntime.InferenceSession(srcnn).run(None, {"input": rgb.transpose(2, 0, 1)[None]})[0][0].transpose(1, 2, 0)
    if order == "bgr":
        out = out[:, :, ::-1]
    return np.clip(out, 0, 255)


@pytest.fixture(scope="module")
def small(root):
    return Image.open(root / "models/srcnn/photos/coffee.png").convert("RGB").resize((40, 31), Image.BICUBIC)


def picture_of(small, kind):
    alpha = Image.fromarray(np.tile(np.linspace(0, 255, 40).astype(np.uint8), (31, 1)))
    if kind == "rgba":
        small = small.copy()
        small.putalpha(alpha)
    elif kind == "grey":
        small = small.convert("L")
    elif kind == "grey_alpha":
        small = Image.merge("LA", (small.convert("L"), alpha))
    elif kind == "palette":
        small = small.quantize(32)
    elif kind == "cmyk":
        small = small.convert("CMYK")
    return small


@pytest.mark.parametrize("name, kind", [
    ("in.png", "rgb"), ("in.png", "rgba"), ("in.png", "grey"), ("in.png", "grey_alpha"), ("in.png", "palette"),
    ("in.jpg", "rgb"), ("in.jpg", "grey"), ("in.jpg", "cmyk"), ("in.webp", "rgb"), ("in.webp", "rgba")])
def test_pictures_of_every_kind_are_enlarged(shipway, srcnn, small, tmp_path, name, kind):
    options = {"lossless": True} if name.endswith("webp") else {"quality": 95} if name.endswith("jpg") else {}
    picture_of(small, kind).save(tmp_path / name, **options)
    done = shipway("run", srcnn, "--input", f"input={name}", "--output", "output=large.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "output: 120 x 93 written to large.png\n"
    assert "40 x 31, as float 0..255 rgb [1,3,31,40]" in done.stderr
    large = Image.open(tmp_path / "large.png")
    source = Image.open(tmp_path / name)
    assert large.size == (120, 93)
    assert large.mode == {"grey": "L", "rgba": "RGBA", "grey_alpha": "RGBA"}.get(kind, "RGB")
    expected = expected_picture(srcnn, source)
    if kind == "grey":  # three equal channels in, their luma out
        expected = expected @ np.array([0.299, 0.587, 0.114], np.float32)
        got = np.asarray(large, np.float32)
    else:
        got = np.asarray(large.convert("RGB"), np.float32)
    # Rounded to whole levels; readers of JPEG and CMYK may differ by a level or two before the model.
    assert np.abs(got - expected).max() <= (8 if name.endswith("jpg") else 1.01)
    assert np.abs(got - expected).mean() <= 1
    if "A" in large.mode:
        alpha = np.asarray(large.getchannel("A"), np.float32)
        want = np.asarray(picture_of(small, "rgba").getchannel("A").resize((120, 93), Image.BICUBIC), np.float32)
        assert np.abs(alpha - want).max() <= 2


def test_sixteen_bits_stay_sixteen(shipway, srcnn, tmp_path):
    import cv2
    ramp = np.linspace(0, 65535, 24 * 20 * 3).reshape(20, 24, 3).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), ramp)
    done = shipway("run", srcnn, "--input", "input=deep.png", "--output", "output=large.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    large = cv2.imread(str(tmp_path / "large.png"), cv2.IMREAD_UNCHANGED)
    assert large.dtype == np.uint16 and large.shape == (60, 72, 3)
    assert len(np.unique(large)) > 1000
    done = shipway("run", srcnn, "--input", "input=deep.png", "--output", "output=large.jpg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "large.jpg").size == (72, 60)


def test_exif_rotation_is_applied(shipway, srcnn, small, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    small.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    done = shipway("run", srcnn, "--input", "input=turned.jpg", "--output", "output=large.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    large = Image.open(tmp_path / "large.png")
    assert large.size == (93, 120)
    upright = ImageOps.exif_transpose(Image.open(tmp_path / "turned.jpg"))
    assert upright.size == (31, 40)
    assert np.abs(np.asarray(large, np.float32) - expected_picture(srcnn, upright)).mean() <= 1


@pytest.mark.parametrize("name", ["large.png", "large.jpg", "large.webp"])
def test_pictures_are_written_by_their_names(shipway, srcnn, small, tmp_path, name):
    small.save(tmp_path / "in.png")
    done = shipway("run", srcnn, "--input", "input=in.png", "--output", f"output={name}", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    large = Image.open(tmp_path / name)
    assert large.format == {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[name[-3:].replace("ebp", "webp")]
    assert np.abs(np.asarray(large.convert("RGB"), np.float32) - expected_picture(srcnn, small)).mean() < 4


def test_alpha_that_a_jpeg_cannot_hold_is_said(shipway, srcnn, small, tmp_path):
    picture_of(small, "rgba").save(tmp_path / "in.png")
    done = shipway("run", srcnn, "--input", "input=in.png", "--output", "output=large.jpg", cwd=tmp_path)
    assert done.returncode == 0 and "cannot hold the input's alpha" in done.stderr
    assert Image.open(tmp_path / "large.jpg").mode == "RGB"


def test_tiles_and_order(shipway, srcnn, small, tmp_path):
    small.save(tmp_path / "in.png")
    for options in (["--tile", "16"], ["--tile", "-1"], ["--order", "bgr"]):
        done = shipway("run", srcnn, "--input", "input=in.png", "--output", "output=large.png", "--json", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["tiles"] == (6 if options == ["--tile", "16"] else 1)
        expected = expected_picture(srcnn, small, "bgr" if "bgr" in options else "rgb")
        assert np.abs(np.asarray(Image.open(tmp_path / "large.png"), np.float32) - expected).max() <= 1.01


def test_pictures_become_what_a_classifier_wants(shipway, tmp_path, small):
    """--range, --order, --mean, --std and --resize, against numpy and Pillow."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same",
                              [value("x", TensorProto.FLOAT, [1, 3, "H", "W"])], [value("y", TensorProto.FLOAT, [1, 3, "H", "W"])])
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)]), tmp_path / "same.onnx")
    small.save(tmp_path / "in.png")
    done = shipway("run", "same.onnx", "--input", "x=in.png", "--output", "y=y.npy", "--range", "0..1", "--order", "bgr",
                   "--mean", "0.4,0.5,0.6", "--std", "0.2,0.25,0.3", "--resize", "20x16", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    y = np.load(tmp_path / "y.npy")
    assert y.shape == (1, 3, 16, 20)
    resized = np.asarray(small.resize((20, 16), Image.BICUBIC), np.float32)[:, :, ::-1] / 255
    expected = (resized - np.array([0.4, 0.5, 0.6], np.float32)) / np.array([0.2, 0.25, 0.3], np.float32)
    assert np.abs(y[0].transpose(1, 2, 0) - expected).max() <= 1.01 / 255 / 0.2
    done = shipway("run", "same.onnx", "--input", "x=in.png", "--resize", "20", cwd=tmp_path)
    assert done.returncode == 1 and "expected WIDTHxHEIGHT" in done.stderr


# ---- Ctrl-C


def test_ctrl_c_ends_with_a_sentence_and_no_file(command, srcnn, tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (1500, 2000, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "in.png")
    process = subprocess.Popen([command, "run", srcnn, "--input", "input=in.png", "--output", "output=large.png"],
                               cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = process.stderr.readline()  # it says what it read; then the tiles begin
    assert "2000 x 1500" in first
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == "" and err.splitlines()[-1] == "shipway: interrupted"
    assert sorted(os.listdir(tmp_path)) == ["in.png"]


def test_ctrl_c_ends_a_measurement(command, srcnn, tmp_path):
    process = subprocess.Popen([command, "bench", srcnn, "--shape", "input=1x3x32x32", "--seconds", "100"], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "measuring" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "") and err.splitlines()[-1] == "shipway: interrupted"
