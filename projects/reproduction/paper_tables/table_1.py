"""Table 1: more graph convolutions in one unit on Res4. It prints accuracies alone."""

from projects.reproduction.paper_tables.imagenet import imagenet_row

_TITLE = "Table 1"

ROWS = (
    imagenet_row(_TITLE, "resnet50", top1=76.15),
    *(
        imagenet_row(_TITLE, "resnet50", (0, 1), num_graph_convs=count, top1=top1)
        for count, top1 in ((1, 77.60), (2, 77.62), (3, 77.66))
    ),
)
