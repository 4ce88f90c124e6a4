"""The model card of a shared network, ``README.md``."""

import json
from collections.abc import Sequence

from mmengine.config import Config
from torch import nn

_PIPELINES = {"mmseg": "image-segmentation", "mmpretrain": "image-classification"}


def write_card(cfg: Config, model: nn.Module, classes: Sequence[str]) -> str:
    """Return the text of a model card.

    Args:
        cfg: Config of the network.
        model: The network.
        classes: Names of its classes.
    """
    scope = cfg.get("default_scope") or "mmseg"
    pipeline = f"pipeline_tag: {_PIPELINES[scope]}\n" if scope in _PIPELINES else ""
    parts = {
        name: type(part).__name__
        for name in ("backbone", "neck", "decode_head", "head")
        if isinstance(part := getattr(model, name, None), nn.Module)
    }
    rows = "\n".join(f"| {name} | `{kind}` |" for name, kind in parts.items())
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    listed = "\n".join(f"{i}. {_plain(name)}" for i, name in enumerate(classes))
    title = _plain(" + ".join(parts.values()) or type(model).__name__)
    return f"""---
library_name: glore_seg
{pipeline}tags:
- glore
- mmsegmentation
---

# {title}

A `{type(model).__name__}` of {millions:.3f} M parameters, saved by
[glore_seg](https://arxiv.org/abs/1811.12814) (Graph-Based Global Reasoning Networks).

| part | class |
| --- | --- |
{rows}

## How to load it

```bash
pip install 'glore_seg[lite,hub]'
```

```python
from glore_seg.apis.hub import from_pretrained

model = from_pretrained("OWNER/NAME")  # or this folder
```

`config.json` is the resolved config, plain values that are never run; `model.safetensors` are the
weights.

## Classes

{listed or "Not named by the config's dataset."}
"""


def _plain(text: str) -> str:
    """Escape a name, so that it is not read as markup."""
    return json.dumps(str(text), ensure_ascii=False)[1:-1].replace("<", "&lt;").replace("|", "\\|")
