"""cityscapesScripts' pixel-level evaluation, run as it is; prints one JSON object a case.

`python -m tests.reference.cityscapes_scripts FOLDER`, with a folder a case in FOLDER that holds
NAME_pred.png, NAME_labelIds.png and NAME_instanceIds.png for each image. A process of its own,
since it calls sys.exit on what it refuses.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as scripts

import glore_seg  # noqa: F401  patches cityscapesScripts, also after its import


def score(case: Path) -> dict:
    """The scores of one case, or why it was refused."""
    truth = sorted(case.glob("*_labelIds.png"))
    predicted = [path.with_name(path.name.replace("_labelIds", "_pred")) for path in truth]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            return scripts.evaluateImgLists(
                [str(path) for path in predicted], [str(path) for path in truth], scripts.args
            )
    except (SystemExit, KeyError, IndexError) as error:
        return {"refused": said.getvalue() + repr(error)}


if __name__ == "__main__":
    scripts.args.quiet = True
    scripts.args.JSONOutput = False
    for case in sorted(Path(sys.argv[1]).iterdir()):
        result = score(case)
        print(json.dumps({"case": case.name, **result}))
