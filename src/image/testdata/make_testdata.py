#!/usr/bin/env python3
"""Writes the pictures beside this file with Pillow, as an independent source of what the codecs should read.

Lossless files hold pattern(): tests compute it themselves. For lossy files and resizing the expected pixels are
what Pillow makes of them, kept as .ppm, .pgm or .png. Run again only to add files: python make_testdata.py
"""
import os
import struct

import numpy as np
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 17, 11


def path(name):
    return os.path.join(HERE, name)


def pattern(channels, width=WIDTH, height=HEIGHT):
    x, y, c = np.arange(width), np.arange(height)[:, None], np.arange(channels)
    values = (x * 31 + y * 17 + x * y * 5)[..., None] + c * 73
    return (values % 256).astype(np.uint8)


def pattern16(channels):
    x, y, c = np.arange(WIDTH), np.arange(HEIGHT)[:, None], np.arange(channels)
    return (((x * 3001 + y * 1701 + x * y * 501)[..., None] + c * 7301) % 65536).astype(np.uint16)


def smooth(channels, width=25, height=19):
    """Something like a photo, for lossy codecs."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    planes = [127 + 120 * np.sin(3 * x + c) * np.cos(4 * y - c) for c in range(channels)]
    return np.stack(planes, -1).astype(np.uint8)


def png_chunk(tag, data):
    import zlib
    return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))


def write_png16(name, channels):
    """Pillow writes no 16-bit colour: rows of filter 0, by hand."""
    import zlib
    values = pattern16(channels)
    rows = b"".join(b"\0" + values[y].astype(">u2").tobytes() for y in range(HEIGHT))
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, color_type, 0, 0, 0)
    with open(path(name), "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) +
                png_chunk(b"IEND", b""))


def write_interlaced_png(name):
    """Nor interlaced files: the seven passes of Adam7 are small pictures one after another."""
    import zlib
    values = pattern(3)
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for x, y, step_x, step_y in passes:
        rows += b"".join(b"\0" + row.tobytes() for row in values[y::step_y, x::step_x])
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 1)
    with open(path(name), "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) +
                png_chunk(b"IEND", b""))


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def main():
    grey, rgb, rgba = pattern(1)[..., 0], pattern(3), pattern(4)
    image_grey, image_rgb, image_rgba = map(Image.fromarray, (grey, rgb, rgba))
    # ---- PNG
    image_grey.save(path("grey.png"))
    image_rgb.save(path("rgb.png"))
    image_rgba.save(path("rgba.png"))
    Image.fromarray(np.ascontiguousarray(pattern(2)), "LA").save(path("grey_alpha.png"))
    palette = Image.fromarray((grey // 16).astype(np.uint8), "P")  # index i is colour (16 i, 255 - 16 i, 7 i)
    palette.putpalette([v for i in range(16) for v in (16 * i, 255 - 16 * i, 7 * i)])
    palette.save(path("palette.png"))
    palette.save(path("palette_transparent.png"), transparency=3)
    Image.fromarray(grey >= 128).save(path("bits1.png"))
    write_png16("grey16.png", 1)
    write_png16("rgb16.png", 3)
    write_png16("rgba16.png", 4)
    write_interlaced_png("interlaced.png")
    image_rgb.save(path("rgb_orientation6.png"), exif=exif(6))
    # ---- JPEG
    photo = Image.fromarray(smooth(3))
    def expected(name, image):
        image.convert("L" if image.mode == "L" else "RGB").save(path(name))
    photo.save(path("photo.jpg"), quality=85)
    expected("photo.jpg.ppm", Image.open(path("photo.jpg")))
    photo.save(path("progressive.jpg"), quality=85, progressive=True, subsampling=0)
    expected("progressive.jpg.ppm", Image.open(path("progressive.jpg")))
    Image.fromarray(smooth(1)[..., 0]).save(path("grey.jpg"), quality=85)
    expected("grey.jpg.pgm", Image.open(path("grey.jpg")))
    Image.fromarray(smooth(4), "CMYK").save(path("cmyk.jpg"), quality=85)
    expected("cmyk.jpg.ppm", Image.open(path("cmyk.jpg")))
    small = Image.fromarray(smooth(3, 20, 12))
    for orientation in range(2, 9):
        name = f"orientation{orientation}.jpg"
        small.save(path(name), quality=80, exif=exif(orientation))
        ImageOps.exif_transpose(Image.open(path(name))).save(path(name + ".ppm"))
    # ---- WebP
    image_rgb.save(path("rgb.webp"), lossless=True)
    image_rgba.save(path("rgba.webp"), lossless=True, exact=True)
    photo.save(path("photo.webp"), quality=80)
    expected("photo.webp.ppm", Image.open(path("photo.webp")))
    image_rgb.save(path("rgb_orientation8.webp"), lossless=True, exif=exif(8))
    image_rgb.save(path("animation.webp"), lossless=True, save_all=True, append_images=[image_rgb.rotate(180)])
    # ---- BMP
    image_grey.save(path("grey.bmp"))
    image_rgb.save(path("rgb.bmp"))
    image_rgba.save(path("rgba.bmp"))
    palette.save(path("palette.bmp"))
    Image.fromarray(grey >= 128).save(path("bits1.bmp"))
    # ---- TIFF
    image_grey.save(path("grey.tif"))
    image_rgb.save(path("rgb.tif"))
    image_rgb.save(path("rgb_lzw.tif"), compression="tiff_lzw")
    image_rgba.save(path("rgba.tif"), compression="tiff_adobe_deflate")
    palette.save(path("palette.tif"))
    Image.fromarray(grey >= 128).save(path("bits1.tif"))
    Image.fromarray(pattern16(1)[..., 0]).save(path("grey16.tif"))
    image_rgb.save(path("rgb_orientation6.tif"), tiffinfo={0x0112: 6})
    # ---- JPEG 2000 (lossless)
    image_grey.save(path("grey.jp2"))
    image_rgb.save(path("rgb.jp2"))
    image_rgba.save(path("rgba.jp2"))
    image_rgb.save(path("rgb.j2k"), no_jp2=True)
    Image.fromarray(pattern16(1)[..., 0]).save(path("grey16.jp2"))
    # ---- PNM
    image_rgb.save(path("rgb.ppm"))
    image_grey.save(path("grey.pgm"))
    Image.fromarray(grey >= 128).save(path("bits1.pbm"))
    # ---- resize, of pattern(3) and others made by the tests
    filters = {"nearest": Image.NEAREST, "box": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC,
               "lanczos": Image.LANCZOS}
    for name, resample in filters.items():
        for size in ((7, 5), (29, 23), (40, 4), (16, 3)):
            image_rgb.resize(size, resample).save(path(f"resize_{name}_{size[0]}x{size[1]}.png"), optimize=True)
    image_rgba.resize((9, 20), Image.BICUBIC).save(path("resize_rgba_9x20.png"), optimize=True)
    image_grey.resize((23, 5), Image.BICUBIC).save(path("resize_grey_23x5.png"), optimize=True)
    image_rgb.convert("L").save(path("rgb_as_grey.pgm"))


main()
