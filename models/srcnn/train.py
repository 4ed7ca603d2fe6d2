#!/usr/bin/env python3
"""Trains the super-resolution network srcnn.onnx of this folder: SRCNN 9-1-5, RGB 0-255, three times larger.

Only retraining needs this script; running the model, the demo and the tests do not. Everything it needs is packaged:

    apt-get install --no-install-recommends python3-torch python3-pil \\
        lomiri-wallpapers-16.04 mate-backgrounds              # Debian 12: torch 1.13, Pillow 9.4
    pip download --no-deps scikit-image==0.26.0 && unzip -j -d skimage_data scikit_image-*.whl 'skimage/data/*'
    python3 models/srcnn/train.py --skimage skimage_data --output srcnn.onnx

`--backgrounds` says where the two Debian packages put their photographs, if they were unpacked elsewhere.
The run is seeded: the same machine, versions and arguments give the same model.
"""

import argparse
import copy
import pathlib
import time
from collections import OrderedDict

import numpy
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

SCALE = 3
PATCH = 24  # side of a low-resolution patch; 72 pixels of output, which stays in the cache of one core
BORDER = 6  # 4 + 2: how far zero padding of the 9x9 and the 5x5 convolution reaches into the picture

# Authors and licences stand in README.md. Left out are drawings and pictures without detail.
BACKGROUNDS = [
    # lomiri-wallpapers-16.04
    "Bridge_by_Sander_Klootwijk.jpg",
    "Dragonfly_by_Bolly.jpg",
    "Picture_0B_by_freespace.jpg",
    "Picture_1A_by_freespace.jpg",
    "Wine_by_Jakkub_Mede.jpg",
    "aitzgorri_by_Aitzol_Berasategi.jpg",
    "free_by_Peter_Nerlich.jpg",
    "friends_by_Aitzol_Berasategi.jpg",
    "greentock_by_Peter_Nerlich.jpg",
    "life_by_Aitzol_Berasategi.jpg",
    "picosdeeuropa_by_Aitzol_Berasategi.jpg",
    "seeding_by_Clements_Engelhardt.jpg",
    "sunset_by_Aitzol_Berasategi.jpg",
    # mate-backgrounds
    "mate/nature/Aqua.jpg",
    "mate/nature/Blinds.jpg",
    "mate/nature/Dune.jpg",
    "mate/nature/FreshFlower.jpg",
    "mate/nature/Garden.jpg",
    "mate/nature/GreenMeadow.jpg",
    "mate/nature/LadyBird.jpg",
    "mate/nature/RainDrops.jpg",
    "mate/nature/Storm.jpg",
    "mate/nature/TwoWings.jpg",
    "mate/nature/Wood.jpg",
    "mate/nature/YellowFlower.jpg",
]
SKIMAGE = ["brick.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "retina.jpg"]

# A camera's full resolution is soft from its lens, colour filter and JPEG. Scaled down, a photograph is sharp to the
# pixel, as test pictures are; two sizes show the network each object at two sharpnesses.
LONG_SIDES = (1200, 600)


class Srcnn(nn.Module):
    """Bicubic enlargement, then 9x9, 1x1 and 5x5 convolutions (Dong et al., arXiv:1501.00092), for colours in 0..1.

    Two things make it learn in minutes on one core; neither shows in the exported model.

    The start: channels 0 to 2 of each layer carry the enlarged picture through. SRCNN has no skip connection; from
    random weights it spends most of its training on learning to copy.

    The first layer's coordinates: enlarged pixels are so alike that the variances of a 9x9 patch along its principal
    axes span nine orders of magnitude, and Adam, which steps alike along every weight, hardly moves along the axes that
    hold the detail. So it learns `mixing`, in coordinates in which a patch is white:
    weight = carried + mixing * whitening.
    """

    def __init__(self, patch_mean, whitening):
        super().__init__()
        self.register_buffer("whitening", whitening)
        self.register_buffer("carried", torch.zeros(64, 3, 9, 9))
        self.mixing = nn.Parameter(torch.randn(64, 3 * 9 * 9) * 0.15)
        self.conv2 = nn.Conv2d(64, 32, 1)
        self.conv3 = nn.Conv2d(32, 3, 5, padding=2)
        with torch.no_grad():
            self.mixing[:3] = 0
            nn.init.kaiming_normal_(self.conv2.weight)
            nn.init.normal_(self.conv3.weight, std=1e-3)
            nn.init.zeros_(self.conv2.bias)
            nn.init.zeros_(self.conv3.bias)
            self.conv2.weight[:3] = self.conv2.weight[:, :3] = 0
            for channel in range(3):
                self.carried[channel, channel, 4, 4] = 1
                self.conv2.weight[channel, channel] = 1
                self.conv3.weight[:, channel] = 0
                self.conv3.weight[channel, channel, 2, 2] = 1
            # The mean of a patch, too, is taken off: a feature then sees detail, not brightness.
            self.bias1 = nn.Parameter(-self.mixing @ self.whitening @ patch_mean)

    def weight1(self):
        return self.carried + (self.mixing @ self.whitening).view(64, 3, 9, 9)

    def forward(self, small):
        large = functional.interpolate(small, scale_factor=SCALE, mode="bicubic", align_corners=False)
        weight = self.weight1().contiguous(memory_format=torch.channels_last)  # a fifth faster on one core
        features = functional.relu(functional.conv2d(large, weight, self.bias1, padding=4))
        features = functional.relu(self.conv2(features))
        return self.conv3(features)


def patch_statistics(photographs, random):
    """Mean and whitening matrix of the 9x9 patches of enlarged pictures: 243 numbers in a convolution's order."""
    patches = []
    for _ in range(60):
        small, _ = draw_batch(photographs, 16, random)
        large = functional.interpolate(small, scale_factor=SCALE, mode="bicubic", align_corners=False)
        patches.append(functional.unfold(large, 9, stride=9).transpose(1, 2).reshape(-1, 243).double())
    patches = torch.cat(patches)
    mean = patches.mean(0)
    centred = patches - mean
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(centred))
    # Axes of less variance hold rounding errors rather than detail and are not blown up. README.md compares floors.
    scales = (variances.clamp(min=0) + 6e-5).rsqrt()
    return mean.float(), (scales[:, None] * axes.T).float()


