import contextlib
import io
import json

import numpy as np
import pytest
from torch import nn

from glore_seg.errors import OutputError
from projects.reproduction.paper_rows import TABLES, Row
from projects.reproduction.paper_tables import (
    CountedRow,
    as_text,
    count_rows,
    main,
    plot_costs,
    points,
)

# Parameters without and with running statistics in millions, MACs in thousands of them; as printed.
TABLE_2 = {
    "ResNet-50": (25.553, 25.602, 4.089, 25.6, 4.0),
    "ResNet-50 + GloRe (0,3)": (30.478, 30.533, 5.316, 30.5, 5.2),
    "ResNet-50 + GloRe (2,3)": (31.300, 31.357, 5.958, 31.4, 6.0),
    "SE-ResNet-50": (28.084, 28.133, 4.092, 28.1, 4.0),
    "SE-ResNet-50 + GloRe (0,3)": (33.009, 33.064, 5.319, 33.0, 5.2),
    "ResNet-200": (64.670, 64.842, 15.007, 64.6, 15.0),
    "ResNet-200 + GloRe (0,3)": (69.594, 69.773, 16.234, 69.7, 16.2),
    "ResNet-200 + GloRe (2,3)": (70.417, 70.597, 16.876, 70.6, 16.9),
    "ResNeXt-101 32x4d": (44.174, 44.308, 7.970, 44.3, 8.0),
    "ResNeXt-101 32x4d + GloRe (2,3)": (49.921, 50.063, 9.839, 50.3, 9.9),
    "DPN-98": (61.571, 61.736, 11.671, 61.7, 11.7),
    "DPN-98 + GloRe (2,3)": (67.317, 67.491, 13.540, 67.7, 13.6),
    "DPN-131": (79.255, 79.478, 16.014, 79.5, 16.0),
    "DPN-131 + GloRe (2,3)": (85.001, 85.233, 17.882, 85.5, 17.9),
}
# MACs and parameters of ResNet-50 with units.
FIGURE_4 = {
    "GloRe": ((4.410, 25.96), (4.498, 27.19), (4.907, 28.84), (5.228, 29.25), (5.316, 30.48),
              (5.637, 30.89), (5.958, 31.30)),
    "NL": ((4.815, 26.08), (4.540, 27.65), (5.440, 31.86), (6.892, 32.91)),
    "pooled NL": ((4.425, 26.08), (4.356, 27.65), (4.889, 31.86), (5.561, 32.91)),
}  # fmt: skip


@pytest.mark.slow
def test_table_2_figure_4_and_its_plot(tmp_path):
    plot = tmp_path / "new" / "figure4.png"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(["--json", "--plot", str(plot)])
    rows = json.loads(out.getvalue())
    found = {}
    for row in (row for row in rows if row["table"] == "Table 2"):
        counts = (row["params"] / 1e6, row["params_with_stats"] / 1e6, row["macs"] / 1e9)
        printed = (row["paper_params"] / 1e6, row["paper_macs"] / 1e9)
        found[row["network"]] = tuple(round(count, 3) for count in (*counts, *printed))
    assert found == TABLE_2
    for kind, costs in FIGURE_4.items():
        found = [
            (row["macs"] / 1e9, row["params"] / 1e6)
            for row in rows
            if row["table"] == "Figure 4" and row["network"].startswith(f"ResNet-50 + {kind} ")
        ]
        np.testing.assert_allclose(found, costs, atol=5.1e-3)
    assert plot.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OutputError, match=r"figure4\.png"):
        main(["--tables", "figure4", "--plot", str(plot)])


def test_table_1_as_text(capsys):
    main(["--tables", "table1"])
    title, _, header, _, *rows = capsys.readouterr().out.strip().splitlines()
    assert title == "Table 1"
    assert "off by, M" in header
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert [(row[0], row[1], row[-1]) for row in cells] == [
        ("ResNet-50", "25.553", "76.15"),
        ("ResNet-50 + GloRe (0,1)", "27.195", "77.6"),
        # A graph convolution of 256 nodes and 512 states: 256 (256 + 1) + 512 512 parameters.
        ("ResNet-50 + GloRe (0,1), g = 2", "27.523", "77.62"),
        ("ResNet-50 + GloRe (0,1), g = 3", "27.851", "77.66"),
    ]


