"""Table 2: GloRe units in six networks."""

from projects.reproduction.paper_tables.imagenet import imagenet_row

_PRINTED = (
    ("resnet50", (0, 0), 25.6, 4.0, 76.2),
    ("resnet50", (0, 3), 30.5, 5.2, 78.4),
    ("resnet50", (2, 3), 31.4, 6.0, 78.2),
    ("se-resnet50", (0, 0), 28.1, 4.0, 77.2),
    ("se-resnet50", (0, 3), 33.0, 5.2, 78.7),
    ("resnet200", (0, 0), 64.6, 15.0, 78.3),
    ("resnet200", (0, 3), 69.7, 16.2, 79.4),
    ("resnet200", (2, 3), 70.6, 16.9, 79.7),
    ("resnext101-32x4d", (0, 0), 44.3, 8.0, 78.8),
    ("resnext101-32x4d", (2, 3), 50.3, 9.9, 79.8),
    ("dpn98", (0, 0), 61.7, 11.7, 79.8),
    ("dpn98", (2, 3), 67.7, 13.6, 80.2),
    ("dpn131", (0, 0), 79.5, 16.0, 80.1),
    ("dpn131", (2, 3), 85.5, 17.9, 80.3),
)

ROWS = tuple(
    imagenet_row("Table 2", arch, units, params=params, macs=macs, top1=top1)
    for arch, units, params, macs, top1 in _PRINTED
)
