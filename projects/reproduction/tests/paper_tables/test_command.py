import contextlib
import io
import json

import pytest

from glore_seg.errors import ConfigError, OutputError

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
# MACs and parameters; those of pooled blocks are those of the others.
FIGURE_4 = {
    "GloRe (1,0)": (4.410, 25.96),
    "GloRe (0,1)": (4.498, 27.19),
    "GloRe (0,2)": (4.907, 28.84),
    "GloRe (1,2)": (5.228, 29.25),
    "GloRe (0,3)": (5.316, 30.48),
    "GloRe (1,3)": (5.637, 30.89),
    "GloRe (2,3)": (5.958, 31.30),
    "NL (1,0)": (4.815, 26.08),
    "NL (0,1)": (4.540, 27.65),
    "NL (0,3)": (5.440, 31.86),
    "NL (2,3)": (6.892, 32.91),
    "pooled NL (1,0)": (4.425, 26.08),
    "pooled NL (0,1)": (4.356, 27.65),
    "pooled NL (0,3)": (4.889, 31.86),
    "pooled NL (2,3)": (5.561, 32.91),
}


@pytest.fixture(scope="module")
def tool(load_tool):
    return load_tool("projects.reproduction.paper_tables.__main__")


@pytest.mark.slow
def test_table_2_figure_4_and_its_plot(tool, tmp_path):
    plot = tmp_path / "new" / "figure4.png"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        tool(["--json", "--plot", str(plot)])
    rows = json.loads(out.getvalue())
    found = {}
    for row in (row for row in rows if row["table"] == "Table 2"):
        counts = (row["params"] / 1e6, row["params_with_stats"] / 1e6, row["macs"] / 1e9)
        printed = (row["paper_params"] / 1e6, row["paper_macs"] / 1e9)
        found[row["network"]] = tuple(round(count, 3) for count in (*counts, *printed))
    assert found == TABLE_2
    found = {
        row["network"].removeprefix("ResNet-50 + "): (row["macs"] / 1e9, row["params"] / 1e6)
        for row in rows
        if row["table"] == "Figure 4" and row["network"].startswith("ResNet-50 + ")
    }
    assert list(found) == list(FIGURE_4)
    for point, (macs, params) in FIGURE_4.items():
        assert found[point] == (pytest.approx(macs, abs=5e-4), pytest.approx(params, abs=5.1e-3))
    assert plot.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OutputError, match=r"figure4\.png"):
        tool(["--tables", "figure4", "--plot", str(plot)])


def test_table_1_as_text(tool, capsys):
    tool(["--tables", "table1"])
    title, _, header, _, *rows = capsys.readouterr().out.splitlines()
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


def test_the_plot_needs_its_table(tool, capsys):
    with pytest.raises(SystemExit):
        tool(["--tables", "table1", "--plot", "x.png"])
    assert "--plot draws figure4; add it to --tables" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"figure4\.txt.*\.png"):
        tool(["--plot", "figure4.txt"])