def test_the_plot_drops_no_series(tmp_path):
    with pytest.raises(ValueError, match="zip"):
        plot_costs({str(n): [(1.0, 1.0, "")] for n in range(5)}, tmp_path / "costs.png")


def test_the_plot_needs_its_table(capsys):
    with pytest.raises(SystemExit):
        main(["--tables", "table1", "--plot", "x.png"])
    assert "--plot draws figure4; add it to --tables" in capsys.readouterr().err


def row(network: str = "net", *, table: str = "Table 0", channels: int = 3, **printed) -> Row:
    def build():
        return nn.Sequential(nn.Conv2d(3, channels, 1, bias=False), nn.BatchNorm2d(channels))

    return Row(table, network, build, (1, 3, 4, 5), **printed)


def test_counts_each_network_once():
    rows = [row("a"), row("b", channels=7), row("a", table="Figure 0")]
    found = count_rows(rows, progress=False)
    assert [r.row for r in found] == rows
    figures = [(r.params, r.params_with_stats, r.macs) for r in found]
    # Weights, then scale and shift, then mean and variance; 20 positions.
    assert figures == [(9 + 6, 15 + 6, 180), (21 + 14, 35 + 14, 420), (15, 21, 180)]


@pytest.mark.parametrize(
    ("params", "with_stats", "printed", "difference"),
    [
        (25_553_192, 25_602_500, 25_600_000, 0),  # with statistics, as printed
        (33_008_600, 33_064_000, 33_000_000, 0),  # without
        (64_669_992, 64_842_200, 64_600_000, 69_992),  # neither: the nearer one
        (67_317_400, 67_490_500, 67_700_000, -209_500),
        (1, 2, None, 0),
    ],
)
def test_parameters_differ_from_print(params, with_stats, printed, difference):
    found = CountedRow(row(paper_params=printed), params, with_stats, 0)
    assert found.params_difference == difference


def test_text():
    printed = row(paper_params=64_600_000, paper_macs=14_900_000_000, paper_top1=78.3)
    rows = [
        CountedRow(printed, 64_669_992, 64_842_200, 15_007_000_000),
        CountedRow(row(table="Table 9"), 1_000_000, 2_000_000, 3_000_000_000),
    ]
    lines = as_text(rows).splitlines()
    assert [line for line in lines if "|" not in line] == ["Table 0", "", "", "Table 9", ""]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| net " in line]
    wanted = ["64.670", "64.842", "64.6", "+0.070", "15.007", "14.9", "+0.107", "78.3"]
    assert cells == [["net", *wanted], ["net", "1.000", "2.000", "", "", "3.000", "", "", ""]]


def test_series_of_the_figure():
    rows = [CountedRow(each, 2_000_000, 0, 1_000_000_000) for each in TABLES["figure4"]]
    series = points([CountedRow(row(), 1, 1, 1), *rows])
    labels = {name: [label for _, _, label in found] for name, found in series.items()}
    assert labels.pop("plain and SE networks")[-2:] == ["ResNet-152", "ResNet-200"]
    blocks = ["(1,0)", "(0,1)", "(0,3)", "(2,3)"]
    assert labels == {
        "ResNet-50 + GloRe": ["(1,0)", "(0,1)", "(0,2)", "(1,2)", "(0,3)", "(1,3)", "(2,3)"],
        "ResNet-50 + NL": blocks,
        "ResNet-50 + pooled NL": blocks,
    }
    assert series["ResNet-50 + NL"][0][:2] == (1.0, 2.0)


@pytest.mark.slow
def test_table_5_has_the_printed_difference_between_the_units():
    counted = count_rows(TABLES["table5"], progress=False)
    for nonlocal_, glore in ((counted[1], counted[2]), (counted[4], counted[5])):
        printed = nonlocal_.row.paper_macs - glore.row.paper_macs
        assert printed == pytest.approx(1.6e9)
        assert nonlocal_.macs - glore.macs == pytest.approx(printed, abs=0.05e9)
