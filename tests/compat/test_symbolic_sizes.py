"""mmseg's resize of free sizes; without the patch the traced size is all that a graph takes."""

import pytest
import torch
from mmseg.models.utils import resize
from torch import nn
from torch.export import Dim

from glore_seg.compat.symbolic_sizes import sizes_stay_symbolic


class Twice(nn.Module):
    def forward(self, x):
        half = x[:, :, ::2, ::2]
        return resize(half, x.shape[2:], mode="bilinear", align_corners=True)


@pytest.mark.usefixtures("export_support")
def test_sizes_stay_free():
    x = torch.randn(2, 3, 16, 24)
    shapes = ({2: Dim.DYNAMIC, 3: Dim.DYNAMIC},)
    with sizes_stay_symbolic():
        program = torch.export.export(Twice(), (x,), dynamic_shapes=shapes).module()
    other = torch.randn(2, 3, 31, 42)
    torch.testing.assert_close(program(other), Twice()(other))
    with pytest.raises(Exception, match=r"specializ|constant|Constraints violated"):
        torch.export.export(Twice(), (x,), dynamic_shapes=shapes)
