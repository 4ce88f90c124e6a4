"""The benchmarks' helpers: what is measured is what was meant."""

import json

from benchmarks import common


def test_tables_and_json(tmp_path, capsys):
    parser = common.make_parser("what", example="how")
    args = parser.parse_args(["--json", str(tmp_path / "new" / "out.json")])
    rows = [{"shape": "1 x 2", "times": 2.345, "why": None}]
    common.finish(args, {"torch": "2"}, {"Unit": rows})
    assert "| shape | times | why |\n| --- | --- | --- |\n| 1 x 2 | 2.35 | - |" in (
        capsys.readouterr().out
    )
    written = json.loads(args.json.read_text())
    assert written == {"machine": {"torch": "2"}, "tables": {"Unit": rows}}
