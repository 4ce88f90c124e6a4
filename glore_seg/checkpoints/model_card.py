"""The model card of a shared network, ``README.md``."""

import json
from collections.abc import Sequence

from mmengine.config import Config
from torch import nn

_PIPELINES = {"mmseg": "image-segmentation", "mmpretrain": "image-classification"}

_CARD = """---
library_name: glore_seg
{pipeline}tags:
- glore
- mmsegmentation
---

# {title}

A `{kind}` of {millions:.3f} M parameters, saved by
[glore_seg](https://arxiv.org/abs/1811.12814) (Graph-Based Global Reasoning Networks).

| part | class |
| --- | --- |
{rows}

## How to load it

```python
# pip install 'glore_seg[lite,hub]'
from glore_seg.apis.hub import from_pretrained

model = from_pretrained("OWNER/NAME")  # or this folder
```

## Classes

{classes}
"""


def write_card(cfg: Config, model: nn.Module, classes: Sequence[str]) -> str:
    """Return the text of a model card.

    Args:
        cfg: Config of the network.
        model: The network.
        classes: Names of its classes.
    """
    pipeline = _PIPELINES.get(cfg.get("default_scope") or "mmseg")
    parts = {
        name: type(part).__name__
        for name in ("backbone", "neck", "decode_head", "head")
        if isinstance(part := getattr(model, name, None), nn.Module)
    }
    return _CARD.format(
        pipeline=f"pipeline_tag: {pipeline}\n" if pipeline else "",
        title=_escape(" + ".join(parts.values()) or type(model).__name__),
        kind=type(model).__name__,
        millions=sum(p.numel() for p in model.parameters()) / 1e6,
        rows="\n".join(f"| {name} | `{kind}` |" for name, kind in parts.items()),
        classes="\n".join(f"{i}. {_escape(name)}" for i, name in enumerate(classes)) or "Unnamed.",
    )


def _escape(text: str) -> str:
    """Escape a name, so that it is not read as markup."""
    return json.dumps(str(text), ensure_ascii=False)[1:-1].replace("<", "&lt;").replace("|", "\\|")