class Photograph:
    """One photograph at one size, with its low-resolution version and the places worth learning from."""

    def __init__(self, picture):
        width, height = (side // SCALE * SCALE for side in picture.size)
        large = picture.crop((0, 0, width, height))
        small = large.resize((width // SCALE, height // SCALE), Image.BICUBIC)
        enlarged = small.resize((width, height), Image.BICUBIC)
        self.large, self.small = numpy.asarray(large), numpy.asarray(small)
        error = numpy.square(self.large.astype(numpy.float32) - numpy.asarray(enlarged)).mean(2)

        # Sky and blurred backgrounds teach nothing: a patch is drawn in proportion to its bicubic RMSE.
        step = PATCH // 3
        self.corners = [(y, x) for y in range(0, small.size[1] - PATCH + 1, step)
                        for x in range(0, small.size[0] - PATCH + 1, step)]
        side = PATCH * SCALE
        rmse = numpy.array([numpy.sqrt(error[y * SCALE:y * SCALE + side, x * SCALE:x * SCALE + side].mean())
                            for y, x in self.corners])
        self.probability = rmse / rmse.sum()

    def patch(self, random):
        """A pair (low, high resolution), turned, mirrored and with shuffled channels, uint8, channels last."""
        y, x = self.corners[random.choice(len(self.corners), p=self.probability)]
        small = self.small[y:y + PATCH, x:x + PATCH]
        large = self.large[y * SCALE:(y + PATCH) * SCALE, x * SCALE:(x + PATCH) * SCALE]
        turns, mirror = random.integers(4), random.integers(2)
        colours = random.permutation(3)  # RGB or BGR must not matter: OpenCV users feed BGR
        pair = []
        for pixels in (small, large):
            pixels = numpy.rot90(pixels, turns)
            pair.append((pixels[:, ::-1] if mirror else pixels)[:, :, colours])
        return pair


def load_photographs(paths):
    photographs = []
    for path in paths:
        picture = Image.open(path).convert("RGB")
        for long_side in LONG_SIDES:
            if long_side < max(picture.size):
                factor = long_side / max(picture.size)
                size = [round(side * factor) for side in picture.size]
                photographs.append(Photograph(picture.resize(size, Image.LANCZOS)))
        if max(picture.size) <= min(LONG_SIDES):
            photographs.append(Photograph(picture))
    return photographs


def draw_batch(photographs, count, random):
    pairs = [photographs[random.integers(len(photographs))].patch(random) for _ in range(count)]
    to_tensor = lambda arrays: torch.from_numpy(numpy.stack(arrays)).permute(0, 3, 1, 2).float() / 255
    return to_tensor([small for small, _ in pairs]), to_tensor([large for _, large in pairs])


def train(network, photographs, arguments, random):
    side = PATCH * SCALE
    # The edge, where the convolutions see padding, is a third of a patch but only a few per cent of a real picture.
    weight = torch.full((side, side), 0.1)
    weight[BORDER:-BORDER, BORDER:-BORDER] = 1
    weight /= weight.mean()

    # The last layer turns features of about 1 into corrections of a few hundredths, so its steps are smaller.
    layers = [([network.mixing, network.bias1], 1), (network.conv2.parameters(), 1), (network.conv3.parameters(), 0.3)]
    optimiser = torch.optim.Adam([{"params": parameters} for parameters, _ in layers])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[arguments.rate * factor for _, factor in layers], total_steps=arguments.steps,
        pct_start=0.05, cycle_momentum=False, div_factor=10, final_div_factor=1000)
    started, shown = time.time(), []
    for step in range(1, arguments.steps + 1):
        small, large = draw_batch(photographs, arguments.batch, random)
        error = network(small.contiguous(memory_format=torch.channels_last)) - large
        # Charbonnier: close to L1, so that the few hard, noisy patches do not drown the others as they would in L2.
        loss = (torch.sqrt(error * error + 1e-6) * weight).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        shown.append(loss.item())
        if step % arguments.report == 0:
            seconds = time.time() - started
            print(f"step {step}: loss {numpy.mean(shown) * 255:.4f}, {seconds:.0f} s", flush=True)
            shown.clear()
            if arguments.save_each_report:
                export(network, arguments.output)


def export(network, path):
    """Writes the network for colours 0..255 as ONNX opset 11, with any height and width."""
    conv1 = nn.Conv2d(3, 64, 9, padding=4)
    conv2, conv3 = copy.deepcopy(network.conv2), copy.deepcopy(network.conv3)
    with torch.no_grad():
        # Of f(x / 255) * 255 the division goes into the first convolution, the multiplication into the last.
        conv1.weight.copy_(network.weight1() / 255)
        conv1.bias.copy_(network.bias1)
        conv3.weight *= 255
        conv3.bias *= 255
    plain = nn.Sequential(OrderedDict(
        enlarge=nn.Upsample(scale_factor=SCALE, mode="bicubic", align_corners=False),
        conv1=conv1, relu1=nn.ReLU(), conv2=conv2, relu2=nn.ReLU(), conv3=conv3))
    torch.onnx.export(plain.eval(), torch.zeros(1, 3, 32, 32), str(path), opset_version=11,
                      input_names=["input"], output_names=["output"],
                      dynamic_axes={"input": {2: "height", 3: "width"},
                                    "output": {2: "large_height", 3: "large_width"}})
    parameters = sum(parameter.numel() for parameter in plain.parameters())
    print(f"{path}: {parameters} parameters, {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backgrounds", type=pathlib.Path, default="/usr/share/backgrounds",
                        help="folder of the photographs of the two Debian packages (default: %(default)s)")
    parser.add_argument("--skimage", type=pathlib.Path, required=True, help="folder with the files of skimage/data")
    parser.add_argument("--output", type=pathlib.Path, default="srcnn.onnx")
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--batch", type=int, default=16, help="patches per step (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=3e-3, help="Adam's highest learning rate (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=int, default=500, help="steps between two lines of progress")
    parser.add_argument("--save-each-report", action="store_true", help="write the model with each line of progress")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    random = numpy.random.default_rng(arguments.seed)
    paths = [arguments.backgrounds / name for name in BACKGROUNDS]
    paths += [arguments.skimage / name for name in SKIMAGE]
    photographs = load_photographs(paths)
    print(f"torch {torch.__version__}, {len(paths)} photographs in {len(photographs)} sizes, seed {arguments.seed}",
          flush=True)
    network = Srcnn(*patch_statistics(photographs, random)).to(memory_format=torch.channels_last)
    train(network, photographs, arguments, random)
    export(network, arguments.output)


if __name__ == "__main__":
    main()
