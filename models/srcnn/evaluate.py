#!/usr/bin/env python3
"""Measures srcnn.onnx against bicubic enlargement and prints a Markdown table.

    python3 models/srcnn/evaluate.py                               # runs the model with onnxruntime
    python3 models/srcnn/evaluate.py --engine build/bin/shipway    # runs it with Shipway's command line
    python3 models/srcnn/evaluate.py PHOTO...                      # photographs of your own
    python3 models/srcnn/evaluate.py --picture side_by_side.png    # also draws the comparison of README.md

Needs numpy, Pillow and scikit-image, and onnxruntime if no engine is given.

Protocol: the photograph, cropped to a multiple of 3, is reduced by Pillow's BICUBIC and enlarged again, by Pillow's
BICUBIC and by the model; both results are 8 bit. PSNR of the BT.601 luma, rounded to 8 bit, without a border of 3
pixels.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy
from PIL import Image, ImageDraw
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio

SCALE = 3
FOLDER = pathlib.Path(__file__).resolve().parent


def read_ground_truth(path):
    picture = Image.open(path).convert("RGB")
    return picture.crop((0, 0, picture.width // SCALE * SCALE, picture.height // SCALE * SCALE))


def reduce(picture):
    return picture.resize((picture.width // SCALE, picture.height // SCALE), Image.BICUBIC)


def luma_psnr(truth, other):
    """PSNR in dB of two pictures of the same size, by the protocol above."""
    planes = []
    for picture in (truth, other):
        luma = numpy.round(rgb2ycbcr(numpy.asarray(picture))[..., 0]).astype(numpy.uint8)
        planes.append(luma[SCALE:-SCALE, SCALE:-SCALE])
    return peak_signal_noise_ratio(*planes, data_range=255)


def onnxruntime_enlarger(model):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])

    def enlarge(small):
        planes = numpy.asarray(small, dtype=numpy.float32).transpose(2, 0, 1)[None]
        output = session.run(["output"], {"input": planes})[0][0].transpose(1, 2, 0)
        return Image.fromarray(numpy.clip(numpy.round(output), 0, 255).astype(numpy.uint8))

    return enlarge


def shipway_enlarger(engine, model):
    def enlarge(small):
        with tempfile.TemporaryDirectory() as folder:
            source, result = pathlib.Path(folder, "small.png"), pathlib.Path(folder, "large.png")
            small.save(source)
            subprocess.run([engine, "run", model, "--quiet", "--input", f"input={source}",
                            "--output", f"output={result}"], check=True)
            return Image.open(result).convert("RGB")

    return enlarge


def draw_comparison(path, photograph, box, zoom, enlarge):
    """Writes the part `box` of a photograph, zoomed without smoothing: ground truth, bicubic and SRCNN side by side."""
    truth = read_ground_truth(photograph)
    small = reduce(truth)
    bicubic, network = small.resize(truth.size, Image.BICUBIC), enlarge(small)
    panels = [("ground truth", truth),
              (f"bicubic, {luma_psnr(truth, bicubic):.2f} dB", bicubic),
              (f"SRCNN, {luma_psnr(truth, network):.2f} dB", network)]
    width, height = ((box[2] - box[0]) * zoom, (box[3] - box[1]) * zoom)
    caption, gap = 18, 6
    sheet = Image.new("RGB", (3 * width + 2 * gap, height + caption), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (title, picture) in enumerate(panels):
        left = index * (width + gap)
        sheet.paste(picture.crop(box).resize((width, height), Image.NEAREST), (left, caption))
        draw.text((left + 2, 3), title, fill="black")
    sheet.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", nargs="*", type=pathlib.Path, help="default: the test photographs in photos/")
    parser.add_argument("--model", type=pathlib.Path, default=FOLDER / "srcnn.onnx")
    parser.add_argument("--engine", help="path of the shipway program (default: use onnxruntime)")
    parser.add_argument("--picture", help="also write a side-by-side picture to this file")
    parser.add_argument("--picture-of", type=pathlib.Path, default=FOLDER / "photos" / "coffee.png")
    parser.add_argument("--box", type=int, nargs=4, default=(150, 60, 330, 240),
                        metavar=("LEFT", "TOP", "RIGHT", "BOTTOM"),
                        help="the part of it to show (default: %(default)s)")
    parser.add_argument("--zoom", type=int, default=2)
    arguments = parser.parse_args()

    if arguments.engine:
        enlarge = shipway_enlarger(arguments.engine, arguments.model)
    else:
        enlarge = onnxruntime_enlarger(arguments.model)
    photographs = arguments.photographs or sorted((FOLDER / "photos").glob("*.png"))
    print("| photograph | bicubic, dB | SRCNN, dB | gain, dB |\n| --- | ---: | ---: | ---: |")
    rows = []
    for path in photographs:
        truth = read_ground_truth(path)
        small = reduce(truth)
        bicubic = luma_psnr(truth, small.resize(truth.size, Image.BICUBIC))
        network = luma_psnr(truth, enlarge(small))
        rows.append((bicubic, network, network - bicubic))
        print(f"| {path.stem} | {bicubic:.2f} | {network:.2f} | {network - bicubic:+.2f} |")
    bicubic, network, gain = numpy.mean(rows, axis=0)
    print(f"| **mean of {len(rows)}** | **{bicubic:.2f}** | **{network:.2f}** | **{gain:+.2f}** |")
    if arguments.picture:
        draw_comparison(arguments.picture, arguments.picture_of, arguments.box, arguments.zoom, enlarge)


if __name__ == "__main__":
    main()
